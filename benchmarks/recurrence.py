"""Folds at native speed: torch's kernels, chunked scans, each beside the plain loop of the same spec.

A run is one forward and one backward pass. Runs of what is compared are interleaved in one process and medians are
taken, with one thread and with as many as torch takes; ratios hold on a busy machine, where milliseconds do not.
`equal` is the largest difference of outputs and gradients from torch's modules with the same weights, in float64.

    python benchmarks/recurrence.py [--runs 9] [--only lstm,affine] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

import catdl
from catdl.diagram.model import Box, Diagram, Fold, Wire
from catdl.rewrite.run import rewritten
from catdl.torch.build import build
from catdl.types.sizes import sym
from catdl.types.types import Axis, Leaf

CELLS = """
dim A = {size}, H = {size}
morphism rnn : Real[H] @ Real[A] -> Real[H] @ Real[H] = (h, a) => {{
    new = tanh((a >> linear) + (h >> linear))
    (new, new)
}}
morphism gru : Real[H] @ Real[A] -> Real[H] @ Real[H] = (h, a) => {{
    rx, zx, nx = a >> linear(3 * H) >> split(3)
    rh, zh, nh = h >> linear(3 * H) >> split(3)
    n = tanh(nx + sigmoid(rx + rh) * nh)
    z = sigmoid(zx + zh)
    new = (1 - z) * n + z * h
    (new, new)
}}
morphism lstm : Real[H] @ Real[H] @ Real[A] -> Real[H] @ Real[H] @ Real[H] = (h, c, a) => {{
    i, f, g, o = ((a >> linear(4 * H)) + (h >> linear(4 * H))) >> split(4)
    state = sigmoid(f) * c + sigmoid(i) * tanh(g)
    new = sigmoid(o) * tanh(state)
    (new, state, new)
}}
morphism affine : Real[H] @ Real[H] @ Real[H] -> Real[H] @ Real[H] = (h, a, b) => {{
    new = a * h + b
    (new, new)
}}
"""


KEYS = ("linear.weight", "linear_2.weight", "linear.bias", "linear_2.bias")
"""The keys of a cell of two joint linears, in the order of torch's own parameters."""


class Figure(NamedTuple):
    """A number that is promised; what it is made of is shown beside it."""

    name: str
    value: float
    limit: float
    least: bool = False  # the limit is the least that it may be, not the most
    beside: str = ""

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.value >= self.limit if self.least else self.value <= self.limit


def scan(cell: Diagram, carried: int) -> Diagram:
    """A fold of a cell along a free axis, with its starts and elements as inputs: the last states, then all outputs."""
    axis = Axis("T", sym("T"))
    ports = [cell.wires[wire] for wire in (*cell.inputs, *cell.outputs)]
    count = len(cell.inputs)
    plain = {*range(carried), *range(count, count + carried)}
    leaves = [w.type if k in plain else Leaf(w.type.kind, (axis, *w.type.axes)) for k, w in enumerate(ports)]
    wires = tuple(Wire(leaf, False, None) for leaf in leaves)
    inputs, outputs = tuple(range(count)), tuple(range(count, len(ports)))
    span = cell.boxes[0].span
    box = Box(Fold(axis, cell, carried, 0, False), inputs, outputs, None, (), span)
    nameless = (None,) * len(inputs), (None,) * len(outputs)
    return Diagram(cell.name, wires, inputs, outputs, (box,), frozenset(), *nameless, ())


def networks(name: str, size: int, carried: int) -> tuple[nn.Module, nn.Module]:
    """The rewritten fold of a cell, and the loop, with the same weights."""
    diagram = scan(catdl.loads(CELLS.format(size=size))[name].diagram(), carried)
    fast, loop = build(rewritten([diagram])[0][0]), build(diagram)
    loop.load_state_dict(fast.state_dict())
    return fast, loop


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls: list[Callable[[], object]], runs: int) -> list[float]:
    """The median time of each call, in milliseconds."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(runs):
        order = range(len(calls)) if turn % 2 else reversed(range(len(calls)))
        for k in order:
            times[k].append(seconds(calls[k]))
    return [statistics.median(found) * 1e3 for found in times]


def passes(model: nn.Module, *inputs: Tensor) -> Callable[[], object]:
    """One forward and one backward pass through the last output, that of all steps."""
    leaves = [*(x for x in inputs if x.requires_grad), *model.parameters()]

    def run() -> None:
        torch.autograd.grad(model(*inputs)[-1].sum(), leaves)

    return run


def threads() -> list[tuple[int, str]]:
    """One, and as many as torch takes."""
    usual = torch.get_num_threads()
    return [(1, "1 thread"), *([(usual, f"{usual} threads")] if usual > 1 else [])]


class Torchs(nn.Module):
    """A module of torch from given states; its output of all steps comes last."""

    def __init__(self, module: nn.RNNBase) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        states, x = [h[None] for h in inputs[:-1]], inputs[-1]
        y, last = self.module(x, tuple(states) if len(states) > 1 else states[0])
        return (*(h[0] for h in (last if isinstance(last, tuple) else (last,))), y)


def alike(model: nn.Module, module: nn.RNNBase) -> None:
    """Give torch's module the weights of ours."""
    given = dict(model.named_parameters())
    with torch.no_grad():
        for key, theirs in zip(KEYS, module.parameters(), strict=True):
            theirs.copy_(given[key])


