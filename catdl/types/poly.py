"""Sizes as values: constants and polynomials in normal form.

Takes nothing from earlier stages.  Guarantees: every `Size` built by `from_terms` is an `int` when it is a whole
constant, and otherwise a `Poly` whose terms are sorted, distinct and non-zero, so that two polynomials without bound
unknowns are the same polynomial exactly when they are structurally equal.  Floors are atoms here; `floors` makes them.

Example: 2H + 1 has the terms `((Mono(H^1), 2), (ONE, 1))`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, TypeAlias

from catdl.record import record

LIMIT: Final = 2**63
MAX_TERMS: Final = 1024
MAX_DEGREE: Final = 64
MAX_DEPTH: Final = 32
MAX_WEIGHT: Final = 4096

Key: TypeAlias = tuple[Any, ...]
Coef: TypeAlias = int | Fraction


class SizeError(ValueError):
    """A size that cannot be computed; the caller turns it into a diagnostic."""


class SizeTooLarge(SizeError):
    """A coefficient, an exponent or the number of terms passed a fixed limit; `what` names it."""

    def __init__(self, what: str = "the value of a size", limit: str | int = "2^63") -> None:
        super().__init__(f"{what} is over {limit}")
        self.what: Final = what
        self.limit: Final = limit


class SizeDividesByZero(SizeError):
    """A size was divided by zero."""


class Sym:
    """A rigid free dim, named in full (`gpt2::T`)."""

    __slots__ = ("name", "key", "_hash")

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.key: Final[Key] = (0, name)
        self._hash: Final = hash(name)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Sym) and self.name == other.name)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Sym({self.name!r})"


@record(frozen=False, eq=False)
class SizeVar:
    """An unknown of inference.  `bound` is set once by the solver; `normal` may shorten it to an equal size."""

    id: int
    bound: Size | None = None
    hint: str = ""

    @property
    def key(self) -> Key:
        """The place of this unknown in the order of atoms."""
        return (1, self.id)


class Floor:
    """The atom `body // divisor`, kept in the normal form of `floors`; never built elsewhere."""

    __slots__ = ("body", "divisor", "key", "depth", "weight", "_hash")

    def __init__(self, body: Size, divisor: Size) -> None:
        self.body: Final = body
        self.divisor: Final = divisor
        rank = 2 if isinstance(divisor, int) else 3
        self.key: Final[Key] = (rank, size_key(divisor), size_key(body))
        self._hash: Final = hash((rank, divisor, body))
        parts = [part for part in (body, divisor) if isinstance(part, Poly)]
        self.depth: Final[int] = 1 + max(part.depth for part in parts)
        self.weight: Final[int] = 1 + sum(part.weight for part in parts)
        if self.depth > MAX_DEPTH or self.weight > MAX_WEIGHT:
            nested = self.depth > MAX_DEPTH
            what = "the nesting of divisions in a size" if nested else "the number of parts of a size"
            raise SizeTooLarge(what, MAX_DEPTH if nested else MAX_WEIGHT)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Floor) or self._hash != other._hash:
            return False
        return self.divisor == other.divisor and self.body == other.body

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Floor({self.body!r}, {self.divisor!r})"


Atom: TypeAlias = Sym | SizeVar | Floor


class Mono:
    """A product of powers of atoms, sorted by atom; `ONE` is the only empty one."""

    __slots__ = ("pairs", "degree", "key", "has_vars", "depth", "weight", "_hash")

    def __init__(self, pairs: tuple[tuple[Atom, int], ...]) -> None:
        self.pairs: Final = pairs
        degree = depth = 0
        weight = 1
        has_vars = False
        for atom, exponent in pairs:
            degree += exponent
            if isinstance(atom, SizeVar):
                has_vars = True
            elif isinstance(atom, Floor):
                depth = max(depth, atom.depth)
                weight += atom.weight
                has_vars = has_vars or any(isinstance(p, Poly) and p.has_vars for p in (atom.body, atom.divisor))
        if degree > MAX_DEGREE:
            raise SizeTooLarge("the degree of a size", MAX_DEGREE)
        self.degree: Final[int] = degree
        # Graded lexicographic, greatest first: an admissible order, which polynomial division relies on.
        self.key: Final[Key] = (-degree, tuple((atom.key, -exponent) for atom, exponent in pairs))
        self.has_vars: Final[bool] = has_vars
        self.depth: Final[int] = depth
        self.weight: Final[int] = weight
        self._hash: Final = hash(pairs)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Mono) and self._hash == other._hash and self.pairs == other.pairs

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return "*".join(f"{atom!r}^{exponent}" for atom, exponent in self.pairs) or "1"


class Poly:
    """An immutable sum of rational coefficients times monomials; never a whole constant."""

    __slots__ = ("terms", "has_vars", "depth", "weight", "_hash", "_key", "_syms", "_vars")

    def __init__(self, terms: tuple[tuple[Mono, Coef], ...]) -> None:
        self.terms: Final = terms
        has_vars = False
        depth = weight = 0
        for mono, _ in terms:
            has_vars = has_vars or mono.has_vars
            if mono.depth > depth:
                depth = mono.depth
            weight += mono.weight
        self.has_vars: Final[bool] = has_vars
        self.depth: Final[int] = depth
        self.weight: Final[int] = weight
        self._hash: Final = hash(terms)
        self._key: Key | None = None
        self._syms: frozenset[str] | None = None
        self._vars: frozenset[SizeVar] | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Poly) and self._hash == other._hash and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return "Poly(" + " + ".join(f"{coef}*{mono!r}" for mono, coef in self.terms) + ")"

    @property
    def key(self) -> Key:
        """The place of this polynomial in a total order that does not depend on hashing."""
        if self._key is None:
            self._key = tuple((mono.key, coef) for mono, coef in self.terms)
        return self._key

    @property
    def syms(self) -> frozenset[str]:
        """The names of the dims written in it, floors included."""
        if self._syms is None:
            self._collect()
        assert self._syms is not None
        return self._syms

    @property
    def vars(self) -> frozenset[SizeVar]:
        """The unknowns written in it, bound or not, floors included."""
        if self._vars is None:
            self._collect()
        assert self._vars is not None
        return self._vars

    def _collect(self) -> None:
        names: set[str] = set()
        unknowns: set[SizeVar] = set()
        for mono, _ in self.terms:
            for atom, _ in mono.pairs:
                if isinstance(atom, Sym):
                    names.add(atom.name)
                elif isinstance(atom, SizeVar):
                    unknowns.add(atom)
                else:
                    for part in (atom.body, atom.divisor):
                        if isinstance(part, Poly):
                            names |= part.syms
                            unknowns |= part.vars
        self._syms = frozenset(names)
        self._vars = frozenset(unknowns)


Size: TypeAlias = int | Poly

ONE: Final = Mono(())


def size_key(size: Size) -> Key:
    """A key that orders sizes: constants first."""
    return (0, size) if isinstance(size, int) else (1, size.key)


def from_terms(terms: dict[Mono, Coef]) -> Size:
    """The size with these coefficients; zeros are dropped, whole fractions become ints."""
    kept: list[tuple[Mono, Coef]] = []
    for mono, coef in terms.items():
        if not coef:
            continue
        if not isinstance(coef, int):
            if coef.denominator == 1:
                coef = coef.numerator
            elif coef.denominator > LIMIT or abs(coef.numerator) > LIMIT:
                raise SizeTooLarge
        if not -LIMIT <= coef <= LIMIT:
            raise SizeTooLarge
        kept.append((mono, coef))
    if not kept:
        return 0
    if len(kept) == 1:
        mono, coef = kept[0]
        if mono is ONE and isinstance(coef, int):
            return coef
    else:
        if len(kept) > MAX_TERMS:
            raise SizeTooLarge("the number of terms of a size", MAX_TERMS)
        kept.sort(key=_term_key)
    return Poly(tuple(kept))


def _term_key(term: tuple[Mono, Coef]) -> Key:
    return term[0].key


def terms_of(size: Size) -> tuple[tuple[Mono, Coef], ...]:
    """The terms, greatest monomial first; a constant is a multiple of `ONE`."""
    if isinstance(size, Poly):
        return size.terms
    return ((ONE, size),) if size else ()


def of_atom(atom: Atom) -> Poly:
    """The polynomial that is just this atom."""
    return Poly(((Mono(((atom, 1),)), 1),))


def sym(name: str) -> Poly:
    """The size of a free dim."""
    return of_atom(Sym(name))


def var(unknown: SizeVar) -> Poly:
    """The size that an unknown stands for."""
    return of_atom(unknown)
