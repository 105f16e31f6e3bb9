"""Layers given a declared parameter: the axes in brackets say which, and torch's layer with it gives the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import catdl
from tests.torch.agree import agree

CASES: dict[str, tuple[str, str, Callable[[nn.Module, Tensor], Tensor]]] = {
    "a norm over two axes": (
        "Real[H, W] ~ normal(0, 1)",
        "Real[C, H, W] -> Real[C, H, W] = layernorm_over[H, W](bias = false){weight = w}",
        lambda m, x: F.layer_norm(x, (6, 5), m.get_parameter("w")),
    ),
    "its bias": (
        "Real[H, W] ~ normal(0, 1)",
        "Real[H, W] -> Real[H, W] = layernorm_over[H, W]{bias = w}",
        lambda m, x: F.layer_norm(x, (6, 5)) * m.get_parameter("layernorm_over.weight") + m.get_parameter("w"),
    ),
    "a norm over an axis that is not the last": (
        "Real[H] ~ normal(0, 1)",
        "Real[H, W] -> Real[H, W] = layernorm[H](bias = false){weight = w}",
        lambda m, x: F.layer_norm(x.mT, (6,), m.get_parameter("w")).mT,
    ),
    "a map whose weight says what it yields": (
        "Real[O: 9, W] ~ normal(0, 1)",
        "Real[H, W] -> Real[H, O: 9] = linear(bias = false){weight = w}",
        lambda m, x: F.linear(x, m.get_parameter("w")),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_plugged_parameter(case: str) -> None:
    param, text, wanted = CASES[case]
    found = catdl.loads(f"dim C = 3, H = 6, W = 5\nparam w : {param}\nmorphism f : {text}\n")["f"]
    model = agree(found.diagram())
    x = torch.randn(2, *_shape(text), dtype=torch.float64)
    torch.testing.assert_close(model(x), wanted(model, x))


def _shape(text: str) -> list[int]:
    sizes = {"C": 3, "H": 6, "W": 5}
    return [sizes[name] for name in text[text.index("[") + 1 : text.index("]")].split(", ")]
