"""Units that differ in numbers: which may be parameters, what they are called, when there are too many."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import catdl
from catdl.torch.build import build, source
from catdl.torch.hints import hints
from catdl.torch.parameters import MOST
from catdl.torch.skeleton import NUMBER, dissect
from tests.work import growth


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("self.a = nn.Conv2d(3, 64, 7, stride=2, bias=False)", ["3", "64", "7", "2", "False"]),
        ("x = F.dropout(x, 0.1, self.training)", ["0.1"]),
        ("x = x.unflatten(-1, (12, 64))", ["12", "64"]),
        ("x = self.stage[0](x_2)", []),
        ("x = x.transpose(-3, -2)", []),
        ("x = x.reshape(-1, 3, (H + 3) // 4, 2 * H)", ["3"]),
        ("x = x * 2 + 1e-05", ["2", "1e-05"]),
        ('x = torch.einsum("...i2,2->...i", x, w)', []),
        ("nn.init.uniform_(self.b, -(6**-0.5), 6**-0.5)", ["6", "6"]),
    ],
)
def test_numbers(text: str, numbers: list[str]) -> None:
    skeleton = dissect(text, frozenset("HW"))
    assert [slot.text for slot in skeleton.slots if slot.kind == NUMBER] == numbers
    filled = "".join(a + b for a, b in zip(skeleton.texts, (*(slot.text for slot in skeleton.slots), ""), strict=True))
    assert filled == text


def test_names() -> None:
    text = "self.c = nn.Conv2d(3, 64, 7, stride=2)\x1fself.d = nn.ModuleList(f(5) for _ in range(3))"
    found = [(hint.name, hint.attribute) for hint in hints(dissect(text, frozenset()))]
    assert found[:4] == [("in_channels", "c"), ("out_channels", "c"), ("kernel_size", "c"), ("stride", "c")]
    assert found[4:] == [("", "d"), ("count", "d")]


def compiled(text: str) -> str:
    spec = catdl.loads(text)
    assert not spec.diagnostics
    return source(spec["main"].diagram())


def test_a_number_is_what_its_own_box_says() -> None:
    text = compiled("""dim D = 4
morphism f(s, n) : Real[D] -> Real[D] = repeat(n - 1, linear) >> dropout(s / 10)
morphism main : Real[D] -> Real[D] = f(1, 2) >> f(2, 3)
""")
    assert "for _ in range(n - 1)" in text
    assert "def __init__(self, p: float, n: int) -> None:" in text


def test_numbers_that_vary_together_are_one_parameter() -> None:
    text = compiled("""dim D = 4
morphism f(c, d) : Real[D] -> Real[D] = up: linear(c) >> relu >> mid: linear(d) >> relu >> down: linear(D)
morphism main : Real[D] -> Real[D] = f(6, 6) >> f(8, 8)
""")
    assert "def __init__(self, c: int) -> None:" in text
    assert "self.mid = nn.Linear(c, c)" in text


def test_too_many_parameters_are_classes() -> None:
    layers = " >> ".join(f"linear(c{k}) >> relu" for k in range(MOST + 1))
    names = ", ".join(f"c{k}" for k in range(MOST + 1))
    calls = [", ".join(str(a + (k + 1) * (a + 1)) for k in range(MOST + 1)) for a in (1, 2)]
    spec = f"""dim D = 4
morphism f({names}) : Real[D] -> Real[D] = {layers} >> linear(D)
morphism g({names}) : Real[D] -> Real[D] = f({names}) >> relu
morphism main : Real[D] -> Real[D] = g({calls[0]}) >> g({calls[1]}) >> g({calls[0]})
"""
    text = compiled(spec)
    assert [text.count(f"class {name}(") for name in ("F2", "F3", "F4", "G", "G2", "G3")] == [1, 1, 0, 1, 1, 0]
    assert build(catdl.loads(spec)["main"].diagram())(torch.ones(2, 4)).shape == (2, 4)


def test_the_same_argument_and_a_wire_of_that_name() -> None:
    text = compiled("""dim D = 4
morphism f(x) : Real[D] -> Real[D] = y => exp(y * x) + sin(y * x) * cos(y) * y
morphism main : Real[D] -> Real[D] = f(2) >> f(3)
""")
    compile(text, "main.py", "exec")
    assert "def f(y: Tensor, x_2: int)" in text or "def f(y: Tensor, x2: int)" in text


def test_many_uses_take_linear_work() -> None:
    def printing(count: int) -> Callable[[], object]:
        uses = " >> ".join(f"f({k})" for k in range(2, count + 2))
        text = f"""dim D = 4
morphism f(c) : Real[D] -> Real[D] = linear(c) >> linear(D)
morphism main : Real[D] -> Real[D] = {uses}
"""
        diagram = catdl.loads(text)["main"].diagram()
        assert source(diagram).count("class ") == 2
        return lambda: source(diagram)

    assert growth(printing, 20, 160) < 1.2
