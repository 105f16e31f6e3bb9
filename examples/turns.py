"""What the learners of gan.cat and values.cat come to, from several seeds: python examples/turns.py."""

from __future__ import annotations

import math
from pathlib import Path

import torch

import catdl

FOLDER = Path(__file__).parent
MODES, SPREAD, DRAWN = 8, 0.05, 2000


def ring(seed: int, epochs: int) -> tuple[int, float]:
    """How many of the eight Gaussians at least one point in fifty is of, and how many points are of any."""
    gan = catdl.load(FOLDER / "gan.cat").learner("gan").with_setting("seed", None, str(seed))
    artist = gan.with_setting("stop", None, f"epochs({epochs})").fit().get_submodule("artist").eval()
    with torch.no_grad():
        points = artist(torch.randn(DRAWN, 4, generator=torch.Generator().manual_seed(1)))
    angle = torch.arange(MODES) * 2 * math.pi / MODES
    apart, mode = torch.cdist(points, torch.stack([angle.cos(), angle.sin()], 1)).min(1)
    near = apart < 4 * SPREAD
    covered = torch.bincount(mode[near], minlength=MODES) >= DRAWN / 50
    return int(covered.sum()), float(near.double().mean())


def walk(seed: int) -> float:
    """By how much the worth of the worst step is missed; from state s the end is 5 - s steps to the right away."""
    values = catdl.load(FOLDER / "values.cat").learner("values").with_setting("seed", None, str(seed))
    found = values.fit().eval()(torch.arange(6)).detach()
    worth = [0.9 ** (5 - state) for state in range(6)]
    true = torch.tensor([[0.9 * worth[max(0, state - 1)], worth[state]] for state in range(6)])
    return float((found - true).abs().max())


def main() -> None:
    """Print the figures of examples/README.md."""
    for seed in range(3):
        modes, near = ring(seed, 100)
        print(f"seed {seed}: {modes} of {MODES} modes, {near:.0%} of the points in one; values off by {walk(seed):.4f}")


if __name__ == "__main__":
    main()
