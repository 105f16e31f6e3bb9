"""Random elements of the groups that act on axes, as matrices: what equivariance is measured with.

side(drawn(rng, group), (Act(group), Act(group)))      the matrix of an element on two axes
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from catdl.symmetry.actions import ROTATIONS, Act, Acts, Cyclic, Group, Matrices, Symmetric
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
