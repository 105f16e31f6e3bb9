"""Laws of sums and of what ends: the copairing is the one map out of a sum, an unfold is its loop, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import catdl

HEAD = """
dim N = 6, A = 3, H = 4
object State = Real[H]
functor Words(X) = () + Real[A] @ X
param w : Real[A, H] ~ normal(0, 1)
param v : Real[H, H] ~ normal(0, 0.5)
morphism out : State -> Real[A] = linear(A, bias = false){weight = w}
morphism next : State -> State = linear(H, bias = false){weight = v} >> tanh
morphism ended : State -> Bool = s => sum[H](s) > 0.4
coalgebra decode : State -> Words(State) = s => either(s >> ended, (), (s >> out, s >> next))
"""


def net(text: str) -> nn.Module:
    torch.manual_seed(0)
    return catdl.loads(f"{HEAD}morphism f : {text}")["f"].compile().double()


def states(count: int = 64) -> Tensor:
    return torch.randn(count, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


LAWS = [
    (
        "of the first summand",
        "State -> State",
        "s => either(true_of(s), s, s >> out) >> [ next | (_ => zeros[H]) ]",
        "next",
    ),
    (
        "of the second summand",
        "State -> State",
        "s => either(false_of(s), s >> out, s) >> [ (_ => zeros[H]) | next ]",
        "next",
    ),
    (
        "a map after cases is one in every case",
        "State -> Real[A]",
        "s => either(s >> ended, s, s) >> [ next | id ] >> out",
        "s => either(s >> ended, s, s) >> [ next >> out | out ]",
    ),
    (
        "cases put together as they were are none",
        "State -> State",
        "s => either(s >> ended, s, s) >> [ id | id ]",
        "id",
    ),
    (
        "cases are a choice",
        "State -> State",
        "s => either(s >> ended, s, (s, s)) >> [ next | (a, b) => a * b ]",
        "s => where(expand[H](s >> ended), s >> next, s * s)",
    ),
    (
        "a sum of three is a sum in a sum",
        "State -> State",
        "s => either(s >> ended, s, either(s >> next >> ended, s, s)) >> [ id | next | next >> next ]",
        "s => { r = either(s >> next >> ended, s, s) >> [ next | next >> next ]\\n"
        " either(s >> ended, s, r) >> [ id | id ] }",
    ),
]
TRUTH = """
morphism true_of : State -> Bool = s => sum[H](s * s) > -1
morphism false_of : State -> Bool = s => sum[H](s * s) < -1
"""


@pytest.mark.parametrize(("type_", "left", "right"), [law[1:] for law in LAWS], ids=[law[0] for law in LAWS])
def test_both_sides_are_one_map(type_: str, left: str, right: str) -> None:
    sides = []
    for side in (left, right):
        torch.manual_seed(0)
        text = side.replace("\\n", "\n")
        model = catdl.loads(f"{HEAD}{TRUTH}morphism f : {type_} = {text}")["f"].compile().double()
        for key, value in model.named_parameters():
            nn.init.normal_(value, generator=torch.Generator().manual_seed(len(key)))
        s = states().requires_grad_()
        result = model(s)
        grads = torch.autograd.grad(result.sin().sum(), [s])
        sides.append([result, *grads])
    for a, b in zip(*sides, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_a_leg_that_is_not_taken_spoils_no_gradient() -> None:
    """log of what is not positive is computed nowhere: not even in vain, where 0 times infinity would be no number."""
    model = net(
        "State -> State = s => { t = s >> next\n either(sum[H](t) > 0, t * t + 1, t) >> [ log | (x => x * 0.5) ] }"
    )
    s = states().requires_grad_()
    result = model(s)
    grads = torch.autograd.grad(result.sum(), [s, *model.parameters()])
    assert all(g.isfinite().all() for g in grads)


def test_an_unfold_is_the_loop_that_ends() -> None:
    """Sample by sample: outputs until the end, zeros from then on, and Keep says which are which."""
    model = net("State -> Real[N, A] @ Keep[N] = unfold[N](decode)")
    weights = {key.rpartition(".")[2]: value for key, value in model.named_parameters()}
    w, v = weights["w"], weights["v"]
    found, keep = model(states())
    lengths = []
    for s, outputs, kept in zip(states(), found, keep, strict=True):
        said: list[Tensor] = []
        while len(said) < 6 and s.sum() <= 0.4:
            said.append(w @ s)
            s = torch.tanh(v @ s)
        lengths.append(len(said))
        assert kept.tolist() == [True] * len(said) + [False] * (6 - len(said))
        assert not outputs[len(said) :].any()
        if said:
            torch.testing.assert_close(outputs[: len(said)], torch.stack(said), rtol=1e-12, atol=1e-12)
    assert len(set(lengths)) > 3, lengths
