"""Declared groups: products of what generators do, inverses, relations, all elements; and products of axes. No numpy.

An element acts as an operator: `product(a, b)` is b first. Numbers are doubles, equal if they differ by no more than
`CLOSE`.

    alike(product(turn, turn), product(flip, flip))      whether turn ^ 2 == flip ^ 2
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from catdl.record import record
from catdl.symmetry.actions import REGULAR, Acts, Declared, Matrix, Move, Sides, Takes, size_of

CLOSE = 1e-9
ELEMENTS = 1_000  # of a group with an axis that has a place for each

Rows = tuple[tuple[float, ...], ...]


def identity(like: Move) -> Move:
    """What leaves all where it is, on the same axes."""
    match like:
        case Sides(axes):
            return Sides(tuple(range(len(axes))), (False,) * len(axes))
        case Takes(places):
            return Takes(tuple(range(len(places))))
        case Matrix(rows):
            return Matrix(tuple(tuple(float(i == k) for k in range(len(rows))) for i in range(len(rows))))


def product(left: Move, right: Move) -> Move:
    """The operator that does `right`, then `left`, on the same axes."""
    match left, right:
        case Sides(axes, back), Sides(inner, inner_back):
            return Sides(
                tuple(inner[axis] for axis in axes),
                tuple(turned != inner_back[axis] for axis, turned in zip(axes, back, strict=True)),
            )
        case Takes(places), Takes(inner):
            return Takes(tuple(inner[place] for place in places))
        case _:
            one, other = dense(left), dense(right)
            columns = tuple(zip(*other, strict=True))
            return Matrix(tuple(tuple(sum(a * b for a, b in zip(row, c, strict=True)) for c in columns) for row in one))


def dense(move: Move) -> Rows:
    """The matrix of what moves one axis."""
    match move:
        case Matrix(rows):
            return rows
        case Takes(places):
            return tuple(tuple(float(place == k) for k in range(len(places))) for place in places)
        case Sides():
            raise AssertionError("what moves axes has no matrix of its own")


def alike(one: Move, other: Move) -> bool:
    """Whether two operators are equal, up to rounding."""
    if isinstance(one, Matrix) or isinstance(other, Matrix):
        pairs = zip(dense(one), dense(other), strict=True)
        return all(abs(a - b) <= CLOSE * max(1.0, abs(a)) for x, y in pairs for a, b in zip(x, y, strict=True))
    return one == other


def inverse(move: Move) -> Move | None:
    """What undoes it; None where nothing does."""
    match move:
        case Sides(axes, back):
            found = sorted(range(len(axes)), key=axes.__getitem__)
            return Sides(tuple(found), tuple(back[k] for k in found))
        case Takes(places):
            if len(set(places)) < len(places):
                return None
            return Takes(tuple(sorted(range(len(places)), key=places.__getitem__)))
        case Matrix(rows, flow):
            if flow:
                return Matrix(tuple(tuple(-number for number in row) for row in rows), True)
            return _solved(rows)


def _solved(rows: Rows) -> Matrix | None:
    """The inverse of a matrix, by elimination with pivots."""
    size = len(rows)
    wide = [[*row, *(float(i == k) for k in range(size))] for i, row in enumerate(rows)]
    scale = max((abs(number) for row in rows for number in row), default=0.0)
    for k in range(size):
        best = max(range(k, size), key=lambda i: abs(wide[i][k]))
        if abs(wide[best][k]) <= CLOSE * scale:
            return None
        wide[k], wide[best] = wide[best], wide[k]
        wide[k] = [number / wide[k][k] for number in wide[k]]
        for i in range(size):
            if i != k and wide[i][k]:
                factor = wide[i][k]
                wide[i] = [a - factor * b for a, b in zip(wide[i], wide[k], strict=True)]
    return Matrix(tuple(tuple(row[size:]) for row in wide))


def orthogonal(move: Move) -> bool:
    """Whether it keeps lengths."""
    match move:
        case Sides():
            return True
        case Takes(places):
            return len(set(places)) == len(places)
        case Matrix(rows, flow):
            span = range(len(rows))
            if flow:
                return all(abs(rows[i][k] + rows[k][i]) <= CLOSE for i in span for k in span)
            return alike(product(Matrix(tuple(zip(*rows, strict=True))), move), identity(move))


def special(move: Move) -> bool:
    """Whether what moves one axis keeps volumes with their sign."""
    match move:
        case Matrix(rows, True):
            return abs(sum(rows[k][k] for k in range(len(rows)))) <= CLOSE
        case _:
            return abs(_determinant(dense(move)) - 1) <= CLOSE


def _determinant(rows: Rows) -> float:
    left = [list(row) for row in rows]
    found = 1.0
    for k in range(len(left)):
        best = max(range(k, len(left)), key=lambda i: abs(left[i][k]))
        if left[best][k] == 0:
            return 0.0
        if best != k:
            left[k], left[best] = left[best], left[k]
            found = -found
        found *= left[k][k]
        for i in range(k + 1, len(left)):
            factor = left[i][k] / left[k][k]
            left[i] = [a - factor * b for a, b in zip(left[i], left[k], strict=True)]
    return found


def _key(move: Move) -> Move:
    """The same for operators that differ by rounding."""
    if isinstance(move, Matrix):
        return Matrix(tuple(tuple(round(number, 6) + 0.0 for number in row) for row in move.rows))
    return move


@lru_cache(maxsize=16)
def table(group: Declared) -> tuple[tuple[int, ...], ...] | None:
    """What each generator does to the elements, multiplied by it from the left; None where these are too many."""
    moves = [move for _, move in group.generators]
    if not group.invertible or any(isinstance(move, Matrix) and move.flow for move in moves):
        return None
    start = identity(moves[0])
    elements = [start]
    numbers = {_key(start): 0}
    found: list[list[int]] = [[] for _ in moves]
    for element in elements:  # grows as it goes
        for k, move in enumerate(moves):
            made = product(move, element)
            number = numbers.setdefault(_key(made), len(elements))
            if number == len(elements):
                if number == ELEMENTS:
                    return None
                elements.append(made)
            found[k].append(number)
    return tuple(map(tuple, found))


@record
class Moved:
    """What a generator does to a product of axes: along axis k lies axis `axes[k]`, and that is moved by `along[k]`."""

    sizes: tuple[int, ...]
    axes: tuple[int, ...]
    along: tuple[Takes | Matrix | None, ...]

    @property
    def places(self) -> tuple[int, ...] | None:
        """Where each entry comes from, row-major; None where entries are mixed."""
        found = [0]
        for size, axis, move in zip(self.sizes, self.axes, self.along, strict=True):
            if isinstance(move, Matrix):
                return None
            stride = prod(self.sizes[axis + 1 :])
            steps = [stride * place for place in (move.places if move is not None else range(size))]
            found = [place + step for place in found for step in steps]
        return tuple(found)


def moved(group: Declared, number: int, acts: Acts) -> Moved:
    """What one generator does to some axes, all of the group's."""
    sizes = tuple(size for act in acts if isinstance(size := size_of(act), int))
    assert len(sizes) == len(acts), "axes of fixed sizes"
    move = group.generators[number][1]
    axes: list[int] = []
    along: list[Takes | Matrix | None] = []
    keys = _keys(acts)
    where = {key: k for k, key in enumerate(keys)}
    for k, act in enumerate(acts):
        assert act.place is not None
        if act.place.block == REGULAR:
            whole = table(group)
            assert whole is not None
            axes.append(k)
            along.append(Takes(tuple(sorted(range(sizes[k]), key=whole[number].__getitem__))))
        elif isinstance(move, Sides):
            block, _, *rest = keys[k]
            axes.append(where[block, move.axes[act.place.axis], *rest])
            back = move.back[act.place.axis]
            along.append(Takes(tuple(reversed(range(sizes[k])))) if back else None)
        else:
            axes.append(k)
            along.append(move)
    return Moved(sizes, tuple(axes), tuple(along))


def _keys(acts: Acts) -> list[tuple[int, ...]]:
    """What tells each axis: its block, its place there, its twin, and which one of those that are alike it is."""
    found: list[tuple[int, ...]] = []
    seen: dict[tuple[int, ...], int] = {}
    for act in acts:
        assert act.place is not None
        key = act.place.block, act.place.axis, act.place.twin
        seen[key] = seen.get(key, -1) + 1
        found.append((*key, seen[key]))
    return found


def partnered(group: Declared, acts: Acts) -> bool:
    """Whether each axis that is exchanged with others stands beside them, of the same size."""
    sizes = {key: size_of(act) for key, act in zip(_keys(acts), acts, strict=True)}
    return all(
        sizes.get((block, move.axes[axis], *rest)) == size
        for _, move in group.generators
        if isinstance(move, Sides)
        for (block, axis, *rest), size in sizes.items()
        if block != REGULAR
    )
