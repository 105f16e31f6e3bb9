"""`catdl eval FILE LEARNER --weights W`: the loss and the metrics of a trained network."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catdl.cli.learners import allow_option, by_itself, chosen, set_option
from catdl.cli.report import fail
from catdl.cli.specs import deny_option, search_option, told
from catdl.diagnostics.numbers import brief

if TYPE_CHECKING:
    from catdl.learn.fit import Run
    from catdl.learn.samples import Samples


@click.command("eval", short_help="Measure a trained network.")
@click.argument("file")
@click.argument("name", required=False)
@click.option(
    "--weights",
    required=True,
    multiple=True,
    metavar="W.safetensors",
    help="The weights, as `train` leaves them; several are an ensemble, whose spread is told.",
)
@click.option("--on", type=click.Choice(["data", "validate", "test"]), help="Which data; the last that there are.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@set_option
@allow_option
@deny_option
@search_option
def command(
    file: str,
    name: str | None,
    weights: tuple[str, ...],
    on: str | None,
    as_json: bool,
    settings: tuple[str, ...],
    allow: tuple[str, ...],
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Say what the loss and the metrics of the learner NAME of FILE are, with the weights given."""
    learner = chosen(file, name, settings, search, deny)
    by_itself(learner)
    with told():
        run = learner.run(allow=allow)
    members = [partial(load, run, path) for path in weights]
    members[0]()
    there = {"data": run.data.learn, "validate": run.data.validate, "test": run.data.test}
    which = on or next(key for key in ("test", "validate", "data") if there[key] is not None)
    samples = there[which]
    if samples is None:
        raise click.BadParameter(f"`{learner.name}` has no `{which}`", param_hint="--on")
    head = {"on": which, "samples": samples.count}
    if len(members) > 1:
        told_together(run, samples, members, head, as_json)
        return
    values = run.measure(samples)
    if as_json:
        click.echo(json.dumps({**head, **values}))
    else:
        shown = "  ".join(f"{key} {brief(value)}" for key, value in values.items())
        click.echo(f"{which}, {samples.count:,} samples: {shown}")


def load(run: Run, path: str) -> None:
    """Put the weights of a file into the network; one that does not fit ends the command."""
    from catdl.cli.arrays import load_weights

    beside = str(Path(path).with_name("loss.safetensors"))
    if run.net.beside and (unloaded := load_weights(run.net.loss, beside)) is not None:
        fail(unloaded)
    run.following.given()
    if (unloaded := load_weights(run.net.trained, path)) is not None:
        fail(unloaded)


def told_together(
    run: Run, samples: Samples, members: Sequence[Callable[[], None]], head: dict[str, Any], as_json: bool
) -> None:
    """The measures of an ensemble, their mean and deviation, and a squared error taken apart."""
    from catdl.learn.ensemble import is_squared, spread, taken_apart

    values = spread(run, samples, members)
    apart = taken_apart(run, samples, members) if is_squared(run.plan) else {}
    if as_json:
        found = {key: {"mean": mean, "deviation": deviation} for key, (mean, deviation) in values.items()}
        click.echo(json.dumps({**head, "networks": len(members), **found, **({"apart": apart} if apart else {})}))
        return
    shown = "  ".join(f"{key} {brief(mean)} ± {brief(deviation)}" for key, (mean, deviation) in values.items())
    click.echo(f"{head['on']}, {head['samples']:,} samples, {len(members)} networks: {shown}")
    if apart:
        click.echo(
            f"the squared error {brief(apart['loss'])} is {brief(apart['bias'])} of bias, that of the mean prediction,"
            f" and {brief(apart['variance'])} of variance"
        )
