"""The linear maps that commute with given generators: how many there are, and which entries are equal. No numpy.

Where all generators permute the entries of both sides, a map has one number for each orbit of pairs of an entry of the
result and one of the input. Else the maps solve linear equations, whose rank is found by elimination.

    orbits(sides(D4, outs, ins))      the number of the orbit of each pair, row-major
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import TypeAlias

from catdl.record import record
from catdl.symmetry.actions import Acts, Declared, Matrix, Takes
from catdl.symmetry.declared import Moved, Rows, dense, moved

SMALL = 1e-7  # beside the largest number of an equation: what is nothing but rounding


@record
class Sides:
    """What one generator does to the result and to the input of a map; `flow`: to first order."""

    outs: Moved
    ins: Moved
    flow: bool = False


@lru_cache(maxsize=64)
def sides(group: Declared, outs: Acts, ins: Acts) -> tuple[Sides, ...]:
    """What each generator does to both."""
    return tuple(
        Sides(moved(group, k, outs), moved(group, k, ins), isinstance(move, Matrix) and move.flow)
        for k, (_, move) in enumerate(group.generators)
    )


Along: TypeAlias = "Sequence[int] | Sequence[Sequence[float | Fraction]]"
Told: TypeAlias = "Sequence[int | tuple[int, Along]]"
"""For every axis the one that comes in its place, alone or with its places, or a matrix that it is multiplied by."""


def told(
    outs: tuple[int, ...], ins: tuple[int, ...], generators: Iterable[tuple[Told, Told, bool]]
) -> tuple[Sides, ...]:
    """Generators that are told by what each does to axes of some sizes on both sides, and whether to first order."""
    return tuple(Sides(_moved(outs, left), _moved(ins, right), flow) for left, right, flow in generators)


def telling(side: Moved) -> tuple[int | tuple[int, tuple[int, ...] | tuple[tuple[Fraction, ...], ...]], ...]:
    """What a generator does to a product of axes, as `told` reads it."""
    found: list[int | tuple[int, tuple[int, ...] | tuple[tuple[Fraction, ...], ...]]] = []
    for axis, move in zip(side.axes, side.along, strict=True):
        match move:
            case None:
                found.append(axis)
            case Takes(places):
                found.append((axis, places))
            case Matrix(rows):
                found.append((axis, tuple(tuple(map(Fraction, row)) for row in rows)))
    return tuple(found)


def _moved(sizes: tuple[int, ...], side: Told) -> Moved:
    pairs = [(entry, None) if isinstance(entry, int) else entry for entry in side]
    return Moved(sizes, tuple(axis for axis, _ in pairs), tuple(_along(along) for _, along in pairs))


def _along(given: Along | None) -> Takes | Matrix | None:
    if given is None:
        return None
    rows = [row for row in given if not isinstance(row, int)]
    if rows:
        return Matrix(tuple(tuple(map(float, row)) for row in rows))
    return Takes(tuple(place for place in given if isinstance(place, int)))


@lru_cache(maxsize=64)
def count(group: Declared, outs: Acts, ins: Acts) -> int:
    """The number of independent maps."""
    both = sides(group, outs, ins)
    numbers = orbits(both)
    return max(numbers) + 1 if numbers is not None else _unsolved(both)


def orbits(both: tuple[Sides, ...]) -> list[int] | None:
    """The orbit of each pair, numbered as they come; None where a generator does not permute the entries."""
    height, width = (prod(side.sizes) for side in (both[0].outs, both[0].ins))
    moves: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for side in both:
        rows, columns = side.outs.places, side.ins.places
        if rows is None or columns is None or len({*rows}) < height or len({*columns}) < width:
            return None
        moves.append((rows, columns))
    found = [-1] * (height * width)
    number = 0
    for start in range(len(found)):
        if found[start] >= 0:
            continue
        found[start] = number
        stack = [start]
        while stack:
            row, column = divmod(stack.pop(), width)
            for rows, columns in moves:
                pair = rows[row] * width + columns[column]
                if found[pair] < 0:
                    found[pair] = number
                    stack.append(pair)
        number += 1
    return found


def matrix(side: Moved, flow: bool) -> Rows:
    """What a generator does to a product of axes as one matrix; to first order, the sum over its axes."""
    if not flow:
        made: Rows = ((1.0,),)
        for size, move in zip(side.sizes, side.along, strict=True):
            made = _kron(made, dense(move) if move is not None else _one(size))
        places = Moved(side.sizes, side.axes, (None,) * len(side.axes)).places
        assert places is not None
        order = {place: k for k, place in enumerate(places)}
        # `made` moves along the axes of the result; its columns are those of the result's order of axes
        return tuple(tuple(row[order[k]] for k in range(len(row))) for row in made)
    whole = prod(side.sizes)
    total = [[0.0] * whole for _ in range(whole)]
    for k, move in enumerate(side.along):
        part: Rows = ((1.0,),)
        for j, size in enumerate(side.sizes):
            part = _kron(part, dense(move) if j == k and move is not None else _one(size))
        if move is not None:
            total = [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(total, part, strict=True)]
    return tuple(map(tuple, total))


def _one(size: int) -> Rows:
    return tuple(tuple(float(i == k) for k in range(size)) for i in range(size))


def _kron(left: Rows, right: Rows) -> Rows:
    return tuple(tuple(a * b for a in x for b in y) for x in left for y in right)


def _unsolved(both: tuple[Sides, ...]) -> int:
    """How many unknowns the equations leave free: rho_out M = M rho_in, one for each entry, rows as mappings."""
    height, width = (prod(side.sizes) for side in (both[0].outs, both[0].ins))
    pivots: dict[int, dict[int, float]] = {}
    for side in both:
        left, right = matrix(side.outs, side.flow), matrix(side.ins, side.flow)
        rows = [[(i, a) for i, a in enumerate(row) if a] for row in left]
        columns = [[(j, row[k]) for j, row in enumerate(right) if row[k]] for k in range(width)]
        for out in range(height):
            for column in range(width):
                equation: dict[int, float] = {}
                for i, a in rows[out]:
                    equation[i * width + column] = equation.get(i * width + column, 0.0) + a
                for j, b in columns[column]:
                    equation[out * width + j] = equation.get(out * width + j, 0.0) - b
                _reduce(pivots, equation)
    return height * width - len(pivots)


def _reduce(pivots: dict[int, dict[int, float]], equation: dict[int, float]) -> None:
    """Take an equation into a reduced system, in which a pivot stands in its own row alone."""
    scale = max(map(abs, equation.values()), default=0.0)
    for place in [place for place in equation if place in pivots]:
        factor = equation[place]
        for k, number in pivots[place].items():
            equation[k] = equation.get(k, 0.0) - factor * number
    left = {k: number for k, number in equation.items() if abs(number) > SMALL * max(scale, 1e-300)}
    if not left:
        return
    pivot = max(left, key=lambda k: abs(left[k]))
    row = {k: number / left[pivot] for k, number in left.items()}
    for other in pivots.values():
        if factor := other.get(pivot, 0.0):
            for k, number in row.items():
                other[k] = other.get(k, 0.0) - factor * number
            del other[pivot]
    pivots[pivot] = row
