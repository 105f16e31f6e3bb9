"""The flows of the prelude: the log-determinants that they emit against Jacobians, and their inverses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.diagnostics import has_errors
from tests.torch.agree import agree

LAYERS = {
    "planar": "planar",
    "affine": "affine",
    "affine, back": "affine(inverse = true)",
    "coupling": "coupling(8)",
    "coupling of the others": "coupling(8, parity = 1)",
    "coupling, back": "coupling(8, inverse = true)",
    "maf": "maf(8)",
    "maf, back": "maf(8, inverse = true)",
    "iaf": "iaf(8)",
    "iaf, back": "iaf(8, inverse = true)",
    "a stack": "repeat(3, planar) >> reverse[A] >> iaf(8) >> affine >> coupling(8)",
}
BACK = ["affine", "coupling(8)", "coupling(8, parity = 1)", "maf(8)", "iaf(8)"]


def compiled(flow: str, axes: str = "A") -> nn.Module:
    """A flow with its log-determinant, which agrees with the interpreter, weights far from where they start."""
    text = f"""
dim A = 5, T = 3
morphism f : Real[{axes}] -> Real[{axes}] @ Nats = z => {{
    y, change = z >> collect({flow})
    (y, total(change))
}}
"""
    spec = catdl.loads(text)
    assert not has_errors(spec.diagnostics), spec.diagnostics
    return agree(spec["f"].diagram())


def determinant(model: nn.Module, x: Tensor, *others: Tensor) -> Tensor:
    """The logarithm of the size of the Jacobian's determinant."""
    jacobian = torch.autograd.functional.jacobian(lambda v: model(v, *others)[0], x)
    assert isinstance(jacobian, Tensor)
    found: Tensor = torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel())).logabsdet
    return found


@pytest.mark.parametrize("axes", ["A", "T, A"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_log_determinant_is_that_of_the_jacobian(name: str, axes: str) -> None:
    model = compiled(LAYERS[name], axes)
    for x in torch.randn(4, *((3, 5) if "T" in axes else (5,)), dtype=torch.float64):
        torch.testing.assert_close(model(x)[1], determinant(model, x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("flow", BACK)
def test_the_inverse_has_the_same_parameters_and_undoes_it(flow: str) -> None:
    forth = compiled(flow)
    back = compiled(f"{flow[:-1]}, inverse = true)" if flow.endswith(")") else f"{flow}(inverse = true)")
    back.load_state_dict(forth.state_dict())
    x = torch.randn(7, 5, dtype=torch.float64)
    y, there = forth(x)
    again, here = back(y)
    assert (y - x).abs().max() > 0.1  # it does something
    torch.testing.assert_close(again, x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(there, -here, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_a_planar_layer_is_invertible_whatever_its_weights(size: float) -> None:
    model = compiled("planar")
    weights = {name.rpartition(".")[2]: p for name, p in model.named_parameters()}
    with torch.no_grad():
        w = weights["w"].normal_(0, size)
        weights["u"].copy_(-3 * w / (w @ w))  # as it stands, u w = -3: the map would fold
        weights["bias"].zero_()
        x = torch.linspace(-2, 2, 401, dtype=torch.float64)[:, None] * w / (w @ w)
        y, change = model(x)
    assert ((y @ w).diff() > 0).all()
    assert change.isfinite().all()


def test_a_planar_layer_with_a_short_w_is_near_the_identity() -> None:
    model = compiled("planar")
    weights = {name.rpartition(".")[2]: p for name, p in model.named_parameters()}
    x = torch.randn(5, dtype=torch.float64)
    for size in (1e-3, 1e-9, 0.0):
        with torch.no_grad():
            weights["w"].copy_(size * torch.ones(5))
            weights["bias"].zero_()
        y, change = model(x)
        assert (y - x).norm() <= 10 * size * weights["u"].norm()
        torch.testing.assert_close(change, determinant(model, x), rtol=1e-9, atol=1e-12)


def test_a_layer_whose_parameters_the_input_decides() -> None:
    text = """
dim A = 5, H = 4
morphism layer : Real[A] @ Real[H] -> Real[A] = (z, h) => {
    z >> planar{u = h >> u: linear(A), w = h >> w: linear(A), bias = h >> bias: linear(Value: 1) >> squeeze[Value]}
}
morphism f : Real[A] @ Real[H] -> Real[A] @ Nats = (z, h) => {
    y, change = (z, h) >> collect(layer)
    (y, total(change))
}
"""
    spec = catdl.loads(text)
    assert not has_errors(spec.diagnostics), spec.diagnostics
    model = agree(spec["f"].diagram())
    for _ in range(3):
        x, h = torch.randn(5, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
        torch.testing.assert_close(model(x, h)[1], determinant(model, x, h), rtol=1e-9, atol=1e-9)
