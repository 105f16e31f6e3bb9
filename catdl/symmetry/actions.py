"""What acts on an axis: groups, and their representations on single axes, as exact data.

A leaf's action is the tensor product over its axes; an axis without one is a row of channels. Axes with equal groups
turn together: `X` and its twin, and any two axes of vectors of one space. Two sets are permuted each by itself.

    Act(Matrices("O", 3))                Real[X] with dim X = 3 : vector(O)
    Act(Matrices("SO", 3), degree=2)     Real[L] with dim L = 5 : irrep(2)
    Act(Matrices("O", 3), point=True)    Real[P] with dim P = 3 : point(O)
    Act(D4, place=Place(0, 1, 8))        Real[.., W] with group D4 on (H, W) = …
"""

from __future__ import annotations

from typing import TypeAlias

from catdl.record import record
from catdl.types.sizes import Size


@record
class Symmetric:
    """All permutations of one set; `dim` is its label."""

    dim: str
    size: Size


@record
class Cyclic:
    """The shifts of one cycle; `dim` is its label."""

    dim: str
    size: Size


@record
class Matrices:
    """A family of matrices that turn vectors of one space: `FAMILIES` has their names."""

    family: str
    size: int


FAMILIES = ("O", "SO", "Lorentz", "ProperLorentz")
"""Orthogonal matrices, rotations, what keeps t^2 - x^2 - y^2 - z^2, and the part of that around the identity."""


@record
class Sides:
    """Axes moved as wholes: along axis k of the result lies axis `axes[k]` of the input, backwards where `back[k]`."""

    axes: tuple[int, ...]
    back: tuple[bool, ...]


@record
class Takes:
    """One axis whose places are moved: at place k of the result is what was at `places[k]`."""

    places: tuple[int, ...]


@record
class Matrix:
    """One axis multiplied by a matrix; `flow`: by the exponentials of all its multiples."""

    rows: tuple[tuple[float, ...], ...]
    flow: bool = False


Move: TypeAlias = Sides | Takes | Matrix


@record
class Declared:
    """A group of the user's, or a monoid: what its generators, by name, do to the axes of any of its blocks.

    `size` is that of an axis, where all generators move the places along one.
    """

    name: str
    generators: tuple[tuple[str, Move], ...]
    size: Size
    invertible: bool = True


@record
class Shifts:
    """The translations of a grid, as far as its border lets one see; `dim` is its label."""

    dim: str
    size: Size


Group: TypeAlias = Symmetric | Cyclic | Matrices | Declared | Shifts


@record
class Translations:
    """The translations of space: they move points, and leave differences of points as they are."""

    size: int


ROTATIONS = Matrices("SO", 3)


REGULAR = -1


@record
class Place:
    """Which axis of a declared group's it is: of which block, or of `REGULAR`, one with a place for each element.

    `twin` tells apart the axes of one dim, which move together with those of their partners that have the same one.
    """

    block: int
    axis: int
    size: Size
    twin: int = 0


@record
class Act:
    """How a group acts on one axis: by its own permutations or matrices, or by the irrep of some degree of SO(3)."""

    group: Group
    degree: int | None = None
    place: Place | None = None
    point: bool = False  # whether translations move it, too


Acts: TypeAlias = tuple[Act, ...]


def degree_of(act: Act) -> int:
    """The degree of an axis that SO(3) turns: a vector has degree 1."""
    return 1 if act.degree is None else act.degree


def size_of(act: Act) -> Size:
    """The size of an axis."""
    if act.place is not None:
        return act.place.size
    return act.group.size if act.degree is None else 2 * act.degree + 1


def said(group: Group | Translations) -> str:
    """A group in words: `the permutations of `N``."""
    match group:
        case Symmetric(dim):
            return f"the permutations of `{dim.rpartition('::')[2]}`"
        case Cyclic(dim):
            return f"the shifts of `{dim.rpartition('::')[2]}`"
        case Matrices(family, size):
            return f"`{family}` in {size} dimensions"
        case Declared(name):
            return f"`{name.rpartition('::')[2]}`"
        case Shifts(dim):
            return f"the shifts of the grid `{dim.rpartition('::')[2]}`"
        case Translations(size):
            return f"the translations of space in {size} dimensions"
