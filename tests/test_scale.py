"""A hundred thousand boxes check, compile and run; a mistake among them is found, and found soon."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import catdl
from catdl.diagnostics.text import render
from tests.work import growth

COUNT = 100_000
D = 4


def chain(count: int, middle: str = "relu") -> str:
    steps = ["relu"] * count
    steps[count // 2] = middle
    return f"dim D = {D}, E = {D}\nmorphism last : Real[D] -> Real[D] = {' >> '.join(steps)}\n"


def declarations(count: int) -> str:
    lines = [f"dim D = {D}", "morphism m0 : Real[D] -> Real[D] = relu"]
    lines += [f"morphism m{i} : Real[D] -> Real[D] = m{i - 1} >> neg" for i in range(1, count - 1)]
    lines.append(f"morphism last : Real[D] -> Real[D] = m{count - 2} >> neg")
    return "\n".join(lines) + "\n"


def tensor(count: int) -> str:
    return f"dim D = {D}\nmorphism last : Real[D]^{count} -> Real[D]^{count} = {' @ '.join(['relu'] * count)}\n"


def built(text: str) -> torch.nn.Module:
    """The module of a text that has no mistake."""
    spec = catdl.loads(text)
    spec.sound()
    return spec["last"].compile()


def test_a_long_chain() -> None:
    x = torch.randn(3, D)
    assert torch.equal(built(chain(COUNT))(x), x.relu())


def test_a_long_chain_of_declarations() -> None:
    x = torch.randn(3, D)
    assert torch.equal(built(declarations(COUNT))(x), -x.relu() if COUNT % 2 == 0 else x.relu())


def test_a_wide_tensor() -> None:
    inputs = torch.randn(COUNT, 3, D).unbind()
    outputs = built(tensor(COUNT))(*inputs)
    assert len(outputs) == COUNT
    assert all(torch.equal(outputs[i], inputs[i].relu()) for i in range(0, COUNT, 1000))


@pytest.mark.parametrize(("middle", "code"), [("rel", "E0101"), ("softmax[E]", "E0303"), ("relu >> )", "E0005")])
def test_a_mistake_in_the_middle_is_told_soon(middle: str, code: str) -> None:
    text = chain(COUNT, middle)
    found = catdl.loads(text).diagnostics
    shown = render(found)
    assert [mistake.code for mistake in found] == [code]
    assert found[0].span is not None
    assert abs(found[0].span.start - text.index(f" {middle} ")) < 20
    assert len(shown) < 2_000  # the line has half a million characters

    def telling(count: int) -> Callable[[], object]:
        text = chain(count, middle)
        return lambda: render(catdl.loads(text).diagnostics)

    assert growth(telling, COUNT // 200, COUNT // 20) < 1.1
