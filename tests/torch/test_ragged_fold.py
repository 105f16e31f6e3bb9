"""Folds along var dims: the packed loop and the fused kernels, against the samples one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from catdl.diagram.model import Diagram
from catdl.rewrite.run import rewritten
from catdl.torch.build import source
from catdl.torch.segments import Segments
from catdl.torch.walk import in_blocks, packed
from catdl.types.ragged import ragged
from catdl.types.types import Axis
from tests.rewrite.by_text import body, folded
from tests.rewrite.test_cells import GRU, LSTM, STEP
from tests.torch.test_ragged import compare, offsets

T = Axis("m::T", ragged("m::T"))
SIZES = ((3, 0, 5, 1, 5), (0, 0), (4,), (1, 1, 1))

CELLS = {
    "elman": (STEP + "tanh((a >> linear(H)) + (h >> linear(bias = false)))", 1, 0),
    "mealy": (
        "morphism cell : Real[H] @ Real[A] -> Real[H] @ Real[A] = (h, a) => {\n"
        "    n = sin((a >> linear(H)) + (h >> linear))\n    (n, tanh(a) * (n >> linear(A)))\n}",
        1,
        0,
    ),
    "captured": (
        "morphism cell : Real[H] @ Real[A] @ Real[H] -> Real[H] = (h, a, w) => cos((a >> linear(H)) + h * w)",
        1,
        1,
    ),
    "two carriers": (
        "morphism cell : Real[H] @ Real @ Real[A] -> Real[H] @ Real =\n"
        "    (h, n, a) => ((a >> linear(H)) * n + h, n + sum[A](a))",
        2,
        0,
    ),
    "affine": (STEP + "(a >> linear(H)) * h + (a >> linear(H))", 1, 0),
    "sum": ("morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => h + a", 1, 0),
    "largest": ("morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => maximum(h, a)", 1, 0),
    "running": ("morphism cell : Real[H] @ Real[H] -> Real[H] @ Real[H] = (h, a) => { n = h + a\n (n, n) }", 1, 0),
    "a function of the state": (STEP + "tanh((a >> linear(H)) + (h >> linear(8) >> relu >> linear(H)))", 1, 0),
    "lstm": (LSTM["four linears"], 2, 0),
    "gru": (next(iter(GRU.values())), 1, 0),
}


def both(diagram: Diagram, sizes: tuple[int, ...]) -> list[str]:
    """As it stands and rewritten; the names of the rewrites."""
    compare(diagram, {"T": sizes})
    (other,), applied = rewritten([diagram])
    compare(other, {"T": sizes}, meaning=diagram)
    return [each.rewrite for each in applied]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_a_fold_is_that_of_each_sample(name: str, reverse: bool, sizes: tuple[int, ...]) -> None:
    text, carried, captured = CELLS[name]
    both(folded(body(text), carried, captured, reverse, T), sizes)


def test_starts_may_be_constant() -> None:
    text, carried, captured = CELLS["mealy"]
    both(folded(body(text), carried, captured, False, T, zeros=True), (3, 0, 2))


def test_the_kernel_is_found() -> None:
    for name, wanted in (("lstm", "lstm"), ("gru", "gru"), ("elman", "rnn_tanh")):
        text, carried, captured = CELLS[name]
        (other,), _ = rewritten([folded(body(text), carried, captured, False, T)])
        assert f'T.fused("{wanted}"' in source(other).replace("\n            ", "")


def test_the_text_is_the_loop_one_would_write() -> None:
    text = source(folded(body(CELLS["mealy"][0]), 1, 0, False, T))
    assert "walk = T.walk()" in text
    assert "in walk.along(x0):" in text
    assert "h = walk.alive(h)" in text
    assert "h = walk.end(h)" in text


@pytest.mark.parametrize("sizes", [*SIZES, tuple(range(60)), (200, 3, 199, 17, 0, 64, 128)])
@pytest.mark.parametrize("run", [in_blocks, packed])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
def test_kernels_keep_samples_apart(cell: str, run: object, sizes: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN}[cell]
    rnn = kind(3, 4, batch_first=True).double()
    at = offsets(sizes)
    x = torch.randn(int(at[-1]), 3, dtype=torch.float64, requires_grad=True)
    states = [torch.randn(len(sizes), 4, dtype=torch.float64, requires_grad=True) for _ in range(1 + (cell == "lstm"))]
    weights = tuple(rnn.parameters())
    found = run(Segments(at), cell, x, list(states), weights)  # type: ignore[operator]  # one of two functions
    outs: list[list[Tensor]] = [[] for _ in found]
    for k, part in enumerate(Segments(at)):
        first = [state[k][None] for state in states]
        if part.stop == part.start:
            results = [x[part], *(state[0] for state in first)]
            results[0] = x.new_zeros(0, 4)
        else:
            y, last = rnn(x[part], tuple(first) if len(first) == 2 else first[0])
            results = [y, *(state[0] for state in (last if isinstance(last, tuple) else (last,)))]
        for out, result in zip(outs, results, strict=True):
            out.append(result)
    wanted = [torch.cat(outs[0]), *(torch.stack(column) for column in outs[1:])]
    leaves = [x, *states, *weights]
    grads = []
    for values in (wanted, found):
        for a, b in zip(wanted, values, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
        loss = torch.stack([(v * torch.arange(v.numel()).reshape(v.shape).sin()).sum() for v in values]).sum()
        grads.append(torch.autograd.grad(loss, leaves, allow_unused=True))
    for a, b in zip(*grads, strict=True):
        zero = torch.zeros((), dtype=torch.float64)
        torch.testing.assert_close(zero if a is None else a, zero if b is None else b, rtol=1e-9, atol=1e-9)
