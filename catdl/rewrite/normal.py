"""The normal form of vectors: polynomials over pieces of atoms, so that a cell is known however it is written.

An atom is a vector: a wire that goes round, one that does not, a constant, rows of a matrix times a piece of an atom,
a function of a polynomial. Slices are pushed down to the atoms, products are multiplied out, sums and products have no
order. Two vectors with one number are equal by the laws of a commutative ring, and since slices commute with what acts
at every index.

    forms.split of linear(2 * H)(a) + linear(2 * H)(h)      rows 0..H of W . a + rows 0..H of U . h + …
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

MONOMIALS = 64
DEGREE = 6
DEPTH = 16
"""A body whose polynomials grow, or whose functions nest, beyond these is no cell."""

Factor: TypeAlias = int
Mono: TypeAlias = "tuple[Factor, ...]"
Poly: TypeAlias = "tuple[tuple[Mono, Fraction], ...]"


@dataclass(frozen=True, slots=True)
class Piece:
    """Indices of an axis: the first, the distance, how many."""

    start: int
    step: int
    size: int

    def of(self, inner: Piece) -> Piece:
        """A piece of this piece."""
        return Piece(self.start + inner.start * self.step, self.step * inner.step, inner.size)


@dataclass(frozen=True, slots=True)
class Given:
    """A node of the graph as it is, its axes merged to one: what goes round, or what does not."""

    node: int
    at: Piece


@dataclass(frozen=True, slots=True)
class Times:
    """Rows of a constant matrix, some of its columns, times a factor. Axis `axis` is the columns'."""

    node: int
    axis: int
    rows: Piece
    columns: Piece
    factor: Factor


@dataclass(frozen=True, slots=True)
class Apply:
    """A function at every index of a polynomial."""

    fn: str
    poly: Poly


Atom: TypeAlias = Given | Times | Apply


class TooLarge(Exception):
    """A polynomial grew beyond the bounds, or functions nest beyond them."""


class Forms:
    """The atoms of one body, each once, known by number."""

    __slots__ = ("_depths", "_known", "atoms")

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self._depths: list[int] = []  # how many functions stand around each other in each atom
        self._known: dict[object, int] = {}

    def factor(self, atom: Atom) -> Factor:
        """The number of an atom."""
        # An `Apply` is known by the numbers in its polynomial: nothing deep is hashed.
        number = self._known.get(atom)
        if number is None:
            depth = self._depth(atom)
            if depth > DEPTH:
                raise TooLarge
            number = self._known[atom] = len(self.atoms)
            self.atoms.append(atom)
            self._depths.append(depth)
        return number

    def _depth(self, atom: Atom) -> int:
        match atom:
            case Given():
                return 0
            case Times(factor=factor):
                return self._depths[factor]
            case Apply(_, poly):
                return 1 + max((self._depths[f] for mono, _ in poly for f in mono), default=0)

    def one(self, atom: Atom) -> Poly:
        """An atom as a polynomial."""
        return (((self.factor(atom),), Fraction(1)),)

    def apply(self, fn: str, poly: Poly) -> Poly:
        """A function at every index."""
        return self.one(Apply(fn, poly))

    def piece(self, poly: Poly, at: Piece) -> Poly:
        """Some indices of a polynomial."""
        return combined((tuple(self._cut(f, at) for f in mono), value) for mono, value in poly)

    def _cut(self, factor: Factor, at: Piece) -> Factor:
        match self.atoms[factor]:
            case Given(node, old):
                return self.factor(Given(node, old.of(at)))
            case Times(node, axis, rows, columns, inner):
                return self.factor(Times(node, axis, rows.of(at), columns, inner))
            case Apply(fn, poly):
                return self.factor(Apply(fn, self.piece(poly, at)))

    def size(self, factor: Factor) -> int:
        """How long a factor is; 0 where any length would do."""
        match self.atoms[factor]:
            case Given(_, at):
                return at.size
            case Times(rows=rows):
                return rows.size
            case Apply(_, poly):
                return max((self.size(f) for mono, _ in poly for f in mono), default=0)


def combined(terms: Iterable[tuple[Mono, Fraction]]) -> Poly:
    """Terms collected and put in order."""
    found: dict[Mono, Fraction] = {}
    for mono, value in terms:
        key = tuple(sorted(mono))
        found[key] = found.get(key, Fraction(0)) + value
    poly = tuple(sorted((mono, value) for mono, value in found.items() if value))
    if len(poly) > MONOMIALS or any(len(mono) > DEGREE for mono, _ in poly):
        raise TooLarge
    return poly


def number(value: Fraction) -> Poly:
    """A constant polynomial."""
    return combined([((), value)])


def add(left: Poly, right: Poly) -> Poly:
    """The sum."""
    return combined((*left, *right))


def mul(left: Poly, right: Poly) -> Poly:
    """The product, multiplied out."""
    return combined(((*a, *b), x * y) for a, x in left for b, y in right)


def scale(poly: Poly, value: Fraction) -> Poly:
    """A multiple."""
    return combined((mono, x * value) for mono, x in poly)
