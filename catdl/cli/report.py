"""How the commands tell of diagnostics: which form, which stream, which colours, how wide."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NoReturn, TextIO

import click

from catdl.diagnostics.base import WIDTH, Diagnostic, has_errors, in_order

color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours: on a terminal (auto; NO_COLOR turns them off), always, or never.",
)


def fail(*diagnostics: Diagnostic) -> NoReturn:
    """Say what is wrong on standard error and leave."""
    write(diagnostics, sys.stderr)
    sys.exit(1)


def warn(diagnostics: Iterable[Diagnostic]) -> None:
    """Say what there is to say on standard error, and leave if an error is among it."""
    found = tuple(diagnostics)
    if has_errors(found):
        fail(*found)
    write(found, sys.stderr)


def write(diagnostics: Iterable[Diagnostic], stream: TextIO, color: str = "auto") -> None:
    """Write diagnostics as text, in source order, fitted to the stream."""
    found = in_order(diagnostics)
    if found:
        from catdl.diagnostics.text import render  # late: a clean check has nothing to show

        text = render(found, color=colours(stream, color), width=columns(stream))
        click.echo(text, file=stream, nl=False, color=True)


def columns(stream: TextIO) -> int:
    """How wide a text for the stream may be: as wide as the terminal, where there is one."""
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns if stream.isatty() else WIDTH


def colours(stream: TextIO, wish: str = "auto") -> bool:
    """Whether the stream is sent colours. Left to itself, a terminal is, as https://no-color.org has it."""
    if wish != "auto":
        return wish == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
