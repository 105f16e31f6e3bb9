"""Folds of affine cells run in chunks: equal to the loop for any number of steps, for any a, also 0 and above 1."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from catdl.rewrite.run import rewritten
from catdl.torch.build import build, source
from tests.diagram.by_hand import ax
from tests.rewrite.by_text import body, fold, folded
from tests.rewrite.same import names, same

STEP = "morphism cell : Real[H] @ Real[H] @ Real[H] -> Real[H] = (h, a, b) => "
SCAN = """morphism cell : Real[H] @ Real[H] @ Real[H] -> Real[H] @ Real[H] = (h, a, b) => {
    new = NEW
    (new, new)
}"""

AFFINE = {
    "plain": "a * h + b",
    "other order": "b + h * a",
    "difference": "b - a * h",
    "negative": "-(h * a) + b",
    "twice": "h + a * h + b - h * b",
    "quotient": "h / (1 + a * a) + b",
    "gate": "sigmoid(a) * h + (1 - sigmoid(a)) * tanh(b)",
    "lerp": "lerp(h, b, sigmoid(a))",
    "a mask": "where(a > 0, a * h + b, h)",
    "a reset": "where(a > 0, b, h)",
    "a literal": "0.5 * h + b * a",
}

NOT = {
    "square": "a * h * h + b",
    "function": "tanh(a * h + b)",
    "sum over the state": "a * h + b * over[H](sum[H](h) + 0 * b)",
    "quotient": "b / (a + h * h)",
    "test on the state": "where(h > 0, a * h, b)",
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", AFFINE)
def test_affine(cell: str, reverse: bool) -> None:
    for steps in (1, 64, 65, 200):
        last, every = fold(STEP + AFFINE[cell], reverse=reverse), fold(SCAN.replace("NEW", AFFINE[cell]))
        assert same(last, {"T": steps}, ((2,),), scale=0.9)[-1] == "affine"
        assert same(every, {"T": steps}, ((2,),), scale=0.9)[-1] == "affine"


@pytest.mark.parametrize("cell", NOT)
def test_what_is_not_affine_stays_a_loop(cell: str) -> None:
    assert "affine" not in same(fold(STEP + NOT[cell]), {"T": 70}, ((2,),), scale=0.5)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_several_leaves_and_smaller_coefficients(batch: tuple[int, ...]) -> None:
    text = """
dim N = 2, D = 3
morphism cell : Real[N, D] @ Real[H] @ Real[N] @ Real[D] @ Real[H]
    -> Real[N, D] @ Real[H] @ Real[N, D] @ Real[H] = (s, h, a, b, c) => {
    s2 = over[N, D](a * s + b)
    h2 = c * h + 1
    (s2, h2, s2, h2)
}"""
    for reverse in (False, True):
        diagram = folded(body(text), 2, reverse=reverse)
        assert same(diagram, {"T": 70}, (batch,), scale=0.7) == ["affine"]


def test_learned_decays_and_projections_are_made_outside() -> None:
    text = """
morphism cell : Real[H] @ Real[A] -> Real[H] @ Real[H] = (h, x) => {
    param decay : Real[H] ~ normal(0, 1)
    new = sigmoid(decay) * h + (x >> linear)
    (new, new)
}"""
    assert same(fold(text), {"T": 130}) == ["hoist", "affine"]
    assert source(rewritten([fold(text)])[0][0]).count("self.linear(") == 1


def test_what_is_given_out_after_the_state_is_made_after_the_scan() -> None:
    text = """
morphism cell : Real[H] @ Real[A] -> Real[H] @ Real[A] = (h, x) => {
    new = (x >> gate: linear >> sigmoid) * h + (x >> into: linear)
    (new, (new >> out: linear) + x)
}"""
    assert same(fold(text), {"T": 130}) == ["hoist", "hoist", "affine"]


def test_few_steps_stay_a_loop() -> None:
    assert same(folded(body(STEP + "a * h + b"), axis=ax("T", 20)), {}) == []
    assert same(folded(body(STEP + "a * h + b"), axis=ax("T", 256)), {}, ((2,),), 0.9) == ["affine"]


def test_zeros_and_growth_are_no_trouble() -> None:
    """Nothing is divided by a product: coefficients that are 0, and ones whose product overflows, give no NaN."""
    (fast,), _ = rewritten([fold(SCAN.replace("NEW", "a * h + b"))])
    model = build(fast).double()
    a = torch.ones(1, 300, 4, dtype=torch.float64)
    a[:, ::7], a[:, 5:9] = 0, 1e200
    a.requires_grad_()
    b = torch.zeros_like(a, requires_grad=True)
    last, states = model(torch.ones(1, 4, dtype=torch.float64), a, b)
    assert last.isfinite().all() and states.isfinite().all() and (states[:, 14:] == 0).all()
    (grad,) = torch.autograd.grad(states[:, 20:].sum(), b)
    assert grad.isfinite().all()


GROWN = [
    "({} * a)", "({} * 0.5)", "({} * sigmoid(b))", "({} + a)", "({} - 1)", "({} + h)", "(h - {})", "(b - {})",
    "where(a > b, {}, a)", "where(b > 0, h, {})", "lerp({}, b, sigmoid(a))",
]  # fmt: skip
"""Ways to go from one expression that is affine in h to another."""


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """An expression that is affine in h."""
    found = "h"
    for way in draw(st.lists(st.sampled_from(GROWN), max_size=4)):
        found = way.format(found)
    return found


@settings(max_examples=25)
@given(expressions(), st.integers(1, 150), st.booleans())
def test_random_affine_cells(cell: str, steps: int, reverse: bool) -> None:
    found = same(fold(STEP + f"0.3 * {cell} + 0.1 * a * b", reverse=reverse), {"T": steps}, ((2,),), scale=0.5)
    assert found[-1] in ("affine", "monoid")


def test_every_scan_is_named() -> None:
    _, applied = rewritten([fold(STEP + "a * h + b")])
    assert names(applied) == ["affine"]
    assert applied[0].law.name == "associativity of composition" and not applied[0].law.bitwise


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch.compile itself does
@pytest.mark.parametrize("reverse", [False, True])
def test_it_runs_under_compile_and_export_and_has_second_derivatives(reverse: bool) -> None:
    model = build(rewritten([fold(SCAN.replace("NEW", "a * h + b"), reverse=reverse)])[0][0]).double()
    inputs = [torch.rand(2, 4, dtype=torch.float64), *(torch.rand(2, 70, 4, dtype=torch.float64) for _ in "ab")]
    wanted = model(*inputs)
    torch.testing.assert_close(torch.compile(model, backend="aot_eager")(*inputs), wanted)
    exported = torch.export.export(model, tuple(inputs)).module()
    given = [[x.clone().requires_grad_() for x in inputs] for _ in range(2)]
    grads = [
        torch.autograd.grad(sum(y.sin().sum() for y in net(*leaves)), leaves)
        for net, leaves in zip((model, exported), given, strict=True)
    ]
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)
    few = [x[:1, :3].clone().requires_grad_() if x.ndim == 3 else x[:1].clone().requires_grad_() for x in inputs]
    assert torch.autograd.gradgradcheck(lambda *x: model(*x), few, fast_mode=True)
