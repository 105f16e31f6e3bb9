"""What is tied: weights that are read at more than one place, or more than once at one place.

Takes the visits of a diagram. Guarantees: declared parameters, parameters of a body and shared sites by key, each
with the places that read it; `iterate` and parametric `map` with the place that repeats them.

    ties(visits(gpt2))      [Tie("wte", "", [embed{wte} at 27:5, linear(bias = false){weight = wte} at 27:75])]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catdl.analysis.places import Note, Visit, merged, written
from catdl.diagram.model import Global, Local, Map, Repeat
from catdl.diagram.params import owns
from catdl.types.types import show_axis


@dataclass(frozen=True, slots=True)
class Tie:
    """A key whose weights are shared, how (empty: it is read at each place), and where."""

    key: str
    how: str
    places: list[Note]


def ties(found: list[Visit]) -> list[Tie]:
    """All ties: declared parameters in the order in which they are met, then the others from the outside in."""
    declared: dict[str, list[Note]] = {}
    others: list[Tie] = []
    for visit in found:
        others += _of_visit(visit, declared)
    shared = [(key, merged(notes)) for key, notes in declared.items()]
    return [Tie(key, "", places) for key, places in shared if sum(note.times for note in places) > 1] + others


def _of_visit(visit: Visit, declared: dict[str, list[Note]]) -> Iterator[Tie]:
    sites: dict[str, list[Note]] = {}
    reads: dict[int, list[Note]] = {}  # by the wires of parameters
    for box in visit.diagram.boxes:
        if isinstance(box.op, Global | Local):
            owner = declared if isinstance(box.op, Global) else sites
            reads[box.outputs[0]] = owner.setdefault(box.op.parameter.path, [])
            continue
        note = Note(written(box.span), box.span, visit.times)
        if box.site is not None:
            sites.setdefault(box.site, []).append(note)
        match box.op:
            case Repeat(tie="tied", body=body, count=count) if owns(body):
                yield Tie(visit.key(box.site), f"iterate, {count} rounds", [note])
            case Map(axes=axes, body=body) if owns(body):
                yield Tie(visit.key(box.site), f"map[{', '.join(map(show_axis, axes))}]", [note])
            case _:
                pass
        for wire in dict.fromkeys((*box.inputs, *[wire for _, wire in box.plugs])):
            if wire in reads:
                reads[wire].append(note)
    for site, notes in sites.items():
        if len(notes) > 1:
            yield Tie(visit.key(site), "", merged(notes))
