"""A fold that gives out its state as it is before each step gives it out as it is after, moved by a step.

So a `scan0`, a Moore machine, a Mealy machine that answers before it reads are folds that other rewrites know.

    before = start :: after, without the last
"""

from __future__ import annotations

from catdl.diagram.model import Box, Core, Fold
from catdl.record import replace
from catdl.rewrite.applied import Law
from catdl.rewrite.draft import Draft
from catdl.types.ragged import ragged_syms
from catdl.types.sizes import add
from catdl.types.types import Axis, Leaf

LAW = Law("a scan begins with the start", "scan0[T](c) = concat[T](start, scan[T](c))", True)

Moved = tuple[int, int, int]
"""An output: before each step, after each step, and the start."""


def after(draft: Draft, box: Box, fold: Fold) -> tuple[Box, tuple[Moved, ...]] | None:
    """The fold with its states after each step in place of those before, and which these are; None if it has none.

    Along a var dim nothing is moved: every sample has a start of its own there.
    """
    body, carried = fold.body, fold.carried
    place = {wire: k for k, wire in enumerate(body.inputs[:carried])}
    given = dict(zip(body.outputs[carried:], box.outputs[carried:], strict=True))
    if ragged_syms(fold.axis.size) or place.keys().isdisjoint(given) or len(given) < len(body.outputs) - carried:
        return None
    outs = {wire: out for wire, out in given.items() if wire not in place}
    moved: list[Moved] = []
    for wire, out in given.items():
        if wire not in place:
            continue
        new = body.outputs[place[wire]]
        if new not in outs:
            outs[new] = draft.wire(draft.leaf(out), draft.wires[out].constant)
        moved.append((out, outs[new], box.inputs[place[wire]]))
    inner = Draft(box.span, list(body.wires), list(body.boxes))
    made = inner.diagram(body, body.inputs, (*body.outputs[:carried], *outs))
    return replace(box, op=replace(fold, body=made), outputs=(*box.outputs[:carried], *outs.values())), tuple(moved)


def move(draft: Draft, fold: Fold, moved: tuple[Moved, ...]) -> None:
    """Write the states before each step, of those after it."""
    one = Axis(fold.axis.label, 1)
    for before, later, start in moved:
        first = draft.expand(start, one)
        order = (later, first) if fold.reverse else (first, later)
        leaf = Leaf(draft.leaf(later).kind, (Axis(fold.axis.label, add(fold.axis.size, 1)), *draft.axes(later)[1:]))
        whole = draft.core("concat", order, leaf, axis=0)
        attrs = (("axis", 0), ("start", 1 if fold.reverse else 0), ("step", 1), ("size", fold.axis.size))
        draft.op(Core("slice", attrs), (whole,), (before,))
