"""Affine scans along packed samples, in chunks: equal to the samples one by one, which never meet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import catdl
from catdl.torch.segments import Segments
from tests.torch.test_ragged import compare, offsets

SIZES = ((300,), (0, 90, 0, 4, 1), (200, 3, 199, 17, 0, 64, 128), (1, 150), (5, 6, 7), (0, 0), (513, 1, 512))


def steps(a: Tensor, b: Tensor, h: Tensor, at: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """One sample after the other, one step after the other."""
    states, last = [b[:0]], []
    for k, part in enumerate(Segments(at)):
        state, found = h[k], []
        for t in range(part.start, part.stop)[:: -1 if reverse else 1]:
            state = a[t] * state + b[t]
            found.append(state)
        last.append(state)
        states += [s[None] for s in found[:: -1 if reverse else 1]]
    return torch.stack(last), torch.cat(states)


def drawn(sizes: Sequence[int], *own: int) -> list[Tensor]:
    """Elements and starts at random."""
    torch.manual_seed(0)
    total = sum(sizes)
    shapes = ((total, *own), (total, *own), (len(sizes), *own))
    return [(2 * torch.rand(shape, dtype=torch.float64) - 1).requires_grad_() for shape in shapes]


def check(sizes: Sequence[int], reverse: bool, *own: int) -> None:
    at, leaves = offsets(sizes), drawn(sizes, *own)
    a, b, h = leaves
    both = [steps(a, b, h, at, reverse), Segments(at).affine_scan(a, b, h, reverse)]
    grads = []
    torch.testing.assert_close(both[1], both[0], rtol=1e-10, atol=1e-10)
    for outs in both:
        loss = torch.stack([(y * torch.arange(y.numel()).reshape(y.shape).sin()).sum() for y in outs]).sum()
        found = torch.autograd.grad(loss, leaves, allow_unused=True)  # where there are no elements
        grads.append([torch.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)])
    torch.testing.assert_close(grads[1], grads[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
def test_samples_one_by_one(sizes: tuple[int, ...], reverse: bool) -> None:
    check(sizes, reverse, 3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 120)), min_size=1, max_size=6), st.booleans())
def test_random_sizes(sizes: list[int], reverse: bool) -> None:
    check(sizes, reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_samples_never_meet(wrong: float, reverse: bool) -> None:
    """What stands in one of them, NaN or infinity, is in no value and no gradient of another."""
    sizes = (70, 100, 0, 80)
    at = offsets(sizes)
    a, b, h = drawn(sizes, 2)
    spoilt = [x.detach().clone() for x in (a, b, h)]
    for x in spoilt[:2]:
        x[70:170] = wrong
    spoilt[2][1] = wrong
    others = torch.ones(250, dtype=torch.bool)
    others[70:170] = False
    results = []
    for leaves in ([a, b, h], [x.requires_grad_() for x in spoilt]):
        last, states = Segments(at).affine_scan(leaves[0], leaves[1], leaves[2], reverse)
        grads = torch.autograd.grad(states.sum() + last.sum(), leaves)
        kept = torch.tensor([0, 2, 3])
        results.append([last[kept], states[others], grads[0][others], grads[1][others], grads[2][kept]])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def test_second_derivatives() -> None:
    at = offsets((9, 1, 0, 2))
    leaves = drawn((9, 1, 0, 2))
    assert torch.autograd.gradgradcheck(Segments(at).affine_scan, leaves)


def test_complex_numbers() -> None:
    at = offsets((30, 2))
    a, b, h = (x.detach().to(torch.complex128) * (1 + 0.5j) for x in drawn((30, 2)))
    leaves = [x.requires_grad_() for x in (a, b, h)]
    a, b, h = leaves
    grads = [
        torch.autograd.grad(torch.view_as_real(states).sin().sum(), leaves)
        for _, states in (steps(a, b, h, at, False), Segments(at).affine_scan(a, b, h))
    ]
    torch.testing.assert_close(grads[1], grads[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("sizes", [(80, 3, 0, 60), (2, 1), (0,)])
def test_a_state_space_model_over_texts(sizes: tuple[int, ...]) -> None:
    """Coefficients of one axis, of the sample, of parameters; the last state and all."""
    spec = catdl.loads("""
dim T : var, A = 3, N = 2, D = 4
object State = Real[N, D]
functor Words(X) = () + Real[A] @ X
algebra space : Words(State) -> State = [ zeros | (a, h) => {
    param decay : Real[D] ~ normal(0, 1)
    b = a >> linear(D)
    over[N, D](sigmoid(decay) * h + (a >> gate: linear(N) >> sigmoid) * b)
} ]
morphism read : Real[T, A] -> State @ Real[T, N, D] = fold[T](space) & scan[T](space, reverse = true)
""")
    assert not spec.diagnostics
    assert spec["read"].source().count("T.affine_scan(") == 2
    compare(spec["read"].rewritten(), {"T": sizes}, meaning=spec["read"].diagram())
