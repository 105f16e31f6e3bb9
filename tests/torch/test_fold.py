"""`Fold` on diagrams made by hand: the interpreter, the compiled loop, keys, and what the text looks like."""

from __future__ import annotations

import pytest
import torch

from catdl.diagram.model import Diagram, Fold
from catdl.diagram.params import parameters
from catdl.diagram.verify import BrokenDiagram, verify
from catdl.torch.build import build, source
from tests.diagram.by_hand import Hand, ax, linear, real
from tests.torch.agree import agree

T, A, H = ax("T"), ax("A", 3), ax("H", 4)


def elman(outputs: bool) -> Diagram:
    """(h, a) -> h, and h as an output too."""
    d = Hand("elman")
    h, a = d.input(real(H), "h"), d.input(real(A), "a")
    pre = d.point("add", (linear(d, a, H), linear(d, h, H, "linear_2", bias=False)), real(H))
    new = d.point("tanh", (pre,), real(H))
    return d.done(new, new) if outputs else d.done(new)


def folded(body: Diagram, reverse: bool = False, start: bool = False) -> Diagram:
    d = Hand("net")
    x = d.input(real(T, A), "x")
    h = d.input(real(H), "h") if start else d.core("expand", (d.literal(0),), real(H), position=0, size=4)
    outs = [real(H), *(real(T, H) for _ in body.outputs[1:])]
    last = d.box(Fold(T, body, 1, 0, reverse), (h, x), *outs, constant=False)
    return d.done(*last)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("outputs", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_interpreter_and_torch_agree(reverse: bool, start: bool, outputs: bool, steps: int) -> None:
    diagram = folded(elman(outputs), reverse, start)
    verify(diagram)
    agree(diagram, {"T": steps})


def test_it_is_the_rnn_of_torch() -> None:
    diagram = folded(elman(True))
    assert [p.path for p in parameters(diagram)] == ["linear.weight", "linear.bias", "linear_2.weight"]
    model = build(diagram).double()
    weights = dict(model.named_parameters())
    rnn = torch.nn.RNN(3, 4, batch_first=True).double()
    given = {"weight_ih_l0": "linear.weight", "weight_hh_l0": "linear_2.weight", "bias_ih_l0": "linear.bias"}
    state = {name: weights[key].detach() for name, key in given.items()} | {"bias_hh_l0": torch.zeros(4)}
    rnn.load_state_dict(state)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    last, steps = model(x)
    expected, expected_last = rnn(x)
    assert torch.allclose(steps, expected, atol=1e-12)
    assert torch.allclose(last, expected_last[0], atol=1e-12)


def test_the_text_is_the_loop_one_would_write() -> None:
    text = source(folded(elman(True)))
    assert "for a in x.unbind(-2):" in text
    assert "torch.stack(ys, dim=-2)" in text


def test_without_elements_it_unfolds() -> None:
    cell = Hand("cell")
    s = cell.input(real(H), "s")
    body = cell.done(cell.point("cos", (s,), real(H)), s)
    d = Hand("net")
    start = d.input(real(H), "start")
    steps = ax("N", 6)
    last, ys = d.box(Fold(steps, body, 1, 0, False), (start,), real(H), real(steps, H))
    diagram = d.done(last, ys)
    verify(diagram)
    agree(diagram)
    assert "for _ in range(6):" in source(diagram)


def test_two_elements_and_a_captured_wire() -> None:
    cell = Hand("cell")
    h, a, b, w = (cell.input(real(H), n) for n in "habw")
    mixed = cell.point("add", (cell.point("mul", (h, w), real(H)), cell.point("mul", (a, b), real(H))), real(H))
    body = cell.done(mixed, h)
    d = Hand("net")
    h0, a, b, w = d.input(real(H)), d.input(real(T, H), "a"), d.input(real(T, H), "b"), d.input(real(H), "w")
    diagram = d.done(*d.box(Fold(T, body, 1, 1, True), (h0, a, b, w), real(H), real(T, H)))
    verify(diagram)
    agree(diagram, {"T": 4})


def test_no_steps_give_the_start() -> None:
    agree(folded(elman(False), start=True), {"T": 0})


def test_the_verifier_holds_its_types() -> None:
    d = Hand("net")
    x, h = d.input(real(T, A)), d.input(real(A))
    diagram = d.done(*d.box(Fold(T, elman(False), 1, 0, False), (h, x), real(T, H)))
    with pytest.raises(BrokenDiagram, match="has a wire"):
        verify(diagram)
