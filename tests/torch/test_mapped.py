"""Attention inside `torch.vmap`: what its definition gives, in one call of the kernel, without a warning."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import catdl
from tests.torch.agree import agree

FILE = """
dim E = 3, T : time, D = 8, H = 4
object Seq = Real[T, D]
morphism heads(n : count) : Seq -> Real[H: n, T, O: 2] = linear(2 * n) >> rearrange("t (h d) -> h t d", h = n)
morphism parts : Seq -> (q: Real[H, T, O: 2], k: Real[H, T, O: 2], v: Real[H, T, O: 2]) =
    heads(4) & heads(4) & heads(4)
morphism closing : Real[H, T, O: 2] -> Seq = rearrange("h t d -> t (h d)") >> linear(D)
## Its running statistics need the whole batch at every index, so that `each` cannot stack its weights.
morphism norm : Seq -> Seq = rearrange("t d -> d t") >> batchnorm >> rearrange("d t -> t d")
morphism part : Seq -> Seq = norm >> attention
morphism f : Real[E, T, D] -> Real[E, T, D] = each[E](fresh part)
morphism attention : Seq -> Seq = x =>
"""

VARIANTS = {
    "plain": "x >> parts >> attend >> closing",
    "causal": "x >> parts >> attend(causal = true) >> closing",
    "window": "x >> parts >> attend(causal = true, window = 2) >> closing",
    "capped": "x >> parts >> attend(softcap = 3) >> closing",
    "grouped": "(q = x >> heads(4), k = x >> heads(2), v = x >> heads(2)) >> grouped_attend(causal = true) >> closing",
    "one head": "(q = x >> linear(6), k = x >> linear(6), v = x) >> attend",
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_what_its_definition_says(variant: str) -> None:
    network = catdl.loads(FILE + f"    {VARIANTS[variant]}\n")["f"]
    assert ("mapped_attention(" in network.source()) == (variant != "capped")
    agree(network.diagram(), {"<string>::T": 5}, ((), (4,), (2, 3)), training=False)


class Kernels(TorchDispatchMode):
    """The kernels of attention that are called."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += "scaled_dot_product" in str(func)
        return func(*args, **(kwargs or {}))


def test_all_indices_are_one_call() -> None:
    model = catdl.loads(FILE + f"    {VARIANTS['causal']}\n")["f"].compile().eval()
    x = torch.randn(4, 3, 5, 8)
    with torch.no_grad(), Kernels() as kernels:
        model(x)
    assert kernels.count == 1


def test_it_may_be_compiled() -> None:
    model = catdl.loads(FILE + f"    {VARIANTS['causal']}\n")["f"].compile().eval()
    x = torch.randn(4, 3, 5, 8)
    found: Tensor = torch.compile(model, backend="eager")(x)
    torch.testing.assert_close(found, model(x))


def test_elsewhere_attention_is_torchs_own() -> None:
    text = FILE.replace("each[E](fresh part)", "each[E](fresh attention)") + f"    {VARIANTS['causal']}\n"
    assert "mapped_attention" not in catdl.loads(text)["f"].source()
