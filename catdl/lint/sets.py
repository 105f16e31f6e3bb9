"""What goes by the order of a set: W0301.

Takes Diagrams. Each diagram of the file is gone through once for each set (`catdl/equivariance`), its inputs by their
labels, and so is what other diagrams give it: what they do is told of them. Told is what goes by an order, or reads
elements together with numbers at fixed places; what is not known to keep the order for another reason is passed over in
silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catdl.diagram.drive import Work
from catdl.diagram.model import Box, Call, Diagram, Extern, Map, Native, Repeat, TreeFold
from catdl.equivariance.losses import Broken, Loss, Rule
from catdl.equivariance.natives import Named
from catdl.equivariance.states import Moves, Within, acting
from catdl.equivariance.walk import Results, Roles, States, Walk
from catdl.record import record
from catdl.symmetry.actions import Symmetric
from catdl.types.types import Axis, Leaf, Word

DEFINITIONS = 150  # looked into for one program; of what is used beyond them nothing is said
WORDS = {
    Rule.ORDERED: "takes its elements in an order",
    Rule.NUMBERED: "meets numbers that stand at fixed places",
    Rule.CUT: "takes some elements and leaves others",
    Rule.PARTED: "cuts it up by place",
    Rule.TAKEN: "takes elements by their place",
}
"""What is told of a rule that is broken; of others nothing is."""


class Clash(NamedTuple):
    """A box that goes by the order of a set: the label of its dim, and what it does to it."""

    box: Box
    dim: str
    how: str


@record(frozen=False)
class Budget:
    """How many definitions may still be looked into."""

    left: int = DEFINITIONS


class Ordered(Walk):
    """One diagram of a file, for one set."""

    def __init__(self, within: Within, roles: Roles, diagram: Diagram, budget: Budget) -> None:
        super().__init__(within, roles)
        labelled = self.labelled
        self.within_box: Named = lambda axis: labelled(axis)  # tells what a box holds from the diagram itself
        self.budget = budget
        self.wires = diagram.wires
        self.clashes: list[tuple[Box, Rule]] = []
        self.read = {*diagram.outputs}
        for box in diagram.boxes:
            self.read.update(box.inputs, (wire for _, wire in box.plugs))
        wires = [diagram.wires[wire] for wire in diagram.inputs]
        self.run(diagram, [self.said(wire.type, wire.constant) for wire in wires])

    def said(self, leaf: Leaf, closed: bool) -> Moves:
        """What a type says: where it is an index of so many elements as the set has, it may name these."""
        reps = tuple(self.labelled(axis) for axis in leaf.axes if isinstance(axis, Axis))
        return Moves(reps, closed, leaf.kind.name == "Fin" and leaf.kind.size == self.within.size)

    def inside(self, diagram: Diagram, ins: States, named: Named, key: object = None) -> Work[Results]:
        """A diagram in a box."""
        return (yield super().inside(diagram, ins, self.within_box if named is self.labelled else named, key))

    def broke(self, box: Box, wire: int, broken: Broken, named: Named) -> Loss:
        """Note what breaks a rule in the diagram itself, on the way to what is read."""
        if named is self.labelled and wire in self.read and broken.rule in WORDS:
            by_data = not all(self.wires[at].constant for at in box.inputs[1:])
            if broken.rule is not Rule.TAKEN or not by_data:
                self.clashes.append((box, broken.rule))
        return super().broke(box, wire, broken, named)

    def box(
        self, box: Box, ins: list[Moves], plugs: States, given: list[Leaf], made: list[Leaf], named: Named
    ) -> Work[Results]:
        """What a box yields; what other diagrams of the file give goes as its type says."""
        if named is not self.labelled:
            return (yield super().box(box, ins, plugs, given, made, named))
        op = box.op
        moved = any(state.names or any(map(acting, state.reps)) for state in ins)
        still = isinstance(op, Native) and not moved and not all(state.closed for state in ins)
        if isinstance(op, Call | Repeat | Map | TreeFold | Extern) or still:
            return [self.said(leaf, False) for leaf in made]
        if isinstance(op, Native) and self.budget.left <= 0:
            return [self.said(leaf, False) for leaf in made]
        before = len(self.memo)
        found = yield super().box(box, ins, plugs, given, made, named)
        self.budget.left -= len(self.memo) - before
        return found


def clashes(diagram: Diagram, roles: Roles, budget: Budget) -> Iterator[Clash]:
    """The boxes of a diagram that go by the order of a set."""
    for label, group in sets(diagram, roles).items():
        found = Ordered(Within(group), roles, diagram, budget)
        yield from (Clash(box, label, WORDS[rule]) for box, rule in found.clashes)


def sets(diagram: Diagram, roles: Roles) -> dict[str, Symmetric]:
    """The sets along which wires of a diagram lie, by their labels."""
    names: dict[str, None] = {}
    for wire in diagram.wires:
        stack = [axis for axis in reversed(wire.type.axes) if isinstance(axis, Axis)]
        while stack:
            axis = stack.pop()
            if isinstance(axis.label, Word):
                stack += reversed(axis.label.axes)
            elif isinstance(axis.label, str):
                names[axis.label.rstrip("'")] = None
    acts = {name: found[0].group for name in names if (found := roles(name)) is not None}
    return {name: group for name, group in acts.items() if isinstance(group, Symmetric)}
