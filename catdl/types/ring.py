"""The ring of sizes: sums, products, powers.

Takes the values of `poly`.  Guarantees: results are in normal form and within the limits, or `SizeTooLarge` is raised.
Whole constants take a fast path, since most sizes of a checked network are constants.

Example: `add(mul(2, sym("H")), 1)` is 2H + 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from catdl.types.poly import (
    LIMIT,
    ONE,
    Atom,
    Coef,
    Key,
    Mono,
    Poly,
    Size,
    SizeError,
    SizeTooLarge,
    from_terms,
    terms_of,
)

MAX_PRODUCT: Final = 2**15
MAX_POWER: Final = 64


def mono_mul(left: Mono, right: Mono) -> Mono:
    """The product of two monomials."""
    if left is ONE:
        return right
    if right is ONE:
        return left
    powers = dict(left.pairs)
    for atom, exponent in right.pairs:
        powers[atom] = powers.get(atom, 0) + exponent
    return Mono(tuple(sorted(powers.items(), key=_pair_key)))


def _pair_key(pair: tuple[Atom, int]) -> Key:
    return pair[0].key


def mono_div(left: Mono, right: Mono) -> Mono | None:
    """The monomial `left / right`, or None where `right` does not divide it."""
    if right is ONE:
        return left
    powers = dict(left.pairs)
    for atom, exponent in right.pairs:
        rest = powers.get(atom, 0) - exponent
        if rest < 0:
            return None
        powers[atom] = rest
    pairs = tuple((atom, exponent) for atom, exponent in powers.items() if exponent)
    return Mono(pairs) if pairs else ONE


def add(left: Size, right: Size) -> Size:
    """The sum."""
    if isinstance(left, int):
        if isinstance(right, int):
            total = left + right
            if -LIMIT <= total <= LIMIT:
                return total
            raise SizeTooLarge
        if not left:
            return right
    elif isinstance(right, int) and not right:
        return left
    terms = dict(terms_of(left))
    for mono, coef in terms_of(right):
        terms[mono] = terms.get(mono, 0) + coef
    return from_terms(terms)


def added(signed: Iterable[tuple[int, Size]]) -> Size:
    """The sum of many sizes, each with its sign, in one go."""
    terms: dict[Mono, Coef] = {}
    for sign, size in signed:
        for mono, coef in terms_of(size):
            terms[mono] = terms.get(mono, 0) + sign * coef
    return from_terms(terms)


def neg(size: Size) -> Size:
    """The negative."""
    if isinstance(size, int):
        return -size
    return Poly(tuple((mono, -coef) for mono, coef in size.terms))


def sub(left: Size, right: Size) -> Size:
    """The difference."""
    if isinstance(left, int) and isinstance(right, int):
        return add(left, -right)
    if left == right:
        return 0
    return add(left, neg(right))


def scale(size: Size, factor: Coef) -> Size:
    """The size times a rational number; the result is a whole constant only if it is whole."""
    if isinstance(size, int) and isinstance(factor, int):
        return mul(size, factor)
    if factor == 1:
        return size
    return from_terms({mono: coef * factor for mono, coef in terms_of(size)})


def mul(left: Size, right: Size) -> Size:
    """The product."""
    if isinstance(left, int):
        if isinstance(right, int):
            result = left * right
            if -LIMIT <= result <= LIMIT:
                return result
            raise SizeTooLarge
        return right if left == 1 else scale(right, left)
    if isinstance(right, int):
        return left if right == 1 else scale(left, right)
    if len(left.terms) * len(right.terms) > MAX_PRODUCT:
        raise SizeTooLarge("the number of terms of a product of sizes", MAX_PRODUCT)
    terms: dict[Mono, Coef] = {}
    for mono_left, coef_left in left.terms:
        for mono_right, coef_right in right.terms:
            mono = mono_mul(mono_left, mono_right)
            terms[mono] = terms.get(mono, 0) + coef_left * coef_right
    return from_terms(terms)


def power(size: Size, exponent: int) -> Size:
    """The size to a power of at most 64."""
    if exponent < 0:
        raise SizeError("a size has no negative power")
    if isinstance(size, int) and size in (-1, 0, 1):
        return size if exponent % 2 else size * size if exponent else 1
    if exponent > MAX_POWER:
        raise SizeTooLarge("the exponent of a size", MAX_POWER)
    if isinstance(size, int):
        if size.bit_length() > 64:
            raise SizeTooLarge
        return mul(size**exponent, 1)
    result: Size = 1
    for bit in bin(exponent)[2:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, size)
    return result
