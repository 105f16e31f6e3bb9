"""Folds over a commutative monoid become reductions, scans of them cumulative ones; what is none stays a loop."""

from __future__ import annotations

import pytest
import torch

from catdl.rewrite.run import rewritten
from catdl.torch.build import build, source
from tests.rewrite.by_text import fold
from tests.rewrite.same import same

FUNCTIONS = {
    "h + x": "sum(",
    "x + h": "sum(",
    "h * x": "prod(",
    "maximum(h, x)": "amax(",
    "minimum(x, h)": "amin(",
    "logaddexp(h, x)": "logsumexp(",
    "h + (x >> linear >> tanh)": "sum(",
    "logaddexp(sin(x), h)": "logsumexp(",
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", FUNCTIONS)
def test_reductions_and_scans(cell: str, reverse: bool) -> None:
    last = fold(f"morphism cell : Real[H] @ Real[H] -> Real[H] = (h, x) => {cell}", reverse=reverse)
    assert same(last, {"T": 5})[-1] == "monoid"
    assert FUNCTIONS[cell] in source(rewritten([last])[0][0])
    every = fold(
        f"morphism cell : Real[H] @ Real[H] -> Real[H] @ Real[H] = (h, x) => {{\n    n = {cell}\n    (n, n)\n}}",
        reverse=reverse,
    )
    assert same(every, {"T": 5})[-1] == "monoid"


@pytest.mark.parametrize("fn", ["and", "or"])
def test_truth(fn: str) -> None:
    diagram = fold(f"morphism cell : Bool[H] @ Bool[H] -> Bool[H] = (h, x) => {fn}(h, x)")
    assert same(diagram, {"T": 3}) == ["monoid"]


def test_no_steps_give_the_start() -> None:
    for cell in ("h + x", "h * x", "maximum(h, x)", "minimum(h, x)", "logaddexp(h, x)"):
        diagram = fold(f"morphism cell : Real[H] @ Real[H] -> Real[H] = (h, x) => {cell}")
        (fast,), _ = rewritten([diagram])
        start = torch.randn(3, 4)
        assert torch.equal(build(fast)(start, torch.randn(3, 0, 4)), start)


def test_a_sum_from_zeros_is_the_sum() -> None:
    diagram = fold("morphism cell : Real[H] @ Real[H] -> Real[H] = (h, x) => h + x", zeros=True)
    text = source(rewritten([diagram])[0][0])
    assert "x = x0.sum(-2)" in text and "torch.zeros" not in text.partition("sum(-2)")[2]


def test_several_monoids_at_once() -> None:
    text = "morphism cell : Real[H] @ Real[H] @ Real[H] -> Real[H] @ Real[H] = (s, m, x) => (s + x * x, maximum(m, x))"
    assert same(fold(text, 2), {"T": 5}) == ["hoist", "monoid"]


@pytest.mark.parametrize("cell", ["h - x", "h + x * h", "maximum(h, x) + x", "h + h", "tanh(h) + x", "atan2(h, x)"])
def test_what_is_no_monoid_is_no_reduction(cell: str) -> None:
    diagram = fold(f"morphism cell : Real[H] @ Real[H] -> Real[H] = (h, x) => {cell} + 0 * x")
    assert "monoid" not in same(diagram, {"T": 5})
