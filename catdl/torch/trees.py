"""A fold over trees as steps: legs without children over all nodes at once, the others in a loop from level to level.

Takes the trees and captured wires of a `TreeFold`. Guarantees that a leg is written once, and that the loop reads what
the level below gave and nothing else that it makes.

    work = climb(flat, op, inputs, names)      yields each leg with its inputs, is sent what it gives
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from catdl.diagram.legs import carriers, leg
from catdl.diagram.model import Core, Diagram, TreeFold
from catdl.torch.steps import Climb, Fields, Flat, Step, Top
from catdl.types.ragged import row
from catdl.types.types import Axis, Child, Form, Leaf

Legs = Generator[tuple[Diagram, tuple[int, ...]], list[int], list[int]]


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg in place: `own` are its wires that differ from node to node, `apart` the captured wires among them."""

    diagram: Diagram
    inputs: tuple[int, ...]
    own: tuple[int, ...]
    apart: tuple[int, ...]


def climb(flat: Flat, op: TreeFold, inputs: tuple[int, ...], names: list[str | None]) -> Legs:
    """Add the steps; gives the carrier at the roots or at all nodes, which has these names outside."""
    tree, captured = inputs[0], inputs[1:]
    made: dict[int, list[int]] = {}
    below, above = summands(op.form)
    for summand in below:
        found = _leg(flat, op, summand, captured)
        flat.steps.append(Step(Fields(summand), (tree, *found.apart), found.own, None, ()))
        made[summand] = yield found.diagram, found.inputs
    states = [wire for summand in below for wire in made[summand]]
    starts = _starts(flat, op) if loose(op.form) else []
    mark, start = len(flat.steps), len(flat.wires)
    carrier = [op.body.wires[wire] for wire in op.body.outputs[: len(names)]]
    moving = [flat.wire(info.type, name or info.name, False) for info, name in zip(carrier, names, strict=True)]
    legs = [_leg(flat, op, summand, captured) for summand in above]
    apart = legs[0].apart
    own = [wire for each in legs for wire in each.own]
    head = Climb(mark, op.form, len(names), len(apart), op.axis is not None)
    flat.steps.append(Step(head, (tree, *starts, *states, *apart), (*moving, *own), None, ()))
    for summand, each in zip(above, legs, strict=True):
        made[summand] = yield each.diagram, each.inputs
    results = [wire for summand in above for wire in made[summand]]
    front = () if op.axis is None else (op.axis,)
    tops = []
    for leaf, name in zip((info.type for info in carrier), names, strict=True):
        tops.append(flat.wire(Leaf(leaf.kind, (*front, *leaf.axes)), name, False))
    flat.steps.append(Step(Top(mark), (*results, tree, *flat.kept(mark, start)), tuple(tops), None, ()))
    return tops


def _leg(flat: Flat, op: TreeFold, summand: int, captured: tuple[int, ...]) -> _Leg:
    found = leg(op, summand)
    count = len(found.inputs) - len(captured)
    inputs, own, apart = [], [], []
    for k, wire in enumerate(found.inputs):
        info = found.wires[wire]
        if k >= count and info.constant:
            inputs.append(captured[k - count])
            continue
        name = info.name
        if k >= count:
            apart.append(captured[k - count])
            name = name or flat.wires[captured[k - count]].name
        inputs.append(flat.wire(info.type, name, False))
        own.append(inputs[-1])
    return _Leg(found, tuple(inputs), tuple(own), tuple(apart))


def _starts(flat: Flat, op: TreeFold) -> list[int]:
    """Zeros for a carrier, which the levels above no children start from: no row of it is read."""
    out = []
    for place in op.body.outputs[: carriers(op)]:
        leaf = op.body.wires[place].type
        wire = flat.wire(Leaf(leaf.kind, ()), None, True)
        flat.steps.append(Step(Core("literal", (("value", 0),)), (), (wire,), None, ()))
        for position in range(len(leaf.axes) - 1, -1, -1):
            axis, grown = leaf.axes[position], flat.wire(Leaf(leaf.kind, leaf.axes[position:]), None, True)
            assert isinstance(axis, Axis)
            expand = Core("expand", (("position", 0), ("size", axis.size)))
            flat.steps.append(Step(expand, (wire,), (grown,), None, ()))
            wire = grown
        out.append(wire)
    return out


def loose(form: Form) -> bool:
    """Whether a node with places for children may have none, so that the deepest level is climbed as all others."""
    children = [[item for item in parts if isinstance(item, Child)] for parts in form.summands]
    return any(each and all(item.row is not None for item in each) for each in children)


def row_dims(form: Form) -> list[str]:
    """The var dims of the places for rows of children, in order."""
    items = [item for parts in form.summands for item in parts if isinstance(item, Child)]
    return [name for item in items if item.row is not None and (name := row(item.row.size)) is not None]


def summands(form: Form) -> tuple[list[int], list[int]]:
    """The summands without children, and those with."""
    deep = [any(isinstance(item, Child) for item in parts) for parts in form.summands]
    return [k for k, each in enumerate(deep) if not each], [k for k, each in enumerate(deep) if each]
