"""Declared groups: what their generators make, and the maps that commute with them, against random elements."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from catdl.symmetry import declared
from catdl.symmetry.actions import REGULAR, Act, Acts, Declared, Matrix, Move, Place, Sides, Takes
from catdl.symmetry.bases import basis
from catdl.symmetry.declared import alike, identity, inverse, table
from catdl.symmetry.null_space import null_space
from catdl.symmetry.ranks import rank
from tests.symmetry.elements import side_of, word

TURN = Sides((1, 0), (False, True))
FLIP = Sides((0, 1), (False, True))
D4 = Declared("D4", (("turn", TURN), ("flip", FLIP)), 3)
CUBE = Declared(
    "Cube", (("turn", Sides((1, 0, 2), (False, True, False))), ("third", Sides((1, 2, 0), (False,) * 3))), 2
)
RING = Declared("Ring", (("turn", Takes((1, 2, 3, 0))), ("flip", Takes((3, 2, 1, 0)))), 4)
ROOT = 3**0.5 / 2
SIX = Declared("Six", (("turn", Matrix(((0.5, -ROOT), (ROOT, 0.5)))), ("flip", Matrix(((1.0, 0.0), (0.0, -1.0))))), 2)
SPIN = Declared("Spin", (("spin", Matrix(((0.0, -1.0), (1.0, 0.0)), True)),), 2)
SPACE = Declared(
    "Space",
    (
        ("x", Matrix(((0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)), True)),
        ("z", Matrix(((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)), True)),
    ),
    3,
)
SHEAR = Declared("Shear", (("shear", Matrix(((1.0, 1.0), (0.0, 1.0)))),), 2)
PAST = Declared("Past", (("later", Takes((0, 0, 1))),), 3, invertible=False)
KEEP = Declared("Keep", (("first", Matrix(((1.0, 0.0), (0.0, 0.0)))),), 2, invertible=False)
GROUPS = (D4, CUBE, RING, SIX, SPIN, SPACE, SHEAR, PAST, KEEP)
SIDES = ((0, 1), (1, 0), (1, 1), (0, 2), (1, 2), (2, 1))
ORDERS = {"D4": 8, "Cube": 24, "Ring": 8, "Six": 12}


def axes(group: Declared, twin: int) -> Acts:
    """The axes of a group, all of one block."""
    move = group.generators[0][1]
    match move:
        case Sides(order):
            return tuple(Act(group, place=Place(0, k, group.size, twin)) for k in range(len(order)))
        case Takes(places):
            return (Act(group, place=Place(0, 0, len(places), twin)),)
        case Matrix(rows):
            return (Act(group, place=Place(0, 0, len(rows), twin)),)


def some(group: Declared, count: int) -> Acts:
    """So many blocks of axes, each of a twin."""
    return tuple(act for twin in range(count) for act in axes(group, twin))


def cases() -> list[tuple[Declared, Acts, Acts]]:
    """Every group with few axes on either side, finite ones with a place for each element, too."""
    plain = [(g, some(g, outs), some(g, ins)) for g, (outs, ins) in product(GROUPS, SIDES)]
    regular = []
    for group in GROUPS:
        if group.name in ORDERS:
            whole = (Act(group, place=Place(REGULAR, 0, ORDERS[group.name])),)
            regular += [
                (group, whole, some(group, 1)),
                (group, (*some(group, 1), *whole), whole),
                (group, whole, whole),
            ]
    return [*plain, *regular]


@pytest.mark.parametrize(("group", "outs", "ins"), [c for c in cases() if len(c[1]) + len(c[2]) <= 6])
def test_a_basis_is_counted_independent_and_all_there_is(group: Declared, outs: Acts, ins: Acts) -> None:
    """What commutes with elements drawn at random, found without any theory, has the same dimension."""
    rng = np.random.default_rng(0)
    maps = basis(group, outs, ins)
    assert len(maps) == rank(group, outs, ins)
    if len(maps):
        flat = maps.reshape(len(maps), -1)
        assert np.linalg.matrix_rank(flat) == len(maps)
        assert np.allclose((flat**2).sum(1), maps.shape[1])
    conditions = []
    for _ in range(12):
        element = word(rng, group)
        left, right = side_of(element, group, outs), side_of(element, group, ins)
        apart = np.abs(left @ maps - maps @ right).max(initial=0) / max(1.0, np.abs(left @ maps).max(initial=0))
        assert apart <= 1e-12
        if left.size * right.size <= 1 << 16:
            scale = max(np.abs(left).max(), np.abs(right).max())
            conditions.append((np.kron(left, np.eye(len(right))) - np.kron(np.eye(len(left)), right.T)) / scale)
    if conditions:
        assert len(null_space(conditions)) == len(maps)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_products_and_inverses_are_those_of_the_matrices(group: Declared) -> None:
    acts = axes(group, 0)
    discrete = [k for k, (_, move) in enumerate(group.generators) if not isinstance(move, Matrix) or not move.flow]

    def of(move: Move) -> np.ndarray:
        return side_of([(0, 1.0)], Declared("one", (("a", move),), group.size), tuple(_renamed(acts, move, group)))

    for a, b in product(discrete, discrete):
        left, right = group.generators[a][1], group.generators[b][1]
        assert np.allclose(of(declared.product(left, right)), of(left) @ of(right))
        assert alike(declared.product(left, right), declared.product(right, left)) == np.allclose(
            of(left) @ of(right), of(right) @ of(left)
        )
    for k in discrete:
        undone = inverse(group.generators[k][1])
        assert (undone is not None) == group.invertible
        if undone is not None:
            assert alike(declared.product(undone, group.generators[k][1]), identity(undone))


def _renamed(acts: Acts, move: Move, group: Declared) -> list[Act]:
    one = Declared("one", (("a", move),), group.size)
    return [Act(one, place=act.place) for act in acts]


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_the_elements_of_finite_groups_are_counted(group: Declared) -> None:
    found = table(group)
    assert (len(found[0]) if found is not None else None) == ORDERS.get(group.name)
    for row in found or ():
        assert sorted(row) == list(range(len(row)))