def equal(runs: int) -> list[Figure]:
    """The largest difference of outputs and gradients from torch's modules."""
    figures = []
    for name, kind, carried in (("rnn", nn.RNN, 1), ("gru", nn.GRU, 1), ("lstm", nn.LSTM, 2)):
        fast, _ = networks(name, 16, carried)
        module = kind(16, 16, batch_first=True)
        alike(fast, module)
        ours, theirs = fast.double(), Torchs(module).double()
        inputs = [torch.randn(3, 16, dtype=torch.float64, requires_grad=True) for _ in range(carried)]
        inputs.append(torch.randn(3, 20, 16, dtype=torch.float64, requires_grad=True))
        given = dict(ours.named_parameters())
        found = []
        for model, leaves in ((ours, [given[key] for key in KEYS]), (theirs, list(theirs.parameters()))):
            outs = model(*inputs)
            found.append([*outs, *torch.autograd.grad(sum(y.sin().sum() for y in outs), [*inputs, *leaves])])
        worst = max(float((a - b).detach().abs().max()) for a, b in zip(*found, strict=True))
        figures.append(Figure(f"{name} beside nn.{name.upper()}, largest difference", worst, 1e-10))
    return figures


def lstm(runs: int) -> list[Figure]:
    """An LSTM fold beside nn.LSTM and beside the loop."""
    figures = []
    for batch, steps, size in ((32, 256, 256), (8, 256, 128), (1, 512, 64)):
        fast, loop = networks("lstm", size, 2)
        module = nn.LSTM(size, size, batch_first=True)
        alike(fast, module)
        inputs = (torch.zeros(batch, size), torch.zeros(batch, size), torch.randn(batch, steps, size))
        for count, told in threads():
            torch.set_num_threads(count)
            ours, theirs = interleaved([passes(fast, *inputs), passes(Torchs(module), *inputs)], runs)
            (slow,) = interleaved([passes(loop, *inputs)], max(1, runs // 4))
            beside = f"{ours:.1f} ms, nn.LSTM {theirs:.1f} ms, loop {slow:.1f} ms ({slow / theirs:.1f} x)"
            figures.append(
                Figure(f"LSTM ({batch}, {steps}, {size}), {told}: / nn.LSTM", ours / theirs, 1.05, False, beside)
            )
        torch.set_num_threads(threads()[-1][0])
    return figures


def affine(runs: int) -> list[Figure]:
    """An affine scan beside the loop, and what a step costs as the number of steps grows."""
    fast, loop = networks("affine", 64, 1)
    figures = []

    def given(batch: int, steps: int) -> tuple[Tensor, ...]:
        a = torch.rand(batch, steps, 64, requires_grad=True)
        return torch.zeros(batch, 64), a, torch.randn(batch, steps, 64, requires_grad=True)

    for count, told in threads():
        torch.set_num_threads(count)
        inputs = given(8, 4096)
        ours, slow = interleaved([passes(fast, *inputs), passes(loop, *inputs)], runs)
        beside = f"{ours:.1f} ms, loop {slow:.1f} ms"
        figures.append(Figure(f"affine scan (8, 4096, 64), {told}: loop / scan", slow / ours, 4, True, beside))
        grown = []
        for batch in (1, 8):
            short, long = given(batch, 512), given(batch, 65536)
            times = interleaved([passes(fast, *short), passes(fast, *long)], runs)
            grown.append((times[0] / 512 * 1e3, times[1] / 65536 * 1e3))
        # With a batch of 8 the long one takes 134 MB for each tensor, new from the system at every pass.
        beside = (
            f"{grown[0][0]:.2f} us, {grown[0][1]:.2f} us a step; batch 8: {grown[1][0]:.2f} us, {grown[1][1]:.2f} us"
        )
        value = grown[0][1] / grown[0][0]
        figures.append(Figure(f"affine scan (1, T, 64), {told}: a step of 65536 / of 512", value, 1, False, beside))
    torch.set_num_threads(threads()[-1][0])
    return figures


SECTIONS: dict[str, Callable[[int], list[Figure]]] = {"equal": equal, "lstm": lstm, "affine": affine}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", default=",".join(SECTIONS), help="which sections, separated by commas")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise is missed")
    options = parser.parse_args()
    torch.manual_seed(0)
    figures = [figure for name in options.only.split(",") for figure in SECTIONS[name](options.runs)]
    if options.json:
        print(json.dumps([figure._asdict() | {"met": figure.met} for figure in figures], indent=2))
    else:
        for figure in figures:
            promise = f"at {'least' if figure.least else 'most'} {figure.limit:g}"
            print(f"{figure.name:58} {figure.value:10.3g}  {promise:16} {figure.beside}")
    if options.check:
        failed = [figure.name for figure in figures if not figure.met]
        print(f"missed: {', '.join(failed)}" if failed else "met: every promise", file=sys.stderr)
        sys.exit(bool(failed))


if __name__ == "__main__":
    main()
