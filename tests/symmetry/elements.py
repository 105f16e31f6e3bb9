"""Random elements of the groups that act on axes, as matrices: what equivariance is measured with.

side(drawn(rng, group), (Act(group), Act(group)))      the matrix of an element on two axes
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

from catdl.symmetry.actions import (
    REGULAR,
    ROTATIONS,
    Act,
    Acts,
    Cyclic,
    Declared,
    Group,
    Matrices,
    Matrix,
    Shifts,
    Sides,
    Symmetric,
    Takes,
    size_of,
)
from catdl.symmetry.bases import METRIC
from catdl.symmetry.rotations import generators

Array = NDArray[np.float64]
Element = Callable[[Act], Array]
"""What one element does to an axis."""


def drawn(rng: np.random.Generator, group: Group) -> Element:
    """A random element of a group."""
    match group:
        case Symmetric(_, size):
            assert isinstance(size, int)
            permuted = np.eye(size)[rng.permutation(size)]
            return lambda act: permuted
        case Cyclic(_, size):
            assert isinstance(size, int)
            shifted = np.roll(np.eye(size), rng.integers(size), 0)
            return lambda act: shifted
        case Matrices(family, size) if "Lorentz" in family:
            turned = np.eye(4)
            turned[1:, 1:] = _orthogonal(rng, 3, True)
            boosted: Array = _boost(rng) @ turned @ _boost(rng)
            if family == "Lorentz":
                boosted = np.asarray(boosted @ np.diag(rng.choice([-1.0, 1.0], 4)), dtype=np.float64)
            return lambda act: boosted
        case Matrices() if group == ROTATIONS:
            axis = rng.normal(size=3)
            return lambda act: _turn(axis, act.degree)
        case Matrices(family, size):
            whole = _orthogonal(rng, size, family == "SO")
            return lambda act: whole
        case Declared():
            raise AssertionError("it moves several axes together: see `apply`")
        case Shifts():
            raise AssertionError("it goes as far as the border only: see `tests/equivariance`")


Word = list[tuple[int, float]]
"""Generators of a declared group one after the other; of infinitesimal ones the exponential of a multiple."""


def word(rng: np.random.Generator, group: Declared) -> Word:
    """A random product of generators."""
    steps = rng.integers(1, 6)
    return [(int(rng.integers(len(group.generators))), float(rng.normal())) for _ in range(steps)]


def apply(elements: Word, group: Declared, x: Array, acts: list[Act | None]) -> Array:
    """What a product of generators does to an array, on whose last axes a group acts as told."""
    for number, amount in elements:
        x = _step(group, number, amount, x, acts)
    return x


def _step(group: Declared, number: int, amount: float, x: Array, acts: list[Act | None]) -> Array:
    first = x.ndim - len(acts)
    move = group.generators[number][1]
    where = {(a.place.block, a.place.axis, a.place.twin): first + k for k, a in enumerate(acts) if a and a.place}
    order = list(range(x.ndim))
    flips: list[int] = []
    for (block, axis, twin), at in where.items():
        if block == REGULAR:
            table = elements_of(group)
            after = [table.index(_rounded(_dense(group, number) @ np.array(e))) for e in table]
            x = np.take(x, np.argsort(after), at)
        elif isinstance(move, Sides):
            order[at] = where[block, move.axes[axis], twin]
            flips += [at] if move.back[axis] else []
        elif isinstance(move, Takes):
            x = np.take(x, move.places, at)
        else:
            matrix = np.array(move.rows)
            whole = _exponential(amount * matrix) if move.flow else matrix
            x = np.moveaxis(np.tensordot(x, whole, ([at], [1])), -1, at)
    return np.asarray(np.flip(x.transpose(order), tuple(flips)), dtype=np.float64)


def side_of(elements: Word, group: Declared, acts: Acts) -> Array:
    """The matrix of a product of generators on a product of axes."""
    sizes = [size for act in acts if isinstance(size := size_of(act), int)]
    whole = np.eye(prod(sizes)).reshape(-1, *sizes)
    return apply(elements, group, whole, list(acts)).reshape(len(whole), -1).T


def _dense(group: Declared, number: int) -> Array:
    """A faithful matrix of a generator: of axes, their signed permutation."""
    move = group.generators[number][1]
    match move:
        case Sides(axes, back):
            return np.array(
                [[(-1.0 if b else 1.0) * (a == k) for k in range(len(axes))] for a, b in zip(axes, back, strict=True)]
            )
        case Takes(places):
            return np.eye(len(places))[list(places)]
        case Matrix(rows):
            return np.array(rows)


def _rounded(matrix: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(number), 6) + 0.0 for number in row) for row in matrix)


def elements_of(group: Declared) -> list[tuple[tuple[float, ...], ...]]:
    """The elements of a finite group as matrices, in the order in which products by generators find them."""
    found = [_rounded(np.eye(len(_dense(group, 0))))]
    for element in found:
        for number in range(len(group.generators)):
            made = _rounded(_dense(group, number) @ np.array(element))
            if made not in found:
                found.append(made)
    return found


def _exponential(matrix: Array) -> Array:
    """By halves: the series of a small part, squared again and again."""
    small = matrix / 2.0**10
    made = term = np.eye(len(matrix))
    for k in range(1, 20):
        term = term @ small / k
        made = made + term
    for _ in range(10):
        made = made @ made
    return made


def side(element: Element, acts: Acts) -> Array:
    """What an element does to a product of axes."""
    made: Array = np.eye(1)
    for act in acts:
        made = np.asarray(np.kron(made, element(act)), dtype=np.float64)
    return made


def error(rng: np.random.Generator, group: Group, outs: Acts, ins: Acts, maps: Array) -> float:
    """How far maps are from commuting with a random element, beside the size of what is compared."""
    element = drawn(rng, group)
    left, right = side(element, outs) @ maps, maps @ side(element, ins)
    return float(np.abs(left - right).max() / max(1.0, np.abs(left).max()))


def _orthogonal(rng: np.random.Generator, size: int, proper: bool) -> Array:
    made, triangle = np.linalg.qr(rng.normal(size=(size, size)))
    made = made * np.sign(np.diag(triangle))
    if proper and np.linalg.det(made) < 0:
        made[:, 0] *= -1
    return np.asarray(made)


def _boost(rng: np.random.Generator) -> Array:
    """A boost along x, by a speed that leaves numbers of a moderate size."""
    rapidity = rng.normal() / 2
    made = np.eye(4)
    made[:2, :2] = [[np.cosh(rapidity), np.sinh(rapidity)], [np.sinh(rapidity), np.cosh(rapidity)]]
    assert np.allclose(made @ np.diag(METRIC) @ made.T, np.diag(METRIC))
    return made


def _turn(axis: Array, degree: int | None) -> Array:
    """The rotation about an axis by its length: the exponential of an antisymmetric matrix."""
    turned = np.einsum("k,kij->ij", axis, generators(1 if degree is None else degree))
    values, vectors = np.linalg.eigh(1j * turned)
    made = (vectors * np.exp(-1j * values)) @ vectors.conj().T
    return np.asarray(made.real if degree is not None else made.real[np.ix_([2, 0, 1], [2, 0, 1])])
