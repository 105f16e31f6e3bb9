"""What helps cost grows with the file, not with its square."""

from __future__ import annotations

from collections.abc import Callable

from catdl.driver import loads
from tests.work import growth

BLOCK = """\
morphism soft{i} : Real[T, D] -> Logits[T, D] = linear(D) >> softmax
morphism near{i} : Real[T, D] -> Real[T, D] = linea(D)
morphism wide{i} : Real[T, D] -> Real[T, D] = linear(2 * D)
morphism fine{i} : Real[T, D] -> Real[T, D] = relu
"""


def report(count: int) -> Callable[[], object]:
    text = "dim T, D = 4\n" + "".join(BLOCK.format(i=i) for i in range(count))
    return lambda: loads(text).diagnostics


def test_many_mistakes() -> None:
    assert growth(report, 20, 80) < 1.3
