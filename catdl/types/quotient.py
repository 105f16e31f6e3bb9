"""Floors that use facts: `H // 2` is `H / 2` where 16 divides H.

Takes sizes, `Facts` and decisions.  Guarantees: the result equals `left // right` for all admissible dims, and is
free of floors wherever the facts show the remainder to be constant.
"""

from __future__ import annotations

from fractions import Fraction

from catdl.types.decide import is_integral, residue
from catdl.types.facts import NO_FACTS, Facts
from catdl.types.floors import exact_div, floor_div, split_floor
from catdl.types.poly import Coef, Mono, Size, from_terms
from catdl.types.rebuild import normal
from catdl.types.ring import add, scale, sub


def floordiv(left: Size, right: Size, facts: Facts = NO_FACTS) -> Size:
    """`left // right`; a polynomial where that is provable."""
    if isinstance(left, int) and isinstance(right, int):
        return floor_div(left, right)
    left, right = normal(left), normal(right)
    if facts == NO_FACTS or right == 0:
        return floor_div(left, right)
    for numerator, divisor in ((left, right), (facts.reduce(left), facts.reduce(right))):
        quotient = exact_div(numerator, divisor)
        if quotient is not None and is_integral(quotient, facts, refute=False).is_proved:
            return quotient
    if not isinstance(right, int):
        return floor_div(left, right)
    if right < 0:
        left, right = scale(left, -1), -right
    out, rest, divisor = split_floor(left, right)
    if rest is None:
        return out
    exact: dict[Mono, Coef] = {}
    kept: dict[Mono, Coef] = {}
    for mono, coef in rest.terms:
        if coef * facts.guaranteed(mono) % divisor:
            kept[mono] = coef
        else:
            exact[mono] = Fraction(coef) / divisor
    out, remainder = add(out, from_terms(exact)), from_terms(kept)
    constant = residue(remainder, divisor, facts)
    if constant is None:
        return add(out, floor_div(remainder, divisor))
    return add(out, scale(sub(remainder, constant), Fraction(1, divisor)))
