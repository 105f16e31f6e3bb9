"""Decisions about sizes: are two sizes equal, is a size whole, for all admissible dims.

Takes sizes in normal form and `Facts`.  Guarantees: PROVED holds for every admissible assignment; REFUTED carries an
admissible assignment at which it fails; whatever is neither is UNDECIDED, never guessed.

Unknowns and floors by sizes count as whole numbers of their own: what holds for all of them is proved, and only small
numbers put in for the dims can refute the rest.

Example: `2 * (H // 2) = H` is refuted at H = 1; `H // 2 + (H + 1) // 2 = H` is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import islice, product
from typing import Final, TypeAlias

from catdl.record import record
from catdl.types.facts import NO_FACTS, Facts
from catdl.types.floors import denominator
from catdl.types.poly import (
    Atom,
    Floor,
    Poly,
    Size,
    SizeDividesByZero,
    SizeTooLarge,
    SizeVar,
    Sym,
    from_terms,
    sym,
    terms_of,
)
from catdl.types.rebuild import free_syms, normal, rebuild, value_of
from catdl.types.residues import Scan, scan
from catdl.types.ring import add, scale, sub

MAX_CASES: Final = 4096
MAX_TRIES: Final = 4096
SHELL_WIDTH: Final = 12
MAX_TERMS_TRIED: Final = 2**18
RESIDUE_CASES: Final = 256

Witness: TypeAlias = tuple[tuple[str, int], ...]


class Outcome(Enum):
    """The three ways a decision ends."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@record
class Verdict:
    """The end of a decision; a refutation has an assignment of the dims at which it fails, sorted by name."""

    outcome: Outcome
    witness: Witness = ()

    @property
    def is_proved(self) -> bool:
        """Whether it holds for all admissible dims."""
        return self.outcome is Outcome.PROVED

    @property
    def is_refuted(self) -> bool:
        """Whether it fails for the dims of `witness`."""
        return self.outcome is Outcome.REFUTED


PROVED: Final = Verdict(Outcome.PROVED)
UNDECIDED: Final = Verdict(Outcome.UNDECIDED)
DIFFERENT: Final = Verdict(Outcome.REFUTED)


def equal(left: Size, right: Size, facts: Facts = NO_FACTS) -> Verdict:
    """Whether two sizes are the same number for all admissible dims."""
    if left is right:
        return PROVED
    if isinstance(left, int) and isinstance(right, int):
        return PROVED if left == right else DIFFERENT
    left, right = normal(left), normal(right)
    if left == right:
        return PROVED
    try:
        return _decide(sub(left, right), None, free_syms(left) | free_syms(right), facts)
    except SizeTooLarge:
        return UNDECIDED


def is_integral(size: Size, facts: Facts = NO_FACTS, *, refute: bool = True) -> Verdict:
    """Whether a size with fractions is a whole number for all admissible dims; no long search for where it is not
    without `refute`."""
    size = normal(size)
    common = denominator(size)
    if common == 1:
        return PROVED
    try:
        return _decide(scale(size, common), common, free_syms(size), facts, refute=refute)
    except SizeTooLarge:
        return UNDECIDED


def _decide(size: Size, modulus: int | None, shown: Iterable[str], facts: Facts, *, refute: bool = True) -> Verdict:
    """Whether the size is zero (or zero modulo `modulus`) for all admissible dims."""
    reduced = facts.reduce(size)
    if facts.is_said(reduced):
        return PROVED
    common = denominator(reduced)
    reduced = scale(reduced, common)
    if modulus is not None:
        modulus *= common
        reduced = _modulo(reduced, modulus, facts)
    if reduced == 0:
        return PROVED
    opaque = _abstract(reduced)
    found = scan(opaque, modulus, facts, MAX_CASES)
    if found is Scan.ZERO:
        return PROVED
    if free_vars_of(reduced):
        return UNDECIDED
    if isinstance(found, dict) and opaque is reduced:
        names = facts.scope(shown)
        env = {name: found.get(name, facts.first(name)) for name in names}
        full = facts.complete(env)
        if full is not None and _differs(size, modulus, full):
            return refuted(full)
    return _search(size, modulus, facts.scope(shown), facts) if refute else UNDECIDED


