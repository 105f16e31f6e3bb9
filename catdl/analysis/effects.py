"""Which boxes bring effects: randomness, what crosses the batch, what is kept.

Takes a verified Diagram, whose effects are an over-approximation for entries of the prelude (`attend` may drop out).
Guarantees: an effect is named only where the entry's definition, at its arguments, has an operation that brings it.

    sources(gat)      {"rand_train": [dropout(0.6) at 34:10, dropout(0.6) at 35:10]}
"""

from __future__ import annotations

from typing import TypeAlias

from catdl.analysis.places import Note, Visit, merged, written
from catdl.diagram.model import Box, Core, Diagram, Extern, Native, Store
from catdl.diagram.params import post_order

NONE: frozenset[str] = frozenset()
RANDOM = frozenset({"rand", "rand_train"})
_Memo: TypeAlias = dict[tuple[object, ...], frozenset[str]]


def sources(found: list[Visit]) -> dict[str, list[Note]]:
    """The boxes that bring each effect, by the effect's name."""
    notes: dict[str, list[Note]] = {}
    memo: _Memo = {}
    for visit in found:
        if not visit.diagram.effects:
            continue
        for box in visit.diagram.boxes:
            for effect in _brings(visit.diagram, box, memo):
                notes.setdefault(effect, []).append(Note(written(box.span), box.span, visit.times))
    return {effect: merged(notes[effect]) for effect in sorted(notes)}


def _brings(diagram: Diagram, box: Box, memo: _Memo) -> frozenset[str]:
    match box.op:
        case Core(name="sample"):
            return frozenset({"rand" if "rand" in diagram.effects else "rand_train"})
        case Core(name="across"):
            return frozenset({"across"})
        case Store():
            return frozenset({"state"})
        case Extern():
            return diagram.effects & {"rand"}
        case Native(definition=definition) if definition is not None:
            key = (box.op.entry, box.op.args)
            found = memo.get(key)
            if found is None:
                found = memo[key] = _inside(definition.diagram(), memo)
            return found & diagram.effects
        case _:
            return NONE


def _inside(definition: Diagram, memo: _Memo) -> frozenset[str]:
    """The effects of a definition; goes into itself for definitions of the prelude only, whose depth is fixed."""
    if not definition.effects:
        return NONE
    return NONE.union(*[_brings(d, box, memo) for d in post_order(definition) for box in d.boxes])
