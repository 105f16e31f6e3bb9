"""Steps of a learner beside the same loop by hand: a perceptron, a small convolutional net, a small transformer.

Both do the same steps on the same samples from the same weights; `apart` is how far these are apart after eight steps,
of rounding alone (the learner's optimiser is torch's fused one). Turns of so many steps alternate in one process, and
what is promised is the median over the turns of steps per second by steps per second. `start` is how much longer
`catdl train --dry-run` takes than a script that imports torch, builds the network and does one step.

    python benchmarks/training.py [--turns 15] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import catdl
from catdl.learn.fit import Run

sys.path.insert(0, str(Path(__file__).parents[1]))  # how a fresh process is timed stands with the cold start

from benchmarks.cold import once

LEAST = 0.97  # steps per second, of those by hand
MOST = 0.5  # seconds that the start may take longer

SPEC = """
dim H = 8, W = 8, Class = 10, T = 32, Vocab = 64, D = 64, Head = 4

morphism mlp : Real[H, W] -> Logits[Class] = flatten >> linear(64) >> relu >> linear
morphism conv : Real[H, W] -> Logits[Class] =
    expand[C: 1] >> conv2d(16, 3, padding = 1) >> relu >> maxpool(2) >> conv2d(32, 3, padding = 1) >> relu
    >> mean[H, W] >> linear
morphism attention : Real[T, D] -> Real[T, D] = x => {
    q, k, v = x >> qkv: linear(3 * D) >> split(3)
    box heads = rearrange("t (h d) -> h t d", h = Head)
    y = (q = q >> heads, k = k >> heads, v = v >> heads) >> attend
    y >> rearrange("h t d -> t (h d)") >> out: linear(D)
}
morphism residual[X](f : X -> X) : X -> X = x => x + (x >> f)
morphism block : Real[T, D] -> Real[T, D] =
    residual(layernorm >> attention) >> residual(layernorm >> up: linear(256) >> gelu >> down: linear)
morphism texts : Fin(Vocab)[T] -> Logits[Class] = embed(D) >> repeat(2, block) >> mean[T] >> linear
"""

LEARNER = """
learner {name}_ {{
    data      = table("{data}.npz", input = x, target = y)
    model     = {name}
    loss      = cross_entropy
    optimizer = adamw(lr = 1e-3)
    stop      = epochs(1000)
    batch     = 64
}}
"""
DATA = {"mlp": "images", "conv": "images", "texts": "texts"}
BY_HAND = """
import sys
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

with np.load(sys.argv[1]) as file:
    x, y = torch.from_numpy(file["x"]), torch.from_numpy(file["y"])
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
F.cross_entropy(net(x[:64]), y[:64]).backward()
optimizer.step()
"""


class Figures(NamedTuple):
    """Steps per second of the learner and by hand, the median of the quotients, and how far the weights are apart."""

    ours: float
    theirs: float
    ratio: float
    apart: float


def prepare(folder: Path) -> Path:
    """The spec and its data."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 10, 2048)
    np.savez(folder / "images.npz", x=draw.normal(size=(2048, 8, 8)).astype(np.float32), y=labels)
    np.savez(folder / "texts.npz", x=draw.integers(0, 64, (2048, 32)), y=labels)
    path = folder / "training.cat"
    learners = "".join(LEARNER.format(name=name, data=data) for name, data in DATA.items())
    path.write_text(SPEC + learners, encoding="utf-8")
    return path


def by_hand(net: nn.Module, columns: tuple[Tensor, ...]) -> Callable[[Tensor], None]:
    """The step that anyone would write."""
    x, y = columns
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)

    def step(index: Tensor) -> None:
        loss = F.cross_entropy(net(x[index]), y[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not np.isfinite(loss.item()):
            raise ValueError("the loss is not finite")

    return step


def turn(step: Callable[[Tensor], None], batches: list[Tensor]) -> float:
    """Steps per second."""
    begin = time.perf_counter()
    for index in batches:
        step(index)
    return len(batches) / (time.perf_counter() - begin)


def measure(run: Run, net: nn.Module, turns: int, steps: int) -> Figures:
    """Turns of both, one after the other, each first in half of them; `net` starts with the weights of the run."""
    net.load_state_dict(run.net.trained.state_dict())
    run.net.train()
    hand = by_hand(net, cast("tuple[Tensor, ...]", run.data.learn.take(torch.arange(run.data.learn.count)).inputs))
    order = torch.randperm(run.data.learn.count, generator=torch.Generator().manual_seed(0))
    batches = list(order.split(64)) * max(1, steps // 32)
    turn(run.step, batches[:8])
    turn(hand, batches[:8])
    pairs = zip(run.net.trained.parameters(), net.parameters(), strict=True)
    apart = max(float((a - b).detach().abs().max()) for a, b in pairs)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(turns):
        for mine in (True, False) if number % 2 else (False, True):
            (ours if mine else theirs).append(turn(run.step if mine else hand, batches))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Figures(statistics.median(ours), statistics.median(theirs), statistics.median(ratios), apart)


def starts(spec: Path, turns: int) -> tuple[float, float]:
    """Seconds that each takes to its first step, as a fresh process."""
    hand = spec.with_name("by_hand.py")
    hand.write_text(BY_HAND, encoding="utf-8")
    commands = (
        ["-m", "catdl", "train", str(spec), "mlp_", "--dry-run"],
        [str(hand), str(spec.with_name("images.npz"))],
    )
    seconds: tuple[list[float], list[float]] = ([], [])
    for command in commands:
        once(command)  # after which there is bytecode of catdl, as there is of torch
    for _ in range(turns):
        for found, command in zip(seconds, commands, strict=True):
            found.append(once(command).wall)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        path = prepare(Path(place))
        spec = catdl.load(path)
        for name, steps in (("mlp", 192), ("conv", 64), ("texts", 32)):
            found = measure(spec.learner(f"{name}_").run(), spec[name].compile(), given.turns, steps)
            rows.append({"what": name, **found._asdict(), "wanted": LEAST, "met": found.ratio >= LEAST})
        ours, theirs = starts(path, max(3, given.turns // 3))
    start = {"what": "start", "ours": ours, "theirs": theirs, "more": ours - theirs, "wanted": MOST}
    rows.append({**start, "met": ours - theirs <= MOST})
    if given.json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows[:-1]:
            said = f"{row['ours']:9.1f} steps a second, by hand {row['theirs']:9.1f}, weights {row['apart']:.1e} apart"
            print(f"{row['what']:<8} {row['ratio']:.3f}  at least {LEAST}   {said}")
        print(f"{'start':<8} {ours - theirs:.2f} s more, at most {MOST}   {ours:.2f} s, by hand {theirs:.2f} s")
    missed = [str(row["what"]) for row in rows if not row["met"]]
    if given.check:
        print(f"missed: {', '.join(missed)}" if missed else "met: every promise")
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
