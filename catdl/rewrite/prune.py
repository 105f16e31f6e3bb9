"""Results that no caller reads are not given: `scan[T](lstm) >> ((h, _) => h)` needs no cell states of every step.

Takes diagrams that are compiled together. Guarantees the same results and the same parameters: a box that owns weights
stays, whether its results are read or not; an operation that nothing reads any more goes. Only diagrams that hold a
fold, and what it runs, are changed, since what they give decides which kernel they can be.

    pruned([states])      ([the same, with a call of `lstm` that gives the hidden states alone], [Applied("prune", …)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catdl.diagram.compact import compact
from catdl.diagram.model import Box, Call, Core, Diagram, Fold
from catdl.diagram.params import bodies, post_order, with_body
from catdl.record import replace
from catdl.rewrite.applied import Applied, Law
from catdl.rewrite.body import reads
from catdl.rewrite.pure import pure

LAW = Law("naturality of discarding", "f >> (id @ discard) is f without what is discarded", bitwise=True)


def pruned(diagrams: Sequence[Diagram]) -> tuple[list[Diagram], list[Applied]]:
    """The diagrams, each with calls that give what is read of them, and where that was done."""
    order: dict[int, Diagram] = {}
    for root in diagrams:
        order |= {id(diagram): diagram for diagram in post_order(root, order_has(order))}
    folding = _folding(order)
    if not folding:
        return list(diagrams), []
    wanted = _wanted(diagrams, order)
    done: dict[int, Diagram] = {}
    applied: list[Applied] = []
    for key, diagram in order.items():
        done[key] = _one(diagram, wanted, folding, done, applied)
    return [done[id(root)] for root in diagrams], applied


def order_has(order: dict[int, Diagram]) -> Callable[[Diagram], bool]:
    """Whether a diagram was met before."""
    return lambda diagram: id(diagram) in order


def _folding(order: dict[int, Diagram]) -> set[int]:
    """The diagrams that hold a fold, and those that it runs."""
    found: set[int] = set()
    for key, diagram in order.items():
        inner = (bodies(box) for box in diagram.boxes)
        if any(isinstance(box.op, Fold) for box in diagram.boxes) or any(
            id(d) in found for d in inner if d is not None
        ):
            found.add(key)
        found |= {id(box.op.body) for box in diagram.boxes if isinstance(box.op, Fold)}
    return found


def _live(diagram: Diagram, outputs: Sequence[int]) -> tuple[list[Box], set[int]]:
    """The boxes without the operations that nothing reads, and what is read of them."""
    read, boxes = set(outputs), []
    for box in reversed(diagram.boxes):
        if isinstance(box.op, Core) and read.isdisjoint(box.outputs) and pure(box):
            continue
        boxes.append(box)
        read.update(reads(box))
    return boxes[::-1], read


def _wanted(diagrams: Sequence[Diagram], order: dict[int, Diagram]) -> dict[int, set[int]]:
    """For each diagram the places of its outputs that something reads; all of them where no call holds it."""
    wanted: dict[int, set[int]] = {key: set() for key in order}
    for root in diagrams:
        wanted[id(root)] = set(range(len(root.outputs)))
    for key, diagram in reversed(order.items()):
        outputs = [wire for place, wire in enumerate(diagram.outputs) if place in wanted[key]]
        boxes, read = _live(diagram, outputs)
        for box in boxes:
            inner = bodies(box)
            if inner is not None:
                always = _always(box, inner)
                wanted[id(inner)] |= {p for p in range(len(inner.outputs)) if p < always or box.outputs[p] in read}
    return wanted


def _always(box: Box, inner: Diagram) -> int:
    """How many outputs of its body a box needs, read or not: a call none, a fold what it carries, all others all."""
    match box.op:
        case Call():
            return 0
        case Fold(carried=carried):
            return carried
        case _:
            return len(inner.outputs)


def _one(
    diagram: Diagram,
    wanted: dict[int, set[int]],
    folding: set[int],
    done: dict[int, Diagram],
    applied: list[Applied],
) -> Diagram:
    mine = _kept(diagram, wanted, folding)
    outputs = tuple(diagram.outputs[place] for place in mine)
    live = _live(diagram, outputs)[0] if id(diagram) in folding else list(diagram.boxes)
    boxes = [_box(box, wanted, folding, done) for box in live]
    for new, old in zip(boxes, live, strict=True):
        if len(new.outputs) < len(old.outputs) and isinstance(old.op, Call):
            name = old.op.callee.name.rpartition("::")[2]
            what = f"`{name}` gives only what is read of it"
            applied.append(Applied("prune", what, LAW, diagram.name.rpartition("::")[2], old.span))
    as_it_was = len(mine) == len(diagram.outputs) and len(live) == len(diagram.boxes)
    if as_it_was and all(new is old for new, old in zip(boxes, live, strict=True)):
        return diagram
    made = compact(diagram, list(diagram.wires), boxes, diagram.inputs, outputs)
    made.codomain_names = tuple(diagram.codomain_names[place] for place in mine)
    return made


def _kept(diagram: Diagram, wanted: dict[int, set[int]], folding: set[int]) -> list[int]:
    """The places of the outputs that stay; one at least, so that the fold stands for something."""
    places = sorted(wanted[id(diagram)])
    return places if places and id(diagram) in folding else list(range(len(diagram.outputs)))


def _box(box: Box, wanted: dict[int, set[int]], folding: set[int], done: dict[int, Diagram]) -> Box:
    inner = bodies(box)
    if inner is None:
        return box
    kept = _kept(inner, wanted, folding) if isinstance(box.op, Call | Fold) else range(len(box.outputs))
    if done[id(inner)] is inner and len(kept) == len(box.outputs):
        return box
    outputs = tuple(box.outputs[place] for place in kept)
    return replace(box, op=with_body(box.op, done[id(inner)]), outputs=outputs)
