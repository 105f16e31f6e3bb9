"""Batches of sequences of different length: packed along a var dim, beside padding to the longest.

64 sequences of 8 to 512 elements. The last state of an LSTM fold, forward and backward, is timed beside that of
`nn.LSTM` on the padded batch, where states behind the end of a sequence are computed for nothing, and beside torch's
own way, `pack_sequence`. Runs are interleaved; what is promised is the median over the turns of the one by the
other, which ran under the same load.

    python benchmarks/ragged.py [--runs 9] [--size 128] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, pad_sequence

import catdl

LIMIT = 0.60  # the time of the packed fold over that of padding
COUNT, LEAST, MOST = 64, 8, 512


def fold(size: int) -> nn.Module:
    """An LSTM as a fold over texts of different length."""
    spec = catdl.loads(f"""
dim T : var, A = {size}, H = {size}
object Cell = (h: Real[H], c: Real[H])
functor Words(X) = () + Real[A] @ X
algebra lstm : Words(Cell) -> Cell = [ zeros | (a, s) => {{
    i, f, g, o = ((a >> linear(4 * H)) + (s.h >> linear(4 * H))) >> split(4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    (h = sigmoid(o) * tanh(c), c = c)
}} ]
morphism encode : Real[T, A] -> Real[H] = fold[T](lstm) >> ((h, _) => h)
""")
    return spec["encode"].compile()


def timed(model: nn.Module, call: Callable[[], Tensor]) -> float:
    """Seconds of one call with its gradients."""
    model.zero_grad()
    begin = time.perf_counter()
    call().sum().backward()
    return time.perf_counter() - begin


def measure(size: int, runs: int) -> dict[str, float]:
    """Seconds of each way, and the ratio that is promised; the states are equal."""
    torch.manual_seed(0)
    lengths = torch.linspace(LEAST, MOST, COUNT).round().long()[torch.randperm(COUNT)].tolist()
    sequences = [torch.randn(length, size) for length in lengths]
    ours, theirs = fold(size), nn.LSTM(size, size, batch_first=True)
    names = {"weight_ih_l0": "linear.weight", "bias_ih_l0": "linear.bias"}
    names |= {"weight_hh_l0": "linear_2.weight", "bias_hh_l0": "linear_2.bias"}
    theirs.load_state_dict({name: ours.state_dict()[f"lstm.{key}"] for name, key in names.items()})
    x, offsets = torch.cat(sequences), torch.tensor([0, *lengths]).cumsum(0)
    padded, packed = pad_sequence(sequences, batch_first=True), pack_sequence(sequences, enforce_sorted=False)
    ways: dict[str, tuple[nn.Module, Callable[[], Tensor]]] = {
        "packed fold": (ours, lambda: ours(x, T=offsets)),
        "padded nn.LSTM": (theirs, lambda: theirs(padded)[0][last]),
    }
    last = torch.arange(COUNT), torch.tensor(lengths) - 1
    with torch.no_grad():
        torch.testing.assert_close(ours(x, T=offsets), theirs(padded)[0][last], rtol=1e-4, atol=1e-5)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for model, call in ways.values():
        timed(model, call)
    for turn in range(runs):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            times[name].append(timed(*ways[name]))
    result = {name: statistics.median(found) for name, found in times.items()}
    result["ratio"] = statistics.median(a / b for a, b in zip(*times.values(), strict=True))
    result["nn.LSTM of pack_sequence"] = timed(theirs, lambda: theirs(packed)[1][0])  # once: it takes long
    return result


def main() -> int:
    """Measure, print, and compare with what is promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = measure(options.size, options.runs)
    ratio = found["ratio"]
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{COUNT} sequences of {LEAST} to {MOST}, width {options.size}, forward and backward")
        for name in ("packed fold", "padded nn.LSTM", "nn.LSTM of pack_sequence"):
            seconds = found[name]
            print(f"  {name:<26} {1e3 * seconds:>9.1f} ms   {seconds / found['padded nn.LSTM']:6.2f} x padding")
        print(f"promised: the packed fold at most {LIMIT:.2f} x the time of padding; found {ratio:.2f}")
    return int(options.check and ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
