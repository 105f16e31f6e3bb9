"""`catdl keys FILE NAME`: the keys of a morphism's weights, and where those of another file go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.files import reason, refuse_output, write_whole
from catdl.cli.report import fail
from catdl.cli.specs import choose, deny_option, search_option, sound_spec
from catdl.diagnostics.base import Diagnostic

if TYPE_CHECKING:
    from catdl.cli.tensors import TensorFile
    from catdl.weights.diff import Diff
    from catdl.weights.held import Form
    from catdl.weights.keymap import Line


@click.command("keys", short_help="List the keys of a morphism's weights, and map those of another file onto them.")
@click.argument("file")
@click.argument("name")
@click.option("--diff", "weights", metavar="W.safetensors", help="Weights from elsewhere; prints a map of their keys.")
@click.option("--map", "map_path", metavar="MAP", help="Lines of the map that are given; the rest is found.")
@click.option("--write", "output", metavar="OUT.safetensors", help="Write the weights as the morphism has them.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@deny_option
@search_option
def command(
    file: str,
    name: str,
    weights: str | None,
    map_path: str | None,
    output: str | None,
    form: str,
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """List the keys of the weights of the morphism NAME of FILE, as its `state_dict` has them.

    With --diff the output is a key map: what each of these is made of. It can be kept, changed, and given by --map.
    """
    if weights is None and (map_path or output):
        raise click.UsageError(f"{'--map' if map_path else '--write'} needs --diff.")
    inputs = tuple(path for path in (file, weights, map_path) if path)
    refused = refuse_output(output, inputs) if output else None
    if refused is not None:
        fail(refused)
    spec = sound_spec(file, search, deny)
    diagram = choose(spec, name, file).diagram()
    from catdl.analysis.cost import foreign
    from catdl.weights import shown
    from catdl.weights.held import held

    tensors = held(diagram)
    text = form == "text"
    if weights is None:
        click.echo((shown.keys if text else shown.keys_json)(name, tensors, foreign(diagram)), nl=False)
        return
    forms = {tensor.key: tensor.form for tensor in tensors}
    stored, found = _diff(name, forms, weights, map_path)
    click.echo(shown.diff(found, forms, stored.forms()) if text else shown.diff_json(name, found), nl=False)
    if found.open or found.missing or found.extra:
        undecided = sum(len(each.ours) for each in found.open)
        fail(wrong.WeightsOpen(weights, name, undecided, len(found.missing), len(found.extra)))
    if output:
        from catdl.cli.tensors import made, mixed

        misfits = tuple(mixed(stored, found.plan.made))
        if misfits:
            fail(*misfits)
        try:
            data = made(stored, found.plan.made, forms)
        except OSError as error:
            fail(wrong.FileUnreadable(weights, reason(error)))
        failed = write_whole(output, data, (*inputs, *spec.paths))
        if failed is not None:
            fail(failed)


def _diff(name: str, forms: dict[str, Form], weights: str, map_path: str | None) -> tuple[TensorFile, Diff]:
    """The file and the whole map; leave with what is wrong with the lines that are given."""
    from catdl.cli.tensors import TensorFile, copies, look
    from catdl.weights.diff import complete

    stored = look(weights)
    if not isinstance(stored, TensorFile):
        fail(stored)
    lines, mistakes = _lines(map_path) if map_path else ([], [])
    try:
        found, misfits = complete(lines, name, forms, weights, stored.forms(), lambda a, b: copies(stored, a, b))
    except OSError as error:
        fail(wrong.FileUnreadable(weights, reason(error)))
    if mistakes or misfits:
        fail(*mistakes, *misfits)
    return stored, found


def _lines(path: str) -> tuple[list[Line], list[Diagnostic]]:
    """The lines of a map, and what cannot be read as one."""
    from catdl.source import decode
    from catdl.weights.keymap import read

    try:
        decoded = decode(path, Path(path).read_bytes())
    except OSError as error:
        return [], [wrong.FileUnreadable(path, reason(error))]
    if decoded.faults:
        return [], list(wrong.not_text(decoded))
    return read(decoded.source)
