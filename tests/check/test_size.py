"""Nothing recurses over what a user may make long: chains, products, declarations, statements, sums."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from catdl.driver import loads

N = 100_000
SECONDS = 60.0  # of the processor, about ten times what it takes; a quadratic scan takes far more


def chain(n: int) -> str:
    return f"dim A = 4\nmorphism f : Real[A] -> Real[A] =\n{' >> '.join(['relu', 'tanh'] * (n // 2))}\n"


def tensor(n: int) -> str:
    return f"dim A = 4\nmorphism f : Real[A] ^ {n} -> Real[A] ^ {n} =\n{' @ '.join(['relu', 'tanh'] * (n // 2))}\n"


def declarations(n: int) -> str:
    lines = [f"morphism f{i} : Real[A] -> Real[A] = f{i - 1} >> relu" for i in range(1, n)]
    return "\n".join(["dim A = 4", "morphism f0 : Real[A] -> Real[A] = relu", *lines, ""])


def wired(n: int) -> str:
    steps = [f"    x{i} = relu(x{i - 1})" for i in range(1, n)]
    return "\n".join(["dim A = 4", "morphism f : Real[A] -> Real[A] = x0 => {", *steps, f"    x{n - 1}", "}", ""])


def summed(n: int) -> str:
    return f"dim A = 4\nmorphism f : Real[A] -> Real[A] = x => {' + '.join(['x'] * n)}\n"


@pytest.mark.parametrize(
    ("make", "n"),
    [(chain, N), (tensor, N // 5), (declarations, N // 10), (wired, N // 5), (summed, N)],
    ids=["chain", "tensor", "declarations", "wired", "summed"],
)
def test_long(make: Callable[[int], str], n: int) -> None:
    text = make(n)
    start = time.process_time()
    spec = loads(text)
    took = time.process_time() - start
    assert not spec.diagnostics
    assert took < SECONDS
