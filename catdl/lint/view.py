"""A diagram seen from its wires: who makes them, and who reads them.

Takes a verified Diagram; gives what the warnings about neighbours ask. Made for diagrams that have a box in question
only, so that a long chain of plain ones costs nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from catdl.diagram.model import Box, Core, Diagram, Native
from catdl.types.sizes import Size, mul
from catdl.types.types import Axis

LINEAR = frozenset({"linear", "linear_onto", "linear_from"})
CONVOLUTIONS = frozenset(
    {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
    | {"depthwise_conv1d", "depthwise_conv2d"}
)


class Before(NamedTuple):
    """The box before another one; `order[i]` is the axis of its result that axis i of the other's input is."""

    box: Box
    order: tuple[int, ...]

    def same(self, given: tuple[int, ...], taken: tuple[int, ...]) -> bool:
        """Whether axes of its result are those of the input; both are counted from the end."""
        rank = len(self.order)
        return {at % rank for at in given} == {self.order[at % rank] for at in taken}


class View:
    """The makers and readers of a diagram's wires."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.makers = {wire: box for box in diagram.boxes for wire in box.outputs}
        self.readers: Counter[int] = Counter(diagram.outputs)
        self.sites: Counter[str | None] = Counter()
        for box in diagram.boxes:
            self.sites[box.site] += 1
            self.readers.update(box.inputs)
            self.readers.update(wire for _, wire in box.plugs)

    def before(self, box: Box) -> Before | None:
        """The native whose result a box takes first and nothing else takes; changes of the axes are looked through."""
        wire = box.inputs[0]
        order = tuple(range(len(self.diagram.wires[wire].type.axes)))
        while self.readers[wire] == 1:
            maker = self.makers.get(wire)
            if maker is None:
                return None
            if isinstance(maker.op, Native):
                return Before(maker, order)
            if not isinstance(maker.op, Core) or maker.op.name != "permute":
                return None
            perm: Any = maker.op["perm"]
            order = tuple(perm[i] for i in order)
            wire = maker.inputs[0]
        return None

    def alone(self, box: Box) -> bool:
        """Whether its weights are its own: not plugged in, and used nowhere else in the diagram."""
        return not box.plugs and self.sites[box.site] == 1


def native(box: Box) -> Native:
    """The operation of a box that is known to be a native."""
    assert isinstance(box.op, Native)
    return box.op


def taken(op: Native) -> tuple[int, ...]:
    """The positions, from the end, of the axes that a linear map takes."""
    at = op.at_in[0] if op.at_in else None
    return at or tuple(range(-len(axes(op, "I")), 0))


def given(op: Native) -> tuple[int, ...]:
    """The positions, from the end, of the axes that a linear map or a convolution gives, its bias's axes."""
    at = op.at_out[0] if op.at_out else None
    if op.entry in LINEAR:
        return at or tuple(range(-len(axes(op, "O") if op.entry == "linear_onto" else (1,)), 0))
    spatial = int(op.entry[-2])
    return (at[0] if at else -1 - spatial,)


def axes(op: Native, name: str) -> tuple[Axis, ...]:
    """The axes that a binder became."""
    bound = op.bind(name)
    return (bound,) if isinstance(bound, Axis) else bound


def product(sizes: tuple[Size, ...]) -> Size:
    """The number of elements along some axes."""
    total: Size = 1
    for size in sizes:
        total = mul(total, size)
    return total
