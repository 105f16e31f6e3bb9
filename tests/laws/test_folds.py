"""The laws of recursion on compiled networks: initiality, fusion, scans, unfold then fold, ties by the comonoid."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import catdl

HEAD = """
dim T : time, N = 6, A = 3, H = 4, B = 2
object State = Real[H]
functor List(X) = () + Real[A] @ X
algebra elman : List(State) -> State = [ zeros | (a, h) => tanh((a >> inp: linear) + (h >> rec: linear(bias = false))) ]
"""


def model(text: str, name: str) -> nn.Module:
    spec = catdl.loads(HEAD + text)
    assert not [d for d in spec.diagnostics if d.severity == "error"], str(catdl.CheckError(spec.diagnostics))
    torch.manual_seed(0)
    return spec[name].compile().double()


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {key.removeprefix("elman."): value.detach() for key, value in net.state_dict().items()}


def step(w: dict[str, Tensor], a: Tensor, h: Tensor) -> Tensor:
    return torch.tanh(a @ w["inp.weight"].T + w["inp.bias"] + h @ w["rec.weight"].T)


def test_both_squares_commute() -> None:
    """fold ∘ nil = zeros, and fold ∘ snoc = cell ∘ (id ⊗ fold): the fold is a homomorphism from the initial algebra."""
    net = model("morphism f : Real[T, A] -> State = fold[T](elman)", "f")
    w = weights(net)
    xs = torch.randn(5, 7, 3, dtype=torch.float64)
    assert torch.equal(net(xs[:, :0]), torch.zeros(5, 4, dtype=torch.float64))
    for n in range(1, 8):
        expected = step(w, xs[:, n - 1], net(xs[:, : n - 1]))
        assert torch.allclose(net(xs[:, :n]), expected, atol=1e-12)


def test_the_last_of_a_scan_is_the_fold() -> None:
    both = model("morphism f : Real[T, A] -> State = fold[T](elman)", "f")
    scan = model("morphism g : Real[T, A] -> Real[T, H] = scan[T](elman)", "g")
    before = model("morphism g : Real[T, A] -> Real[T: T + 1, H] = scan0[T](elman)", "g")
    for other in (scan, before):
        other.load_state_dict(both.state_dict(), strict=True)
    xs = torch.randn(2, 5, 3, dtype=torch.float64)
    assert torch.allclose(scan(xs)[:, -1], both(xs), atol=1e-12)
    assert torch.allclose(before(xs)[:, 1:], scan(xs), atol=1e-12)
    assert torch.equal(before(xs)[:, 0], torch.zeros(2, 4, dtype=torch.float64))


def test_a_homomorphism_after_a_fold_is_a_fold() -> None:
    """Fusion: h linear, cell affine, h ∘ cell = cell' ∘ (id ⊗ h) makes h ∘ fold(cell) = fold(cell')."""
    text = """
param m : Real[H, A]
morphism f : Real[T, A] -> State = sum_of >> linear(bias = false){weight = m}
morphism sum_of : Real[T, A] -> Real[A] = fold[T]([ zeros | add ], carrier = Real[A])
morphism g : Real[T, A] -> State =
    fold[T]([ zeros | (a, h) => (a >> linear(bias = false){weight = m}) + h ], carrier = State)
"""
    f, g = model(text, "f"), model(text, "g")
    g.load_state_dict(f.state_dict())
    xs = torch.randn(3, 9, 3, dtype=torch.float64)
    assert torch.allclose(f(xs), g(xs), atol=1e-12)


def test_unfold_then_fold_is_the_fused_loop() -> None:
    text = """
