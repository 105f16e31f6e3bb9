"""Equivariant layers beside `nn.Linear` of the same width: one call of a batch of 256 vectors of 384 numbers.

The compiled layer of a spec, in training (its weight is made in every call) and in evaluation (what it makes is kept).
Calls of both take turns, on one thread; a figure is the ratio of the times that a tenth of the calls stay below, which
other work on the machine hardly moves.

    python benchmarks/equivariant_forward.py [--runs 400] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import catdl

WIDTH, BATCH = 384, 256
SPEC = """
dim S = 32 : set, Z = 32 : cycle, X = 3 : vector(O), P = 4 : vector(Lorentz)
morphism set    : Real[S, 12] -> Real[S, 12] = equilinear
morphism cycle  : Real[Z, 12] -> Real[Z, 12] = equilinear
morphism vector : Real[X, 128] -> Real[X, 128] = equilinear
morphism tensor : Real[P, P', 24] -> Real[P, P', 24] = equilinear
"""
SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {
    "set": ((32, 12),),
    "cycle": ((32, 12),),
    "vector": ((3, 128),),
    "tensor": ((4, 4, 24),),
}
TRAINING = {"set": 0.30, "cycle": 1.2}
EVALUATION = 1.05


def seconds(work: Callable[[], Any]) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(work: Callable[[], Any], beside: Callable[[], Any], runs: int) -> tuple[float, float]:
    """The time of a call over that of another, and the milliseconds of that one."""
    times = [(seconds(work), seconds(beside)) for _ in range(runs)]
    mine, other = (statistics.quantiles(side, n=10)[0] for side in zip(*times, strict=True))
    return mine / other, other * 1e3


def ratios(module: nn.Module, inputs: list[torch.Tensor], linear: nn.Linear, runs: int) -> dict[str, float]:
    """The time of a call over that of the linear layer, in training and in evaluation; and the milliseconds of that."""
    x = torch.randn(BATCH, WIDTH)
    training, _ = ratio(lambda: module(*inputs), lambda: linear(x), runs)
    module.eval()
    with torch.no_grad():
        evaluation, base = ratio(lambda: module(*inputs), lambda: linear(x), runs)
    return {"training": training, "evaluation": evaluation, "linear_ms": base}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec = catdl.loads(SPEC)
    linear = nn.Linear(WIDTH, WIDTH)
    figures: dict[str, dict[str, float]] = {}
    for name, shapes in SHAPES.items():
        inputs = [torch.randn(BATCH, *shape) for shape in shapes]
        figures[name] = ratios(spec[name].compile(), inputs, linear, given.runs)
    missed = [
        f"{name} in {mode}: {found[mode]:.2f} of nn.Linear, at most {limit}"
        for name, found in figures.items()
        for mode, limit in (("training", TRAINING.get(name)), ("evaluation", min(EVALUATION, TRAINING.get(name, 9.0))))
        if limit is not None and found[mode] > limit
    ]
    if given.json:
        print(json.dumps({"figures": figures, "missed": missed}, indent=2))
    else:
        print(f"{'':10}{'training':>12}{'evaluation':>12}     of nn.Linear({WIDTH}, {WIDTH}), batch {BATCH}")
        for name, found in figures.items():
            print(f"{name:10}{found['training']:>11.2f}x{found['evaluation']:>11.2f}x     {found['linear_ms']:.2f} ms")
        print("\n".join(missed))
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
