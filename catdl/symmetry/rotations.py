"""The irreps of SO(3) in their real form: generators, Clebsch-Gordan tensors, products taken apart.

The basis of degree l is that of the real spherical harmonics, m from -l to l; a vector (x, y, z) is (y, z, x) in it.

    coupling(1, 1, 1)     the cross product, up to its scale
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from catdl.symmetry.null_space import null_space

Array = NDArray[np.float64]


@lru_cache(maxsize=32)
def generators(degree: int) -> Array:
    """The rotations about x, y and z to first order: [3, 2l + 1, 2l + 1]."""
    m = np.arange(-degree, degree + 1)
    raising = np.diag(np.sqrt(degree * (degree + 1) - m[:-1] * (m[:-1] + 1.0)), -1).astype(complex)
    along = np.stack([(raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m).astype(complex)])
    real = np.zeros((2 * degree + 1, 2 * degree + 1), dtype=complex)  # from |l, m> to the real harmonics
    for k in range(1, degree + 1):
        sign = (-1) ** k
        real[degree + k, degree + k], real[degree + k, degree - k] = sign, 1
        real[degree - k, degree + k], real[degree - k, degree - k] = -1j * sign, 1j
    real /= np.sqrt(2)
    real[degree, degree] = 1
    turned = real.conj() @ (-1j * along) @ real.T
    return np.ascontiguousarray(turned.real)


@lru_cache(maxsize=256)
def coupling(left: int, right: int, whole: int) -> Array:
    """The map from a product of two irreps onto a third, its columns orthonormal: [2l1 + 1, 2l2 + 1, 2l3 + 1]."""
    sides = 2 * left + 1, 2 * right + 1, 2 * whole + 1
    a, b, c = (np.eye(side) for side in sides)
    moved = [
        np.kron(np.kron(x, b), c) + np.kron(np.kron(a, y), c) + np.kron(np.kron(a, b), z)
        for x, y, z in zip(generators(left), generators(right), generators(whole), strict=True)
    ]
    found = null_space(moved)
    assert len(found) == 1, "three irreps couple in one way at most"
    first = found[0][np.argmax(np.abs(found[0]) > 0.1 * np.abs(found[0]).max())]
    made: Array = found[0].reshape(sides) * np.sign(first) * np.sqrt(sides[2])
    made[np.abs(made) < 1e-14] = 0
    return made


@lru_cache(maxsize=64)
def parts(degrees: tuple[int | None, ...]) -> tuple[tuple[int, Array], ...]:
    """A product of axes as a sum of irreps: the degree of each, and how it lies there, [product, 2l + 1].

    None is a vector, whose axis is (x, y, z).
    """
    found: list[tuple[int, Array]] = [(0, np.ones((1, 1)))]
    for degree in degrees:
        own = 1 if degree is None else degree
        turned = np.eye(3)[:, [1, 2, 0]] if degree is None else np.eye(2 * own + 1)
        found = [
            (new, np.einsum("va,bk,akc->vbc", lies, turned, coupling(old, own, new)).reshape(-1, 2 * new + 1))
            for old, lies in found
            for new in range(abs(old - own), old + own + 1)
        ]
    return tuple(found)
