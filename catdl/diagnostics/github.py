"""Diagnostics as workflow commands, which GitHub Actions shows beside the lines they speak of.

::error file=m.cat,line=1,col=34,endLine=1,endColumn=40,title=E0101%3A a name …::there is no morphism called `linera`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.notes import remarks, shortened
from catdl.source import Span


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """One command, and so one line, for each diagnostic."""
    return "".join(f"{command(diagnostic)}\n" for diagnostic in diagnostics)


def command(diagnostic: Diagnostic) -> str:
    """The command for one diagnostic."""
    parts = shortened(diagnostic.parts())
    fields = [*_place(parts.span), ("title", f"{diagnostic.code}: {diagnostic.title}")]
    shown = ",".join(f"{name}={_property(value)}" for name, value in fields)
    lines = [parts.message, *(f"{label.span.where}: {label.text}" for label in parts.labels), *remarks(parts)]
    return f"::{diagnostic.severity} {shown}::{_data(chr(10).join(lines))}"


def _place(span: Span | None) -> Iterator[tuple[str, str]]:
    """Where it is. Columns are for spans within one line, as GitHub has it; standard input is no file."""
    if span is None:
        return
    (line, column), (last, past) = span.source.position(span.start), span.source.position(span.end)
    if span.source.path != "-":
        yield "file", span.source.path
    yield "line", str(line)
    if line == last:
        yield "col", str(column)
    yield "endLine", str(last)
    if line == last:
        yield "endColumn", str(past)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
