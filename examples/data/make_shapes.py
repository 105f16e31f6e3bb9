"""Writes strokes.npz and shapes.npz, samples that differ in size: `python make_shapes.py`. Needs numpy.

strokes.npz     steps of a pen that draws a triangle, a square, a circle or an eight, in 12 to 40 steps
shapes.npz      graphs of 6 to 14 nodes: a path, a ring, a star, a ladder or a tree, with an edge more at times
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
COUNT = 1500
FOLDER = Path(__file__).parent


def outline(kind: int) -> Array:
    """Points all along a figure, the same distance apart where it is made of sides."""
    if kind < 2:
        corners = np.exp(2j * np.pi * np.arange(kind + 4) / (kind + 3))
        return np.concatenate([np.linspace(a, b, 60, False) for a, b in pairwise(corners)])
    angle = np.linspace(0, 2 * np.pi, 240, False)
    return np.exp(1j * angle) if kind == 2 else np.sin(angle) + 0.5j * np.sin(2 * angle)


def stroke(draw: np.random.Generator, kind: int) -> Array:
    """The steps of one drawing: from anywhere on the figure, in any pose, once around, at a speed that changes."""
    points = np.roll(outline(kind), draw.integers(240)) * np.exp(2j * np.pi * draw.random()) * draw.uniform(0.5, 1.5)
    at = np.sort(draw.integers(0, len(points), draw.integers(13, 42)))
    steps = np.diff(points[at]) + 0.02 * (draw.normal(size=len(at) - 1) + 1j * draw.normal(size=len(at) - 1))
    return np.stack([steps.real, steps.imag], 1)


def edges(draw: np.random.Generator, kind: int, size: int) -> list[tuple[int, int]]:
    """The edges of one graph, each once."""
    match kind:
        case 0:
            found = [(k, k + 1) for k in range(size - 1)]
        case 1:
            found = [(k, (k + 1) % size) for k in range(size)]
        case 2:
            found = [(0, k) for k in range(1, size)]
        case 3:
            half = size // 2
            sides = [(k, k + 1) for start in (0, half) for k in range(start, start + half - 1)]
            found = [*sides, *((k, k + half) for k in range(half))]
        case _:
            found = [((k - 1) // 2, k) for k in range(1, size)]
    if draw.random() < 0.3:
        found.append((int(draw.integers(size)), int(draw.integers(size))))
    return found


def main() -> None:
    """Write both files."""
    draw = np.random.default_rng(0)
    kinds = draw.integers(0, 4, COUNT)
    strokes = [stroke(draw, kind) for kind in kinds]
    np.savez_compressed(
        FOLDER / "strokes.npz",
        move=np.concatenate(strokes).astype(np.float16),
        moves=np.array([len(steps) for steps in strokes], np.int16),
        figure=kinds.astype(np.int8),
    )
    kinds = draw.integers(0, 5, COUNT)
    sizes = 2 * draw.integers(3, 8, COUNT)
    graphs = []
    for kind, size in zip(kinds, sizes, strict=True):
        number = draw.permutation(size)
        one = number[np.array(edges(draw, kind, size))]
        graphs.append(np.concatenate([one, one[:, ::-1]]))
    np.savez_compressed(
        FOLDER / "shapes.npz",
        nodes=sizes.astype(np.int8),
        edges=np.array([len(graph) for graph in graphs], np.int8),
        source=np.concatenate(graphs)[:, 0].astype(np.int8),
        goal=np.concatenate(graphs)[:, 1].astype(np.int8),
        shape=kinds.astype(np.int8),
    )


if __name__ == "__main__":
    main()
