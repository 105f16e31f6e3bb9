"""Bases of Hom_G(X, Y), the linear maps that commute with a group, in double precision.

Maps that commute with permutations are found exactly, as orbits of pairs of indices. Those of vectors are products of
metrics (and one volume form, for groups of determinant 1): Weyl's first fundamental theorem of invariants. Those of
irreps of SO(3) follow from Schur's lemma, irrep by irrep. There is no singular value decomposition anywhere.

Each map of a basis is scaled so that a row of it has mean square length 1: from inputs of variance 1 it makes results
of variance 1, on average.

    basis(Matrices("O", 3), (vector,), (vector,))      [1, 3, 3], the identity
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, permutations
from math import prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from catdl.symmetry.actions import ROTATIONS, Act, Acts, Cyclic, Declared, Group, Matrices, Shifts, Symmetric, size_of
from catdl.symmetry.commuting import Sides, matrix, sides
from catdl.symmetry.commuting import orbits as commuting_orbits
from catdl.symmetry.null_space import independent, null_space
from catdl.symmetry.rotations import parts

Array = NDArray[np.float64]
Orbits = NDArray[np.int64]
METRIC = (1.0, -1.0, -1.0, -1.0)  # of the Lorentz group: time, then space


def basis(group: Group, outs: Acts, ins: Acts) -> Array:
    """The maps from axes `ins` to axes `outs`, each side as one axis: [rank, result, input]. Sizes are fixed."""
    match group:
        case Symmetric() | Cyclic():
            return _of_orbits(orbits(group, len(outs), len(ins)))
        case Matrices():
            if group == ROTATIONS:
                made = _by_schur(outs, ins)
            else:
                made = _by_invariants(group, len(outs), len(ins))
            return _scaled(made)
        case Declared():
            return commuting_basis(sides(group, outs, ins))
        case Shifts():
            raise AssertionError("no layer has a weight for each map along a grid")
        case _:
            assert_never(group)


def _scaled(maps: Array) -> Array:
    lengths = np.sqrt(np.einsum("tyx,tyx->t", maps, maps) / maps.shape[1])
    scaled: Array = maps / lengths[:, None, None]
    return scaled


@lru_cache(maxsize=32)
def commuting_basis(both: tuple[Sides, ...]) -> Array:
    """The maps that commute with generators, told by what each does to the result and to the input."""
    shape = tuple(prod(side.sizes) for side in (both[0].outs, both[0].ins))
    numbers = commuting_orbits(both)
    if numbers is not None:
        return _of_orbits(np.array(numbers).reshape(shape))
    rows = []
    for side in both:
        left, right = (np.array(matrix(moved, side.flow)) for moved in (side.outs, side.ins))
        rows.append(np.kron(left, np.eye(shape[1])) - np.kron(np.eye(shape[0]), right.T))
    return _scaled(null_space(rows).reshape(-1, *shape))


@lru_cache(maxsize=32)
def family_basis(family: str, size: int, outs: tuple[int, ...], ins: tuple[int, ...]) -> Array:
    """The basis of a family of groups by name, "S" for permutations; axes by their degrees, -1 for the group's own."""
    group = Symmetric("", size) if family == "S" else Matrices(family, size)
    sides = (tuple(Act(group, None if degree < 0 else degree) for degree in side) for side in (outs, ins))
    return basis(group, *sides)


def _of_orbits(places: Orbits) -> Array:
    sizes = np.bincount(places.reshape(-1))
    made = np.zeros((len(sizes), places.size))
    made[places.reshape(-1), np.arange(places.size)] = np.sqrt(places.shape[0] / sizes)[places.reshape(-1)]
    return made.reshape(-1, *places.shape)


def orbits(group: Symmetric | Cyclic, outs: int, ins: int) -> Orbits:
    """The orbit of each pair of an index of the result and one of the input, as a number: [result, input]."""
    size = group.size
    assert isinstance(size, int), "orbits are listed for sets and cycles of fixed size"
    count = outs + ins
    places = np.indices((size,) * count).reshape(count, -1) if count else np.zeros((0, 1), dtype=np.int64)
    code = np.zeros(places.shape[1], dtype=np.int64)
    if isinstance(group, Cyclic):
        for place in places[1:]:
            code = code * size + (place - places[0]) % size
    else:
        for k, place in enumerate(places):  # which axis is the first that has this index
            first = np.full_like(code, k)
            for j in range(k - 1, -1, -1):
                first[places[j] == place] = j
            code = code * count + first
        code = (np.cumsum(np.bincount(code) > 0) - 1)[code]
    return code.reshape(size**outs, size**ins)


def _by_invariants(group: Matrices, outs: int, ins: int) -> Array:
    """Tensors that the group keeps, the axes of the input lowered."""
    size, count = group.size, outs + ins
    metric = np.array(METRIC) if "Lorentz" in group.family else np.ones(size)
    proper = group.family in ("SO", "ProperLorentz")
    found = [_product(size, metric, (), pairs) for pairs in matchings(tuple(range(count)))]
    if proper and count >= size:
        for volume in combinations(range(count), size):
            rest = tuple(axis for axis in range(count) if axis not in volume)
            found += [_product(size, metric, volume, pairs) for pairs in matchings(rest)]
    if not found:
        return np.zeros((0, size**outs, size**ins))
    tensors = np.stack(found)
    for axis in range(outs, count):
        tensors *= metric.reshape(-1, *(1,) * (count - axis - 1))
    made = independent(tensors.reshape(len(found), -1))
    return made.reshape(-1, size**outs, size**ins)


def matchings(axes: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    """The ways to pair some axes; none for an odd number of them."""
    if not axes:
        yield ()
    for k in range(1, len(axes)):
        for rest in matchings(axes[1:k] + axes[k + 1 :]):
            yield ((axes[0], axes[k]), *rest)


def _product(size: int, metric: Array, volume: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> Array:
    """A product of metrics, and of the volume form where there is one, with its axes in order."""
    made: Array = np.ones(())
    order = [axis for pair in pairs for axis in pair]
    for _ in pairs:
        made = np.multiply.outer(made, np.diag(metric))
    if volume:
        made, order = np.multiply.outer(made, _volume(size)), [*order, *volume]
    return made.transpose(np.argsort(order))


def _volume(size: int) -> Array:
    form = np.zeros((size,) * size)
    for order in permutations(range(size)):
        crossings = sum(order[i] > order[j] for i, j in combinations(range(size), 2))
        form[order] = (-1) ** crossings
    return form


def _by_schur(outs: Acts, ins: Acts) -> Array:
    """A map for each pair of equal irreps in the result and in the input: the identity between them."""
    sides = [parts(tuple(act.degree for act in acts)) for acts in (outs, ins)]
    made = [left @ right.T for degree, left in sides[0] for other, right in sides[1] if degree == other]
    shape = tuple(prod(size for act in acts if isinstance(size := size_of(act), int)) for acts in (outs, ins))
    return np.stack(made) if made else np.zeros((0, *shape))
