"""Whether a size is zero for all dims, decided by its values at finitely many points.

Takes sizes over dims and floors by constants, and `Facts`.  Guarantees: ZERO and a point are both exact for the bounds
and `divides` facts (other facts are the business of `decide`); only too large boxes stay open.

How: where each dim steps by the product of the divisors around it, floors by constants are polynomials in the number of
steps.  So a size is zero everywhere as soon as it is zero on a box of consecutive values, (period x (degree + 1)) long
in each dim.  Dims outside all floors need no box: their monomials are independent.  Terms without a common dim are
looked at apart.

Example: `H // 2 + (H + 1) // 2 - H` has period 2 and degree 1, so H = 1, 2, 3, 4 prove it zero.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import product
from math import lcm, prod
from typing import Final

from catdl.record import record
from catdl.types.facts import Facts
from catdl.types.poly import ONE, Coef, Floor, Mono, Poly, Size, Sym, from_terms, terms_of
from catdl.types.rebuild import free_syms, substitute, value_of
from catdl.types.show_size import to_python

MAX_WORK: Final = 2**24


class Scan(Enum):
    """The end of a scan that finds no point."""

    ZERO = "zero"
    TOO_MANY = "too many"


def scan(size: Size, modulus: int | None, facts: Facts, max_cases: int) -> dict[str, int] | Scan:
    """Whether a size over dims and floors by constants is zero for all dims that bounds and `divides` admit.

    Otherwise a point at which it is not zero, for the dims in it.
    """
    if isinstance(size, int):
        return Scan.ZERO if (size if modulus is None else size % modulus) == 0 else {}
    periods = profile(size)
    boxed = {name for name, (period, _) in periods.items() if period > 1 or modulus is not None}
    boxed |= {name for name in periods if facts.is_bounded(name) or name in facts.tied}
    groups: dict[Mono, dict[Mono, Coef]] = {}
    for mono, coef in size.terms:
        outer = tuple(pair for pair in mono.pairs if isinstance(pair[0], Sym) and pair[0].name not in boxed)
        inner = tuple(pair for pair in mono.pairs if not (isinstance(pair[0], Sym) and pair[0].name not in boxed))
        groups.setdefault(Mono(outer) if outer else ONE, {})[Mono(inner) if inner else ONE] = coef
    undecided = False
    for terms in groups.values():
        found = _scan_boxes(from_terms(terms), modulus, facts, max_cases)
        if isinstance(found, dict):
            for name in sorted(boxed):
                found.setdefault(name, facts.first(name))
            rest = substitute(size, found)
            return found | _nonzero_point(rest, periods, facts) if modulus is None else found
        undecided = undecided or found is Scan.TOO_MANY
    return Scan.TOO_MANY if undecided else Scan.ZERO


def _nonzero_point(size: Size, periods: dict[str, tuple[int, int]], facts: Facts) -> dict[str, int]:
    """A point at which a polynomial that is not zero is not zero: one dim after the other."""
    point: dict[str, int] = {}
    for name in sorted(free_syms(size)):
        value = facts.first(name)
        for _ in range(periods[name][1]):
            if substitute(size, {name: value}) != 0:
                break
            value += facts.step(name)
        point[name] = value
        size = substitute(size, {name: value})
    return point


def profile(size: Size) -> dict[str, tuple[int, int]]:
    """For each dim its period (a step that keeps all floors by constants polynomial) and its degree."""
    result: dict[str, tuple[int, int]] = {}
    for mono, _ in terms_of(size):
        term: dict[str, tuple[int, int]] = {}
        for atom, exponent in mono.pairs:
            if isinstance(atom, Sym):
                parts = {atom.name: (1, 1)}
            else:
                assert isinstance(atom, Floor)
                assert isinstance(atom.divisor, int)
                parts = {name: (period * atom.divisor, degree) for name, (period, degree) in profile(atom.body).items()}
            for name, (period, degree) in parts.items():
                old_period, old_degree = term.get(name, (1, 0))
                term[name] = (lcm(old_period, period), old_degree + degree * exponent)
        for name, (period, degree) in term.items():
            old_period, old_degree = result.get(name, (1, 0))
            result[name] = (lcm(old_period, period), max(old_degree, degree))
    return result


def _scan_boxes(size: Size, modulus: int | None, facts: Facts, max_cases: int) -> dict[str, int] | Scan:
    """As `scan`, looking at boxes of values of all dims in it."""
    base: dict[str, int] = {}
    boxes: list[_Box] = []
    for part, names, moduli in _components(size, facts):
        periods = dict.fromkeys(names, 1)
        degrees = dict.fromkeys(names, 0)
        for name, (period, degree) in profile(part).items():
            periods[name] = period * (modulus or 1)
            degrees[name] = 0 if modulus else degree
        for divisor, relation in moduli:
            for name, (period, _) in profile(relation).items():
                periods[name] = lcm(periods[name], period * divisor)
        ranges = [_values(name, periods[name], degrees[name], facts) for name in names]
        if any(values.stop - values.start > sys.maxsize for values in ranges):
            return Scan.TOO_MANY
        cases = prod(len(values) // (degrees[name] + 1) for name, values in zip(names, ranges, strict=True))
        if cases > max_cases or prod(map(len, ranges)) * sum(mono.weight for mono, _ in terms_of(part)) > MAX_WORK:
            return Scan.TOO_MANY
        box = _Box(names, ranges, _function(part, names), [(_function(rel, names), div) for div, rel in moduli])
        point = next(box.points(), None)
        if point is None:
            return Scan.ZERO
        base.update(zip(names, point, strict=True))
        boxes.append(box)
    total = value_of(size, base)
    if total if modulus is None else total % modulus:
        return base
    for box in boxes:
        expected = box.value(*(base[name] for name in box.names))
        for point in box.points():
            gap = box.value(*point) - expected
            if gap if modulus is None else gap % modulus:
                return base | dict(zip(box.names, point, strict=True))
    return Scan.ZERO


@record
class _Box:
    """The values of some dims to look at, a function of them, and functions that must leave no rest."""

    names: list[str]
    ranges: list[range]
    value: Callable[..., int]
    moduli: list[tuple[Callable[..., int], int]]

    def points(self) -> Iterator[tuple[int, ...]]:
        """The points that the `divides` facts admit."""
        for point in product(*self.ranges):
            if all(relation(*point) % divisor == 0 for relation, divisor in self.moduli):
                yield point


def _function(size: Size, names: list[str]) -> Callable[..., int]:
    """The size as a Python function of these dims: a box has up to a million points."""
    places = {name: f"x{place}" for place, name in enumerate(names)}
    # The text holds nothing but numbers, operators and these names.
    function: Callable[..., int] = eval(f"lambda {', '.join(places.values())}: {to_python(size, places.__getitem__)}")
    return function


def _values(name: str, period: int, degree: int, facts: Facts) -> range:
    first, step = facts.first(name), facts.step(name)
    count = lcm(period, step) // step * (degree + 1)
    last = first + step * (count - 1)
    return range(first, min(last, facts.high(name, last)) + 1, step)


def _components(size: Size, facts: Facts) -> list[tuple[Size, list[str], list[tuple[int, Poly]]]]:
    """The size as a sum of parts without common dims, with the dims and the `divides` facts of each."""
    sets: list[tuple[set[str], dict[Mono, Coef], list[tuple[int, Poly]]]] = []

    def join(names: set[str], terms: dict[Mono, Coef], moduli: list[tuple[int, Poly]]) -> None:
        apart = []
        for other in sets:
            if names.isdisjoint(other[0]):
                apart.append(other)
            else:
                names |= other[0]
                terms |= other[1]
                moduli = moduli + other[2]
        sets[:] = [*apart, (names, terms, moduli)]

    for mono, coef in terms_of(size):
        if mono is not ONE:
            join(set(Poly(((mono, 1),)).syms), {mono: coef}, [])
    waiting = list(facts.moduli)
    while True:
        known = {name for names, _, _ in sets for name in names}
        near = [fact for fact in waiting if not known.isdisjoint(fact[1].syms)]
        if not near:
            return [(from_terms(terms), sorted(names), moduli) for names, terms, moduli in sets]
        waiting = [fact for fact in waiting if known.isdisjoint(fact[1].syms)]
        for fact in near:
            join(set(fact[1].syms), {}, [fact])
