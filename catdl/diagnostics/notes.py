"""What explains a mistake, laid out: both types under each other, how sizes came about, the types on the way.

Takes the parts of a mistake; guarantees lines of pieces with a style each, without control characters.

    expected Real[T, D: 768]
                        ~~~
    found    Real[T, D: 64]
                        ~~
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from catdl.diagnostics.base import WIDTH, Contrast, Derivation, Help, Label, Parts, Step, Steps
from catdl.diagnostics.cells import brief, clean, fitting, lay, wrap
from catdl.diagnostics.cells import width as cells
from catdl.record import replace
from catdl.source import Span

Pieces: TypeAlias = Sequence[tuple[str, str]]

_TYPE = 24  # a type in a table is not squeezed into less


def shortened(parts: Parts) -> Parts:
    """The parts as every form has them: no name or type fills the screen. What an edit writes stays whole."""
    return replace(
        parts,
        message=brief(parts.message),
        label=brief(parts.label),
        labels=tuple(Label(span, brief(text)) for span, text in parts.labels),
        notes=tuple(map(brief, parts.notes)),
        helps=tuple(Help(brief(help_.message), help_.edits) for help_ in parts.helps),
        steps=parts.steps and replace(parts.steps, rows=_shorter(parts.steps.rows), near=_shorter(parts.steps.near)),
    )


def _shorter(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(Step(brief(f"`{text}`")[1:-1], brief(f"`{type_}`")[1:-1]) for text, type_ in steps)


def laid(parts: Parts, room: int) -> list[list[Pieces]]:
    """The notes that explain: each a list of lines, none wider than `room`, which is 24 at least."""
    notes = []
    if parts.contrast is not None:
        notes.append(list(_contrasted(parts.contrast, room)))
    if parts.derivations:
        notes.append(list(_derived(parts.derivations, parts.span, room)))
    if parts.steps is not None:
        notes.append(list(_along(parts.steps, room)))
    return notes


def remarks(parts: Parts) -> list[str]:
    """All that is said besides the message and the places, as text, for forms that have no fixed pitch."""
    explained = laid(replace(parts, contrast=None), WIDTH)  # both sides stand in the message
    notes = ["\n".join("".join(text for text, _ in line).rstrip() for line in lines) for lines in explained]
    return [*(f"note: {note}" for note in (*notes, *parts.notes)), *(f"help: {help_.message}" for help_ in parts.helps)]


def _contrasted(contrast: Contrast, room: int) -> Iterator[Pieces]:
    """Expected and found under each other, the stretches that differ underlined; what is too long goes on below."""
    sides = (
        ("expected ", contrast.expected, contrast.expected_marks, "secondary"),
        ("found    ", contrast.found, contrast.found_marks, "primary"),
    )
    for word, text, marks, style in sides:
        shown = clean(text)  # of the same length: types hold no tabs
        start = 0
        while start == 0 or start < len(shown):
            size = fitting(shown[start:], room - len(word))
            end = start + size
            if end < len(shown):
                end = shown.rfind(" ", start + 1, end) + 1 or end
            yield from _underlined(word if start == 0 else " " * len(word), shown, start, end, marks, style)
            start = max(end, 1)


def _underlined(
    word: str, text: str, start: int, end: int, marks: Sequence[tuple[int, int]], style: str
) -> Iterator[Pieces]:
    """A stretch of a text, and below it the part of the marks that lies in it, if any does."""
    pieces, under = [(word, "")], [(" " * len(word), "")]
    at = start
    for left, right in marks:
        left, right = max(left, at), min(right, end)
        if left < right:
            pieces += [(text[at:left], ""), (text[left:right], style)]
            under += [(" " * cells(text[at:left]), ""), ("~" * cells(text[left:right]), style)]
            at = right
    yield (*pieces, (text[at:end], ""))
    if len(under) > 1:
        yield tuple(under)


def _derived(derivations: Sequence[Derivation], at: Span | None, room: int) -> Iterator[Pieces]:
    """`1568 = 32 * 7 * 7, from flatten, line 14`, one under the other."""
    for size, formula, by, span in derivations:
        made = f"`{size} = {formula}`" if formula else f"`{size}`"
        place = ""
        if span is not None:
            place = f", line {span.line}" if at is not None and span.source == at.source else f", {span.where}"
        for line in wrap(f"{made} from `{by}`{place}", room):
            yield ((line, ""),)


def _along(steps: Steps, room: int) -> Iterator[Pieces]:
    """The types along a composition in two columns, what is left out of the middle counted."""
    shown = [(clean(text), clean(type_)) for text, type_ in (*steps.rows, *steps.near)]
    wide = min(max(cells(text) for text, _ in shown), max(room // 2, 8), max(room - 4 - _TYPE, 8))
    yield from (((line, ""),) for line in wrap("the types along the composition:", room))
    for place, (text, type_) in enumerate(shown):
        if place == len(steps.rows) and steps.skipped:
            yield ((f"  … {steps.skipped} more {'step' if steps.skipped == 1 else 'steps'}", ""),)
        cut = lay(text, 0, 0, wide).text
        yield (f"  {cut}{' ' * (wide - cells(cut))}  ", ""), (lay(type_, 0, 0, room - wide - 4).text, "")
