"""Masks: numbers made of places, what their comparisons leave open, and what becomes of that in functions.

real(index[U]) <= real(index[T])        Band(row = T, col = U, after = 0, value = False), and more
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import ceil, floor

from catdl.causal.states import LOW, Band, Line, Number, Steps

Align = tuple[tuple[int, ...], ...]


def line(fn: str, align: Align, ins: Sequence[Steps]) -> Line | None:
    """A function of numbers made of places, where it is one again."""
    lines = [_placed(state.line, at) if state.line is not None else None for state, at in zip(ins, align, strict=True)]
    known = [found for found in lines if found is not None]
    if len(known) < len(lines) or not known:
        return None
    first, plain = known[0], not any(found.absolute for found in known)
    match fn:
        case "real" | "fin":
            return Line(first.terms, first.plus + 0, first.absolute)
        case "neg" if plain:
            return _times(first, -1)
        case "abs" if plain and first.terms:
            return Line(first.terms, first.plus, True)
        case "abs" if plain:
            return Line((), first.plus if first.plus > 0 else -first.plus)
        case "add" if plain:
            return _sum(first, known[1])
        case "sub" if plain:
            return _sum(first, _times(known[1], -1))
        case "mul" if plain and (not first.terms or not known[1].terms):
            one, other = (first, known[1]) if known[1].terms else (known[1], first)
            return _times(other, one.plus)
        case "not" if not first.terms:
            return Line((), not first.plus)
        case _:
            return None


def _placed(found: Line, at: tuple[int, ...]) -> Line:
    return Line(tuple((at[axis], factor) for axis, factor in found.terms), found.plus, found.absolute)


def _times(found: Line, by: Number) -> Line:
    return Line(tuple((axis, factor * by) for axis, factor in found.terms if by), found.plus * by)


def _sum(one: Line, other: Line) -> Line:
    terms: dict[int, Number] = dict(one.terms)
    for axis, factor in other.terms:
        terms[axis] = terms.get(axis, 0) + factor
    return Line(tuple(sorted((axis, factor) for axis, factor in terms.items() if factor)), one.plus + other.plus)


def bands(fn: str, align: Align, ins: Sequence[Steps]) -> tuple[Band, ...]:
    """What a function leaves open of its inputs, or a comparison of places."""
    given = [moved(state.bands, at) for state, at in zip(ins, align, strict=True)]
    numbers = [state.number for state in ins]
    match fn:
        case "le" | "lt" | "ge" | "gt":
            return _compared(fn, align, ins)
        case "real" | "bool" | "fin":
            return given[0]
        case "not":
            return _valued(given[0], lambda value: not value)
        case "neg":
            return _valued(given[0], lambda value: -value)
        case "exp":
            return _valued((band for band in given[0] if band.value <= LOW), lambda value: 0)
        case "and":
            return _both(given, numbers, False)
        case "or":
            return _both(given, numbers, True)
        case "mul":
            return tuple(band for one in given for band in one if band.value == 0)
        case "div":
            return tuple(band for band in given[0] if band.value == 0)
        case "where":
            return _chosen(given, numbers, [state.low for state in ins])
        case _:
            return ()


def moved(found: Iterable[Band], at: Sequence[int]) -> tuple[Band, ...]:
    """Masks whose axes stand elsewhere."""
    return tuple(Band(at[band.row], at[band.col], band.after, band.value, band.inside) for band in found)


def _valued(found: Iterable[Band], value: Callable[[Number], Number]) -> tuple[Band, ...]:
    return tuple(Band(band.row, band.col, band.after, value(band.value), band.inside) for band in found)


def _both(given: list[tuple[Band, ...]], numbers: list[Number | None], value: bool) -> tuple[Band, ...]:
    """A conjunction masks what any part does; a disjunction the same of what is true."""
    out = []
    for row, col in dict.fromkeys((band.row, band.col) for one in given for band in one if band.value == value):
        alike = [[band for band in one if (band.row, band.col, band.value) == (row, col, value)] for one in given]
        inside = all(
            any(band.inside for band in same) or (number is not None and bool(number) is not value)
            for same, number in zip(alike, numbers, strict=True)
        )
        out.append(Band(row, col, min(band.after for same in alike for band in same), value, inside))
    return tuple(out)


def _chosen(given: list[tuple[Band, ...]], numbers: list[Number | None], low: list[bool]) -> tuple[Band, ...]:
    """`where(mask, a, b)`: outside of the mask stands the number that is chosen there."""
    out = []
    for band in given[0]:
        other, kept = (1, 2) if band.value else (2, 1)
        number = numbers[other]
        if number is not None:
            out.append(Band(band.row, band.col, band.after, number, band.inside and not low[kept]))
    for one, number in ((given[1], numbers[2]), (given[2], numbers[1])):
        out += [Band(b.row, b.col, b.after, b.value, False) for b in one if number == b.value]
    return tuple(out)


def _compared(fn: str, align: Align, ins: Sequence[Steps]) -> tuple[Band, ...]:
    """A comparison of places along two axes: what is false beyond a diagonal, and what is true."""
    left, right = (state.line and _placed(state.line, at) for state, at in zip(ins, align, strict=True))
    if left is None or right is None:
        return ()
    if fn in ("ge", "gt"):  # as a `le` or `lt` of the sides in the other order
        left, right = right, left
    strict = fn in ("lt", "gt")
    if right.absolute or (left.absolute and right.terms):
        return ()
    found = Line(left.terms, left.plus) if left.absolute else _sum(left, _times(right, -1))
    bound = Fraction(right.plus) if left.absolute else Fraction(0)
    if len(found.terms) != 2 or found.terms[0][1] + found.terms[1][1] != 0:
        return ()
    # size * (high - low) + plus <= bound
    low, high = (axis for axis, _ in sorted(found.terms, key=lambda term: term[1]))
    size, plus = abs(Fraction(found.terms[0][1])), Fraction(found.plus)
    middle = abs(plus) if left.absolute else plus
    inside = middle < bound if strict else middle <= bound
    reach = (bound - plus) / size
    false = Band(low, high, _below(reach, strict), False, inside)
    if left.absolute:
        return false, Band(high, low, _below((bound + plus) / size, strict), False, inside)
    return false, Band(high, low, _below(-reach, not strict), True, not inside)


def _below(reach: Fraction, strict: bool) -> int:
    """The largest whole number that is at most `reach`, or less than it."""
    return ceil(reach) - 1 if strict else floor(reach)
