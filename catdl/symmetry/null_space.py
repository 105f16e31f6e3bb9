"""What a few matrices all send to nothing, by the eigenvectors of one symmetric matrix of the smaller side.

null_space([rotation - identity])      the axis of a rotation
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SMALL = 1e-10  # of the largest eigenvalue: what is nothing but rounding


def null_space(matrices: Iterable[Array]) -> Array:
    """An orthonormal basis, as rows, of the vectors that every matrix sends to nothing."""
    gram = sum(matrix.T @ matrix for matrix in matrices)
    assert isinstance(gram, np.ndarray), "no matrix: nothing says how long a vector is"
    values, vectors = np.linalg.eigh(gram)
    return np.ascontiguousarray(vectors[:, values <= SMALL * max(values[-1], 1.0)].T)


def independent(rows: Array) -> Array:
    """An orthonormal basis of what a few long rows span."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    keep = values > SMALL * values[-1]
    made: Array = (vectors[:, keep] / np.sqrt(values[keep])).T @ rows
    return made
