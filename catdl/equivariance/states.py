"""What a group does to the axes of a wire: the abstract values of the analysis, for one group at a time.

A wire is `Moves` if it goes with the group: for all weights and all elements g, w(g x) = rho(g) w(x), where rho acts on
each axis by itself. What acts there:

Uniform   nothing: the same all along the axis, so that any permutation fits it
Fixed     nothing: an axis of channels, of weights, of another group
Signs     nothing: a constant axis with these numbers, which may be a metric
Elements  permutations of the set: one place for each element
Places    shifts of the cycle: consecutive places, `unit` of the cycle's apart, round and round
Grid      places of the grid, `unit` of it apart, of which those at the ends are spoilt by what stands beyond the border
Taken     a map of places, that of a declared generator
Side      as whole axes are moved by a declared generator: one axis of its block
Turned    the matrix of the element, or its irrep; `lower` is the inverse transposed, of Lorentz matrices
Shifted   a point, moved by translations so often as its weight says
Squares   products of vectors, component by component: their sum is an inner product
Merged    axes as one, row-major
Joined    axes one after the other
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from catdl.equivariance.losses import Loss
from catdl.record import record
from catdl.symmetry import declared
from catdl.symmetry.actions import (
    REGULAR,
    Act,
    Cyclic,
    Declared,
    Group,
    Matrices,
    Matrix,
    Move,
    Shifts,
    Sides,
    Symmetric,
    Takes,
    Translations,
)
from catdl.types.sizes import Size


@record
class Uniform:
    """The same all along."""


@record
class Fixed:
    """Not moved."""


@record
class Signs:
    """Constant numbers along the axis."""

    numbers: tuple[object, ...]


@record
class Elements:
    """One place for each element of the set."""


@record
class Places:
    """Places of the cycle, each `unit` places after the one before, as many as the axis is long."""

    unit: int = 1


@record
class Grid:
    """Places of the grid; at `before` of them at the start, and `after` at the end, a border may have come in."""

    unit: int = 1
    before: int = 0
    after: int = 0


DEEPEST = 64
"""How many spoilt places are counted; so many stand for more."""


@record
class Taken:
    """At every place what was at another, or at several places the same."""

    places: tuple[int, ...]

    @property
    def bijective(self) -> bool:
        """Whether nothing is dropped or repeated."""
        return len(set(self.places)) == len(self.places)


@record
class Side:
    """The axis of a block that is moved together with those of the same `tag`."""

    axis: int
    tag: object


@record
class Turned:
    """Components of a vector, or of an irrep of a degree."""

    degree: int | None = None
    lower: bool = False


@record
class Shifted:
    """Moved along by `weight` times what space is moved by, everywhere alike."""

    weight: Fraction = Fraction(1)


@record
class Squares:
    """Products of components."""


@record
class Merged:
    """Axes merged into one, with their sizes."""

    parts: tuple[tuple[Rep, Size], ...]


@record
class Joined:
    """Axes joined into one, with their sizes."""

    parts: tuple[tuple[Rep, Size], ...]


Rep: TypeAlias = (
    "Uniform | Fixed | Signs | Elements | Places | Grid | Taken | Side | Turned | Shifted | Squares | Merged | Joined"
)

UNIFORM = Uniform()
FIXED = Fixed()
ELEMENTS = Elements()
SQUARES = Squares()

Reps: TypeAlias = tuple[Rep, ...]


@record
class Within:
    """The group that is asked about, or a part of it: shifts by multiples of `step`, matrices of determinant 1.

    Of a declared group it is one generator, by its number: what goes with all of them goes with what they make.
    """

    group: Group | Translations
    step: int = 1
    proper: bool = False
    generator: int = 0

    @property
    def move(self) -> Move | None:
        """What the generator of a declared group does."""
        return self.group.generators[self.generator][1] if isinstance(self.group, Declared) else None

    @property
    def sides(self) -> Sides | None:
        """The generator that moves whole axes."""
        return self.move if isinstance(self.move, Sides) else None

    def moves(self, act: Act) -> bool:
        """Whether it acts on an axis."""
        if isinstance(self.group, Translations):
            return act.point and act.group.size == self.group.size
        return act.group == self.group

    def act(self, act: Act | None, twin: int = 0) -> Rep:
        """What it does to an axis on which `act` is declared; `twin` tells apart the axes of one dim."""
        if act is None or not self.moves(act) or act.degree == 0:
            return FIXED
        match self.group:
            case Translations():
                return Shifted()
            case Symmetric():
                return ELEMENTS
            case Cyclic():
                return Places()
            case Shifts():
                return Grid()
            case Matrices():
                return Turned(act.degree)
            case Declared():
                assert act.place is not None
                return self._declared(act.place.block, act.place.axis, twin)

    def _declared(self, block: int, axis: int, twin: int) -> Rep:
        move = self.move
        assert isinstance(self.group, Declared) and move is not None
        if block == REGULAR:
            table = declared.table(self.group)
            assert table is not None
            row = table[self.generator]
            move = Takes(tuple(sorted(range(len(row)), key=row.__getitem__)))
        match move:
            case Sides(axes, back):
                return Side(axis, (block, twin)) if axes[axis] != axis or back[axis] else FIXED
            case Takes(places):
                return Taken(places) if places != tuple(range(len(places))) else FIXED
            case Matrix(rows, flow):
                still = all(not number for row in rows for number in row) if flow else move == declared.identity(move)
                return FIXED if still else Turned()

    @property
    def whole(self) -> Rep | None:
        """What it does to an axis with a place for each of what it permutes."""
        match self.group:
            case Symmetric():
                return ELEMENTS
            case Cyclic():
                return Places()
            case _:
                return None

    @property
    def size(self) -> Size:
        """How many it permutes, or of how many dimensions its vectors are."""
        return self.group.size

    @property
    def orthogonal(self) -> bool:
        """Whether it keeps the lengths of vectors."""
        return declared.orthogonal(self.move) if self.move is not None else not self.metric

    @property
    def metric(self) -> bool:
        """Whether it keeps the metric of space and time."""
        return isinstance(self.group, Matrices) and "Lorentz" in self.group.family

    @property
    def signed(self) -> tuple[int, ...] | None:
        """Where each component comes from, if its matrix does no more than change their places and signs."""
        if isinstance(self.group, Matrices) and self.group.size == 1:
            return (0,)
        if not isinstance(self.move, Matrix) or self.move.flow:
            return None
        found = [[(abs(number), k) for k, number in enumerate(row) if number] for row in self.move.rows]
        if any(len(row) != 1 or row[0][0] != 1 for row in found):
            return None
        places = tuple(row[0][1] for row in found)
        return places if len(set(places)) == len(places) else None

    @property
    def special(self) -> bool:
        """Whether its matrices have determinant 1."""
        if self.move is not None:
            return not isinstance(self.move, Sides) and declared.special(self.move)
        return self.proper or (isinstance(self.group, Matrices) and self.group.family in ("SO", "ProperLorentz"))


@record
class Moves:
    """A wire that goes with the group.

    `closed`: nothing comes into it from the inputs, nor by chance, so that it may be taken as not moved at all.
    `names`: its numbers name elements, and are permuted as these are. `number`: what it is everywhere, where known.
    `pending`: what was done along some of the axes that are moved together, and has yet to be done along the others.
    """

    reps: Reps
    closed: bool = False
    names: bool = False
    number: object = None
    pending: tuple[Event, ...] = ()


@record
class Event:
    """An operation along one axis of a block."""

    axis: int
    tag: object
    what: tuple[object, ...]


State: TypeAlias = "Moves | Loss"


def acting(rep: Rep) -> bool:
    """Whether the group moves anything along an axis."""
    match rep:
        case Uniform() | Fixed() | Signs():
            return False
        case Merged(parts) | Joined(parts):
            return any(acting(part) for part, _ in parts)
        case _:
            return True


def permutes(rep: Rep) -> bool:
    """Whether the group does no more than change the places along an axis."""
    match rep:
        case Turned() | Shifted() | Squares():
            return False
        case Merged(parts) | Joined(parts):
            return all(permutes(part) for part, _ in parts)
        case _:
            return True


def meet(reps: list[Rep]) -> Rep | None:
    """Axes whose places are read together; None where these do not go together."""
    found: Rep = UNIFORM
    for rep in reps:
        both = _both(found, FIXED if isinstance(rep, Signs) else rep)
        if both is None:
            return None
        found = both
    return found


def _both(one: Rep, other: Rep) -> Rep | None:
    if one == other or isinstance(other, Uniform):
        return one
    if isinstance(one, Uniform):
        return other
    match one, other:
        case Grid(unit, before, after), Grid() if other.unit == unit:
            return Grid(unit, max(before, other.before), max(after, other.after))
        case (Joined(left), Joined(right)) | (Merged(left), Merged(right)) if [s for _, s in left] == [
            s for _, s in right
        ]:
            pairs = [(_both(a, b), size) for (a, size), (b, _) in zip(left, right, strict=True)]
            parts = tuple((rep, size) for rep, size in pairs if rep is not None)
            if len(parts) < len(pairs):
                return None
            return Joined(parts) if isinstance(one, Joined) else Merged(parts)
        case _:
            return None if acting(one) or acting(other) else FIXED


def merged(parts: list[tuple[Rep, Size]]) -> Rep:
    """Axes as one, row-major."""
    flat: list[tuple[Rep, Size]] = []
    for rep, size in parts:
        flat += rep.parts if isinstance(rep, Merged) else [(rep, size)]
    wide = [(rep, size) for rep, size in flat if size != 1 or acting(rep)]
    if len(wide) == 1:
        return wide[0][0]
    if any(acting(rep) for rep, _ in wide):
        return Merged(tuple(wide))
    return UNIFORM if all(isinstance(rep, Uniform) for rep, _ in wide) else FIXED


def joined(parts: list[tuple[Rep, Size]]) -> Rep:
    """Axes one after the other."""
    flat: list[tuple[Rep, Size]] = []
    for rep, size in parts:
        if isinstance(rep, Joined):
            flat += rep.parts
        elif size != 0:
            flat.append((rep, size))
    if len(flat) == 1:
        return flat[0][0]
    return Joined(tuple(flat)) if any(acting(rep) for rep, _ in flat) else FIXED


def fits(found: Rep, wanted: Rep) -> bool:
    """Whether an axis goes as its type says."""
    if isinstance(found, Grid):  # as far as the border lets it
        return isinstance(wanted, Grid) and found.unit == wanted.unit
    both = meet([found, wanted])
    return both == wanted and (permutes(wanted) or found == wanted)


def joins(one: State, other: State) -> State | None:
    """What holds of two wires one of which is taken; None where nothing does."""
    if not isinstance(one, Moves) or not isinstance(other, Moves):
        return one if isinstance(other, Moves) else other
    sides = together([one.reps, other.reps])
    if one.names != other.names or sides is None:
        return None
    reps: list[Rep] = []
    for a, b in zip(*sides, strict=True):
        if a != b and not permutes(a) | permutes(b):
            return None
        zero = None if isinstance(a, Shifted) else a if other.number == 0 else b if one.number == 0 else None
        both = zero or meet([a, b])
        if both is None or (not permutes(both) and not (a == b or zero)):
            return None
        reps.append(both)
    return Moves(
        tuple(reps), one.closed and other.closed, one.names, one.number if one.number == other.number else None
    )


def parts(rep: Rep, size: Size = 1) -> tuple[tuple[Rep, Size], ...]:
    """An axis as those that were merged into it."""
    return rep.parts if isinstance(rep, Merged) else ((rep, size),)


def together(rows: Sequence[Reps], places: Sequence[Sequence[int]] | None = None) -> list[Reps] | None:
    """Wires whose axes stand at some places, one after the other if none are told, with tags in common.

    None where two axes of one kind would be moved together.
    """
    if not any(isinstance(part, Side) for row in rows for rep in row for part, _ in parts(rep)):
        return list(rows)
    where = places if places is not None else [range(len(row)) for row in rows]
    parent: dict[tuple[int, object], tuple[int, object]] = {}

    def root(tag: tuple[int, object]) -> tuple[int, object]:
        while parent.setdefault(tag, tag) != tag:
            tag = parent[tag]
        return tag

    first: dict[tuple[int, int], tuple[int, object]] = {}
    for number, (row, at) in enumerate(zip(rows, where, strict=True)):
        for rep, place in zip(row, at, strict=True):
            for k, (part, _) in enumerate(parts(rep)):
                if isinstance(part, Side):
                    tag = number, part.tag
                    parent[root(tag)] = root(first.setdefault((place, k), tag))
    seen: dict[tuple[object, int], tuple[int, int]] = {}
    for number, (row, at) in enumerate(zip(rows, where, strict=True)):
        for rep, place in zip(row, at, strict=True):
            for k, (part, _) in enumerate(parts(rep)):
                if isinstance(part, Side) and seen.setdefault((root((number, part.tag)), part.axis), (place, k)) != (
                    place,
                    k,
                ):
                    return None
    numbers: dict[object, int] = {}

    def named(number: int, rep: Rep) -> Rep:
        if isinstance(rep, Side):
            return Side(rep.axis, numbers.setdefault(root((number, rep.tag)), len(numbers)))
        if isinstance(rep, Merged):
            return Merged(tuple((named(number, part), size) for part, size in rep.parts))
        return rep

    return [tuple(named(number, rep) for rep in row) for number, row in enumerate(rows)]


def _tags(reps: Reps) -> set[object]:
    return {part.tag for rep in reps for part, _ in parts(rep) if isinstance(part, Side)}


def divided(state: Moves, count: int) -> bool:
    """Whether no axis of the first ones is moved together with a later one."""
    return _tags(state.reps[:count]).isdisjoint(_tags(state.reps[count:]))


def beside(lead: Reps, reps: Reps) -> Reps:
    """Axes in front of others, with which none of them is moved."""
    apart = together([lead, reps], [range(len(lead)), range(len(lead), len(lead) + len(reps))])
    assert apart is not None, "two wires of which each has its axes once"
    return (*apart[0], *apart[1])
