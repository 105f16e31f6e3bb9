"""Nothing recurses over what a user may make long, nor scans it again and again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catdl.driver import loads
from tests.work import growth

N = 100_000


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
    assert not loads(make(n)).diagnostics

    def checking(count: int) -> Callable[[], object]:
        text = make(count)
        return lambda: loads(text)

    assert growth(checking, n // 200, n // 20) < 1.1
