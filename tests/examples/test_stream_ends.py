"""What the example of streams claims: each sample ends when its own state says so, and is masked from there on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

import catdl
from catdl import Spec

FILE = Path(__file__).parent.parent.parent / "examples" / "stream.cat"


@cache
def spec() -> Spec:
    return catdl.load(FILE)


def test_it_is_clean_and_every_network_in_it_is_tried() -> None:
    assert spec().diagnostics == []
    assert spec().names == ("newton", "roots", "collatz")


def test_the_roots_come_nearer_and_each_sample_ends_when_it_is_there() -> None:
    x = torch.tensor([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0], [1e4, 1.0, 0.01]], dtype=torch.float64)
    roots, keep = spec()["roots"].compile().double()(x)
    steps = keep.sum(-1)
    assert steps[0] == 0 and 0 < steps[1] < steps[2] < 24
    assert torch.equal(keep, torch.arange(24) < steps[:, None])  # what has ended does not begin again
    assert torch.equal(roots[~keep], torch.zeros_like(roots[~keep]))
    for k in (1, 2):
        root = roots[k, steps[k] - 1]
        root = 0.5 * (root + x[k] / root)  # the guess that was good enough, after the last one given
        torch.testing.assert_close(root, x[k].sqrt(), rtol=1e-6, atol=0)
        off = (roots[k, 1 : steps[k]] ** 2 / x[k] - 1).abs().amax(-1)
        assert (off[1:] < off[:-1]).all()


def test_roots_have_the_gradient_of_the_root() -> None:
    x = torch.tensor([[2.0, 3.0, 4.0], [900.0, 1.0, 0.01]], dtype=torch.float64, requires_grad=True)
    roots, keep = spec()["roots"].compile().double()(x)
    last = roots[torch.arange(2), keep.sum(-1) - 1]
    (grad,) = torch.autograd.grad(last.sum(), x)
    torch.testing.assert_close(grad, 0.5 / x.sqrt(), rtol=1e-2, atol=1e-9)
    assert grad.isfinite().all()


def collatz(n: int) -> list[int]:
    found = []
    while n != 1:
        found.append(n)
        n = n // 2 if n % 2 == 0 else 3 * n + 1
    return found


def test_numbers_of_collatz_end_before_one() -> None:
    starts = [1, 6, 27, 97]
    numbers, keep = spec()["collatz"].compile()(torch.tensor(starts, dtype=torch.float32))
    assert [numbers[k, keep[k]].tolist() for k in range(4)] == [collatz(n) for n in starts]
