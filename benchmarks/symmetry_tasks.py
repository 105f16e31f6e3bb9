"""What a symmetry is worth: three regression tasks, solved by an equivariant network and by a perceptron of its size.

The tasks are those of arXiv 2104.09459, section 7.1, made here: an O(5)-invariant number of two vectors, the moment of
inertia of five points, the Lorentz-invariant matrix element of electron-muon scattering. Both networks get the same
data, optimiser, steps and number of parameters; a figure is the mean square error on 5000 fresh points, of the targets'
variance, and the geometric mean over the seeds.

    python benchmarks/symmetry_tasks.py [--sizes 100,1000] [--seeds 3] [--steps 2000] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

import catdl

EXAMPLES = Path(__file__).parent.parent / "examples"
TEST = 5000
Points = tuple[tuple[Tensor, ...], Tensor]


def o5(count: int) -> Points:
    """sin |a| - |b|^3 / 2 + cos of the angle between them."""
    x = torch.randn(count, 5, 2)
    a, b = x.unbind(-1)
    y = a.norm(dim=-1).sin() - b.norm(dim=-1) ** 3 / 2 + torch.cosine_similarity(a, b)
    return (x,), y


def inertia(count: int) -> Points:
    """The sum of m (|x|^2 - x x^T)."""
    mass, x = nn.functional.softplus(torch.randn(count, 5)), torch.randn(count, 5, 3)
    squares = x[..., :, None] * x[..., None, :]
    lengths = (x * x).sum(-1)[..., None, None] * torch.eye(3)
    return (mass, x), (mass[..., None, None] * (lengths - squares)).sum(1)


def scattering(count: int) -> Points:
    """The product of two tensors, each of two momenta, in the metric of space and time."""
    x = torch.randn(count, 4, 4) / 4
    metric = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0]))

    def tensor(before: Tensor, after: Tensor) -> Tensor:
        both = before[:, :, None] * after[:, None, :]
        inner = torch.einsum("ni,ij,nj->n", before, metric, before - after)
        return both + both.mT + inner[:, None, None] * metric

    electron, muon = tensor(x[:, 0], x[:, 1]), tensor(x[:, 2], x[:, 3])
    return (x,), torch.einsum("nij,ik,jl,nkl->n", electron, metric, metric, muon)


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its example, its data, how much better the equivariant network has to be at n = 1000."""

    file: str
    name: str
    points: Callable[[int], Points]
    wanted: float


TASKS = {
    "O(5)": Task("o5.cat", "regress", o5, 15.0),
    "inertia": Task("inertia.cat", "inertia", inertia, 8.0),
    "Lorentz": Task("scattering.cat", "scattering", scattering, 30.0),
}


class Perceptron(nn.Module):
    """Three hidden layers on all numbers at once, as wide as so many parameters allow."""

    def __init__(self, inputs: int, outputs: tuple[int, ...], parameters: int) -> None:
        super().__init__()
        self.outputs = outputs
        out = math.prod(outputs)
        slope = inputs + out + 3
        width = max(8, round((math.sqrt(slope**2 + 8 * (parameters - out)) - slope) / 4))
        sizes = (inputs, width, width, width, out)
        layers: list[nn.Module] = []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, *inputs: Tensor) -> Tensor:
        """All inputs, flattened and side by side."""
        y: Tensor = self.layers(torch.cat([x.flatten(1) for x in inputs], 1))
        return y.unflatten(1, self.outputs) if self.outputs else y.squeeze(1)


def trained(module: nn.Module, points: Points, test: Points, steps: int) -> float:
    """Adam with a cosine schedule, in batches of at most 500; the error on the test points, of their variance."""
    inputs, target = points
    center, scale = target.mean(0), target.std()
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        chosen = torch.randperm(len(target))[:500]
        found = module(*(x[chosen] for x in inputs)) * scale
        loss = ((found - target[chosen]) / scale).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    module.eval()
    with torch.no_grad():
        error = (module(*test[0]) * scale - test[1]).square().mean() / (test[1] - center).square().mean()
    return float(error)


def compared(task: Task, count: int, seeds: int, steps: int) -> dict[str, float]:
    """Both networks on a task with so many points."""
    found: dict[str, list[float]] = {"equivariant": [], "perceptron": []}
    spec = catdl.load(EXAMPLES / task.file)
    for seed in range(seeds):
        torch.manual_seed(seed)
        points, test = task.points(count), task.points(TEST)
        module = spec[task.name].compile()
        size = sum(p.numel() for p in module.parameters())
        inputs = sum(x[0].numel() for x in points[0])
        other = Perceptron(inputs, tuple(points[1].shape[1:]), size)
        found["equivariant"].append(trained(module, points, test, steps))
        found["perceptron"].append(trained(other, points, test, steps))
    means = {name: math.exp(sum(map(math.log, values)) / seeds) for name, values in found.items()}
    return {**means, "ratio": means["perceptron"] / means["equivariant"], "parameters": float(size)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    missed: list[str] = []
    for name, task in TASKS.items():
        for count in map(int, given.sizes.split(",")):
            found = figures[f"{name}, n = {count}"] = compared(task, count, given.seeds, given.steps)
            if not given.json:
                errors = f"{found['equivariant']:.2e} against {found['perceptron']:.2e}"
                print(f"{name:8} n = {count:<6} {errors}, {found['ratio']:8.1f} times lower", flush=True)
            if count == 1000 and found["ratio"] < task.wanted:
                missed.append(f"{name}: {found['ratio']:.1f} times lower at n = 1000, not {task.wanted:.0f}")
    if given.json:
        print(json.dumps({"figures": figures, "missed": missed}, indent=2))
    else:
        print("\n".join(missed))
    return 1 if given.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
