"""Long chains, deep calls and wide tensors compile without recursion; a limit is a diagnostic."""

from __future__ import annotations

import pytest
import torch

from catdl.diagnostics.limit_errors import LimitExceeded
from catdl.diagram.model import Diagram
from catdl.torch.build import build
from catdl.torch.refuse import Refused
from tests.diagram.by_hand import Hand, ax, linear, real, relu
from tests.diagram.test_params import chain

D = ax("D", 4)
MANY = 10_000


def test_a_long_chain() -> None:
    h = Hand("chain")
    x = h.input(real(D), "x")
    for _ in range(MANY):
        x = relu(h, x)
    assert build(h.done(x))(torch.ones(2, 4)).shape == (2, 4)


def test_calls_nested_deep_are_flattened() -> None:
    assert build(chain(MANY, parametric=False))(torch.ones(4)).shape == (4,)


def test_a_wide_tensor() -> None:
    h = Hand("legs")
    wires = [h.input(real(D)) for _ in range(MANY)]
    outputs = build(h.done(*(relu(h, x) for x in wires)))(*(torch.ones(4),) * MANY)
    assert len(outputs) == MANY


def nest(depth: int) -> Diagram:
    h = Hand("f")
    previous = h.done(linear(h, h.input(real(D), "x"), D))
    for _ in range(depth):
        h = Hand("f")
        (x,) = h.call(previous, h.input(real(D), "x"), site="f")
        previous = h.done(relu(h, x))
    return previous


def test_modules_nest_up_to_a_limit() -> None:
    assert build(nest(150))(torch.ones(4)).shape == (4,)
    with pytest.raises(Refused) as caught:
        build(nest(5_000))
    assert isinstance(caught.value.diagnostic, LimitExceeded)
