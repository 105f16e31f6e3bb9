"""Losses into `Mean`: a ragged batch is one flat mean over all tokens, however it is cut into batches and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import catdl
from catdl.torch.means import Total, mean
from tests.torch.two import reports

TEXT = """
dim T : var, D = 3, Class = 5
morphism loss : Real[T, D] @ Fin(Class)[T] -> Mean = (x, y) => map[T](cross_entropy)(x >> linear, y) >> mean_of
"""
SIZES = (4, 0, 7, 2)


def loss() -> nn.Module:
    """The same network with the same weights at every call."""
    torch.manual_seed(0)
    return catdl.loads(TEXT)["loss"].compile().double()


def packed(samples: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Some of four texts as a batch."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(sum(SIZES), 3, dtype=torch.float64, generator=draw).split(SIZES)
    y = torch.randint(0, 5, (sum(SIZES),), generator=draw).split(SIZES)
    sizes = torch.tensor([SIZES[k] for k in samples], dtype=torch.int64)
    none = torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, dtype=torch.int64)
    at = torch.cat((sizes.new_zeros(1), sizes.cumsum(0)))
    return torch.cat((none[0], *(x[k] for k in samples))), torch.cat((none[1], *(y[k] for k in samples))), at


def flat() -> tuple[Tensor, dict[str, Tensor]]:
    """The mean over all tokens, and its gradients."""
    model = loss()
    x, y, _ = packed(range(len(SIZES)))
    value = F.cross_entropy(F.linear(x, *model.parameters()), y)
    names = [name for name, _ in model.named_parameters()]
    return value.detach(), dict(zip(names, torch.autograd.grad(value, list(model.parameters())), strict=True))


def close(model: nn.Module, value: Tensor) -> None:
    wanted, grads = flat()
    torch.testing.assert_close(value.detach(), wanted, rtol=1e-10, atol=1e-10)
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    torch.testing.assert_close(found, grads, rtol=1e-10, atol=1e-10)


def test_a_batch_has_one_mean() -> None:
    model = loss()
    x, y, at = packed(range(len(SIZES)))
    sums, weights = model(x, y, T=at)
    assert weights.tolist() == list(SIZES)
    value = mean(sums, weights)
    value.backward()
    close(model, value)


@pytest.mark.parametrize("parts", [[[0, 1, 2, 3]], [[0], [1], [2], [3]], [[3, 0], [], [2, 1]]])
def test_batches_of_a_step_are_divided_once(parts: list[list[int]]) -> None:
    model, total = loss(), Total()
    for part in parts:
        x, y, at = packed(part)
        total.backward(*model(x, y, T=at))
    close(model, total.divide(model.parameters()))
    with pytest.raises(ValueError, match="no batch"):
        total.divide(model.parameters())


def test_ranks_are_divided_once(tmp_path: Path) -> None:
    """The ranks have unequal parts."""
    found = reports("means.py", tmp_path)
    assert all(error < 1e-10 for part in found for way in part.values() for error in way.values()), found


def test_nothing_has_the_mean_nought() -> None:
    x, y, at = packed([1])
    assert mean(*loss()(x, y, T=at)) == 0


def test_weights_leave_out_what_does_not_count() -> None:
    """What `ignore` leaves out weighs nothing."""
    text = """
dim T : var, Class = 5
morphism loss : Logits[T, Class] @ Fin(Class)[T] -> Mean = (x, y) =>
    (x = map[T](cross_entropy)(x, y), weight = real(real(y) != 0)) >> mean_of
"""
    spec = catdl.loads(text)
    assert not spec.diagnostics
    x, y, at = torch.randn(13, 5), torch.randint(0, 5, (13,)), torch.tensor([0, 4, 4, 11, 13])
    found = mean(*spec["loss"].compile()(x, y, T=at))
    torch.testing.assert_close(found, F.cross_entropy(x, y, ignore_index=0))


@pytest.mark.parametrize("body", ["sum[T]", "x => (sum = sum[T](x), mass = sum[..](ones[T]))"])
def test_a_loss_into_a_mean_has_both(body: str) -> None:
    spec = catdl.loads(f"dim T : var\nmorphism loss : Real[T] -> Mean = {body}\n")
    assert [d.severity for d in spec.diagnostics] == ["error"]
