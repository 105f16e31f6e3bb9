"""The symmetries of a morphism: the groups that act on its ends, which of them it goes with, where others are lost.

Takes a verified Diagram and what acts on dims. A group that is lost may leave a part of it: shifts by multiples of a
number where a cycle is taken in strides, rotations where a product of vectors is turned round by reflections.

    symmetries(layer, roles)      [Symmetry(Symmetric("m::N", N), "m::N", the whole, None)]
"""

from __future__ import annotations

from collections.abc import Mapping

from catdl.diagram.model import Diagram
from catdl.diagram.params import NOWHERE
from catdl.equivariance.losses import Broken, Loss, Rule
from catdl.equivariance.sides import whole
from catdl.equivariance.states import DEEPEST, FIXED, Grid, Moves, Shifted, State, Within, fits, permutes, together
from catdl.equivariance.walk import Roles, Walk, placed
from catdl.record import record, replace
from catdl.symmetry.actions import Declared, Group, Matrices, Shifts, Symmetric, Translations, said
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size, free_syms
from catdl.types.types import Axis, Leaf, Word, axis_sizes


@record
class Symmetry:
    """A group that acts on the ends of a morphism: the part of it that is kept, and where the whole of it is lost."""

    group: Group | Translations
    dim: str  # the first dim on which it acts
    kept: Within | None
    loss: Loss | None
    generators: tuple[str, ...] = ()  # those of a declared group that are kept, where some are lost
    border: int = 0  # how many places of a grid are spoilt at its ends

    @property
    def said(self) -> str:
        """What is kept, in words: all of it, a part, or what is not."""
        if isinstance(self.group, Shifts) and self.kept is not None:
            steps = f" by multiples of {self.kept.step}" if self.kept.step > 1 else ""
            more = "or more " if self.border >= DEEPEST else ""
            places = f"{self.border} {more}place{'s' if self.border > 1 else ''} from " if self.border else ""
            return f"{said(self.group)}{steps}, up to {places}the border"
        if self.kept is None or self.loss is None:
            return said(self.group)
        if self.generators:
            return f"{' and '.join(f'`{name}`' for name in self.generators)} of {said(self.group)}"
        if self.kept.proper:
            return f"{said(self.group)}, without reflections"
        return f"{said(self.group)} by multiples of {self.kept.step}"


Names = Mapping[int, str]
"""Inputs and outputs whose numbers name elements of a dim of fixed size, with its label: no type says that."""


def symmetries(diagram: Diagram, roles: Roles, names: Names | None = None) -> list[Symmetry]:
    """What a morphism makes of each group, in the order of its ports."""
    found: list[Symmetry] = []
    for group, dim in acting_on(diagram, roles, names).items():
        if isinstance(group, Declared):
            found.append(_by_generators(diagram, group, dim, roles))
            continue
        within = Within(group)
        first = result = judged(diagram, within, roles, names)
        while isinstance(result, Loss) and result.smaller is not None:
            within = Within(group, result.smaller.step, result.smaller.proper)
            result = judged(diagram, within, roles, names)
        kept, border = (None, 0) if isinstance(result, Loss) else (within, result)
        if isinstance(group, Shifts):  # a coarser grid in the result says so by itself
            first = result
        found.append(Symmetry(group, dim, kept, first if isinstance(first, Loss) else None, border=border))
    return found


def _by_generators(diagram: Diagram, group: Declared, dim: str, roles: Roles) -> Symmetry:
    """What a morphism makes of a declared group: what goes with all generators goes with all that they make."""
    parts = [Within(group, generator=number) for number in range(len(group.generators))]
    losses = [lost(diagram, within, roles) for within in parts]
    names = [name for name, _ in group.generators]
    left = [(name, within) for name, within, loss in zip(names, parts, losses, strict=True) if loss is None]
    first = next((loss for loss in losses if loss is not None), None)
    kept = left[0][1] if left else None
    return Symmetry(group, dim, kept, first, tuple(name for name, _ in left) if first is not None else ())


def named(diagram: Diagram) -> list[str]:
    """The dims of inputs and outputs, and those whose elements they name."""
    names: dict[str, None] = {}
    for wire in (*diagram.inputs, *diagram.outputs):
        leaf = diagram.wires[wire].type
        if (dim := named_by(leaf)) is not None:
            names[dim] = None
        stack = [axis for axis in reversed(leaf.axes) if isinstance(axis, Axis)]
        while stack:
            axis = stack.pop()
            if isinstance(axis.label, Word):
                stack += reversed(axis.label.axes)
            elif isinstance(axis.label, str):
                names[axis.label.rstrip("'")] = None
    return list(names)


