"""One step of inference on an equation between sizes.

Takes sizes with unknowns.  Guarantees: a `Solution` is forced (no other size makes the equation true for all dims), and
never mentions its own unknown; what is not linear in exactly one unknown waits, except that two unknowns may be equal.

Example: `4 * a = 3 * D` with D = 768 gives a = 576.
"""

from __future__ import annotations

from typing import Final

from catdl.record import record
from catdl.types.decide import Verdict, Witness, equal, is_integral
from catdl.types.facts import NO_FACTS, Facts
from catdl.types.floors import exact_div, floor_div
from catdl.types.poly import Coef, Mono, Poly, Size, SizeVar, from_terms, var
from catdl.types.rebuild import normal
from catdl.types.ring import mono_div, mul, neg, sub


@record
class Solution:
    """The unknown is this size; `obligation`, where there is one, is a size still to be shown whole."""

    var: SizeVar
    value: Size
    obligation: Size | None = None


@record
class Contradiction:
    """No size makes the equation true; at the witness, if there is one, the sides differ."""

    witness: Witness = ()


@record
class Wait:
    """Nothing is forced yet; worth another try when one of these is known.  None of them: undecided equality."""

    unknowns: frozenset[SizeVar]


@record
class Done:
    """The equation holds already."""


DONE: Final = Done()
Step = Solution | Contradiction | Wait | Done


def solve(left: Size, right: Size, facts: Facts = NO_FACTS) -> Step:
    """One step on `left = right`."""
    if isinstance(left, int) and isinstance(right, int):
        return DONE if left == right else Contradiction()
    left, right = normal(left), normal(right)
    if left == right:
        return DONE
    one, two = _lone(left), _lone(right)
    if one is not None and two is not None:
        return Solution(one, right) if two.id < one.id else Solution(two, left)
    for unknown, other in ((one, right), (two, left)):
        if unknown is not None and (isinstance(other, int) or not other.has_vars):
            return _solution(unknown, other, facts)
    difference = sub(left, right)
    unknowns = difference.vars if isinstance(difference, Poly) else frozenset()
    if not unknowns:
        return _ground(equal(left, right, facts))
    assert isinstance(difference, Poly)
    if len(unknowns) == 1:
        (unknown,) = unknowns
        return _linear(difference, unknown, facts)
    if len(unknowns) == 2 and len(difference.terms) == 2:
        return _alias(difference, unknowns)
    return Wait(unknowns)


def _lone(size: Size) -> SizeVar | None:
    if isinstance(size, Poly) and len(size.terms) == 1:
        mono, coef = size.terms[0]
        if coef == 1 and mono.degree == 1:
            atom = mono.pairs[0][0]
            if isinstance(atom, SizeVar):
                return atom
    return None


def _ground(verdict: Verdict) -> Step:
    if verdict.is_proved:
        return DONE
    return Contradiction(verdict.witness) if verdict.is_refuted else Wait(frozenset())


def _linear(difference: Poly, unknown: SizeVar, facts: Facts) -> Step:
    """Solve `coefficient * unknown + rest = 0` for a coefficient that is one term."""
    itself = var(unknown).terms[0][0]
    coefficient: list[tuple[Mono, Coef]] = []
    rest: dict[Mono, Coef] = {}
    for mono, coef in difference.terms:
        if not mono.has_vars:
            rest[mono] = coef
            continue
        share = mono_div(mono, itself)
        if share is None or share.has_vars:
            return Wait(frozenset((unknown,)))
        coefficient.append((share, coef))
    if len(coefficient) != 1:
        return Wait(frozenset((unknown,)))
    factor, right = from_terms(dict(coefficient)), neg(from_terms(rest))
    value = exact_div(right, factor)
    if value is None:
        value = exact_div(facts.reduce(right), facts.reduce(factor))
    if value is None:
        # Only a floor could divide here.  Where it leaves a rest, no whole number solves the equation.
        verdict = equal(mul(floor_div(right, factor), factor), right, facts)
        return Contradiction(verdict.witness) if verdict.is_refuted else Wait(frozenset((unknown,)))
    return _solution(unknown, value, facts)


def _solution(unknown: SizeVar, value: Size, facts: Facts) -> Step:
    if isinstance(value, int):
        return Solution(unknown, value) if value >= 0 else Contradiction()
    return Solution(unknown, value, None if is_integral(value, facts, refute=False).is_proved else value)


def _alias(difference: Poly, unknowns: frozenset[SizeVar]) -> Step:
    """`c * a - c * b = 0`: the younger unknown becomes the older."""
    older, younger = sorted(unknowns, key=lambda unknown: unknown.id)
    (first, first_coef), (second, second_coef) = difference.terms
    if first_coef == -second_coef:
        for one, two in ((first, second), (second, first)):
            share = mono_div(one, var(older).terms[0][0])
            if share is not None and not share.has_vars and share == mono_div(two, var(younger).terms[0][0]):
                return Solution(younger, var(older))
    return Wait(unknowns)
