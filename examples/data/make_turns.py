"""Writes ring.npz, eight Gaussians on a circle and noise beside them, and walk.npz, steps of a walk without a plan.

python examples/data/make_turns.py
"""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
MODES, SPREAD, STATES = 8, 0.05, 6


def main() -> None:
    """Draw both from one seed."""
    draw = np.random.default_rng(0)
    angle = draw.integers(0, MODES, 2048) * 2 * np.pi / MODES
    x = np.stack([np.cos(angle), np.sin(angle)], 1) + SPREAD * draw.normal(size=(2048, 2))
    z = draw.normal(size=(2048, 4))
    np.savez_compressed(FOLDER / "ring.npz", x=x.astype(np.float32), z=z.astype(np.float32))
    state, action = draw.integers(0, STATES, 1024), draw.integers(0, 2, 1024)
    there = np.maximum(state + 2 * action - 1, 0)  # 0 goes left, 1 right; from the last state right is the end
    end = there == STATES
    np.savez_compressed(
        FOLDER / "walk.npz",
        state=state.astype(np.uint8),
        action=action.astype(np.uint8),
        reward=end.astype(np.float32),
        next=np.where(end, 0, there).astype(np.uint8),
        goes_on=(~end).astype(np.float32),
    )


if __name__ == "__main__":
    main()
