"""Folds at native speed: torch's kernels, chunked scans, each beside the plain loop of the same spec.

A run is one forward and one backward pass. Runs of what is compared are interleaved in one process and medians are
taken, with one thread and with as many as torch takes; ratios hold on a busy machine, where milliseconds do not.
Trees and sequences of different length are those of `trees.py` and `ragged.py`, which run by themselves, too.
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
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

import catdl
from catdl.torch.build import build

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import ragged, trees

SPEC = """
dim T : time
dim A = {size}, H = {size}
object State = Real[H]
object Cell  = (h: Real[H], c: Real[H])
functor Words(X) = () + Real[A] @ X
functor Maps(X)  = () + (Real[H] @ Real[H]) @ X

algebra elman : Words(State) -> State = [ zeros | (a, h) => tanh((a >> linear) + (h >> linear)) ]

algebra gated : Words(State) -> State = [ zeros | (a, h) => {{
    rx, zx, nx = a >> linear(3 * H) >> split(3)
    rh, zh, nh = h >> linear(3 * H) >> split(3)
    n = tanh(nx + sigmoid(rx + rh) * nh)
    z = sigmoid(zx + zh)
    (1 - z) * n + z * h
}} ]

algebra memory : Words(Cell) -> Cell = [ zeros | (a, s) => {{
    i, f, g, o = ((a >> linear(4 * H)) + (s.h >> linear(4 * H))) >> split(4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    (h = sigmoid(o) * tanh(c), c = c)
}} ]

algebra moved : Maps(State) -> State = [ zeros | (a, b, h) => a * h + b ]

morphism rnn    : Real[T, A] -> Real[T, H] = scan[T](elman)
morphism gru    : Real[T, A] -> Real[T, H] = scan[T](gated)
morphism lstm   : Real[T, A] -> Real[T, H] = scan[T](memory) >> ((h, _) => h)
morphism affine : Real[T, H] @ Real[T, H] -> Real[T, H] = scan[T](moved)
"""

KEYS = ("linear.weight", "linear_2.weight", "linear.bias", "linear_2.bias")
"""The leaves of a cell of two joint linears, in the order of torch's own parameters."""


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


def networks(name: str, size: int) -> tuple[nn.Module, nn.Module]:
    """A fold as it is compiled, and as the loop, with the same weights."""
    handle = catdl.loads(SPEC.format(size=size))[name]
    fast, loop = handle.compile(), build(handle.diagram())
    loop.load_state_dict(fast.state_dict())
    return fast, loop


def weights(model: nn.Module) -> list[Tensor]:
    """The weights of a cell in torch's order."""
    given = {key.partition(".")[2]: weight for key, weight in model.named_parameters()}
    return [given[key] for key in KEYS] if given else []


def alike(model: nn.Module, module: nn.RNNBase) -> nn.RNNBase:
    """Torch's module with the weights of ours."""
    with torch.no_grad():
        for mine, theirs in zip(weights(model), module.parameters(), strict=True):
            theirs.copy_(mine)
    return module


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls: list[Callable[[], object]], runs: int, least: float = 2.0) -> list[list[float]]:
    """The times of each call in milliseconds, turn by turn: so many turns, and for so many seconds at least."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    begin = time.perf_counter()
    while len(times[0]) < runs or time.perf_counter() - begin < least:
        order = range(len(calls)) if len(times[0]) % 2 else reversed(range(len(calls)))
        for k in order:
            times[k].append(seconds(calls[k]) * 1e3)
    return times


def ratio(times: list[float], others: list[float]) -> float:
    """The median over the turns of what one takes of the other: both ran under the same load."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def passes(model: nn.Module, *inputs: Tensor) -> Callable[[], object]:
    """One forward and one backward pass."""
    leaves = [*(x for x in inputs if x.requires_grad), *model.parameters()]

    def run() -> None:
        torch.autograd.grad(first(model(*inputs)).sum(), leaves)

    return run


