"""Spherical harmonics and products of irreps: they turn as they should, and are those of the textbooks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import catdl
from catdl.symmetry.actions import ROTATIONS, Act
from catdl.symmetry.rotations import coupling
from tests.symmetry.elements import drawn
from tests.torch.agree import agree

HEAD = "dim X = 3 : vector(SO), A = 4, N : set\n" + "".join(f"dim L{d} = {2 * d + 1} : irrep({d})\n" for d in range(5))


def harmonics(degree: int, v: Tensor) -> Tensor:
    text = f"morphism f : Real[X] -> Real[L{degree}] = spherical_harmonics"
    found: Tensor = catdl.loads(HEAD + text)["f"].compile().double()(v)
    return found


@pytest.mark.parametrize("degree", range(5))
def test_they_turn_with_the_vector(degree: int) -> None:
    turn = drawn(np.random.default_rng(0), ROTATIONS)
    v = torch.randn(20, 3, dtype=torch.float64)
    turned = v @ torch.from_numpy(np.array(turn(Act(ROTATIONS)))).T
    wanted = harmonics(degree, v) @ torch.from_numpy(np.array(turn(Act(ROTATIONS, degree)))).T
    torch.testing.assert_close(harmonics(degree, turned), wanted, rtol=1e-12, atol=1e-11)


def test_they_are_orthonormal_on_the_sphere() -> None:
    """By the quadrature that is exact for polynomials: Gauss-Legendre in z, equal steps around."""
    z, weight = np.polynomial.legendre.leggauss(10)
    angle = np.arange(20) * np.pi / 10
    radius = np.sqrt(1 - z**2)
    points = np.stack([radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle), np.tile(z[:, None], 20)], -1)
    v = torch.from_numpy(points.reshape(-1, 3))
    found = torch.cat([harmonics(degree, v) for degree in range(5)], 1)
    mean = found.T @ (torch.from_numpy(np.repeat(weight, 20) / 40)[:, None] * found)
    torch.testing.assert_close(mean, torch.eye(25, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("degree", range(5))
def test_the_compiled_ones_are_as_interpreted(degree: int) -> None:
    text = (
        f'morphism main : Real[N, X, A] -> Real[N, A, L{degree}] = rearrange("n x a -> n a x") >> spherical_harmonics'
    )
    agree(catdl.loads(HEAD + text)["main"].diagram(), {"<string>::N": 6})


def test_a_product_of_irreps_is_coupled_as_clebsch_and_gordan_say() -> None:
    text = """morphism couple : Real[L1, A] @ Real[L2, A] -> Real[L3, A] = (x, y) =>
        over[L1, L2, A](x * y) >> equilinear[Real[L3, A]]"""
    module = catdl.loads(HEAD + text)["couple"].compile().double()
    weight = next(iter(module.parameters()))
    assert weight.shape == (1, 4, 4)
    x, y = torch.randn(3, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    table = torch.from_numpy(np.array(coupling(1, 2, 3)))
    wanted = torch.einsum("oi,ai,bi,abc->co", weight[0], x, y, table)
    found = module(x, y)
    sign = torch.sign((found * wanted).sum())
    torch.testing.assert_close(found, sign * wanted)
