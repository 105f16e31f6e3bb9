"""Folds that ask for no order: what each element says is joined to the state by a commutative monoid.

fold[N]([ zeros | (a, h) => h + f(a) ])      unordered: the sum of f(a)
"""

from __future__ import annotations

from catdl.diagram.model import Box, Core, Fold, Native

MONOIDS = frozenset(["add", "mul", "maximum", "minimum", "and", "or", "logaddexp"])


def unordered(fold: Fold) -> bool:
    """Whether elements in another order give the same last state; what it gives on the way goes by the order."""
    body = fold.body
    if not body.effects.isdisjoint(("rand", "rand_train", "state")):
        return False
    uses: dict[int, int] = {}
    made: dict[int, Box] = {}
    carried = set(body.inputs[: fold.carried])  # wires that tell of a state
    for box in body.boxes:
        for wire in box.inputs:
            uses[wire] = uses.get(wire, 0) + 1
        if not carried.isdisjoint(box.inputs):
            carried.update(box.outputs)
        made.update(dict.fromkeys(box.outputs, box))
    for wire in body.outputs[: fold.carried]:
        uses[wire] = uses.get(wire, 0) + 1
    return all(
        _joins(fold, new, old, made, carried, uses)
        for old, new in zip(body.inputs[: fold.carried], body.outputs, strict=False)
    )


def _joins(fold: Fold, new: int, old: int, made: dict[int, Box], carried: set[int], uses: dict[int, int]) -> bool:
    """Whether a new state is the old one, joined to what does not tell of a state, once or several times alike."""
    fn: str | None = None
    rank = len(fold.body.wires[old].type.axes)
    while new != old:
        box = made.get(new)
        found = None if box is None else _function(box, rank)
        if box is None or found is None or (fn is not None and found != fn) or uses[new] != 1:
            return False
        fn = found
        telling = [wire for wire in box.inputs if wire in carried]
        if len(telling) != 1:
            return False
        (new,) = telling
    return uses.get(old, 0) == 1


def _function(box: Box, rank: int) -> str | None:
    """The commutative function that a box is at every index; None for any other."""
    match box.op:
        case Core(name="pointwise") as op:
            every = tuple(range(rank))
            fn = str(op["fn"])
            return fn if fn in MONOIDS and op["align"] == (every, every) else None
        case Native(entry="logaddexp"):
            return "logaddexp"
        case _:
            return None
