"""Division of sizes: exact quotients and floors in normal form.

Takes polynomials from `poly` and `ring`.  Guarantees: a `Floor` atom by a constant has a body with whole coefficients
in `0 .. divisor - 1` that share no factor with the divisor, and swallows a floor that stands alone inside it.  So
`(2*H + 1) // 2` is `H`, `(H // 2) // 2` is `H // 4`, and `(H - 3) // 2` is `(H + 1) // 2 - 2`.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

from catdl.types.poly import (
    LIMIT,
    MAX_TERMS,
    ONE,
    Coef,
    Floor,
    Mono,
    Poly,
    Size,
    SizeDividesByZero,
    SizeTooLarge,
    from_terms,
    of_atom,
    terms_of,
)
from catdl.types.ring import add, mono_div, mono_mul, neg, scale


def denominator(size: Size) -> int:
    """The least whole number that makes every coefficient whole."""
    if isinstance(size, int):
        return 1
    return lcm(*(coef.denominator for _, coef in size.terms))


def exact_div(left: Size, right: Size) -> Size | None:
    """`left / right` as a polynomial, or None.  Coefficients may be fractions: the caller asks `is_integral`."""
    if isinstance(right, int):
        if right == 0:
            return None
        if isinstance(left, int):
            return left // right if left % right == 0 else None
        return scale(left, Fraction(1, right))
    quotient, rest = _divide(left, right, whole=False)
    return quotient if rest == 0 else None


def _divide(left: Size, right: Poly, *, whole: bool) -> tuple[Size, Size]:
    """Quotient and remainder by the leading term; with `whole`, only whole coefficients enter the quotient.

    Without `whole` it stops at the first term that does not divide, since an exact quotient is then impossible.
    """
    lead_mono, lead_coef = right.terms[0]
    work: dict[Mono, Coef] = dict(terms_of(left))
    quotient: dict[Mono, Coef] = {}
    rest: dict[Mono, Coef] = {}
    for _ in range(MAX_TERMS):
        if not work:
            break
        mono = min(work, key=lambda candidate: candidate.key)
        coef = work[mono]
        share = mono_div(mono, lead_mono)
        factor = Fraction(coef) / lead_coef
        if share is None or (whole and factor.denominator != 1):
            if not whole:
                break
            rest[mono] = work.pop(mono)
            continue
        quotient[share] = factor
        for other_mono, other_coef in right.terms:
            target = mono_mul(share, other_mono)
            value = work.get(target, 0) - factor * other_coef
            if value:
                work[target] = value
            else:
                work.pop(target, None)
    rest.update(work)
    return from_terms(quotient), from_terms(rest)


def floor_div(left: Size, right: Size) -> Size:
    """`left // right` in normal form, knowing nothing about the dims."""
    if isinstance(right, Poly):
        return _floor_by_size(left, right)
    if right == 0:
        raise SizeDividesByZero("a size is divided by zero")
    if isinstance(left, int):
        return left // right
    return _floor_by_number(left, right) if right > 0 else _floor_by_number(neg(left), -right)


def split_floor(body: Size, divisor: int) -> tuple[Size, Poly | None, int]:
    """`(out, rest, d)` with `body // divisor = out + rest // d`, `rest` in normal form; None where nothing is left."""
    common = denominator(body)
    body, divisor = scale(body, common), divisor * common
    out: Size = 0
    while True:
        if divisor > LIMIT:
            raise SizeTooLarge("the divisor of a size")
        whole: dict[Mono, Coef] = {}
        rest: dict[Mono, Coef] = {}
        for mono, coef in terms_of(body):
            assert isinstance(coef, int)
            whole[mono], rest[mono] = divmod(coef, divisor)
        out = add(out, from_terms(whole))
        constant = rest.pop(ONE, 0)
        rest = {mono: coef for mono, coef in rest.items() if coef}
        if not rest:
            return out, None, divisor
        factor = gcd(divisor, *(coef.numerator for coef in rest.values()))
        divisor //= factor
        rest = {mono: coef // factor for mono, coef in rest.items()}
        rest[ONE] = constant // factor
        inner = _lone_floor(rest)
        remainder = from_terms(rest)
        if inner is None:
            assert isinstance(remainder, Poly)
            return out, remainder, divisor
        atom, mono = inner
        # ((x // a) + y) // b = (x + a*y) // (a*b), as y is whole.
        assert isinstance(atom.divisor, int)
        del rest[mono]
        body = add(atom.body, scale(from_terms(rest), atom.divisor))
        divisor *= atom.divisor


def _lone_floor(terms: dict[Mono, Coef]) -> tuple[Floor, Mono] | None:
    """The floor by a constant that occurs once, with coefficient 1, while no other floor occurs."""
    found: tuple[Floor, Mono] | None = None
    for mono, coef in terms.items():
        for atom, _ in mono.pairs:
            if isinstance(atom, Floor):
                if found is not None or coef != 1 or mono.degree != 1 or not isinstance(atom.divisor, int):
                    return None
                found = (atom, mono)
    return found


def _floor_by_number(body: Size, divisor: int) -> Size:
    out, rest, divisor = split_floor(body, divisor)
    return out if rest is None else add(out, of_atom(Floor(rest, divisor)))


def _floor_by_size(left: Size, right: Poly) -> Size:
    common = lcm(denominator(left), denominator(right))
    left, scaled = scale(left, common), scale(right, common)
    if isinstance(scaled, int):
        return floor_div(left, scaled)
    if scaled.terms[0][1] < 0:
        left, scaled = neg(left), neg(scaled)
        assert isinstance(scaled, Poly)
    quotient, rest = _divide(left, scaled, whole=True)
    if rest == 0:
        return quotient
    factor = gcd(*(coef.numerator for part in (rest, scaled) for _, coef in terms_of(part)))
    inner = Floor(scale(rest, Fraction(1, factor)), scale(scaled, Fraction(1, factor)))
    return add(quotient, of_atom(inner))
