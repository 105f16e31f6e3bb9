"""Entries of the prelude that are judged by a rule of their own: what no definition over core operations can tell.

All others go by their definitions. An entry without a rule and without a definition keeps what lies along axes over
which it is only repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catdl.diagram.model import Native
from catdl.equivariance.losses import Broken, Rule, Smaller
from catdl.equivariance.pointwise import rigid, round_trip
from catdl.equivariance.states import (
    FIXED,
    UNIFORM,
    Moves,
    Rep,
    Reps,
    Signs,
    Taken,
    Turned,
    Within,
    acting,
    fits,
    meet,
    permutes,
    together,
)
from catdl.symmetry.actions import ROTATIONS
from catdl.types.sizes import Size
from catdl.types.types import Axis, Leaf, axis_sizes

Named = Callable[[Axis], Rep]
"""What the name of an axis says that the group does to it."""

Results = Sequence[Moves | Broken]


def by_rule(
    within: Within, op: Native, ins: list[Moves], named: Named, given: list[Leaf], made: list[Leaf]
) -> Results | None:
    """The results of an entry by its own rule; None where its definition says it. Named axes stand at the end."""
    match op.entry:
        case "equilinear" | "equibilinear" | "couple":
            return as_said(ins, named, given, made)
        case "values":
            numbers = op.arg("numbers")
            return [Moves((Signs(numbers if isinstance(numbers, tuple) else (numbers,)),), True)]
        case "eye" if (unit := _unit(within, named, made[0])) is not None:
            return [unit]
        case "spherical_harmonics" if within.group == ROTATIONS and ins[0].reps[-1] == Turned():
            return [_harmonics(ins[0], axis_sizes(made[0])[-1])]
        case "cross" if any(isinstance(state.reps[-1], Turned) for state in ins):
            return [_cross(within, ins)]
        case "det" if any(acting(rep) for rep in ins[0].reps[-2:]):
            return [_det(within, ins[0], axis_sizes(given[0]))]
        case "trace" if any(acting(rep) for rep in ins[0].reps[-2:]):
            return [_trace(within, ins[0], axis_sizes(given[0]))]
        case "sort" if acting(ins[0].reps[-1]):
            return _sorted(within, ins[0], axis_sizes(given[0])[-1])
        case _ if op.definition is None:
            return _repeated(op, ins, made)
        case _:
            return None


def _unit(within: Within, named: Named, made: Leaf) -> Moves | None:
    """The unit matrix, whose sides are moved alike: the same for vectors that keep their lengths, and for places."""
    one, other = (named(axis) for axis in made.axes if isinstance(axis, Axis))
    alike = within.orthogonal if isinstance(one, Turned) else isinstance(one, Taken) and one.bijective
    return Moves((one, other), True) if one == other and alike else None


def as_said(ins: list[Moves], named: Named, given: list[Leaf], made: list[Leaf]) -> Results:
    """The results of what goes with every group, if its inputs go as their types say."""
    for state, leaf in zip(ins, given, strict=True):
        if state.names:
            return [Broken(Rule.INDEX)] * len(made)
        wanted = tuple(named(axis) for axis in leaf.axes if isinstance(axis, Axis))
        pairs = together([state.reps, wanted])
        if pairs is None:
            return [Broken(Rule.ASIDE)] * len(made)
        for rep, said in zip(*pairs, strict=True):
            if not fits(rep, said):
                return [Broken(Rule.NUMBERED if permutes(rep) else Rule.MIXED)] * len(made)
    return [Moves(tuple(named(axis) for axis in leaf.axes if isinstance(axis, Axis))) for leaf in made]


def _harmonics(x: Moves, size: Size) -> Moves | Broken:
    if rigid(x.reps[:-1]):
        return Broken(Rule.SEPARATE)
    degree = (size - 1) // 2 if isinstance(size, int) else None
    return Moves((*x.reps[:-1], FIXED if degree == 0 else Turned(degree)))


def _cross(within: Within, ins: list[Moves]) -> Moves | Broken:
    """The product of two vectors is a vector to what does not reflect."""
    one, other = ins
    rest = [meet([a, b]) for a, b in zip(one.reps[:-1], other.reps[:-1], strict=True)]
    found = tuple(rep for rep in rest if rep is not None)
    if len(found) < len(rest):
        return Broken(Rule.NUMBERED)
    if one.reps[-1] != other.reps[-1] or rigid(found) or one.reps[-1] != Turned() or not within.orthogonal:
        return Broken(Rule.SEPARATE)
    return Moves((*found, Turned())) if within.special else Broken(Rule.REFLECTED, Smaller(proper=True))


def _det(within: Within, x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken:
    """Of matrices whose two sides are moved alike, or one of them by what has determinant 1."""
    *rest, one, other = x.reps
    if rigid(rest):
        return Broken(Rule.SEPARATE)
    if _alike(within, one, other, sizes[-1]) and (permutes(one) or _even(within)):
        return Moves(tuple(rest))
    single = {type(one), type(other)} <= {Turned, type(FIXED), type(UNIFORM)} and not (acting(one) and acting(other))
    if single and not within.special:
        return Broken(Rule.REFLECTED, Smaller(proper=True))
    return Moves(tuple(rest)) if single else Broken(Rule.FOREIGN)


def _alike(within: Within, one: Rep, other: Rep, size: Size) -> bool:
    """Whether the two sides of a matrix are moved alike, by permutations or as vectors."""
    return one == other and (isinstance(one, Turned) or permutes(one)) and round_trip(within, one, size)


def _even(within: Within) -> bool:
    """Whether the determinants of its matrices are 1 or -1."""
    return within.orthogonal or within.metric or within.special


def _trace(within: Within, x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken:
    """Of matrices whose two sides are moved alike, by what keeps lengths."""
    *rest, one, other = x.reps
    alike = _alike(within, one, other, sizes[-1]) and (permutes(one) or within.orthogonal)
    return Moves(tuple(rest)) if alike else Broken(Rule.NUMBERED if permutes(one) else Rule.MIXED)


def _sorted(within: Within, x: Moves, size: Size) -> Results:
    """The values in order are the same however they came; where each stood is not told of equal ones."""
    *rest, rep = x.reps
    if not permutes(rep) or rigid(rest):
        return [Broken(Rule.EXTREME)] * 2
    whole = round_trip(within, rep, size)
    return [Moves((*rest, FIXED)) if whole else Broken(Rule.CUT), Broken(Rule.TIES)]


def _repeated(op: Native, ins: list[Moves], made: list[Leaf]) -> Results:
    """Of what is computed elsewhere, over leading axes."""
    lead = sum(len(row) for _, row in op.binds if isinstance(row, tuple))
    columns = zip(*(state.reps[:lead] for state in ins), strict=True)
    over: Reps = tuple(meet(list(column)) or FIXED for column in columns)
    clean = all(meet(list(column)) is not None for column in zip(*(state.reps[:lead] for state in ins), strict=True))
    moved = any(acting(rep) for state in ins for rep in state.reps[lead:]) or any(state.names for state in ins)
    if moved or rigid(over) or not clean:
        return [Broken(Rule.FOREIGN)] * len(made)
    return [Moves((*over, *(FIXED,) * (len(leaf.axes) - lead))) for leaf in made]
