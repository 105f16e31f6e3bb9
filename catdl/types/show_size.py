"""Sizes as text: for people, and as Python expressions for generated code.

Takes sizes; resolves bound unknowns itself.  Guarantees: the order of terms does not depend on hashing, and the text
means the size when it is read back.

Example: `show` gives `(H + 1) // 2 - 1`, `3 * D`, `H / 2`.
"""

from __future__ import annotations

from collections.abc import Callable

from catdl.record import record
from catdl.types.floors import denominator
from catdl.types.poly import Atom, Coef, Floor, Mono, Size, SizeError, SizeVar, Sym, terms_of
from catdl.types.rebuild import normal
from catdl.types.ring import scale


@record
class _Style:
    dim: Callable[[str], str]
    unknown: Callable[[SizeVar], str]
    power: str
    whole: bool


def show(size: Size, width: int | None = None) -> str:
    """The size as it would be written in a spec; cut to `width` characters where one is given."""
    if isinstance(size, int):
        return str(size)
    text = _sum(normal(size), _SPEC)
    return text if width is None or len(text) <= width else text[: max(width - 1, 0)] + "…"


def to_python(size: Size, name: Callable[[str], str]) -> str:
    """A Python expression for the size; `name` gives the expression of a dim by its full name."""
    if isinstance(size, int):
        return str(size)
    return _sum(normal(size), _Style(name, _no_unknown, "**", whole=True))


def short(name: str) -> str:
    """A dim's name without the place of its declaration."""
    return name.rpartition("::")[2]


def _unknown(unknown: SizeVar) -> str:
    return f"?{unknown.hint or unknown.id}"


def _no_unknown(unknown: SizeVar) -> str:
    raise SizeError(f"the size {_unknown(unknown)} is not known yet")


_SPEC = _Style(short, _unknown, "^", whole=False)


def _sum(size: Size, style: _Style) -> str:
    common = denominator(size)
    terms = terms_of(size)
    if common > 1 and len(terms) > 1 and (style.whole or any(not m.pairs and c.denominator > 1 for m, c in terms)):
        # Single terms need not be whole, so they share one division.
        return f"({_sum(scale(size, common), style)}) {'//' if style.whole else '/'} {common}"
    if not terms:
        return "0"
    lead = next((place for place, (_, coef) in enumerate(terms) if coef > 0), 0)
    text = ""
    ordered: list[tuple[Mono, Coef]] = [terms[lead], *terms[:lead], *terms[lead + 1 :]]
    for mono, coef in ordered:
        if not text:
            text = _negated(mono, coef, style) if coef < 0 else _term(mono, coef, style)
        else:
            text += f" {'-' if coef < 0 else '+'} {_term(mono, -coef if coef < 0 else coef, style)}"
    return text


def _negated(mono: Mono, coef: Coef, style: _Style) -> str:
    """A negative term that stands first: the sign binds tighter than the operators, so it takes the coefficient."""
    text = _term(mono, -coef, style)
    alone = len(mono.pairs) == 1 and coef == -1 and isinstance(mono.pairs[0][0], Floor) and mono.degree == 1
    return f"-({text})" if alone else f"-{text}"


def _term(mono: Mono, coef: Coef, style: _Style) -> str:
    top, bottom = coef.numerator, coef.denominator
    alone = mono.degree == 1 and top == 1 and bottom == 1
    factors = [] if top == 1 and mono.pairs else [str(top)]
    for atom, exponent in mono.pairs:
        text = _atom(atom, style)
        if isinstance(atom, Floor) and not alone:
            text = f"({text})"
        factors.append(text if exponent == 1 else f"{text}{style.power}{exponent}")
    text = " * ".join(factors)
    return text if bottom == 1 else f"{text} {'//' if style.whole else '/'} {bottom}"


def _atom(atom: Atom, style: _Style) -> str:
    if isinstance(atom, Sym):
        return style.dim(atom.name)
    if isinstance(atom, SizeVar):
        return style.unknown(atom)
    return f"{_operand(atom.body, style, left=True)} // {_operand(atom.divisor, style, left=False)}"


def _operand(size: Size, style: _Style, *, left: bool) -> str:
    text = _sum(size, style)
    terms = terms_of(size)
    plain = len(terms) == 1 and (left or not terms[0][0].pairs or (terms[0][0].degree == 1 and terms[0][1] == 1))
    if plain and any(isinstance(atom, Floor) for atom, _ in terms[0][0].pairs) and terms[0][0].degree == 1:
        plain = False
    return text if plain or not terms else f"({text})"
