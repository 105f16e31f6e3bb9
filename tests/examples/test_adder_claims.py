"""What the example of machines claims: addition is learned from short numbers, exact on long ones; parity is right."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

import catdl
from catdl import Spec

FILE = Path(__file__).parent.parent.parent / "examples" / "adder.cat"
SHORT, LONG = 8, 400


@cache
def spec() -> Spec:
    return catdl.load(FILE)


def numbers(count: int, bits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two numbers and their sum, bits from the least on; what does not fit is left out."""
    a, b = torch.randint(2, (2, count, bits))
    carry = torch.zeros(count, dtype=torch.int64)
    total = []
    for k in range(bits):
        here = a[:, k] + b[:, k] + carry
        total.append(here % 2)
        carry = here // 2
    return a, b, torch.stack(total, 1)


def test_it_is_clean_and_every_network_in_it_is_tried() -> None:
    assert spec().diagnostics == []
    assert spec().names == ("adder", "add_up", "parity")


def test_addition_is_learned_from_short_numbers_and_exact_on_long_ones() -> None:
    torch.manual_seed(0)
    model = spec()["add_up"].compile()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(400):
        a, b, total = numbers(64, SHORT)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(a, b).flatten(0, 1), total.flatten()).backward()
        optimizer.step()
    a, b, total = numbers(100, LONG)
    with torch.no_grad():
        assert torch.equal(model(a, b).argmax(-1), total)
        ones = torch.ones(1, LONG, dtype=torch.int64)
        one = torch.zeros_like(ones)
        one[0, 0] = 1
        assert model(ones, one).argmax(-1).sum() == 0  # a carry that goes all the way


def test_parity_is_that_of_the_ones_so_far() -> None:
    model = spec()["parity"].compile()
    bits = torch.randint(2, (5, 30))
    assert torch.equal(model(bits), bits.cumsum(1) % 2 == 1)
    assert list(model.state_dict()) == []
