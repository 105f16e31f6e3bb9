"""Boxes while they are put together: new wires and core operations, for what a rewrite writes.

d = Draft(span, list(diagram.wires))
y = d.point("add", (a, b), leaf)
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from catdl.diagram.compact import compact
from catdl.diagram.model import Box, Core, CoreAttr, Diagram, Native, Op, Wire
from catdl.source import Span
from catdl.types.sizes import Size, add, mul, sub
from catdl.types.types import Axis, Kind, Leaf

Align: TypeAlias = "tuple[tuple[int, ...], ...]"


class Draft:
    """Wires and the boxes that make them; `span` is where what is being rewritten is written."""

    __slots__ = ("boxes", "span", "wires")

    def __init__(self, span: Span, wires: list[Wire] | None = None, boxes: list[Box] | None = None) -> None:
        self.span = span
        self.wires = [] if wires is None else wires
        self.boxes = [] if boxes is None else boxes

    def wire(self, leaf: Leaf, constant: bool, name: str | None = None) -> int:
        """A new wire."""
        self.wires.append(Wire(leaf, constant, name))
        return len(self.wires) - 1

    def leaf(self, wire: int) -> Leaf:
        """The type of a wire."""
        return self.wires[wire].type

    def axes(self, wire: int) -> tuple[Axis, ...]:
        """The axes of a wire, which is closed."""
        return tuple(axis for axis in self.leaf(wire).axes if isinstance(axis, Axis))

    def constant(self, wires: tuple[int, ...]) -> bool:
        """Whether all of these are the same for the whole batch."""
        return all(self.wires[wire].constant for wire in wires)

    def op(self, op: Op, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[int, ...]:
        """A box between wires that exist."""
        self.boxes.append(Box(op, inputs, outputs, None, (), self.span))
        return outputs

    def core(self, name: str, inputs: tuple[int, ...], leaf: Leaf, /, **attrs: CoreAttr) -> int:
        """A core operation; its result has the batch axes of its inputs."""
        out = self.wire(leaf, self.constant(inputs))
        self.op(Core(name, tuple(attrs.items())), inputs, (out,))
        return out

    def point(self, fn: str, inputs: tuple[int, ...], leaf: Leaf, align: Align | None = None) -> int:
        """A pointwise function; inputs without an alignment have all axes of the result, or none."""
        if align is None:
            align = tuple(tuple(range(len(self.leaf(wire).axes))) for wire in inputs)
        return self.core("pointwise", inputs, leaf, fn=fn, align=align)

    def literal(self, value: int | Fraction, kind: Kind) -> int:
        """A number."""
        return self.core("literal", (), Leaf(kind, ()), value=value)

    def full(self, value: int | Fraction, axes: tuple[Axis, ...], kind: Kind) -> int:
        """A number everywhere."""
        made = self.literal(value, kind)
        for axis in reversed(axes):
            made = self.expand(made, axis)
        return made

    def expand(self, wire: int, axis: Axis) -> int:
        """A new first axis along which a wire is repeated."""
        leaf = Leaf(self.leaf(wire).kind, (axis, *self.leaf(wire).axes))
        return self.core("expand", (wire,), leaf, position=0, size=axis.size)

    def slice(self, wire: int, at: int, start: Size, size: Size, step: int = 1) -> int:
        """Some indices of one axis."""
        axes = list(self.axes(wire))
        if start == 0 and step == 1 and size == axes[at].size:
            return wire
        axes[at] = Axis(axes[at].label, size)
        leaf = Leaf(self.leaf(wire).kind, tuple(axes))
        return self.core("slice", (wire,), leaf, axis=at, start=start, step=step, size=size)

    def first(self, wire: int) -> int:
        """The element at index 0 of the first axis."""
        one = self.slice(wire, 0, 0, 1)
        return self.core("drop", (one,), Leaf(self.leaf(wire).kind, self.axes(wire)[1:]), axis=0)

    def flip(self, wire: int) -> int:
        """The first axis the other way round."""
        size = self.axes(wire)[0].size
        return self.slice(wire, 0, sub(size, 1), size, -1)

    def concat(self, wires: tuple[int, ...], at: int) -> int:
        """One after the other along an axis."""
        if len(wires) == 1:
            return wires[0]
        axes = list(self.axes(wires[0]))
        total: Size = 0
        for wire in wires:
            total = add(total, self.axes(wire)[at].size)
        axes[at] = Axis(axes[at].label, total)
        return self.core("concat", wires, Leaf(self.leaf(wires[0]).kind, tuple(axes)), axis=at)

    def split(self, wire: int, at: int, axes: tuple[Axis, ...]) -> int:
        """One axis as several."""
        whole = self.axes(wire)
        leaf = Leaf(self.leaf(wire).kind, (*whole[:at], *axes, *whole[at + 1 :]))
        return self.core("split_axis", (wire,), leaf, axis=at, sizes=tuple(axis.size for axis in axes))

    def merge(self, wire: int, at: int, axis: Axis, count: int) -> int:
        """Several axes as one."""
        whole = self.axes(wire)
        leaf = Leaf(self.leaf(wire).kind, (*whole[:at], axis, *whole[at + count :]))
        return self.core("merge_axes", (wire,), leaf, axis=at, count=count)

    def diagram(self, base: Diagram, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Diagram:
        """What has been put together, under the name of another diagram."""
        named = compact(base, self.wires, self.boxes, inputs, outputs)
        return Diagram(
            base.name,
            named.wires,
            named.inputs,
            named.outputs,
            named.boxes,
            base.effects,
            (None,) * len(inputs),
            (None,) * len(outputs),
            base.facts,
        )


def product(axes: tuple[Axis, ...]) -> Size:
    """The number of elements of some axes."""
    total: Size = 1
    for axis in axes:
        total = mul(total, axis.size)
    return total


def opaque(entry: str) -> Native:
    """A native without arguments, weights and definition."""
    return Native(entry, (), (), (), None, None, None)
