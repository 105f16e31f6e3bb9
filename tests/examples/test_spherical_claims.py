"""What the example of a signal on a sphere claims: handedness is learned in one pose and known in all."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import catdl
from catdl.symmetry.actions import ROTATIONS
from tests.examples.test_symmetry import element

FILE = Path(__file__).parent.parent.parent / "examples" / "spherical.cat"
POINTS = 200


def sphere() -> Tensor:
    """Points spread evenly over a sphere: a spiral by the golden angle."""
    k = torch.arange(POINTS) + 0.5
    z, angle = 1 - 2 * k / POINTS, torch.pi * (1 + 5**0.5) * k
    around = (1 - z * z).sqrt()
    return torch.stack((around * angle.cos(), around * angle.sin(), z), -1)


def signals(count: int, seed: int, turned: bool) -> tuple[Tensor, Tensor]:
    """Bumps of several heights at fixed places, or at the mirrored ones, in one pose or in any, with some noise."""
    rng = torch.Generator().manual_seed(seed)
    bumps = F.normalize(torch.randn(6, 3, generator=torch.Generator().manual_seed(2)), dim=-1)
    heights = torch.tensor([1.0, 0.8, 1.2, 0.6, 1.4, 1.0])
    label = torch.randint(0, 2, (count,), generator=rng)
    turns = torch.linalg.qr(torch.randn(count, 3, 3, generator=rng))[0]
    turns = turns * torch.linalg.det(turns)[:, None, None]
    at = torch.where(label.bool(), 1, -1)[:, None, None] * (bumps @ turns.transpose(1, 2) if turned else bumps)
    values = (heights[:, None] * torch.exp(6 * (at @ sphere().T - 1))).sum(1)
    return values + 0.02 * torch.randn(values.shape, generator=rng), label


def learned(model: nn.Module, given: list[Tensor], label: Tensor, steps: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(*given), label).backward()
        optimizer.step()


def test_handedness_is_learned_in_one_pose_and_known_in_all() -> None:
    torch.manual_seed(0)
    model = catdl.load(FILE)["handed"].compile()
    plain = nn.Sequential(nn.Linear(POINTS, 64), nn.SiLU(), nn.Linear(64, 2))
    values, label = signals(100, 0, turned=False)
    other, wanted = signals(200, 1, turned=True)
    at = sphere()
    learned(model, [values, at.expand(100, -1, -1)], label, 150)
    learned(plain, [values], label, 150)
    with torch.no_grad():
        assert (plain(values).argmax(1) == label).float().mean() > 0.95  # it knows what it was shown
        assert (plain(other).argmax(1) == wanted).float().mean() < 0.7
        assert (model(other, at.expand(200, -1, -1)).argmax(1) == wanted).float().mean() > 0.95


def test_it_does_not_move_with_the_sphere() -> None:
    torch.manual_seed(0)
    model = catdl.load(FILE)["handed"].compile().double()
    values, at = torch.randn(4, 30, dtype=torch.float64), torch.randn(4, 30, 3, dtype=torch.float64)
    order, turn = torch.randperm(30), element(ROTATIONS)
    torch.testing.assert_close(model(values[:, order], at[:, order] @ turn.T), model(values, at), rtol=1e-9, atol=1e-9)
    mirrored = model(values, -at)
    assert not torch.allclose(mirrored, model(values, at), atol=1e-3)
