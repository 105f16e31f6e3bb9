"""Sizes under a substitution: of dims, of solved unknowns, of numbers.

Takes sizes, and makes them anew with `ring` and `floors`.  Guarantees: `normal` leaves no bound unknown, however long
the chain of bounds is; results are in normal form.

Example: `substitute(H // 2, {"H": 2 * W})` is `W`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from catdl.types.floors import floor_div
from catdl.types.poly import (
    Atom,
    Coef,
    Floor,
    Mono,
    Poly,
    Size,
    SizeDividesByZero,
    SizeError,
    SizeVar,
    Sym,
    from_terms,
    terms_of,
)
from catdl.types.ring import mul, power


def rebuild(size: Size, replace: Callable[[Atom], Size | None]) -> Size:
    """The size with atoms replaced; None keeps a leaf and looks into a floor.  Equal floors are made anew once."""
    if isinstance(size, int):
        return size
    mono, coef = size.terms[0]
    if mono.degree == 1 and coef == 1 and len(size.terms) == 1:
        new = _rebuild_atom(mono.pairs[0][0], replace, {})
        return size if new is None else new
    return _rebuild(size, replace, {})


def _rebuild(size: Size, replace: Callable[[Atom], Size | None], memo: dict[Atom, Size | None]) -> Size:
    if isinstance(size, int):
        return size
    terms: dict[Mono, Coef] = {}
    changed = False
    for mono, coef in size.terms:
        factors: list[Size] = []
        kept: list[tuple[Atom, int]] = []
        for atom, exponent in mono.pairs:
            if atom not in memo:
                memo[atom] = _rebuild_atom(atom, replace, memo)
            new = memo[atom]
            if new is None:
                kept.append((atom, exponent))
            else:
                factors.append(power(new, exponent))
        if not factors:
            terms[mono] = terms.get(mono, 0) + coef
            continue
        changed = True
        product: Size = Poly(((Mono(tuple(kept)), 1),)) if kept else 1
        for factor in factors:
            product = mul(product, factor)
        for new_mono, new_coef in terms_of(product):
            terms[new_mono] = terms.get(new_mono, 0) + coef * new_coef
    return from_terms(terms) if changed else size


def _rebuild_atom(atom: Atom, replace: Callable[[Atom], Size | None], memo: dict[Atom, Size | None]) -> Size | None:
    new = replace(atom)
    if new is not None or not isinstance(atom, Floor):
        return new
    # The depth of floors is limited, so this recursion is too.
    body = _rebuild(atom.body, replace, memo)
    divisor = _rebuild(atom.divisor, replace, memo)
    if body is atom.body and divisor is atom.divisor:
        return None
    return floor_div(body, divisor)


def substitute(size: Size, mapping: Mapping[str, Size]) -> Size:
    """The size with dims replaced by name, all at once."""
    if isinstance(size, int) or not mapping or size.syms.isdisjoint(mapping):
        return size
    return rebuild(size, lambda atom: mapping.get(atom.name) if isinstance(atom, Sym) else None)


def normal(size: Size) -> Size:
    """The size with every bound unknown replaced by what it stands for."""
    if isinstance(size, int) or not size.has_vars:
        return size
    if all(unknown.bound is None for unknown in size.vars):
        return size
    _resolve([unknown for unknown in size.vars if unknown.bound is not None])
    return rebuild(size, _bound_of)


def _bound_of(atom: Atom) -> Size | None:
    return atom.bound if isinstance(atom, SizeVar) else None


def _resolve(roots: list[SizeVar]) -> None:
    """Shorten the bounds of these unknowns until no bound unknown is left in them; chains may be long."""
    opened: set[SizeVar] = set()
    done: set[SizeVar] = set()
    stack = roots
    while stack:
        unknown = stack[-1]
        bound = unknown.bound
        if unknown in done or bound is None or isinstance(bound, int) or not bound.has_vars:
            stack.pop()
            continue
        waiting = [other for other in bound.vars if other.bound is not None and other not in done]
        waiting = [other for other in waiting if isinstance(other.bound, Poly) and other.bound.has_vars]
        if waiting and unknown not in opened:
            opened.add(unknown)
            stack.extend(waiting)
            continue
        if any(other in opened for other in waiting):
            raise RuntimeError("an unknown size stands for itself")
        unknown.bound = rebuild(bound, _bound_of)
        done.add(unknown)
        stack.pop()


def free_vars(size: Size) -> frozenset[SizeVar]:
    """The unbound unknowns of the normal form."""
    resolved = normal(size)
    return resolved.vars if isinstance(resolved, Poly) else frozenset()


def free_syms(size: Size) -> frozenset[str]:
    """The dims of the normal form."""
    resolved = normal(size)
    return resolved.syms if isinstance(resolved, Poly) else frozenset()


def evaluate(size: Size, env: Mapping[str, int]) -> int:
    """The number that a size is, given its dims; a ValueError where it is no whole number."""
    value = value_of(normal(size), env)
    if value.denominator != 1:
        raise SizeError(f"the size is {value}, which is not a whole number")
    return value.numerator


def value_of(size: Size, env: Mapping[str, int]) -> Coef:
    """The rational number that a size without bound unknowns is."""
    if isinstance(size, int):
        return size
    total: Coef = 0
    for mono, coef in size.terms:
        for atom, exponent in mono.pairs:
            if isinstance(atom, Sym):
                try:
                    value: Coef = env[atom.name]
                except KeyError:
                    raise SizeError(f"the dim {atom.name} has no value") from None
            elif isinstance(atom, Floor):
                divisor = value_of(atom.divisor, env)
                if divisor == 0:
                    raise SizeDividesByZero("a size is divided by zero")
                value = value_of(atom.body, env) // divisor
            else:
                raise SizeError("the size is not known yet")
            coef = coef * value if exponent == 1 else coef * value**exponent
        total += coef
    return total
