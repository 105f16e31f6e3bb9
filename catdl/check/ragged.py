"""What specs with var dims may not do: take such an axis as a whole, or read the largest of no elements.

Takes the finished Diagram of a morphism. Samples have different sizes, so a batch of them is packed, and an operation
must act on every element alone or by segment (`diagram/ragged.py`). A reduction without unit has no value for an empty
sample; that is wrong only if the value is read, and what is spread over the sample's own elements is not. A tree has a
node at least.

    over[N, D](x - max[N](x))       right: without elements nothing is subtracted from
    max[N] >> linear                refused, unless `where N >= 1` or `max[N](empty = 0)`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor
from typing import TypeAlias

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Box, Call, Core, Diagram, Emit, Native, TreeFold
from catdl.diagram.params import bodies, post_order
from catdl.diagram.ragged import Along, leaves
from catdl.record import record
from catdl.types.ragged import mentioned, of_leaves, places, row, rows
from catdl.types.sizes import Facts, short
from catdl.types.types import Axis, AxisItem, Leaf

NO_UNIT = ("max", "min", "mean")

Done: TypeAlias = "dict[int, tuple[Diagram, frozenset[str]]]"
"""What was looked at, by its number, which is another's once a diagram is gone: so all are held."""


def refused(diagram: Diagram, facts: Facts, done: Done) -> list[Diagnostic]:
    """The mistakes of a diagram and of those inside it that are not `done`, which they are then.

    `done` keeps the dims that count the nodes of trees: never empty in all that a diagram holds, for a tree has one at
    least; they may be so where another diagram holds the same parts.
    """
    along = Along()
    found: list[Diagnostic] = []
    new = post_order(diagram, lambda other: id(other) in done)
    nodes = frozenset(name for inner in new for box in inner.boxes for name in counting(box, done))
    for inner in new:
        if not nodes or inner is diagram:
            done[id(inner)] = inner, nodes
        if not of_leaves(wire.type for wire in inner.wires):
            continue
        found += wholes(along, inner)
        if not found:
            empty = Empty(facts, nodes)
            reads = empty.outputs(inner)
            found += [
                wrong.EmptyReduction(v.box.span, v.who, short(v.dim), v.least) for v in (*empty.read, *reads.values())
            ]
    return found


def counting(box: Box, done: Done) -> Iterable[str]:
    """The dims that count nodes of trees, in a box or in what it holds that is done."""
    match box.op:
        case TreeFold(axis=Axis(size=size)):
            name = row(size)
            return () if name is None else (name,)
        case _:
            inner = bodies(box)
            return () if inner is None or id(inner) not in done else done[id(inner)][1]


def wholes(along: Along, diagram: Diagram) -> Iterator[Diagnostic]:
    """The boxes that take a var axis as a whole."""
    for box in diagram.boxes:
        why = along.whole(diagram, box)
        if why is not None and all(map(packable, leaves(diagram, box.inputs))):  # else it is told already
            dims = of_leaves(leaves(diagram, (*box.inputs, *box.outputs))) or mentioned(getattr(box.op, "attrs", ()))
            yield wrong.RaggedWhole(box.span, called(box), short(min(dims)), why)


def packable(leaf: Leaf) -> bool:
    """Whether a type has at most one var axis, whose size is a var dim."""
    return len(places(leaf)) == (rows(leaf) is not None)


def called(box: Box) -> str:
    """What a box is called in a message."""
    match box.op:
        case Native(entry=name):
            return name
        case Core(name=name):
            head = box.span.text.partition("[")[0].partition("(")[0].strip()
            return head if head.isidentifier() else name.removesuffix("_axes")
        case TreeFold(axis=axis):
            return "fold" if axis is None else "annotate"
        case op:
            return type(op).__name__.lower()


@record
class Void:
    """A reduction that may have too little to reduce: what it is called, its var dim, how many elements it takes."""

    box: Box
    who: str
    dim: str
    least: int = 1


class Empty:
    """Which values depend on reductions of nothing."""

    __slots__ = ("facts", "nodes", "read")

    def __init__(self, facts: Facts, nodes: frozenset[str]) -> None:
        self.facts = facts
        self.nodes = nodes  # the dims that count the nodes of trees
        self.read: list[Void] = []  # by what leaves on the side

    def outputs(self, diagram: Diagram) -> dict[int, Void]:
        """The outputs of a diagram, by position, that depend on a reduction of nothing."""
        at: dict[int, Void] = {}
        for box in diagram.boxes:
            void = self.starts(diagram, box) or next((at[wire] for wire in box.inputs if wire in at), None)
            inner = self.inside(box) if void is None else {}
            if isinstance(box.op, Emit) and void is not None:
                self.read.append(void)
            for k, wire in enumerate(box.outputs):
                here = void or inner.get(k)
                if here is not None and here.dim not in mentioned(diagram.wires[wire].type.axes):
                    at[wire] = here
        return {k: at[wire] for k, wire in enumerate(diagram.outputs) if wire in at}

    def starts(self, diagram: Diagram, box: Box) -> Void | None:
        """A reduction of a var axis that has no unit and may be empty, or a spread that may have too few elements."""
        leaf: Leaf | None = diagram.wires[box.inputs[0]].type if box.inputs else None
        match box.op:
            case Core(name="reduce") as op if op["fn"] in NO_UNIT and not any(key == "empty" for key, _ in op.attrs):
                over = op["axes"]
            case Core(name="argmax") as op:
                over = (op["axis"],)
            case Native(entry="var" | "std") as op:
                return self.spread(box, op)
            case _:
                return None
        assert isinstance(over, tuple) and leaf is not None
        return self.lacking(box, (leaf.axes[place] for place in over if isinstance(place, int)), 1)

    def spread(self, box: Box, op: Native) -> Void | None:
        """A variance, which is divided by the number of elements less a correction: that has to be more than 0."""
        correction, axes = op.arg("correction"), op.bind("A")
        assert isinstance(correction, int | Fraction) and isinstance(axes, tuple)
        beside = 1
        for axis in axes:
            beside *= axis.size if isinstance(axis.size, int) else 1
        return self.lacking(box, axes, floor(correction / Fraction(max(beside, 1))) + 1)

    def lacking(self, box: Box, axes: Iterable[AxisItem], least: int) -> Void | None:
        """What a box does where one of these axes has fewer elements than it takes, if one may have."""
        for axis in axes:
            name = row(axis.size) if isinstance(axis, Axis) else None
            if name is not None and max(self.facts.low(name), 1 if name in self.nodes else 0) < least:
                return Void(box, called(box), name, least)
        return None

    def inside(self, box: Box) -> dict[int, Void]:
        """The same of what a box holds, told of the box. A morphism that is called has been looked at by itself."""
        if isinstance(box.op, Native) and box.op.definition is not None and self.may(box.op):
            found = self.outputs(box.op.definition.diagram())
            return {k: Void(box, box.op.entry, void.dim, void.least) for k, void in found.items()}
        body = None if isinstance(box.op, Call) else bodies(box)
        return {} if body is None else self.outputs(body)

    def may(self, native: Native) -> bool:
        """Whether anything about a native is ragged."""
        return bool(mentioned(tuple(value for _, value in native.binds)))
