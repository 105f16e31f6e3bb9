"""Spherical harmonics and couplings of irreps against those of e3nn, whose vectors have y along the axis, not z."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import catdl

o3 = pytest.importorskip("e3nn.o3")

DIMS = "dim X = 3 : vector(SO)\n" + "".join(
    f"dim L{d} = {2 * d + 1} : irrep({d}), M{d} = {2 * d + 1} : irrep({d})\n" for d in range(5)
)
TRIPLES = [d for d in product(range(4), range(4), range(5)) if abs(d[0] - d[1]) <= d[2] <= d[0] + d[1]]


@pytest.mark.parametrize("degree", range(5))
def test_spherical_harmonics(degree: int) -> None:
    spec = catdl.loads(f"{DIMS}morphism f : Real[X] -> Real[L{degree}] = spherical_harmonics")
    v = torch.randn(50, 3, dtype=torch.float64)
    wanted = o3.spherical_harmonics(degree, v[:, [1, 2, 0]], normalize=False, normalization="component")
    torch.testing.assert_close(spec["f"].compile().double()(v), wanted)


@pytest.mark.parametrize("degrees", TRIPLES, ids=str)
def test_couplings(degrees: tuple[int, int, int]) -> None:
    """Up to a sign; in e3nn's table the squares of all numbers add up to 1."""
    one, other, whole = degrees
    spec = catdl.loads(f"{DIMS}morphism f : Real[L{one}] @ Real[M{other}] -> Real[L{whole}] = couple[Real[L{whole}]]")
    x, y = torch.randn(50, 2 * one + 1, dtype=torch.float64), torch.randn(50, 2 * other + 1, dtype=torch.float64)
    found = spec["f"].compile().double()(x, y)
    table = o3.wigner_3j(one, other, whole, dtype=torch.float64)
    wanted = torch.einsum("bi,bj,ijk->bk", x, y, table) * (2 * whole + 1) ** 0.5
    sign = torch.sign((found * wanted).sum())
    torch.testing.assert_close(found, sign * wanted)
