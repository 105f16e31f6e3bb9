"""Bases of equivariant maps: as many as counted, independent, equivariant to rounding, and all there are."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from math import prod

import numpy as np
import pytest

from catdl.symmetry.actions import ROTATIONS, Act, Acts, Cyclic, Group, Matrices, Symmetric
from catdl.symmetry.bases import basis
from catdl.symmetry.null_space import null_space
from catdl.symmetry.partitions import partitions, readings, writings
from catdl.symmetry.ranks import rank
from catdl.symmetry.rotations import coupling, generators
from tests.symmetry.elements import drawn, error, side

GROUPS: tuple[Group, ...] = (
    *(Symmetric("N", size) for size in (1, 2, 3, 5)),
    *(Cyclic("Z", size) for size in (1, 2, 5)),
    *(Matrices(family, size) for family, size in product(("O", "SO"), (1, 2, 3, 4))),
    Matrices("Lorentz", 4),
    Matrices("ProperLorentz", 4),
)
SIDES = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, 2), (2, 1), (2, 2))
IRREPS: tuple[tuple[Acts, Acts], ...] = tuple(
    (tuple(Act(ROTATIONS, degree) for degree in outs), tuple(Act(ROTATIONS, degree) for degree in ins))
    for outs, ins in [
        ((2,), (1, 1)),
        ((1, 2), (1, 3)),
        ((None, 2), (3,)),
        ((0,), (4, 4)),
        ((4,), (2, 2)),
        ((1,), (None,)),
    ]
)


def cases() -> list[tuple[Group, Acts, Acts]]:
    """Every group with few axes on either side, and irreps of SO(3)."""
    plain = [(g, (Act(g),) * outs, (Act(g),) * ins) for g, (outs, ins) in product(GROUPS, SIDES)]
    return [*plain, *((ROTATIONS, outs, ins) for outs, ins in IRREPS)]


@pytest.mark.parametrize(("group", "outs", "ins"), cases())
def test_a_basis_is_counted_independent_and_equivariant(group: Group, outs: Acts, ins: Acts) -> None:
    rng = np.random.default_rng(0)
    maps = basis(group, outs, ins)
    assert len(maps) == rank(group, outs, ins)
    if len(maps):
        flat = maps.reshape(len(maps), -1)
        assert np.linalg.matrix_rank(flat) == len(maps)
        assert max(error(rng, group, outs, ins, maps) for _ in range(5)) <= 1e-12
        assert np.allclose((flat**2).sum(1), maps.shape[1])  # rows of mean square length 1


@pytest.mark.parametrize(("group", "outs", "ins"), cases())
def test_a_basis_is_all_there_is(group: Group, outs: Acts, ins: Acts) -> None:
    """What commutes with enough elements drawn at random, found without any theory, has the same dimension."""
    rng = np.random.default_rng(1)
    conditions = []
    for _ in range(12):  # enough for any of these groups
        element = drawn(rng, group)
        left, right = side(element, outs), side(element, ins)
        size = len(left) * len(right)
        conditions.append(np.kron(left, np.eye(len(right))) - np.kron(np.eye(len(left)), right.T))
        assert conditions[-1].shape == (size, size)
    assert len(null_space(conditions)) == rank(group, outs, ins)


def test_sets_have_a_map_for_each_partition() -> None:
    assert [len(partitions(count)) for count in range(7)] == [1, 1, 2, 5, 15, 52, 203]
    for outs, ins in product(range(4), range(4)):
        found = sum(len(readings(ins, kept)) * len(writings(outs, kept)) for kept in range(min(outs, ins) + 1))
        assert found == len(partitions(outs + ins))


def test_rotations_to_first_order_are_a_lie_algebra() -> None:
    for degree in range(5):
        x, y, z = generators(degree)
        assert np.allclose(x @ y - y @ x, z) and np.allclose(y @ z - z @ y, x) and np.allclose(z @ x - x @ z, y)
        assert np.allclose(x, -x.T) and np.allclose(
            x @ x + y @ y + z @ z, -degree * (degree + 1) * np.eye(2 * degree + 1)
        )


def test_couplings_are_orthonormal_and_complete() -> None:
    for left, right in product(range(4), range(4)):
        wholes = range(abs(left - right), left + right + 1)
        columns = np.concatenate([coupling(left, right, w).reshape(-1, 2 * w + 1) for w in wholes], 1)
        assert np.allclose(columns @ columns.T, np.eye(prod((2 * left + 1, 2 * right + 1))))


def test_counting_needs_no_numpy() -> None:
    program = (
        "import sys, catdl.symmetry.ranks, catdl.symmetry.actions, catdl.diagram.equivariant;"
        "print([m for m in ('numpy', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
