"""Diagnostics as text for a terminal, in the manner of rustc.

Takes any `Diagnostic`; guarantees lines that a terminal can show (no control characters), none wider than it is, in
time proportional to what is shown. Only a path is never broken, for terminals and editors follow it.

    error[E0101]: there is no morphism called `linera`
     --> m.cat:1:34
      |
    1 | morphism f : Image -> Real[10] = linera(10)
      |                                  ^^^^^^ not declared or imported
      |
      = help: did you mean `linear`?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from catdl.diagnostics.base import WIDTH, Diagnostic, Edit, Help, Parts
from catdl.diagnostics.cells import clean, lay, wrap, wrap_laid
from catdl.diagnostics.cells import width as cells
from catdl.diagnostics.notes import Pieces, laid
from catdl.diagnostics.snippet import Mark, Row, rows
from catdl.source import Source, Span

_COLOURS = {
    "error": "1;31",
    "warning": "1;33",
    "primary": "1;31",
    "secondary": "1;34",
    "gutter": "1;34",
    "strong": "1",
    "removed": "31",
    "added": "32",
}
_EDIT_LINES = 8
_LINE_END = re.compile(r"\r\n|\r|\n")
NARROWEST = 40  # cells: a report is made for no terminal that is narrower


def render(diagnostics: Iterable[Diagnostic], *, color: bool = False, width: int = WIDTH) -> str:
    """The diagnostics one after the other, an empty line between them; empty if there are none."""
    return "\n".join(render_one(diagnostic, color=color, width=width) for diagnostic in diagnostics)


def render_one(diagnostic: Diagnostic, *, color: bool = False, width: int = WIDTH) -> str:
    """One diagnostic; every line ends with a newline."""
    lines = _report(diagnostic, diagnostic.parts(), max(width, NARROWEST))
    return "".join(f"{_paint(pieces, color)}\n" for pieces in lines)


def _paint(pieces: Pieces, color: bool) -> str:
    if not color:
        return "".join(text for text, _ in pieces).rstrip()
    return "".join(f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if style and text else text for text, style in pieces)


def _report(diagnostic: Diagnostic, parts: Parts, width: int) -> Iterator[Pieces]:
    severity = diagnostic.severity
    head = f"{severity}[{diagnostic.code}]"
    first, *more = wrap(parts.message, width - len(head) - 2)
    yield (head, severity), (f": {first}", "strong")
    for line in more:
        yield (" " * (len(head) + 2), ""), (line, "strong")
    sections = _sections(parts)
    numbers = [mark.span.source.position(mark.span.end)[0] for _, marks in sections for mark in marks]
    numbers += [edit[0].source.position(edit[0].end)[0] for help_ in parts.helps for edit in help_.edits]
    gutter = len(str(max(numbers, default=0))) if numbers else 0
    for index, (source, marks) in enumerate(sections):
        place = next((mark for mark in marks if mark.primary), marks[0]).span.where
        yield (" " * gutter, ""), (":::" if index else "-->", "gutter"), (f" {clean(place)}", "")
        yield _row(Row("", ()), gutter)
        for row in rows(source, marks, width - gutter - 3):
            yield _row(_warned(row, severity), gutter)
    plain = [help_.message for help_ in parts.helps if not _has_picture(help_)]
    explained = laid(parts, width - gutter - 9)
    if sections and (plain or explained or parts.notes):
        yield _row(Row("", ()), gutter)
    for lines in explained:
        yield from _noted(lines, gutter)
    for note in parts.notes:
        yield from _remark("note", note, gutter, width)
    for text in plain:
        yield from _remark("help", text, gutter, width)
    for help_ in parts.helps:
        if _has_picture(help_):
            yield _row(Row("", ()), gutter)
            yield from _remark("help", help_.message, gutter, width)
            yield from _edited(help_, gutter, width)


def _noted(lines: Sequence[Pieces], gutter: int) -> Iterator[Pieces]:
    """A note that is laid out already."""
    yield (f"{' ' * gutter} ", ""), ("=", "gutter"), (" note", "strong"), (": ", ""), *lines[0]
    for line in lines[1:]:
        yield (" " * (gutter + 9), ""), *line


def _sections(parts: Parts) -> list[tuple[Source, list[Mark]]]:
    """The marks by source, that of the primary span first."""
    marks = [Mark(parts.span, parts.label, True)] if parts.span else []
    marks += [Mark(label.span, label.text, False) for label in parts.labels]
    sections: list[tuple[Source, list[Mark]]] = []
    for mark in marks:
        for source, found in sections:
            if source == mark.span.source:
                found.append(mark)
                break
        else:
            sections.append((mark.span.source, [mark]))
    return sections


def _row(row: Row, gutter: int) -> Pieces:
    if row.number == "...":
        return ("...".ljust(gutter + 3), "gutter"), *row.pieces
    return (f"{row.number.rjust(gutter)} |{' ' if row.pieces else ''}", "gutter"), *row.pieces


def _warned(row: Row, severity: str) -> Row:
    """A warning's primary marks have a warning's colour."""
    if severity == "error":
        return row
    return Row(row.number, tuple((text, severity if style == "primary" else style) for text, style in row.pieces))


def _remark(word: str, text: str, gutter: int, width: int) -> Iterator[Pieces]:
    """A note, or a help without its picture. A text of several lines is laid out already."""
    indent = " " * (gutter + 5 + len(word))
    room = width - len(indent)
    found = text.split("\n")
    lines = wrap(text, room) if len(found) == 1 else [row for line in found for row in wrap_laid(line, room)]
    yield (f"{' ' * gutter} ", ""), ("=", "gutter"), (f" {word}", "strong"), (f": {lines[0]}", "")
    for line in lines[1:]:
        yield ((f"{indent}{line}", ""),)


def _has_picture(help_: Help) -> bool:
    """Whether the edits are shown: not when the message already has the whole of the new text in ticks."""
    return len(help_.edits) > 1 or any(f"`{new}`" not in help_.message for _, new in help_.edits)


def _edited(help_: Help, gutter: int, width: int) -> Iterator[Pieces]:
    """The lines that the edits touch, before and after."""
    edits = sorted((Edit(*edit) for edit in help_.edits), key=lambda edit: (edit.span.start, edit.span.end))
    room = width - gutter - 3
    for source in dict.fromkeys(edit.span.source for edit in edits):
        mine = [edit for edit in edits if edit.span.source == source]
        for start, end, group in _groups(source, mine):
            line = source.position(start)[0]
            before, after = source.text[start:end], apply_edits(Span(source, start, end), group)
            first, last = group[0].span.start - start, group[-1].span.end - start
            last = max(last, last + len(after) - len(before))  # one window for both
            yield from _version(before, line, "-", "removed", gutter, room, first, last)
            yield from _version(after, line, "+", "added", gutter, room, first, last)


def _groups(source: Source, edits: Sequence[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """Edits that touch the same lines together, with the offsets of those lines."""
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        start = source.line_bounds(source.position(edit.span.start)[0])[0]
        end = source.line_bounds(source.position(edit.span.end)[0])[1]
        if groups and start <= groups[-1][1]:
            groups[-1] = (groups[-1][0], max(end, groups[-1][1]), [*groups[-1][2], edit])
        else:
            groups.append((start, end, [edit]))
    yield from groups


def apply_edits(span: Span, edits: Sequence[Edit]) -> str:
    """The text of a span after the edits in it, which must be in order and not overlap."""
    pieces = []
    at = span.start
    for edit in edits:
        pieces += [span.source.text[at : edit.span.start], edit.replacement]
        at = edit.span.end
    return "".join([*pieces, span.source.text[at : span.end]])


def _version(
    text: str, line: int, sign: str, style: str, gutter: int, room: int, first: int, last: int
) -> Iterator[Pieces]:
    lines = _LINE_END.split(text)
    for number, raw in enumerate(lines[:_EDIT_LINES], line):
        fits = cells(clean(raw)) <= room
        shown = lay(raw, 0 if fits else min(first, len(raw)), 1 if fits else min(last, len(raw)), room).text
        yield (f"{str(number).rjust(gutter)} ", "gutter"), (f"{sign} {shown}", style)
    if len(lines) > _EDIT_LINES:
        yield (("...", "gutter"),)
