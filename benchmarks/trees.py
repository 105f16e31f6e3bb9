"""Trees: a TreeLSTM over 64 random trees of 64 leaves, level by level, beside node-by-node recursion in PyTorch.

Both run the same weights forward and backward; ours from a batch of tensors, and from nested tuples (`with reading`).
Runs are interleaved, medians are taken. A tree that is a list, 20 000 deep, is folded too, which recursion cannot do.

    python benchmarks/trees.py [--runs 5] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import catdl

LIMIT = 10.0  # recursion over level by level
GROWTH = 2.0  # what a level of a deep tree takes of a level of a shallow one; were it quadratic, ten times as much
TREES, LEAVES, DEPTH, SHALLOW = 64, 64, 20_000, 2_000
SPEC = Path(__file__).parent.parent / "examples" / "treelstm.cat"


def grown(rng: random.Random, leaves: int) -> Any:
    """A random binary tree of words."""
    if leaves == 1:
        return rng.randrange(1000)
    left = rng.randrange(1, leaves)
    return (grown(rng, left), grown(rng, leaves - left))


def node_by_node(m: Any, tree: Any) -> tuple[Tensor, Tensor]:
    """TreeLSTM as one would write it first."""
    if isinstance(tree, int):
        x = m.embed.weight[tree]
        c = torch.sigmoid(m.leaf_i(x)) * torch.tanh(m.leaf_u(x))
        return torch.sigmoid(m.leaf_o(x)) * torch.tanh(c), c
    (hl, cl), (hr, cr) = node_by_node(m, tree[0]), node_by_node(m, tree[1])
    i, f, g, o, u = (m.left(hl) + m.right(hr)).chunk(5)
    c = torch.sigmoid(i) * torch.tanh(u) + torch.sigmoid(f) * cl + torch.sigmoid(g) * cr
    return torch.sigmoid(o) * torch.tanh(c), c


def seconds(work: Callable[[], Tensor]) -> float:
    """Seconds that a forward and a backward pass take."""
    start = time.perf_counter()
    work().sum().backward()
    return time.perf_counter() - start


def climbed(spec: Any, model: Any, depth: int) -> dict[str, float]:
    """Seconds that a tree which is a list takes."""
    value: Any = 1
    for k in range(depth):
        value = (k % 1000, value)
    times = [time.perf_counter()]
    tree = spec.trees([value])
    times.append(time.perf_counter())
    h, _ = model(tree)
    times.append(time.perf_counter())
    h.sum().backward()
    times.append(time.perf_counter())
    return {name: b - a for name, a, b in zip(("reading", "forward", "backward"), times, times[1:], strict=False)}


def measure(runs: int) -> dict[str, float]:
    """The figures."""
    torch.manual_seed(0)
    spec = catdl.load(SPEC)["treelstm"]
    model: Any = spec.compile()
    rng = random.Random(0)
    values = [grown(rng, LEAVES) for _ in range(TREES)]
    batch = spec.trees(values)
    works: dict[str, Callable[[], Tensor]] = {
        "level by level": lambda: model(batch)[0],
        "with reading": lambda: model(spec.trees(values))[0],
        "node by node": lambda: torch.stack([node_by_node(model, tree)[0] for tree in values]),
    }
    torch.testing.assert_close(works["level by level"](), works["node by node"](), rtol=1e-4, atol=1e-5)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            times[name].append(seconds(work))
    found = {name: statistics.median(each) for name, each in times.items()}
    found["ratio"] = found["node by node"] / found["level by level"]
    lists: dict[int, list[dict[str, float]]] = {SHALLOW: [], DEPTH: []}
    for depth in (SHALLOW, SHALLOW, DEPTH, SHALLOW, SHALLOW):  # the short ones around it, for the load may change
        lists[depth].append(climbed(spec, model, depth))
    found |= {f"deep, {name}": took for name, took in lists[DEPTH][0].items()}
    levels = {
        depth: statistics.median(each["forward"] + each["backward"] for each in runs_of) / depth
        for depth, runs_of in lists.items()
    }
    found["growth"] = levels[DEPTH] / levels[SHALLOW]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    found = measure(args.runs)
    if args.json:
        print(json.dumps(found))
    else:
        print(f"TreeLSTM, {TREES} random trees of {LEAVES} leaves, forward and backward")
        for name in ("level by level", "with reading", "node by node"):
            print(f"  {name:<16} {found[name] * 1000:9.1f} ms")
        print(f"  node by node takes {found['ratio']:.1f} times as long, promised {LIMIT:.0f}")
        print(f"a tree {DEPTH} deep")
        for name in ("reading", "forward", "backward"):
            print(f"  {name:<16} {found[f'deep, {name}']:9.2f} s")
        print(f"  a level takes {found['growth']:.2f} times as long as in a tree {SHALLOW} deep, promised {GROWTH}")
    if args.check and (found["ratio"] < LIMIT or found["growth"] > GROWTH):
        sys.exit(1)


if __name__ == "__main__":
    main()
