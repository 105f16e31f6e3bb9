"""How many linear maps commute with a group: the dimension of Hom_G(X, Y), counted exactly, without numpy.

rank(Matrices("O", 5), two vectors, two vectors)      3
"""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from catdl.symmetry import commuting
from catdl.symmetry.actions import ROTATIONS, Acts, Cyclic, Declared, Group, Matrices, Shifts, Symmetric, degree_of
from catdl.symmetry.partitions import partitions

Shape = tuple[int, ...]


def rank(group: Group, outs: Acts, ins: Acts) -> int:
    """The number of independent maps from axes `ins` to axes `outs`, on which the group acts. Cycles are fixed."""
    count = len(outs) + len(ins)
    match group:
        case Symmetric(_, size):
            blocks = size if isinstance(size, int) else count
            return sum(len(found) <= blocks for found in partitions(count))
        case Cyclic(_, size):
            assert isinstance(size, int), "the maps of a cycle are as many as it has places"
            return int(size ** (count - 1)) if count else 1
        case Matrices(family, size):
            if group == ROTATIONS:
                return _rotations([degree_of(act) for act in (*outs, *ins)])
            ends: list[Shape] = [()] if family in ("O", "Lorentz") else [(), (1,) * size]
            found = _walks(count, size)
            return sum(found[end] for end in ends)
        case Declared():
            return commuting.count(group, outs, ins)
        case Shifts():
            raise AssertionError("no layer has a weight for each map along a grid")
        case _:
            assert_never(group)


def _rotations(degrees: list[int]) -> int:
    """How often the trivial representation of SO(3) is in a product of irreps."""
    found = Counter({0: 1})
    for degree in degrees:
        grown: Counter[int] = Counter()
        for total, times in found.items():
            for new in range(abs(total - degree), total + degree + 1):
                grown[new] += times
        found = grown
    return found[0]


def _walks(steps: int, size: int) -> Counter[Shape]:
    """The irreps of O(size) in a product of vectors, as Young diagrams, with how often each occurs.

    Times a vector, a diagram gains or loses a box; the first two columns hold at most `size` boxes (Weyl, "The
    classical groups", 1939). The Lorentz group has the same ones: over the complex numbers it is O(4).
    """
    found: Counter[Shape] = Counter({(): 1})
    for _ in range(steps):
        grown: Counter[Shape] = Counter()
        for shape, times in found.items():
            for new in _neighbours(shape):
                if len(new) + sum(row > 1 for row in new) <= size:
                    grown[new] += times
        found = grown
    return found


def _neighbours(shape: Shape) -> list[Shape]:
    rows = (*shape, 0)
    out: list[Shape] = []
    for k, row in enumerate(rows):
        if k == 0 or rows[k - 1] > row:
            out.append((*rows[:k], row + 1, *rows[k + 1 :]))
        if row and row > rows[k + 1]:
            out.append((*rows[:k], row - 1, *rows[k + 1 :]))
    return [tuple(row for row in new if row) for new in out]
