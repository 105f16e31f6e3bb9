"""`catdl plot DIR -o curves.svg`: the curves of a run, from its log."""

from __future__ import annotations

from pathlib import Path

import click

from catdl import diagnostics as wrong
from catdl.cli.files import reason, refuse_output, write_whole
from catdl.cli.report import fail

ENDINGS = (".svg", ".png", ".pdf")
WITHOUT = "needs matplotlib: pip install matplotlib"


@click.command("plot", short_help="Draw the curves of a run.")
@click.argument("directory", metavar="DIR")
@click.option("-o", "--output", required=True, metavar="OUT.svg|OUT.png", help="The picture to write.")
def command(directory: str, output: str) -> None:
    """Draw what DIR/log.jsonl says of a run, also while it is training: the loss and every metric over the epochs."""
    usable(output, "-o")
    draw(Path(directory), output)


def usable(output: str, option: str) -> None:
    """Leave if no picture can be drawn there, before any work is done."""
    if not output.endswith(ENDINGS):
        raise click.BadParameter("must end in .svg, .png or .pdf", param_hint=option)
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise click.UsageError(f"`{option}` {WITHOUT}")
    if (refused := refuse_output(output, ())) is not None:
        fail(refused)


def draw(directory: Path, output: str) -> None:
    """Write the picture of a run; leave with what is wrong."""
    from catdl.learn.curves import drawn, rows

    path = directory / "log.jsonl"
    try:
        log = rows(path)
    except (OSError, ValueError) as error:
        fail(wrong.FileUnreadable(str(path), reason(error)))
    if not log:
        fail(wrong.FileUnreadable(str(path), "there is no epoch in it yet"))
    title = directory.resolve().name
    if (failed := write_whole(output, drawn(log, title, output.rpartition(".")[2]), (str(path),))) is not None:
        fail(failed)
