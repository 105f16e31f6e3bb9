"""How the commands tell of diagnostics: which form, which stream, which colours, how wide."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NoReturn, TextIO

import click

from catdl.diagnostics.base import Diagnostic, has_errors, in_order


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


def write(diagnostics: Iterable[Diagnostic], stream: TextIO) -> None:
    """Write diagnostics as text, in source order, fitted to the stream."""
    found = in_order(diagnostics)
    if found:
        import shutil  # late, as the renderer: a clean check has nothing to show

        from catdl.diagnostics.text import WIDTH, render

        terminal = stream.isatty()
        width = shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH
        click.echo(render(found, color=terminal and colourful(), width=width), file=stream, nl=False, color=True)


def colourful() -> bool:
    """Whether a terminal may be sent colours, as https://no-color.org has it."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
