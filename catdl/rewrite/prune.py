"""Results that no caller reads are not given: `scan[T](lstm) >> ((h, _) => h)` needs no cell states of every step.

Takes diagrams that are compiled together. Guarantees the same results and the same parameters: a box that owns weights
stays, whether its results are read or not. Only diagrams that hold a fold are changed, since what they give decides
which kernel they can be.

    pruned([states])      ([the same, with a call of `lstm` that gives the hidden states alone], [Applied("prune", …)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catdl.diagram.compact import compact
from catdl.diagram.model import Box, Call, Diagram, Fold
from catdl.diagram.params import bodies, post_order, with_body
from catdl.record import replace
from catdl.rewrite.applied import Applied, Law

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
    """The diagrams that hold a fold."""
    found: set[int] = set()
    for key, diagram in order.items():
        inner = (bodies(box) for box in diagram.boxes)
        if any(isinstance(box.op, Fold) for box in diagram.boxes) or any(
            id(d) in found for d in inner if d is not None
        ):
            found.add(key)
    return found


def _wanted(diagrams: Sequence[Diagram], order: dict[int, Diagram]) -> dict[int, set[int]]:
    """For each diagram the places of its outputs that something reads; all of them where no call holds it."""
    wanted: dict[int, set[int]] = {key: set() for key in order}
    for root in diagrams:
        wanted[id(root)] = set(range(len(root.outputs)))
    for key, diagram in reversed(order.items()):
        outputs = [wire for place, wire in enumerate(diagram.outputs) if place in wanted[key]]
        read = {wire for box in diagram.boxes for wire in (*box.inputs, *(w for _, w in box.plugs))}.union(outputs)
        for box in diagram.boxes:
            inner = bodies(box)
            if inner is not None:
                call = isinstance(box.op, Call)
                wanted[id(inner)] |= {p for p in range(len(inner.outputs)) if not call or box.outputs[p] in read}
    return wanted


def _one(
    diagram: Diagram,
    wanted: dict[int, set[int]],
    folding: set[int],
    done: dict[int, Diagram],
    applied: list[Applied],
) -> Diagram:
    mine = _kept(diagram, wanted, folding)
    boxes = [_box(box, wanted, folding, done) for box in diagram.boxes]
    for new, old in zip(boxes, diagram.boxes, strict=True):
        if len(new.outputs) < len(old.outputs) and isinstance(old.op, Call):
            name = old.op.callee.name.rpartition("::")[2]
            what = f"`{name}` gives only what is read of it"
            applied.append(Applied("prune", what, LAW, diagram.name.rpartition("::")[2], old.span))
    if len(mine) == len(diagram.outputs) and all(new is old for new, old in zip(boxes, diagram.boxes, strict=True)):
        return diagram
    outputs = tuple(diagram.outputs[place] for place in mine)
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
    kept = _kept(inner, wanted, folding) if isinstance(box.op, Call) else range(len(box.outputs))
    if done[id(inner)] is inner and len(kept) == len(box.outputs):
        return box
    outputs = tuple(box.outputs[place] for place in kept)
    return replace(box, op=with_body(box.op, done[id(inner)]), outputs=outputs)
