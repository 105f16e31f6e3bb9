"""Functions whose derivative is zero have one, so that a network with them learns by its other ways."""

from __future__ import annotations

import pytest
import torch

import catdl


@pytest.mark.parametrize("term", ["x // 2", "2 // x", "x // y", "floor(x)", "round(x)", "sign(x)"])
def test_flat_functions_have_a_gradient_of_zero(term: str) -> None:
    text = f"dim A = 3\nmorphism f : Real[A] @ Real[A] -> Real[A] = (x, y) => {term} + x * y\n"
    net = catdl.loads(text)["f"].compile()
    x, y = (torch.rand(5, 3, requires_grad=True) for _ in range(2))
    net(x, y).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, y.detach())


def test_a_floor_of_a_quotient_is_that_of_whole_numbers() -> None:
    net = catdl.loads("dim A = 4\nmorphism f : Real[A] -> Real[A] = x => x // 2\n")["f"].compile()
    assert net(torch.tensor([-3.0, -0.5, 3.0, 4.0])).tolist() == [-2, -1, 1, 2]