def acting_on(diagram: Diagram, roles: Roles, names: Names | None = None) -> dict[Group | Translations, str]:
    """The groups that act on inputs and outputs, each with the first dim on which it does."""
    groups: dict[Group | Translations, str] = {}
    for name in (*named(diagram), *(names or {}).values()):
        found = roles(name)
        if found is not None and found[0].degree != 0:
            groups.setdefault(found[0].group, name)
            if found[0].point and isinstance(found[0].group, Matrices):
                groups.setdefault(Translations(found[0].group.size), name)
    return groups


def named_by(leaf: Leaf) -> str | None:
    """The dim whose elements the numbers of a type name: of indices into a dim without a fixed size."""
    size: Size | None = leaf.kind.size
    if leaf.kind.name != "Fin" or not isinstance(size, Poly):
        return None
    (name, *others) = sorted(free_syms(size))
    return name if not others else None


def lost(diagram: Diagram, within: Within, roles: Roles) -> Loss | None:
    """Where a group is lost on the way to the outputs; None where all of them go as their types say."""
    found = judged(diagram, within, roles)
    return found if isinstance(found, Loss) else None


def judged(diagram: Diagram, within: Within, roles: Roles, names: Names | None = None) -> Loss | int:
    """Where a group is lost; or how many places at the ends of the outputs a border has spoilt."""
    walk = Walk(within, roles)

    def declared(wire: int) -> Moves:
        leaf = diagram.wires[wire].type
        reps = tuple(walk.labelled(axis) for axis in leaf.axes if isinstance(axis, Axis))
        if storage(leaf.kind) not in ("float", "complex"):  # what is no number has no components
            reps = tuple(rep if permutes(rep) else FIXED for rep in reps)
        if not isinstance(within.group, Symmetric) or leaf.kind.size != within.size:
            return Moves(reps)
        named = named_by(leaf) is not None or (names is not None and names.get(wire) == within.group.dim)
        return Moves(reps, False, named)

    if within.sides is not None:
        for wire in (*diagram.inputs, *diagram.outputs):
            if not whole(within.sides, declared(wire).reps, axis_sizes(diagram.wires[wire].type)):
                return Loss(Rule.ALONE, NOWHERE, "")
    inputs: list[State] = [declared(wire) for wire in diagram.inputs]
    border = 0
    for wire, state in zip(diagram.outputs, walk.run(diagram, inputs), strict=True):
        if isinstance(state, Loss):
            return state
        assert isinstance(state, Moves)
        wanted = declared(wire)
        for place, rep in enumerate(state.reps):
            if isinstance(rep, Grid) and gridded(rep, diagram.wires[wire].type.axes[place], within, roles):
                border = max(border, rep.before, rep.after)
                state = replace(state, reps=(*state.reps[:place], wanted.reps[place], *state.reps[place + 1 :]))
        if not agrees(state, wanted) and not (state.closed and agrees(Moves((FIXED,) * len(state.reps)), wanted)):
            heavy = any(isinstance(rep, Shifted) for rep in (*state.reps, *wanted.reps))
            return ending(diagram, wire, Rule.WEIGHS if heavy else Rule.RESULT)
    return border


def gridded(rep: Grid, axis: object, within: Within, roles: Roles) -> bool:
    """Whether an axis of an output is one of the grid: as fine as its dim, or coarser where it has another size."""
    found = roles(axis.label.rstrip("'")) if isinstance(axis, Axis) and isinstance(axis.label, str) else None
    if found is None or not isinstance(axis, Axis) or found[0].group != within.group:
        return False
    return rep.unit == 1 or axis.size != found[1]


def agrees(state: Moves, wanted: Moves) -> bool:
    """Whether a result goes as its type says."""
    zero = state.number == 0 and not wanted.names and not any(isinstance(rep, Shifted) for rep in wanted.reps)
    pairs = together([state.reps, wanted.reps])
    if pairs is None or state.pending:
        return False
    return state.names == wanted.names and all(
        fits(a, b) or (zero and permutes(a)) for a, b in zip(*pairs, strict=True)
    )


def ending(diagram: Diagram, wire: int, rule: Rule) -> Loss:
    """A result that does not go as its type says, told of the box that makes it."""
    broken = Broken(rule)
    for box in reversed(diagram.boxes):
        if wire in box.outputs:
            return placed(box, broken)
    return Loss(rule, NOWHERE, "")
