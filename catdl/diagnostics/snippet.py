"""The lines of source that a mistake shows, with marks under them.

Takes marks (spans of one source with labels); guarantees work in proportion to what is shown, however long the lines
and the spans are.

    5 |     x >> relu >> linera
      |          ----    ^^^^^^ not declared
      |          |
      |          label of relu
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from catdl.diagnostics.cells import Laid, lay, width, wrap
from catdl.source import Source, Span

_HEAD, _TAIL = 3, 2  # lines shown of the start and of the end of a long span
_ROOM = 24  # a label is not squeezed into less
_LABEL = 48  # nor is one that had to be moved made wider


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch to underline, with its label."""

    span: Span
    label: str
    primary: bool

    @property
    def sign(self) -> str:
        return "^" if self.primary else "-"

    @property
    def style(self) -> str:
        return "primary" if self.primary else "secondary"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the picture: the number in the gutter ("" or "..."), then pieces of text with their styles."""

    number: str
    pieces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A mark with its places looked up: lines from 1, columns from 0; `end` is past the last column."""

    mark: Mark
    first: int
    start: int
    last: int
    end: int
    depth: int = 0


class _Canvas:
    """One row that grows as text is put into it."""

    def __init__(self) -> None:
        self.characters: list[str] = []
        self.styles: list[str] = []

    def put(self, at: int, text: str, style: str) -> None:
        missing = at + len(text) - len(self.characters)
        self.characters.extend(" " * missing)
        self.styles.extend([""] * missing)
        for index, character in enumerate(text, at):
            self.characters[index] = character
            self.styles[index] = style

    def pieces(self) -> tuple[tuple[str, str], ...]:
        runs: list[tuple[list[str], str]] = []
        for character, style in zip(self.characters, self.styles, strict=True):
            if runs and (runs[-1][1] == style or character == " "):
                runs[-1][0].append(character)
            else:
                runs.append(([character], style))
        return tuple(("".join(characters), style) for characters, style in runs)


def rows(source: Source, marks: Sequence[Mark], room: int) -> list[Row]:
    """The picture of some marks in one source, `room` cells wide without the gutter."""
    places = _nested([_place(source, mark) for mark in marks])
    bars = max((place.depth + 1 for place in places if place.first != place.last), default=0)
    picture: list[Row] = []
    previous = 0
    for line in _lines(places):
        if previous and line > previous + 2:
            open_spans = [place for place in places if place.first <= previous < place.last]
            picture.append(Row("...", _standing(open_spans).pieces()))
        elif previous and line == previous + 2:
            picture.extend(_line(source, places, line - 1, 2 * bars, room))
        picture.extend(_line(source, places, line, 2 * bars, room))
        previous = line
    return picture


def _place(source: Source, mark: Mark) -> _Place:
    start = min(max(mark.span.start, 0), len(source.text))
    end = min(max(mark.span.end, start), len(source.text))
    first, column = source.position(start)
    last, past = source.position(end)
    if last > first and past == 1:  # up to and with a line end: the end of the line before
        last -= 1
        past = source.line_bounds(last)[1] - source.starts[last - 1] + 1
    return _Place(mark, first, column - 1, last, max(past - 1, column if last == first else 0))


def _nested(places: list[_Place]) -> list[_Place]:
    """Give every span of several lines a bar of its own to the left of the text, outer spans further out."""
    ends: list[int] = []  # the last line of each bar so far
    result: list[_Place] = []
    for place in sorted(places, key=lambda item: (item.first, -item.last, item.start)):
        if place.first == place.last:
            result.append(place)
            continue
        depth = next((index for index, end in enumerate(ends) if end < place.first), len(ends))
        ends[depth : depth + 1] = [place.last]
        result.append(_Place(place.mark, place.first, place.start, place.last, place.end, depth))
    return result


def _lines(places: Sequence[_Place]) -> list[int]:
    shown: set[int] = set()
    for place in places:
        shown.update(range(place.first, min(place.first + _HEAD, place.last + 1)))
        shown.update(range(max(place.last - _TAIL + 1, place.first), place.last + 1))
    return sorted(shown)


def _standing(places: Iterable[_Place]) -> _Canvas:
    """A row with the bars of these spans."""
    canvas = _Canvas()
    for place in places:
        canvas.put(2 * place.depth, "|", place.mark.style)
    return canvas


