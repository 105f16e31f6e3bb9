"""Where things stand in a diagram and how often they run: the ground of what `show` lists.

Takes a verified Diagram. Guarantees: every diagram reached through boxes is met once, what calls before what is
called, with the number of times that one call of the whole runs it (`repeat` multiplies, the axes of `map` do not)
and the first way of keys to it, `*` for each round of a `repeat`.

    visits(gpt2)      gpt2 1 "", then block 12 "block.*", then attention 12 "block.*.attention"
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from catdl.diagram.model import Box, Call, Diagram, Each, Fold, Map, Repeat, TreeFold
from catdl.diagram.params import bodies, post_order, sole_box
from catdl.source import Span

Trail: TypeAlias = "tuple[Trail, str] | None"
"""The segments of a key from the last one back: joined only where the key is shown, for a key may be long."""


def joined(trail: Trail) -> str:
    """The segments of a trail with dots between them."""
    segments: list[str] = []
    while trail is not None:
        trail, segment = trail
        segments.append(segment)
    return ".".join(reversed(segments))


@dataclass(frozen=True, slots=True)
class Visit:
    """A diagram, how often it runs, and the first way of keys to it."""

    diagram: Diagram
    times: int
    trail: Trail
    space: int  # the same for diagrams whose sites stand beside each other
    own: bool  # whether its sites are keys at all: weights that are all plugged in stand elsewhere

    def key(self, site: str | None = None) -> str:
        """The key of a site in it, or its own."""
        return joined(self.trail if site is None else (self.trail, site))


@dataclass(frozen=True, slots=True)
class Note:
    """Something to show: what it is, where it is written, how often it runs."""

    text: str
    span: Span
    times: int


def visits(diagram: Diagram) -> list[Visit]:
    """Every diagram reached, outermost first."""
    order = post_order(diagram)
    order.reverse()
    times = {id(inner): 0 for inner in order}
    trails: dict[int, Trail] = {id(diagram): None}
    spaces = {id(diagram): 0}
    owning = {id(diagram)}
    bare: set[int] = set()  # boxes that are all of a body: their site adds no segment
    times[id(diagram)] = 1
    out: list[Visit] = []
    for inner in order:
        count, trail = times[id(inner)], trails[id(inner)]
        out.append(Visit(inner, count, trail, spaces[id(inner)], id(inner) in owning))
        for box in inner.boxes:
            body = bodies(box)
            if body is None:
                continue
            times[id(body)] += count * (box.op.count if isinstance(box.op, Repeat) else 1)
            plugged = isinstance(box.op, Call) and not box.op.inline and box.site is None
            own = id(inner) in owning and not plugged
            if id(body) not in trails or (own and id(body) not in owning):
                if own:
                    owning.add(id(body))
                trails[id(body)] = _trail(trail, box, id(box) in bare)
                spaces[id(body)] = spaces[id(inner)] if box.site is None else len(spaces)
                held = isinstance(box.op, Repeat | Map | Each | Fold | TreeFold) and box.site is not None
                if held and (sole := sole_box(body)) is not None:
                    bare.add(id(sole))
    return out


def _trail(trail: Trail, box: Box, bare: bool) -> Trail:
    if box.site is None or bare or (isinstance(box.op, Call) and box.op.inline):
        return trail
    below = (trail, box.site)
    return (below, "*") if isinstance(box.op, Repeat) and box.op.tie == "fresh" else below


def merged(notes: Iterable[Note]) -> list[Note]:
    """One note for each text at each place, with the times added, in the order of the text."""
    found: dict[tuple[str, int, int, str], Note] = {}
    for note in notes:
        key = (note.span.source.path, note.span.start, note.span.end, note.text)
        old = found.get(key)
        found[key] = note if old is None else Note(note.text, note.span, old.times + note.times)
    return [found[key] for key in sorted(found)]


def written(span: Span, limit: int = 60) -> str:
    """The text of a place on one line, cut to a limit; with the parentheses that close what it opens."""
    text = span.text[: 4 * limit]
    open_ones = text.count("(") - text.count(")")
    if open_ones > 0 and len(text) < 4 * limit:  # an expression in parentheses ends before them
        after = span.source.text[span.end : span.end + 2 * open_ones]
        text += after[: len(after) - len(after.lstrip(" \n)"))].rstrip()
        text = text[: len(text) + min(0, text.count("(") - text.count(")"))]
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
