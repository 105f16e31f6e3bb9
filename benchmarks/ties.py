"""Ties and reparameterisations at run time: a tie beside one made by hand, a weight that is made beside a plain one.

A call is one forward pass without gradients. What is compared is called in turn, and the ratio is the median over such
pairs, which a busy machine slows alike. Pairs are added, a round of `--runs` at a time, until the 99% interval of the
median lies on one side of the limit, twenty rounds at most; the median is what is judged. `operations` are those that
torch runs in a call, views left out: they tell what is added without a clock.

    python benchmarks/ties.py [--runs 200] [--size 1024] [--batch 256] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import catdl
from catdl.torch.reparameterised import Reparameterised

LIMIT = 1.10  # time of a call over that of the one by hand
ROUNDS = 20  # of pairs, at most
DEVIATIONS = 2.58  # of a normal variable, which 1% of its values lie beyond

STEPS = {
    "low_rank": "w => w + low_rank(8)",
    "weight_norm": "weight_norm",
    "spectral_norm": "spectral_norm",
    "quantised": "quantised(4)",
    "symmetric": "symmetric",
    "orthogonal": "orthogonal",
}


def spec(size: int, vocabulary: int) -> catdl.Spec:
    layers = "\n".join(f"morphism by_{name} : Seq -> Seq = linear(D){{weight: {step}}}" for name, step in STEPS.items())
    text = f"""
dim T, D = {size}, Vocab = {vocabulary}
object Seq = Real[T, D]
param table : Real[Vocab, D] ~ normal(0, 0.02)
morphism head : Fin(Vocab)[T] -> Logits[T, Vocab] =
    embed{{table}} >> up: linear(D) >> gelu >> linear(bias = false){{weight = table}}
morphism encoder : Seq -> Seq = up: linear(D) >> gelu >> down: linear(D)
param both : weights(encoder)
morphism siamese : Seq @ Seq -> Seq = (x, y) => (x >> encoder{{both}}) - (y >> encoder{{both}})
{layers}
"""
    found = catdl.loads(text)
    assert not found.diagnostics, found.diagnostics
    return found


class Head(nn.Module):
    """The same head, tied by hand."""

    def __init__(self, size: int, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, size)
        self.up = nn.Linear(size, size)
        self.out = nn.Linear(size, vocabulary, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.out(nn.functional.gelu(self.up(self.embed(x))))
        return y


class Siamese(nn.Module):
    """The same towers, tied by hand."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.Linear(size, size))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        z: Tensor = self.encoder(x) - self.encoder(y)
        return z


class Count(TorchDispatchMode):
    """How many operations torch runs; views and other bookkeeping of no cost are left out."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


class Row(NamedTuple):
    """What is compared: a network and what it is held against; milliseconds of a call, operations of a call.

    `ratio` is the median over pairs of calls, one after the other; `low` and `high` are the ends of its interval.
    """

    name: str
    own: float
    other: float
    own_count: int
    other_count: int
    limit: float
    ratio: float
    low: float
    high: float
    pairs: int


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def counted(call: Callable[[], object]) -> int:
    mode = Count()
    with mode:
        call()
    return mode.count


def compare(name: str, own: Callable[[], object], other: Callable[[], object], runs: int, limit: float) -> Row:
    for _ in range(3):
        own(), other()
    times: tuple[list[float], list[float]] = [], []
    for turn in range(runs * ROUNDS):
        for k in (0, 1) if turn % 2 else (1, 0):
            times[k].append(seconds((own, other)[k]))
        if (turn + 1) % runs == 0:
            ratio, low, high = middle([mine / theirs for mine, theirs in zip(*times, strict=True)])
            if high <= limit or low > limit:
                break
    mine, theirs = (statistics.median(found) * 1e3 for found in times)
    return Row(name, mine, theirs, counted(own), counted(other), limit, ratio, low, high, len(times[0]))


def middle(values: list[float]) -> tuple[float, float, float]:
    """The median, and between which of the values that of all there could be lies, whatever their distribution."""
    ordered = sorted(values)
    reach = DEVIATIONS * math.sqrt(len(ordered)) / 2
    low, high = math.floor(len(ordered) / 2 - reach), math.ceil(len(ordered) / 2 + reach)
    return statistics.median(ordered), ordered[max(low, 0)], ordered[min(high, len(ordered) - 1)]


def measure(size: int, batch: int, runs: int) -> list[Row]:
    torch.manual_seed(0)
    vocabulary = 4 * size
    found = spec(size, vocabulary)
    tokens = torch.randint(0, vocabulary, (1, batch))
    x, y = torch.randn(1, batch, size), torch.randn(1, batch, size)
    rows = []
    head, head_by_hand = found["head"].compile().eval(), Head(size, vocabulary).eval()
    rows.append(compare("tied head", partial(head, tokens), partial(head_by_hand, tokens), runs, LIMIT))
    towers, by_hand = found["siamese"].compile().eval(), Siamese(size).eval()
    rows.append(compare("siamese", partial(towers, x, y), partial(by_hand, x, y), runs, LIMIT))
    plain = nn.Linear(size, size).eval()
    for name in STEPS:
        layer = found[f"by_{name}"].compile().eval()
        assert isinstance(layer, Reparameterised)
        rows.append(compare(f"{name}, kept", partial(layer, x), partial(plain, x), runs, LIMIT))
        layer.merge_weights()
        rows.append(compare(f"{name}, merged", partial(layer, x), partial(plain, x), runs, LIMIT))
    return rows


def missed(row: Row) -> bool:
    """Whether a call costs more than is promised, by the clock or by what it runs."""
    return row.ratio > row.limit or row.own_count > row.other_count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="pairs of calls in a round")
    parser.add_argument("--size", type=int, default=1024, help="of the features")
    parser.add_argument("--batch", type=int, default=256, help="how many vectors a call takes")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise is missed")
    options = parser.parse_args()
    with torch.no_grad():
        rows = measure(options.size, options.batch, options.runs)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        print(
            f"{'':24} {'ms':>8} {'by hand':>8} {'ratio':>7} {'between':>13} {'pairs':>6} {'at most':>8}"
            f" {'operations':>11} {'by hand':>8}"
        )
        for row in rows:
            times = f"{row.own:8.3f} {row.other:8.3f} {row.ratio:7.3f}"
            spread = f"{row.low:6.3f}-{row.high:6.3f} {row.pairs:6} {row.limit:8.2f}"
            print(f"{row.name:24} {times} {spread} {row.own_count:11} {row.other_count:8}")
    if options.check:
        failed = [row.name for row in rows if missed(row)]
        print(f"missed: {', '.join(failed)}" if failed else "met: every promise", file=sys.stderr)
        sys.exit(bool(failed))


if __name__ == "__main__":
    main()