def _line(source: Source, places: Sequence[_Place], line: int, indent: int, room: int) -> Iterator[Row]:
    """A source line and what is drawn under it."""
    singles = [place for place in places if place.first == place.last == line]
    opens = [place for place in places if place.first == line < place.last]
    closes = [place for place in places if place.first < line == place.last]
    running = [place for place in places if place.first < line <= place.last]
    starts = [place.start for place in singles + opens] + [place.end - 1 for place in closes]
    ends = [place.end for place in singles + closes] + [place.start + 1 for place in opens]
    raw = source.line_text(line)
    laid = lay(raw, min(starts, default=0), max(ends, default=0), max(room - indent, 8))
    head = _standing(running)
    hooks = []
    for place in opens:
        if raw[: place.start].isspace() or not place.start:  # nothing before it: the bar starts on the line itself
            head.put(2 * place.depth, "/", place.mark.style)
            running.append(place)
        else:
            hooks.append(place)
    head.put(indent, laid.text, "")
    yield Row(str(line), head.pieces())
    if singles:
        yield from _under(singles, laid, indent, running, room)
    for place in sorted(hooks, key=lambda item: -item.depth):
        canvas = _standing(running)
        left, at = 2 * place.depth + 1, indent + laid.cell(place.start)
        canvas.put(left, "_" * (at - left) + place.mark.sign, place.mark.style)
        yield Row("", canvas.pieces())
        running.append(place)
    for place in sorted(closes, key=lambda item: -item.depth):
        canvas = _standing(running)
        left, at = 2 * place.depth + 1, indent + laid.cell(max(place.end - 1, 0))
        canvas.put(left, "_" * (at - left) + place.mark.sign, place.mark.style)
        running.remove(place)
        if _fits(place.mark, at + 2, room):
            at += 2
        else:
            yield Row("", canvas.pieces())
            canvas, at = _standing(running), _moved(place.mark, at, indent, room)
        yield from _labelled(canvas, at, place.mark, room, lambda: _standing(running))


def _under(singles: Sequence[_Place], laid: Laid, indent: int, running: Sequence[_Place], room: int) -> Iterator[Row]:
    """The marks below a line: the label of the rightmost beside it, those of the others hanging below theirs."""
    canvas = _standing(running)
    for place in sorted(singles, key=lambda item: item.mark.primary):  # the primary one is drawn over the others
        left, right = laid.cell(place.start), laid.cell(place.end)
        canvas.put(indent + left, place.mark.sign * max(right - left, 1), place.mark.style)
    hanging = sorted((place for place in singles if place.mark.label), key=lambda item: (item.start, item.end))
    beside = hanging[-1] if hanging else None
    at = indent + max(laid.cell(beside.end), laid.cell(beside.start) + 1) + 1 if beside else 0
    if (
        beside is not None
        and max(place.end for place in singles) <= max(beside.end, beside.start + 1)
        and _fits(beside.mark, at, room)
    ):
        hanging.pop()
        yield from _labelled(canvas, at, beside.mark, room, lambda: _pegs(hanging, laid, indent, running))
    else:
        yield Row("", canvas.pieces())
    if hanging:
        yield Row("", _pegs(hanging, laid, indent, running).pieces())
    while hanging:
        place = hanging.pop()
        at = _moved(place.mark, indent + laid.cell(place.start), indent, room)
        base = _pegs(hanging, laid, indent, running)
        yield from _labelled(base, at, place.mark, room, lambda: _pegs(hanging, laid, indent, running))


def _pegs(hanging: Sequence[_Place], laid: Laid, indent: int, running: Sequence[_Place]) -> _Canvas:
    canvas = _standing(running)
    for place in hanging:
        canvas.put(indent + laid.cell(place.start), "|", place.mark.style)
    return canvas


def _fits(mark: Mark, at: int, room: int) -> bool:
    """Whether a label has room at a cell, on one line or on several that are not too narrow."""
    return room - at >= min(width(mark.label), _ROOM)


def _moved(mark: Mark, at: int, least: int, room: int) -> int:
    """Where to write a label that belongs to a cell: there, or as far to the left as it needs."""
    return at if _fits(mark, at, room) else max(least, room - min(width(mark.label), _LABEL))


def _labelled(canvas: _Canvas, at: int, mark: Mark, room: int, base: Callable[[], _Canvas]) -> Iterator[Row]:
    """A row with a label put into it at a cell; the further lines of the label on rows that start as `base` does."""
    for number, text in enumerate(wrap(mark.label, max(room - at, 2)) if mark.label else [""]):
        row = base() if number else canvas
        row.put(at, text, mark.style)
        yield Row("", row.pieces())
