"""One diagram of a step machine while it is made: new wires and boxes, and what it keeps from call to call.

A machine takes the steps of a sequence in pieces, and keeps what later pieces need of those before: the last elements
of a wire, the state of a scan, how many steps there were. All of it is state of this run, and no part of what is
learned.

    level.before(x, 2, 0)      x with its last 2 elements of the call before in front; zeros at first
"""

from __future__ import annotations

from catdl.causal.core import Time
from catdl.diagram.model import Box, Core, CoreAttr, Diagram, Init, Local, Op, Parameter, Store, Wire
from catdl.diagram.plug import Draft
from catdl.record import replace
from catdl.source import Span
from catdl.types.sizes import Size, add
from catdl.types.types import Axis, Kind, Leaf

COUNT = Kind("Fin", 2**31)
BOOL = Kind("Bool")


class Level:
    """A diagram under way; wires of the diagram that it is made of keep their numbers."""

    def __init__(self, base: Diagram, time: Time) -> None:
        self.draft = Draft(base)
        self.time = time
        self._counter: int | None = None
        self._path = ""

    @property
    def wires(self) -> list[Wire]:
        """All wires so far."""
        return self.draft.wires

    def axes(self, wire: int) -> tuple[Axis, ...]:
        """The axes of a wire."""
        return tuple(axis for axis in self.wires[wire].type.axes if isinstance(axis, Axis))

    def timed(self, wire: int) -> list[int]:
        """The positions of the axes that grow with the time."""
        return [k for k, axis in enumerate(self.axes(wire)) if self.time.grows(axis.size)]

    def box(self, op: Op, inputs: tuple[int, ...], outputs: tuple[int, ...], site: str | None, span: Span) -> None:
        """A box between wires that exist."""
        self.draft.boxes.append(Box(op, inputs, outputs, site, (), span))

    def core(self, name: str, inputs: tuple[int, ...], leaf: Leaf, span: Span, /, **attrs: CoreAttr) -> int:
        """A core operation on a new wire."""
        made = self.draft.wire(Wire(leaf, all(self.wires[wire].constant for wire in inputs), None))
        self.box(Core(name, tuple(attrs.items())), inputs, (made,), None, span)
        return made

    def point(self, fn: str, inputs: tuple[int, ...], leaf: Leaf, span: Span) -> int:
        """A function at every index; inputs have all axes of the result, or none."""
        align = tuple(tuple(range(len(self.axes(wire)))) for wire in inputs)
        return self.core("pointwise", inputs, leaf, span, fn=fn, align=align)

    def literal(self, value: Size, kind: Kind, span: Span) -> int:
        """A number."""
        return self.core("literal", (), Leaf(kind, ()), span, value=value)

    def cut(self, wire: int, at: int, start: Size, size: Size, span: Span) -> int:
        """Some indices of one axis."""
        axes = list(self.axes(wire))
        axes[at] = Axis(axes[at].label, size)
        leaf = Leaf(self.wires[wire].type.kind, tuple(axes))
        return self.core("slice", (wire,), leaf, span, axis=at, start=start, step=1, size=size)

    def joined(self, wires: tuple[int, int], at: int, span: Span) -> int:
        """Two tensors one after the other along an axis."""
        axes = list(self.axes(wires[0]))
        axes[at] = Axis(self.axes(wires[1])[at].label, add(axes[at].size, self.axes(wires[1])[at].size))
        return self.core("concat", wires, Leaf(self.wires[wires[1]].type.kind, tuple(axes)), span, axis=at)

    def state(self, name: str, leaf: Leaf, constant: bool, start: int, span: Span) -> tuple[int, str]:
        """What is kept under a new name: its value from the call before, and its path."""
        path = self.draft.fresh(name)
        init = Init("zeros") if start == 0 else Init("constant", (start,))
        parameter = Parameter(path, leaf, init, state="constant" if constant else "sample", passing=True)
        made = self.draft.wire(Wire(leaf, constant, name))
        self.box(Local(parameter), (), (made,), path, span)
        self.draft.effects.add("state")
        return made, path

    def store(self, path: str, wire: int, span: Span) -> None:
        """What is kept from here on."""
        self.box(Store(path), (wire,), (), None, span)

    def before(self, wire: int, at: int, count: int, start: int, span: Span, name: str) -> int:
        """A wire with so many elements of the calls before in front of its own."""
        axes = list(self.axes(wire))
        axes[at] = Axis(axes[at].label, count)
        info = self.wires[wire]
        past, path = self.state(name, Leaf(info.type.kind, tuple(axes)), info.constant, start, span)
        whole = self.joined((past, wire), at, span)
        self.store(path, self.cut(whole, at, self.time.size, count, span), span)
        return whole

    def steps(self, span: Span) -> int:
        """How many steps there were before this call."""
        if self._counter is None:
            self._counter, self._path = self.state("steps", Leaf(COUNT, ()), True, 0, span)
            more = self.literal(self.time.size, COUNT, span)
            self.store(self._path, self.point("add", (self._counter, more), Leaf(COUNT, ()), span), span)
        return self._counter

    def places(self, axis: Axis, kind: Kind, span: Span, start: int = 0) -> int:
        """The number of each step, counted from the first of all calls."""
        here = self.core("index", (), Leaf(kind, (axis,)), span, size=axis.size)
        whole = self.point("add", (here, self.steps(span)), Leaf(kind, (axis,)), span)
        if start == 0:
            return whole
        return self.point("add", (whole, self.literal(start, kind, span)), Leaf(kind, (axis,)), span)

    def first(self, now: int, later: int, span: Span) -> int:
        """A value in the first call, another one in those after it."""
        none = self.point("eq", (self.steps(span), self.literal(0, COUNT, span)), Leaf(BOOL, ()), span)
        return self.point("where", (none, now, later), self.wires[later].type, span)

    def retyped(self, wire: int) -> None:
        """A wire of the diagram that this is made of: what grows with the time is as long as the piece here."""
        info = self.wires[wire]
        axes = tuple(
            Axis(axis.label, self.time.size) if isinstance(axis, Axis) and self.time.grows(axis.size) else axis
            for axis in info.type.axes
        )
        if axes != info.type.axes:
            self.wires[wire] = replace(info, type=Leaf(info.type.kind, axes))