def first(out: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The output of all steps; torch's modules give the last state as well."""
    return out if isinstance(out, Tensor) else out[0]


def threads() -> list[tuple[int, str]]:
    """One, and as many as torch takes."""
    usual = torch.get_num_threads()
    return [(1, "1 thread"), *([(usual, f"{usual} threads")] if usual > 1 else [])]


def equal(runs: int) -> list[Figure]:
    """The largest difference of outputs and gradients from torch's modules."""
    figures = []
    for name, kind in (("rnn", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)):
        ours = networks(name, 16)[0].double()
        theirs = alike(ours, kind(16, 16, batch_first=True).double())
        x = torch.randn(3, 20, 16, dtype=torch.float64, requires_grad=True)
        found = []
        for model, leaves in ((ours, weights(ours)), (theirs, list(theirs.parameters()))):
            y = first(model(x))
            found.append([y, *torch.autograd.grad(y.sin().sum(), [x, *leaves])])
        worst = max(float((a - b).detach().abs().max()) for a, b in zip(*found, strict=True))
        figures.append(Figure(f"{name} beside nn.{name.upper()}, largest difference", worst, 1e-10))
    return figures


def lstm(runs: int) -> list[Figure]:
    """An LSTM fold beside nn.LSTM and beside the loop."""
    figures = []
    for batch, steps, size in ((32, 256, 256), (8, 256, 128), (1, 512, 64)):
        fast, loop = networks("lstm", size)
        module = alike(fast, nn.LSTM(size, size, batch_first=True))
        x = torch.randn(batch, steps, size)
        for count, told in threads():
            torch.set_num_threads(count)
            ours, theirs = interleaved([passes(fast, x), passes(module, x)], runs)
            (slow,) = interleaved([passes(loop, x)], max(1, runs // 8), 0)
            shown = [statistics.median(times) for times in (ours, theirs, slow)]
            beside = (
                f"{shown[0]:.1f} ms, nn.LSTM {shown[1]:.1f} ms, loop {shown[2]:.1f} ms ({shown[2] / shown[1]:.1f} x)"
            )
            what = f"LSTM ({batch}, {steps}, {size}), {told}: / nn.LSTM"
            figures.append(Figure(what, ratio(ours, theirs), 1.05, False, beside))
        torch.set_num_threads(threads()[-1][0])
    return figures


def affine(runs: int) -> list[Figure]:
    """An affine scan beside the loop, and what a step costs as the number of steps grows."""
    fast, loop = networks("affine", 64)
    figures = []

    def given(batch: int, steps: int) -> tuple[Tensor, Tensor]:
        a = torch.rand(batch, steps, 64, requires_grad=True)
        return a, torch.randn(batch, steps, 64, requires_grad=True)

    for count, told in threads():
        torch.set_num_threads(count)
        inputs = given(8, 4096)
        ours, slow = interleaved([passes(fast, *inputs), passes(loop, *inputs)], runs)
        beside = f"{statistics.median(ours):.1f} ms, loop {statistics.median(slow):.1f} ms"
        figures.append(Figure(f"affine scan (8, 4096, 64), {told}: loop / scan", ratio(slow, ours), 4, True, beside))
        grown, shown = [], []
        for batch in (1, 8):
            short, long = interleaved([passes(fast, *given(batch, 512)), passes(fast, *given(batch, 65536))], runs)
            grown.append(ratio(long, short) * 512 / 65536)
            shown.append(f"{statistics.median(short) / 512e-3:.2f}, {statistics.median(long) / 65536e-3:.2f} us a step")
        # With a batch of 8 the long one takes 134 MB for each tensor, new from the system at every pass.
        beside = f"{shown[0]}; batch 8: {shown[1]}"
        figures.append(Figure(f"affine scan (1, T, 64), {told}: a step of 65536 / of 512", grown[0], 1, False, beside))
    torch.set_num_threads(threads()[-1][0])
    return figures


def of_trees(runs: int) -> list[Figure]:
    """TreeLSTM level by level beside recursion, and a tree that is a list."""
    found = trees.measure(max(3, runs // 2))
    beside = f"{found['level by level'] * 1e3:.1f} ms, node by node {found['node by node'] * 1e3:.1f} ms"
    deep = f"forward {found['deep, forward']:.1f} s, backward {found['deep, backward']:.1f} s"
    return [
        Figure(
            f"TreeLSTM, {trees.TREES} trees of {trees.LEAVES} leaves: recursion / levels",
            found["ratio"],
            trees.LIMIT,
            True,
            beside,
        ),
        Figure(
            f"a tree {trees.DEPTH} deep: a level / of one {trees.SHALLOW} deep",
            found["growth"],
            trees.GROWTH,
            False,
            deep,
        ),
    ]


def of_ragged(runs: int) -> list[Figure]:
    """An LSTM over sequences of different length, packed, beside padding."""
    found = ragged.measure(128, max(3, runs // 2))
    ours, padded = found["packed fold"], found["padded nn.LSTM"]
    name = f"{ragged.COUNT} sequences of {ragged.LEAST} to {ragged.MOST}: packed / padded"
    return [Figure(name, found["ratio"], ragged.LIMIT, False, f"{ours * 1e3:.1f} ms, padded {padded * 1e3:.1f} ms")]


SECTIONS: dict[str, Callable[[int], list[Figure]]] = {
    "equal": equal,
    "lstm": lstm,
    "affine": affine,
    "trees": of_trees,
    "ragged": of_ragged,
}


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
