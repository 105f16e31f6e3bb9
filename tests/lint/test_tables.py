"""The tables of the warnings say what the compiled layers do."""

from __future__ import annotations

import re

import pytest
import torch

import catdl
from catdl.lint import norms, values
from catdl.lint.run import WATCHED
from catdl.lint.view import CONVOLUTIONS, LINEAR
from catdl.prelude import Prelude
from tests.torch.agree import model_of

ENTRIES = set(Prelude.load().entries)
SAME = ("layernorm[C]", "layernorm_over[C, H]", "rmsnorm", "groupnorm(2)", "instancenorm", "batchnorm", "normalize")
ONE = {"layernorm_over": "layernorm_over[A]", "gumbel_softmax": "gumbel_softmax"}


def layer(text: str) -> torch.nn.Module:
    """The compiled `f`, in training."""
    spec = catdl.loads(text)
    spec.sound()
    return model_of(spec["f"].diagram()).train()


@pytest.mark.parametrize("use", SAME)
def test_which_norms_take_a_bias_away(use: str) -> None:
    """A number for each element of the first axis, the same along the others, as a convolution's bias is."""
    norm = layer(f"dim C = 4, H = 5\nmorphism f : Real[C, H] -> Real[C, H] = {use}")
    torch.manual_seed(0)
    x, bias = torch.randn(3, 4, 5, dtype=torch.float64), torch.randn(4, 1, dtype=torch.float64)
    gone = torch.allclose(norm(x), norm(x + bias))
    assert gone == (re.split(r"\W", use)[0] in norms.CENTRED)


@pytest.mark.parametrize("entry", sorted(norms.OVER))
def test_which_layers_leave_nothing_of_one_element(entry: str) -> None:
    arrow = "~>" if entry == "gumbel_softmax" else "->"
    over = layer(f"dim C = 4, A = 1\nmorphism f : Real[C, A] {arrow} Real[C, A] = {ONE.get(entry, entry)}")
    torch.manual_seed(0)
    x, y = torch.randn(2, 3, 4, 1, dtype=torch.float64)
    assert torch.allclose(over(x), over(y), atol=1e-12)
    more = layer(f"dim C = 4, A = 2\nmorphism f : Real[C, A] {arrow} Real[C, A] = {ONE.get(entry, entry)}")
    x, y = torch.randn(2, 3, 4, 2, dtype=torch.float64)
    assert not torch.allclose(more(x), more(y))


@pytest.mark.parametrize("entry", ["dropout", "channel_dropout", "drop_path"])
def test_which_layers_drop_everything(entry: str) -> None:
    drop = layer(f"dim C = 4, A = 2\nmorphism f : Real[C, A] -> Real[C, A] = {entry}(p = 1)")
    assert not drop(torch.randn(3, 4, 2, dtype=torch.float64)).any()
    assert values.CHANCES[entry] == "p"


def test_every_name_is_one_of_the_prelude() -> None:
    looked_up = LINEAR | CONVOLUTIONS | norms.CENTRED | set(norms.OVER) | norms.DROPOUT | set(values.CHANCES)
    assert looked_up == WATCHED
    assert looked_up <= ENTRIES
