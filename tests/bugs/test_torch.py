"""What PyTorch does with a minimal version of each bug, as the table says: S runs silently, W warns, R raises.

A silent one must also be wrong: it gives other numbers than the correct version.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

TABLE = Path(__file__).parent / "README.md"


def rand(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape) + len(shape)))


def labels(*shape: int, below: int) -> Tensor:
    return torch.randint(0, below, shape, generator=torch.Generator().manual_seed(0))


def odd_sinusoids() -> Tensor:
    width = 29
    table = torch.zeros(10, width)
    step = torch.arange(10)[:, None]
    factor = torch.exp(torch.arange(0, width, 2) * (-math.log(10000) / width))
    table[:, 0::2] = torch.sin(step * factor)
    table[:, 1::2] = torch.cos(step * factor)
    return table


def overlap(p: Tensor, mask: Tensor) -> Tensor:
    return 1 - 2 * (p * mask).sum() / (p.sum() + mask.sum())


def normal_divergence(mu: Tensor, logstd: Tensor) -> Tensor:
    return (0.5 * (mu**2 + (2 * logstd).exp()) - logstd - 0.5).sum()


def shared(keys: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(rand(1, 4, 3, 8), keys, keys)


def causal(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x, is_causal=True)


def scores() -> Tensor:
    return rand(2, 5, 8) @ rand(2, 8, 5)


def grid(*, swapped: bool) -> Tensor:
    x, y = torch.linspace(-1, 1, 6), torch.linspace(-1, 1, 6)
    rows, columns = torch.meshgrid(*((x, y) if swapped else (y, x)), indexing="ij")
    return torch.stack((rows, columns) if swapped else (columns, rows), -1)[None]


KEEP = torch.tensor([True, True, True, False, False])
PIXELS = rand(2, 6, 6, 3)
CONV = nn.Conv2d(3, 4, 3)
WORDS = rand(2, 9, 9)
TEXT_CONV = nn.Conv1d(9, 4, 3)
IMAGE = rand(1, 3, 6, 6)

# For each row: the bug, and the correct version where the bug is silent.
BUGS: dict[int, tuple[Callable[[], Tensor], Callable[[], Tensor] | None]] = {
    46: (
        lambda: F.binary_cross_entropy_with_logits(rand(8).sigmoid(), torch.ones(8)),
        lambda: F.binary_cross_entropy_with_logits(rand(8), torch.ones(8)),
    ),
    47: (
        lambda: F.nll_loss(rand(8, 4).softmax(-1), labels(8, below=4)),
        lambda: F.nll_loss(rand(8, 4).log_softmax(-1), labels(8, below=4)),
    ),
    48: (lambda: scores().softmax(1) @ rand(2, 5, 8), lambda: scores().softmax(2) @ rand(2, 5, 8)),
    49: (
        lambda: scores().masked_fill(~KEEP[:, None], -10000).softmax(-1),
        lambda: scores().masked_fill(~KEEP[None, :], -10000).softmax(-1),
    ),
    50: (lambda: CONV(PIXELS.reshape(2, 3, 6, 6)), lambda: CONV(PIXELS.permute(0, 3, 1, 2))),
    51: (lambda: nn.GroupNorm(32, 48)(rand(2, 48, 4, 4)), None),
    52: (
        lambda: F.gaussian_nll_loss(rand(8), rand(8), F.softplus(rand(8))),
        lambda: F.gaussian_nll_loss(rand(8), rand(8), F.softplus(rand(8)) ** 2),
    ),
    53: (
        lambda: F.kl_div(rand(8).softmax(-1), scores()[0, 0].repeat(2)[:8].log_softmax(-1), reduction="sum"),
        lambda: F.kl_div(scores()[0, 0].repeat(2)[:8].log_softmax(-1), rand(8).softmax(-1), reduction="sum"),
    ),
    54: (
        lambda: torch.einsum("dd,bxcd->bxcd", rand(8, 8), rand(2, 3, 4, 8)),
        lambda: torch.einsum("dk,bxck->bxcd", rand(8, 8), rand(2, 3, 4, 8)),
    ),
    55: (
        lambda: torch.einsum("bnd,di->bni", rand(2, 3, 8), rand(8, 8)),
        lambda: torch.einsum("bnd,od->bno", rand(2, 3, 8), rand(8, 8)),
    ),
    56: (odd_sinusoids, None),
    57: (lambda: IMAGE + nn.Conv2d(3, 3, 3, padding=1, dilation=2)(IMAGE), None),
    58: (
        lambda: F.grid_sample(IMAGE, grid(swapped=True), align_corners=True),
        lambda: F.grid_sample(IMAGE, grid(swapped=False), align_corners=True),
    ),
    59: (lambda: F.embedding(torch.tensor([501]), rand(501, 8)), None),
    60: (lambda: rand(1, 577, 8) + rand(1, 197, 8), None),
    61: (
        lambda: rand(8, 2)[:, labels(8, below=2)] - rand(8, 1),
        lambda: rand(8, 2).gather(1, labels(8, below=2)[:, None]) - rand(8, 1),
    ),
    62: (lambda: rand(8) + 0.99 * rand(8, 2).argmax(1), lambda: rand(8) + 0.99 * rand(8, 2).amax(1)),
    63: (
        lambda: torch.bmm(rand(2, 4, 5), scores().softmax(-1).permute(0, 1, 2)),
        lambda: torch.bmm(rand(2, 4, 5), scores().softmax(-1).permute(0, 2, 1)),
    ),
    64: (
        lambda: rand(2, 5, 4, 3, 3).flatten(2).softmax(-1).view(2, 5, 4, 9),
        lambda: rand(2, 5, 4, 3, 3).flatten(3).softmax(-1),
    ),
    65: (lambda: TEXT_CONV(WORDS).amax(-1), lambda: TEXT_CONV(WORDS.permute(0, 2, 1)).amax(-1)),
    66: (
        lambda: overlap(rand(6, 6), torch.ones(6, 6)),
        lambda: overlap(rand(6, 6).sigmoid(), torch.ones(6, 6)),
    ),
    67: (
        lambda: scores().softmax(-1) * KEEP,
        lambda: scores().masked_fill(~KEEP, -1e9).softmax(-1),
    ),
    68: (
        lambda: rand(8) + F.softplus(rand(8)).exp() * rand(8),
        lambda: rand(8) + rand(8).exp() * rand(8),
    ),
    69: (lambda: F.cross_entropy(rand(8, 4), F.one_hot(labels(8, below=4), 4)), None),
    70: (
        lambda: normal_divergence(rand(8), (0.5 * rand(8)).exp()),
        lambda: normal_divergence(rand(8), 0.5 * rand(8)),
    ),
    71: (lambda: shared(rand(1, 2, 3, 8).repeat(1, 2, 1, 1)), lambda: shared(rand(1, 2, 3, 8).repeat_interleave(2, 1))),
    72: (
        lambda: causal(rand(1, 5, 2, 4)).flatten(2),
        lambda: causal(rand(1, 5, 2, 4).transpose(1, 2)).transpose(1, 2).flatten(2),
    ),
}


ROWS = {
    int(number): verdict
    for number, verdict in re.findall(
        r"^\| (\d+) \|[^|]+\| ([SWR]) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE
    )
    if int(number) > 45
}


@pytest.mark.parametrize("number", ROWS, ids=str)
def test_torch(number: int) -> None:
    bug, correct = BUGS[number]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result: Tensor | None = bug()
        except (RuntimeError, ValueError, IndexError):
            result = None
    assert ("R" if result is None else "W" if said else "S") == ROWS[number]
    if result is not None:
        assert correct is not None
        expected = correct()
        assert result.shape != expected.shape or not torch.allclose(result, expected, atol=1e-3)


def test_all() -> None:
    """Every version here is a row of the table."""
    assert set(BUGS) == set(ROWS)
