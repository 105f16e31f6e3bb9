"""The command `catdl`: one module per subcommand, loaded when that one is asked for.

Exit status: 0 when all is well, 1 when there is something to tell about the input (diagnostics), 2 when the command
itself is used wrongly, 70 when catdl fails. Only this package and `driver` read and write files.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

_COMMANDS = ("check", "compile", "show", "run", "keys", "laws", "train", "plot", "eval", "predict", "explain")
_INTERNAL = 70


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"catdl.cli.{cmd_name}").command
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="catdl")
def catdl() -> None:
    """Check, compile and run neural networks written as .cat files."""


def main() -> None:
    """Run the command line. What goes wrong inside catdl is told in two lines, not in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character still gets the rest
    try:
        catdl(prog_name="catdl")
    except Exception as error:
        if os.environ.get("CATDL_TRACEBACK"):
            raise
        _apologise(error)
        sys.exit(_INTERNAL)


def _apologise(error: Exception) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "unknown place"
    what = " ".join(str(error).split())[:200]
    click.echo(f"catdl: internal error: {type(error).__name__} at {place}: {what}", err=True)
    click.echo("This is a bug in catdl: please report it with the input (CATDL_TRACEBACK=1 shows more).", err=True)