param w : Real[H, H]
morphism next : State -> State = linear(bias = false){weight = w} >> tanh
morphism long : State -> State = unfold[N](s => (s, next(s))) >> fold[N]([ zeros | add ], carrier = State)
morphism loop : State -> State = s => {
    total, last = (0 * s, s) >> iterate(6, ((t, u) => (t + u, next(u))))
    last >> discard
    total
}
"""
    long, loop = model(text, "long"), model(text, "loop")
    loop.load_state_dict(long.state_dict())
    s = torch.randn(4, 4, dtype=torch.float64)
    assert torch.allclose(long(s), loop(s), atol=1e-12)


def test_the_gradient_is_the_sum_over_the_steps() -> None:
    net = model("morphism f : Real[T, A] -> State = fold[T](elman)", "f")
    xs = torch.randn(2, 5, 3, dtype=torch.float64)
    torch.autograd.backward(net(xs).square().sum())
    copies = [{k: v.clone().requires_grad_() for k, v in weights(net).items()} for _ in range(5)]
    h = torch.zeros(2, 4, dtype=torch.float64)
    for t, w in enumerate(copies):
        h = step(w, xs[:, t], h)
    torch.autograd.backward(h.square().sum())
    for key, parameter in net.named_parameters():
        parts = [grad for w in copies if (grad := w[key.removeprefix("elman.")].grad) is not None]
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, torch.stack(parts).sum(0), atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_reversed_is_the_fold_of_the_reversed_list(reverse: bool) -> None:
    said = ", reverse = true" if reverse else ""
    net = model(
        f"morphism f : Real[T, A] -> Real[T, H] = scan[T](elman{said})".replace(f"elman{said}", "elman" + said), "f"
    )
    plain = model("morphism f : Real[T, A] -> Real[T, H] = scan[T](elman)", "f")
    plain.load_state_dict(net.state_dict())
    xs = torch.randn(2, 6, 3, dtype=torch.float64)
    expected = plain(xs.flip(1)).flip(1) if reverse else plain(xs)
    assert torch.allclose(net(xs), expected, atol=1e-12)


def test_a_stopped_sample_is_masked() -> None:
    text = """
morphism f : Real[B] -> Real[N, B] @ Keep[N] = unfold[N](s => (s, s + 1), until = s => max[B](s) > 3)
"""
    net: Any = model(text, "f")
    values, kept = net(torch.tensor([[0.0, 0.0], [2.0, 3.0]], dtype=torch.float64))
    assert kept.tolist() == [[True] * 4 + [False] * 2, [True] + [False] * 5]
    assert torch.equal(values[~kept], torch.zeros(7, 2, dtype=torch.float64))
    assert values[0, :4, 0].tolist() == [0, 1, 2, 3]


def test_machines() -> None:
    text = """
morphism mealy_ : State @ Real[T, A] -> Real[T, H] @ State =
    mealy[T]((s, x) => { new = tanh(s + (x >> linear(H)))\n (new, new) }, last = true)
morphism moore_ : State @ Real[T, A] -> Real[T, H] = moore[T](id, (s, x) => tanh(s + (x >> linear(H))))
morphism moore0_ : State @ Real[T, A] -> Real[T: T + 1, H] = moore0[T](id, (s, x) => tanh(s + (x >> linear(H))))
"""
    mealy, moore, moore0 = (model(text, name) for name in ("mealy_", "moore_", "moore0_"))
    for other in (moore, moore0):
        other.load_state_dict(mealy.state_dict())
    s, xs = torch.randn(2, 4, dtype=torch.float64), torch.randn(2, 5, 3, dtype=torch.float64)
    out, last = mealy(s, xs)
    assert torch.allclose(out, moore(s, xs)) and torch.allclose(out[:, -1], last)
    assert torch.allclose(moore0(s, xs), torch.cat([s[:, None], out], 1))


def test_a_moore_machine_is_a_mealy_machine_that_shows_its_state_first() -> None:
    text = """
object Pair = (h: Real[H], c: Real[H])
functor Moore(X) = Real[B] @ (Real[A] -> X)
coalgebra machine : Pair -> Moore(Pair) = s => (
    (s.h + s.c) >> linear, x => (h = tanh(s.c + (x >> linear)), c = s.h >> linear)
)
morphism shown : Pair @ Real[T, A] -> Real[T, B] = moore[T](machine)
morphism all : Pair @ Real[T, A] -> Real[T: T + 1, B] = moore0[T](machine)
morphism before : Pair @ Real[T, A] -> Real[T, B] = mealy[T](machine)
morphism step : Pair @ Real[A] -> Real[B] @ Pair = machine
"""
    shown, whole, before, step = (model(text, name) for name in ("shown", "all", "before", "step"))
    for other in (shown, whole, before):
        assert sorted(other.state_dict()) == sorted(step.state_dict())
        other.load_state_dict(step.state_dict())
    h, c = (torch.randn(2, 4, dtype=torch.float64) for _ in range(2))
    xs = torch.randn(2, 5, 3, dtype=torch.float64)
    said = []
    state = (h, c)
    for x in (*xs.unbind(1), xs[:, 0]):
        out, *after = step(*state, x)
        said.append(out)
        state = (after[0], after[1])
    expected = torch.stack(said, 1)
    assert torch.allclose(whole(h, c, xs), expected)
    assert torch.allclose(shown(h, c, xs), expected[:, 1:])
    assert torch.allclose(before(h, c, xs), expected[:, :-1])