def free_vars_of(size: Size) -> frozenset[SizeVar]:
    """The unknowns written in a size that is in normal form."""
    return size.vars if isinstance(size, Poly) else frozenset()


def refuted(env: dict[str, int]) -> Verdict:
    """A refutation at this assignment."""
    return Verdict(Outcome.REFUTED, tuple(sorted(env.items())))


def _modulo(size: Size, modulus: int, facts: Facts) -> Size:
    """The size without what `modulus` certainly divides."""
    return from_terms({m: c % modulus for m, c in terms_of(size) if (c * facts.guaranteed(m)) % modulus})


def _abstract(size: Size) -> Size:
    """The size with unknowns and floors by sizes replaced by dims of their own; itself where there are none."""
    stand_ins: dict[Atom, Size] = {}

    def replace(atom: Atom) -> Size | None:
        if isinstance(atom, Sym) or (isinstance(atom, Floor) and isinstance(atom.divisor, int)):
            return None
        return stand_ins.setdefault(atom, sym(f"?{len(stand_ins)}"))

    return rebuild(size, replace)


def _differs(size: Size, modulus: int | None, env: dict[str, int]) -> bool:
    try:
        value = value_of(size, env)
    except SizeDividesByZero:
        return False
    return bool(value if modulus is None else value % modulus)


def _search(size: Size, modulus: int | None, names: list[str], facts: Facts) -> Verdict:
    """Look for an admissible assignment at which the size is not zero, among small ones and some spread ones."""
    weight = size.weight if isinstance(size, Poly) else 1
    for values in islice(_candidates(len(names)), min(MAX_TRIES, MAX_TERMS_TRIED // weight)):
        env = {name: facts.first(name) + facts.step(name) * value for name, value in zip(names, values, strict=True)}
        full = facts.complete(env)
        if full is not None and _differs(size, modulus, full):
            return refuted(full)
    return UNDECIDED


def _candidates(count: int) -> Iterator[tuple[int, ...]]:
    """Tuples of small numbers: a few spread ones first, then all in growing boxes."""
    seed = 1
    for _ in range(MAX_TRIES // 8 if count > 3 else 0):
        values = []
        for _ in range(count):
            seed = (seed * 1103515245 + 12345) % 2**31
            values.append((seed >> 12) % 24)
        yield tuple(values)
    if count == 0:
        yield ()
        return
    for edge in range(MAX_TRIES):
        yield from _shell(count, edge)


def _shell(count: int, edge: int) -> Iterator[tuple[int, ...]]:
    """Tuples of numbers up to `edge` of which one is `edge`, in lexicographic order."""
    if count > SHELL_WIDTH:  # wider than the tries are many: hardly a tuple is without it
        yield from (values for values in product(range(edge + 1), repeat=count) if edge in values)
    elif count == 1:
        yield (edge,)
    else:
        for first in range(edge):
            yield from ((first, *rest) for rest in _shell(count - 1, edge))
        yield from ((edge, *rest) for rest in product(range(edge + 1), repeat=count - 1))


def residue(size: Size, divisor: int, facts: Facts) -> int | None:
    """The remainder of a size with whole coefficients by `divisor`, where few cases show that it is constant."""
    reduced = facts.reduce(size)
    if denominator(reduced) > 1 or free_vars_of(reduced):
        return None
    reduced = _modulo(reduced, divisor, facts)
    if isinstance(reduced, int):
        return reduced
    opaque = _abstract(reduced)
    if opaque is not reduced:
        return None
    point = {name: facts.first(name) for name in reduced.syms}
    constant = value_of(reduced, point) % divisor
    assert isinstance(constant, int)
    found = scan(add(reduced, -constant), divisor, facts, RESIDUE_CASES)
    return constant if found is Scan.ZERO else None
