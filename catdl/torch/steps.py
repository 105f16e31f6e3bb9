"""The steps that a unit is flattened to: statements to be, over numbered wires.

flatten(mlp, …).steps      [Step(Native(flatten) …), Step(Native(linear) …), …]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from catdl.diagram.model import Core, Diagram, Extern, Local, Native
from catdl.types.sizes import Size
from catdl.types.types import Axis, Form, Leaf


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of another unit; `lead`: the axes over which its weights are stacked.

    `bare`: the callee is one box, whose leaves stand in the class itself.
    """

    callee: Diagram
    lead: tuple[Axis, ...] = ()
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """A repeat: the outputs go round, the inputs beyond them are the same each time."""

    count: int
    body: Diagram
    fresh: bool
    lead: tuple[Axis, ...] = ()


@dataclass(frozen=True, slots=True)
class Slices:
    """`each` of a body whose weights cannot be stacked: the last `captured` inputs are given whole to every index."""

    axis: Axis
    body: Diagram
    captured: int


@dataclass(frozen=True, slots=True)
class Open:
    """Into a loop that is written where it stands, an `iterate` or a `fold`.

    Inputs: the starts of what goes round, the `elements`, each with the axis of the loop in front, others, which stay.
    Outputs: what goes round, and one element of each. Without elements there are `count` steps.
    """

    count: Size
    mark: int  # of this loop, the same in its `Shut`
    lead: tuple[Axis, ...] = ()
    elements: int = 0
    reverse: bool = False
    rows: str = ""  # the var dim that it goes along: a step is one of the samples that are that long


@dataclass(frozen=True, slots=True)
class Shut:
    """Out of it. The inputs beyond its outputs were made before it and must last to its end.

    What follows the `carried` outputs is what the steps gave, along the axis of the loop.
    """

    mark: int
    carried: int
    reverse: bool = False
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands at the nodes of one summand. Inputs: the trees, captured wires. Outputs: its constants, and these."""

    summand: int


@dataclass(frozen=True, slots=True)
class Climb:
    """Into a loop over the levels of trees, the deepest first.

    Inputs: the trees, what the deepest level starts from if nodes with places for children may have none, the states of
    the leaves, summand by summand, the captured wires that stand `apart` from node to node. Outputs: what goes up, the
    `carried` wires; then, for each summand with children, its constants and the states of the children as they stand in
    it, and what is captured.
    """

    mark: int  # of this loop, the same in its `Top`
    form: Form
    carried: int
    apart: int
    every: bool = False  # whether the states of all nodes are wanted, not those of the roots


@dataclass(frozen=True, slots=True)
class Top:
    """Out of it. Inputs: what the legs with children gave, then the trees and all that must last to the end."""

    mark: int


@dataclass(frozen=True, slots=True)
class Stacked:
    """A plugged leaf inside `each`, whose axis becomes one over which weights are stacked."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Into a map: the leading axes become batch axes; `merge`: all batch axes are made one.

    `stacked`: it is an `each`, over whose axes constants may be stacked as its weights are.
    """

    axes: tuple[Axis, ...]
    captured: int
    merge: bool
    mark: int  # of this map, the same in its `Leave`
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of a map."""

    axes: tuple[Axis, ...]
    merge: bool
    mark: int
    lead: int = 0  # how many axes the weights are stacked over outside of it


@dataclass(frozen=True, slots=True)
class Segment:
    """Something done along a var dim, sample by sample: a method of its `Segments`, or another `fn` of `rows.py`.

    `args` are what it is told beside its inputs.
    """

    fn: str
    dim: str
    args: tuple[tuple[str, object], ...] = ()

    def __getitem__(self, key: str) -> Any:
        return dict(self.args)[key]


StepOp: TypeAlias = (
    Core
    | Native
    | Extern
    | Local
    | Invoke
    | Loop
    | Slices
    | Open
    | Shut
    | Fields
    | Climb
    | Top
    | Stacked
    | Enter
    | Leave
    | Segment
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement to be."""

    op: StepOp
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    site: str | None
    plugs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Remake:
    """Steps that make weights of parameters alone: their places, what they read from outside, what is read outside.

    `shared` are those that cost nothing and may be needed outside too. `sources` are the leaves and the sites that the
    steps read. `leaves`: for each output the path of the leaf that it can take the place of, empty for none.
    """

    steps: frozenset[int]
    shared: frozenset[int]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    sources: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(slots=True)
class FlatWire:
    """A wire of a unit; the name may come from a caller.

    `rows`: the var axis along which it is packed, which is not in its type.
    """

    type: Leaf
    name: str | None
    constant: bool
    made: bool = False
    rows: Axis | None = None


@dataclass(slots=True)
class Flat:
    """A unit's body. `extra` are inputs after the diagram's own: plugged leaves and declared parameters by key."""

    diagram: Diagram
    wires: list[FlatWire] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    plugged: dict[str, int] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    read: dict[str, None] = field(default_factory=dict)  # own leaves by path, those of boxes inside among them
    emits: bool = False  # whether anything is made that only `collect` would read
    stacked: set[int] = field(default_factory=set)  # wires that have the axes of `each` in front of their own
    remade: Remake | None = None  # what is made of parameters alone, in a method of its own

    def wire(self, leaf: Leaf, name: str | None, constant: bool) -> int:
        """A new wire."""
        self.wires.append(FlatWire(leaf, name, constant))
        return len(self.wires) - 1

    def kept(self, mark: int, start: int) -> tuple[int, ...]:
        """What the steps since a mark read of what was made before them: it must last to the end of the last round."""
        found: dict[int, None] = {}
        for step in self.steps[mark + 1 :]:
            found |= dict.fromkeys(wire for wire in step.inputs if wire < start)
            found |= dict.fromkeys(wire for _, wire in step.plugs if wire < start)
        return tuple(found)

    def reads(self, steps: Iterable[Step], outputs: Iterable[int]) -> list[int]:
        """How often each wire is read by some steps, and as an output."""
        uses = [0] * len(self.wires)
        for step in steps:
            for wire in step.inputs:
                uses[wire] += 1
            for _, wire in step.plugs:
                uses[wire] += 1
        for wire in outputs:
            uses[wire] += 1
        return uses
