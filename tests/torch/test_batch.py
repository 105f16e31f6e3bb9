"""Batch axes: every output of what is compiled has those of the inputs, whatever it depends on."""

from __future__ import annotations

import re

import pytest
import torch

import catdl
from tests.torch.agree import agree

HEAD = """
dim D = 4, T = 3
param w : Real[D] ~ normal(0, 1)
"""


def spec(signature: str, body: str) -> catdl.Spec:
    lines = "".join(f"    {line}\n" for line in ("x >> discard", *body.split("; ")))
    return catdl.loads(
        f"{HEAD if 'w' in body else HEAD.partition('param')[0]}morphism f : {signature} = x => {{\n{lines}}}\n"
    )


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("Real[D] -> Real[D]", "ones[D]"),
        ("Real[D] -> Real[D]", "w"),
        ("Real[D] -> Real", "2"),
        ("Real[D] -> Real[D] @ Real[D]", "(x, w + w)"),
        ("Real[T, D] -> Real[T, D]", "zeros[T, D] >> positions(16)"),
        ("Real[D] -> Real[D]", "across_mean[D](w)"),
        ("Fin(3) -> Fin(D)", "argmax[D](w)"),
    ],
)
def test_a_result_that_is_the_same_for_all_samples_is_repeated(signature: str, body: str) -> None:
    agree(spec(signature, body)["f"].diagram())


def test_without_an_input_there_is_no_batch() -> None:
    model = catdl.loads(f"{HEAD}morphism f : () -> Real[D] = w + w")["f"].compile()
    assert model().shape == (4,)


def test_a_draw_is_made_for_what_it_is_drawn_like() -> None:
    shared = spec("Real[D] ~> Real[D]", "normal_like(ones[D])")["f"].compile()(torch.zeros(5, 4))
    assert shared.shape == (5, 4) and bool((shared == shared[0]).all())
    own = spec("Real[D] ~> Real[D]", "normal_like(x)")["f"].compile()(torch.zeros(5, 4))
    assert not bool((own[1:] == own[0]).any())


@pytest.mark.parametrize(
    ("kind", "good", "wrong", "words"),
    [
        ("Real", torch.float16, torch.int64, "must be Real[..., D=4], got (2, 4) in torch.int64"),
        ("Logits", torch.float32, torch.bool, "must be Logits[..., D=4], got (2, 4) in torch.bool"),
        ("Fin(3)", torch.int64, torch.float32, "must be Fin(3)[..., D=4] in torch.int64, got (2, 4) in torch.float32"),
        ("Keep", torch.bool, torch.int64, "must be Keep[..., D=4] in torch.bool, got (2, 4) in torch.int64"),
        ("Complex", torch.complex64, torch.float32, "must be Complex[..., D=4], got (2, 4) in torch.float32"),
    ],
)
def test_what_an_input_holds_is_checked(kind: str, good: torch.dtype, wrong: torch.dtype, words: str) -> None:
    model = catdl.loads(f"dim D = 4\nmorphism f : {kind}[D] -> {kind}[D] = x => x\n")["f"].compile()
    model(torch.zeros(2, 4, dtype=good))
    with pytest.raises(ValueError, match=re.escape(words)):
        model(torch.zeros(2, 4, dtype=wrong))
