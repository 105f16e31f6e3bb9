"""`catdl predict FILE LEARNER --weights W -o Y`: what a trained network makes of data, batch by batch."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catdl import diagnostics as wrong
from catdl.cli.files import refuse_output, write_whole
from catdl.cli.learners import allow_option, by_itself, chosen, set_option
from catdl.cli.report import fail
from catdl.cli.specs import deny_option, search_option, told
from catdl.types.ragged import of_leaves

if TYPE_CHECKING:
    import numpy as np


@click.command("predict", short_help="Run a trained network on data.")
@click.argument("file")
@click.argument("name", required=False)
@click.option("--weights", required=True, metavar="W.safetensors", help="The weights, as `train` leaves them.")
@click.option(
    "--data", metavar="FILE", help="Data with the same columns, without the targets; that of the learner else."
)
@click.option("-o", "--output", required=True, metavar="Y.npz|Y.csv", help="The file to write.")
@set_option
@allow_option
@deny_option
@search_option
def command(
    file: str,
    name: str | None,
    weights: str,
    data: str | None,
    output: str,
    settings: tuple[str, ...],
    allow: tuple[str, ...],
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Write what the model of the learner NAME of FILE gives for every sample, in the order of the data."""
    if not output.endswith((".npz", ".csv")):
        raise click.BadParameter("must end in .npz or .csv", param_hint="-o")
    inputs = tuple(path for path in (file, data, weights) if path)
    if (refused := refuse_output(output, inputs)) is not None:
        fail(refused)
    learner = chosen(file, name, settings, search, deny)
    plan = by_itself(learner)
    if plan.model is None:
        fail(wrong.BadSetting(plan.span, "model", "what predicts", "a learner without one"))
    if output.endswith(".csv") and of_leaves(plan.model.wires[wire].type for wire in plan.model.outputs):
        raise click.BadParameter("what differs in size from sample to sample goes into .npz", param_hint="-o")
    from catdl.cli.arrays import load_weights
    from catdl.driver import refusing
    from catdl.learn.predict import Predictor

    with told():
        learner.check_allowed(allow)
        predictor = refusing(lambda: Predictor(plan, Path(file).parent, data))
    if (unloaded := load_weights(predictor.model, weights)) is not None:
        fail(unloaded)
    arrays = predictor.arrays()
    packed = csv_text(arrays).encode() if output.endswith(".csv") else npz_bytes(arrays)
    if (failed := write_whole(output, packed, inputs)) is not None:
        fail(failed)


def npz_bytes(arrays: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """An archive of numpy's."""
    import numpy as np

    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def csv_text(arrays: dict[str, np.ndarray[Any, Any]]) -> str:
    """A line for each sample; a result with axes has a column for each of its numbers, `y_0, y_1, …`."""
    columns: dict[str, list[Any]] = {}
    for name, array in arrays.items():
        flat = array.reshape(len(array), -1)
        for place in range(flat.shape[1]):
            columns[name if array.ndim == 1 else f"{name}_{place}"] = flat[:, place].tolist()
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue()
