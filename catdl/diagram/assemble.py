"""A Diagram put together box by box, for what is defined in Python instead of in the language.

a = Assembly()
x = a.input(leaf)
a.diagram("double", [x], [a.core("pointwise", [x, x], leaf.axes, fn="add", align=((0,), (0,)))])
"""

from __future__ import annotations

from catdl.diagram.model import Box, Core, CoreAttr, Diagram, Op, Wire
from catdl.diagram.params import NOWHERE
from catdl.record import replace
from catdl.types.sizes import Size, mul
from catdl.types.types import ANONYMOUS, Axis, Kind, Leaf, axis_sizes

REAL = Kind("Real")
Axes = tuple[Axis, ...]


class Assembly:
    """Wires and boxes so far. Methods give the wire that they make; what changes nothing makes none."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.boxes: list[Box] = []

    def input(self, leaf: Leaf) -> int:
        """A wire from outside."""
        return self._wire(leaf, False)

    def constant(self, leaf: Leaf) -> int:
        """A wire from outside that is the same for the whole batch."""
        return self._wire(leaf, True)

    def _wire(self, leaf: Leaf, constant: bool) -> int:
        self.wires.append(Wire(leaf, constant, None))
        return len(self.wires) - 1

    def axes(self, wire: int) -> Axes:
        """The axes of a wire."""
        found = tuple(axis for axis in self.wires[wire].type.axes if isinstance(axis, Axis))
        assert len(found) == len(self.wires[wire].type.axes)
        return found

    def sizes(self, wire: int) -> tuple[Size, ...]:
        """The sizes of the axes of a wire."""
        return axis_sizes(self.wires[wire].type)

    def box(self, op: Op, inputs: list[int], leaf: Leaf, constant: bool, site: str | None = None) -> int:
        """Any box with one output."""
        made = self._wire(leaf, constant)
        self.boxes.append(Box(op, tuple(inputs), (made,), site, (), NOWHERE))
        return made

    def core(self, name: str, inputs: list[int], axes: Axes, kind: Kind = REAL, /, **attrs: CoreAttr) -> int:
        """A core operation."""
        constant = all(self.wires[wire].constant for wire in inputs)
        return self.box(Core(name, tuple(attrs.items())), inputs, Leaf(kind, axes), constant)

    def literal(self, value: int, kind: Kind = REAL) -> int:
        """A number."""
        return self.core("literal", [], (), kind, value=value)

    def point(self, fn: str, inputs: list[tuple[int, tuple[int, ...]]], axes: Axes, kind: Kind = REAL) -> int:
        """A function at every index; each input comes with the places of its axes in the result."""
        aligned = tuple(where for _, where in inputs)
        return self.core("pointwise", [wire for wire, _ in inputs], axes, kind, fn=fn, align=aligned)

    def permuted(self, wire: int, order: list[int]) -> int:
        """The axes in another order."""
        if order == sorted(order):
            return wire
        axes = self.axes(wire)
        return self.core("permute", [wire], tuple(axes[k] for k in order), perm=tuple(order))

    def merged(self, wire: int, place: int, count: int) -> int:
        """Neighbouring axes as one; none as an axis of size 1."""
        if count == 1:
            return wire
        axes = self.axes(wire)
        if count == 0:
            return self.expanded(wire, place, Axis(ANONYMOUS, 1))
        size: Size = 1
        for axis in axes[place : place + count]:
            size = mul(size, axis.size)
        made = (*axes[:place], Axis(ANONYMOUS, size), *axes[place + count :])
        return self.core("merge_axes", [wire], made, self.wires[wire].type.kind, axis=place, count=count)

    def split(self, wire: int, place: int, into: Axes) -> int:
        """The reverse."""
        axes = self.axes(wire)
        made = (*axes[:place], *into, *axes[place + 1 :])
        if len(into) == 1:  # known by its name from here on
            self.wires[wire] = replace(self.wires[wire], type=Leaf(self.wires[wire].type.kind, made))
            return wire
        if not into:
            return self.core("drop", [wire], made, axis=place)
        return self.core("split_axis", [wire], made, axis=place, sizes=tuple(axis.size for axis in into))

    def expanded(self, wire: int, place: int, axis: Axis) -> int:
        """Repeated along a new axis."""
        axes, kind = self.axes(wire), self.wires[wire].type.kind
        made = (*axes[:place], axis, *axes[place:])
        return self.core("expand", [wire], made, kind, position=place, size=axis.size)

    def gathered(self, wire: int, place: int, index: int) -> int:
        """An axis replaced by those of an index into it."""
        axes = self.axes(wire)
        return self.core("gather", [wire, index], (*axes[:place], *self.axes(index), *axes[place + 1 :]), axis=place)

    def one(self, wire: int, place: int, index: int) -> int:
        """What stands at one index of an axis."""
        return self.gathered(wire, place, self.literal(index, Kind("Fin", self.sizes(wire)[place])))

    def named(self, wire: int, name: str) -> int:
        """The wire, under a name for those who read what is printed."""
        self.wires[wire] = replace(self.wires[wire], name=name)
        return wire

    def make(self, wire: int) -> None:
        """Say that a wire is made of parameters alone, and worth keeping."""
        self.wires[wire] = replace(self.wires[wire], made=True)

    def diagram(self, name: str, inputs: list[int], outputs: list[int]) -> Diagram:
        """What was put together."""
        nameless = (None,) * len(inputs), (None,) * len(outputs)
        wires = tuple(self.wires)
        return Diagram(name, wires, tuple(inputs), tuple(outputs), tuple(self.boxes), frozenset(), *nameless, ())
