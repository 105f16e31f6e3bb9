"""All rewrites over a Diagram and all that it holds, in their order.

First, what nothing reads of a call or a fold is not given. Then, for each fold: what stands after its state is taken
out of it, states that it gives out before each step become those after it, then it is compared with torch's cells, then
what stands before its state is taken out, then it is tried as a reduction and as an affine map. What is left is the
plain loop. What `each` gives weights of its own for every index is left as it is: there the weights have one axis more.

    rewritten([encoder])      ([the same, fused], [Applied("cells", …)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from catdl.diagram.compact import compact
from catdl.diagram.model import Box, Diagram, Each, Fold
from catdl.diagram.params import bodies, bounds_of, owns, parameters, post_order, with_body
from catdl.record import replace
from catdl.rewrite import affine, before, hoist, kernel, monoid, prune
from catdl.rewrite.applied import Applied, Law
from catdl.rewrite.draft import Draft
from catdl.types.types import show_label

Tell: TypeAlias = Callable[[str, str, Law], None]


def rewritten(diagrams: Sequence[Diagram]) -> tuple[list[Diagram], list[Applied]]:
    """The diagrams rewritten, what they share once, and what was done."""
    done: dict[int, Diagram] = {}
    diagrams, applied = prune.pruned(diagrams)
    for root in diagrams:
        apart = _apart(root)
        for diagram in post_order(root, lambda d: id(d) in done):
            done[id(diagram)] = diagram if id(diagram) in apart else _diagram(diagram, done, applied)
    return [done[id(root)] for root in diagrams], applied


def _apart(root: Diagram) -> frozenset[int]:
    """The diagrams below an `each` with weights of its own."""
    inside = [b.op.body for d in post_order(root) for b in d.boxes if isinstance(b.op, Each) and owns(b.op.body)]
    return frozenset(id(d) for body in inside for d in post_order(body))


def _diagram(diagram: Diagram, done: dict[int, Diagram], applied: list[Applied]) -> Diagram:
    """One diagram, with what it holds rewritten already."""
    boxes = [_held(box, done) for box in diagram.boxes]
    before = len(applied)
    wires = list(diagram.wires)
    out: list[Box] = []
    read = frozenset(w for box in boxes for w in (*box.inputs, *(w for _, w in box.plugs))).union(diagram.outputs)
    bounds = diagram.bounds
    for box in boxes:
        if not isinstance(box.op, Fold) or box.site is not None or box.plugs or keeps(box.op.body):
            out.append(box)
            continue
        draft = Draft(box.span, wires, out)
        known = len(applied)
        _fold(draft, box, box.op, diagram.name, read, applied)
        if len(applied) > known:
            bounds = (*bounds, *(bound for bound in bounds_of(box.op.body) if bound not in bounds))
    if len(applied) == before and all(new is old for new, old in zip(boxes, diagram.boxes, strict=True)):
        return diagram
    made = compact(diagram, wires, out, diagram.inputs, diagram.outputs)
    made.bounds = bounds
    return made


def keeps(body: Diagram) -> bool:
    """Whether a body keeps a state, which goes round beside what it carries."""
    return any(parameter.state for parameter in parameters(body))


def _held(box: Box, done: dict[int, Diagram]) -> Box:
    inner = bodies(box)
    if inner is None or done[id(inner)] is inner:
        return box
    return replace(box, op=with_body(box.op, done[id(inner)]))


def _fold(draft: Draft, box: Box, fold: Fold, name: str, read: frozenset[int], applied: list[Applied]) -> None:
    """Write what a fold becomes."""
    shown = name.rpartition("::")[2]

    def tell(rewrite: str, what: str, law: Law) -> None:
        applied.append(Applied(rewrite, f"fold[{show_label(fold.axis.label)}] {what}", law, shown, box.span))

    after: Box | None = None
    parts = hoist.sink(draft, box, fold)
    if parts is not None:
        box, after = parts
        read = read.union(after.inputs)
        tell("hoist", "gives out its states, and what it made of them is made for all steps at once", hoist.LAW)
    if not _moved(draft, box, read, applied, tell):
        _core(draft, box, read, tell)
    if after is not None:
        draft.boxes.append(after)


def _moved(draft: Draft, box: Box, read: frozenset[int], applied: list[Applied], tell: Tell) -> bool:
    """Write a fold that gives out its states before each step by those after it, if that spares the loop."""
    assert isinstance(box.op, Fold)
    wires, boxes, told = len(draft.wires), len(draft.boxes), len(applied)
    found = before.after(draft, box, box.op)
    if found is None:
        return False
    tell("before", "gives out its states after each step, which are those before the next", before.LAW)
    if _core(draft, found[0], read.union(later for _, later, _ in found[1]), tell):
        before.move(draft, box.op, found[1])
        return True
    del draft.wires[wires:], draft.boxes[boxes:], applied[told:]
    return False


def _core(draft: Draft, box: Box, read: frozenset[int], tell: Tell) -> bool:
    """Write a fold as what the laws make of it; whether that is no loop any more."""
    assert isinstance(box.op, Fold)
    cell = kernel.fused(draft, box, box.op, read)
    if cell is not None:
        tell("cells", f"is torch's fused {cell}", kernel.LAW)
        return True
    less = hoist.hoist(draft, box, box.op)
    if less is not None:
        box = less
        tell("hoist", "makes what it needs of its elements for all steps at once", hoist.LAW)
    assert isinstance(box.op, Fold)
    reduction = monoid.reduced(draft, box, box.op, read)
    if reduction is not None:
        tell("monoid", f"is a {reduction}", monoid.LAW)
    elif affine.chunked(draft, box, box.op):
        tell("affine", "is run in chunks of steps, all of them side by side", affine.LAW)
    else:
        draft.boxes.append(box)
        return False
    return True
