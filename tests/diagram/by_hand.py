"""Diagrams made by hand, for tests of everything after the checker."""

from __future__ import annotations

from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Definition,
    Diagram,
    Fact,
    Global,
    Init,
    Local,
    Native,
    Op,
    Parameter,
    Static,
    Wire,
)
from catdl.source import Source, Span
from catdl.types.sizes import Size, sym
from catdl.types.types import Axis, Kind, Leaf

SPAN = Span(Source("test.cat", ""), 0, 0)
REAL = Kind("Real")


def ax(label: str, size: Size | None = None) -> Axis:
    """An axis; a bare label is a free dim."""
    return Axis(label, sym(label) if size is None else size)


def real(*axes: Axis) -> Leaf:
    return Leaf(REAL, axes)


def fin(n: Size, *axes: Axis) -> Leaf:
    return Leaf(Kind("Fin", n), axes)


def bool_(*axes: Axis) -> Leaf:
    return Leaf(Kind("Bool"), axes)


class Hand:
    """A diagram under construction; wires are ints."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wires: list[Wire] = []
        self.inputs: list[int] = []
        self.boxes: list[Box] = []

    def input(self, leaf: Leaf, name: str | None = None, constant: bool = False) -> int:
        self.wires.append(Wire(leaf, constant, name))
        self.inputs.append(len(self.wires) - 1)
        return self.inputs[-1]

    def box(
        self,
        op: Op,
        inputs: tuple[int, ...],
        *outs: Leaf,
        site: str | None = None,
        plugs: tuple[tuple[str, int], ...] = (),
        names: tuple[str | None, ...] = (),
        constant: bool | None = None,
    ) -> tuple[int, ...]:
        if constant is None:
            constant = all(self.wires[i].constant for i in inputs)
        made = []
        for k, leaf in enumerate(outs):
            self.wires.append(Wire(leaf, constant, names[k] if k < len(names) else None))
            made.append(len(self.wires) - 1)
        self.boxes.append(Box(op, inputs, tuple(made), site, plugs, SPAN))
        return tuple(made)

    def core(self, name: str, inputs: tuple[int, ...], leaf: Leaf, _name: str | None = None, /, **attrs: object) -> int:
        op = Core(name, tuple(attrs.items()))  # type: ignore[arg-type]
        return self.box(op, inputs, leaf, names=(_name,))[0]

    def point(
        self, fn: str, inputs: tuple[int, ...], out: Leaf, align: tuple[tuple[int, ...], ...] | None = None
    ) -> int:
        """Pointwise, aligned by label unless said."""
        if align is None:
            labels = [a.label for a in out.axes if isinstance(a, Axis)]
            align = tuple(
                tuple(labels.index(a.label) for a in self.wires[i].type.axes if isinstance(a, Axis)) for i in inputs
            )
        return self.core("pointwise", inputs, out, fn=fn, align=align)

    def literal(self, value: object, leaf: Leaf | None = None) -> int:
        return self.core("literal", (), leaf or real(), value=value)

    def local(self, path: str, leaf: Leaf, init: Init | None = None) -> int:
        op = Local(Parameter(path, leaf, init or Init("normal", (0.0, 1.0))))
        return self.box(op, (), leaf, site=path, constant=True)[0]

    def declared(self, path: str, leaf: Leaf, init: Init | None = None) -> int:
        op = Global(Parameter(path, leaf, init or Init("normal", (0.0, 1.0))))
        return self.box(op, (), leaf, constant=True, names=(path,))[0]

    def call(
        self, callee: Diagram, *inputs: int, site: str | None = None, inline: bool = False, **kw: object
    ) -> tuple[int, ...]:
        outs = tuple(callee.wires[o].type for o in callee.outputs)
        return self.box(Call(callee, inline), inputs, *outs, site=site, **kw)  # type: ignore[arg-type]

    def done(self, *outputs: int, effects: frozenset[str] = frozenset(), facts: tuple[Fact, ...] = ()) -> Diagram:
        names = tuple(self.wires[i].name for i in self.inputs)
        return Diagram(
            self.name, tuple(self.wires), tuple(self.inputs), outputs, tuple(self.boxes), effects, names,
            (None,) * len(outputs), facts,
        )  # fmt: skip


def _number(axis: Axis) -> int:
    assert isinstance(axis.size, int)
    return axis.size


def linear(
    h: Hand, x: int, out: Axis, site: str = "linear", bias: bool = True, plugs: tuple[tuple[str, int], ...] = ()
) -> int:
    """The native `linear` on the last axis, with its definition."""
    leaf = h.wires[x].type
    inp = leaf.axes[-1]
    assert isinstance(inp, Axis)
    weight = Parameter("weight", real(out, inp), Init("kaiming_uniform"))
    params = (weight, Parameter("bias", real(out), Init("fan_in_uniform", (_number(inp),)))) if bias else (weight,)
    result = Leaf(REAL, (*leaf.axes[:-1], out))

    def define() -> Diagram:
        d = Hand("linear")
        dx = d.input(leaf, "x")
        dw = d.local("weight", real(out, inp))
        n = len(leaf.axes)
        y = d.core("contract", (dx, dw), result, ins=(tuple(range(n)), (n, n - 1)), out=(*range(n - 1), n))
        if bias:
            y = d.point("add", (y, d.local("bias", real(out))), result)
        return d.done(y)

    op = Native("linear", (("bias", bias),), (("I", inp), ("O", out)), params, None, None, Definition(define))
    return h.box(op, (x,), result, site=site, plugs=plugs)[0]


def native(
    h: Hand,
    entry: str,
    x: int,
    out: Leaf | None = None,
    define: str | None = None,
    args: tuple[tuple[str, Static], ...] = (),
    **kw: object,
) -> int:
    """A parameterless native of one input; `define` names the pointwise core function that it is."""
    leaf = h.wires[x].type

    def make() -> Diagram:
        d = Hand(entry)
        dx = d.input(leaf)
        return d.done(d.point(define or entry, (dx,), leaf))

    op = Native(entry, args, (), (), kw.pop("at_in", None), kw.pop("at_out", None), Definition(make))  # type: ignore[arg-type]
    return h.box(op, (x,), out or leaf, **kw)[0]  # type: ignore[arg-type]


def relu(h: Hand, x: int) -> int:
    leaf = h.wires[x].type

    def make() -> Diagram:
        d = Hand("relu")
        dx = d.input(leaf)
        return d.done(d.point("maximum", (dx, d.literal(0)), leaf))

    return h.box(Native("relu", (), (), (), None, None, Definition(make)), (x,), leaf)[0]
