"""Several trainings of one learner: the spread of their measures, and a squared error taken apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import catdl
from catdl.cli import catdl as cli
from catdl.learn.ensemble import is_squared

SPEC = """
dim A = 2, B = 3
morphism net : Real[A] -> Real[B] = linear(8) >> tanh >> linear
morphism scores : Real[A] -> Logits[B] = linear
learner fit {
    data      = table("xy.npz", input = x, target = y)
    model     = net
    loss      = mse_loss
    optimizer = adam(lr = 1e-2)
    metrics   = [absolute_error]
    stop      = epochs(2)
}
learner told_apart {
    data      = table("xy.npz", input = x, target = label)
    model     = scores
    loss      = cross_entropy
    optimizer = adam(lr = 1e-2)
    stop      = epochs(2)
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec, its data, three trainings of each learner."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(1_500, 2)).astype(np.float32)
    np.savez(
        tmp_path / "xy.npz",
        x=x,
        y=np.stack([x[:, 0] * x[:, 1], x[:, 0], draw.normal(size=1_500)], 1),
        label=draw.integers(0, 3, 1_500),
    )
    (tmp_path / "fit.cat").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("fit", "told_apart"):
        for seed in range(3):
            catdl.load("fit.cat").learner(name).with_setting("seed", None, f"{seed}").fit(f"{name}{seed}")
    return tmp_path


def evaluated(name: str, *options: str) -> str:
    """What `catdl eval` says of three networks."""
    weights = [part for seed in range(3) for part in ("--weights", f"{name}{seed}/weights.safetensors")]
    found = CliRunner().invoke(cli, ["eval", "fit.cat", name, *weights, *options], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_a_squared_error_is_bias_and_variance(folder: Path) -> None:
    learner = catdl.load("fit.cat").learner("fit")
    assert is_squared(learner.plan)
    with np.load("xy.npz") as file:
        x, y = file["x"], file["y"]
    predictions = []
    for seed in range(3):
        out = CliRunner().invoke(
            cli, ["predict", "fit.cat", "fit", "--weights", f"fit{seed}/weights.safetensors", "-o", "y.npz"]
        )
        assert out.exit_code == 0, out.output
        with np.load("y.npz") as file:
            predictions.append(file["y"].astype(np.float64))
    assert x.shape == (1_500, 2)
    found = json.loads(evaluated("fit", "--json"))
    mean = np.mean(predictions, 0)
    bias, variance = np.mean((mean - y) ** 2), np.mean(np.var(predictions, 0))
    assert found["apart"]["bias"] == pytest.approx(bias, rel=1e-5)
    assert found["apart"]["variance"] == pytest.approx(variance, rel=1e-5)
    assert found["apart"]["loss"] == pytest.approx(found["loss"]["mean"], rel=1e-5)
    errors = [np.mean((p - y) ** 2) for p in predictions]
    assert found["loss"]["deviation"] == pytest.approx(np.std(errors, ddof=1), rel=1e-3)
    assert found["networks"] == 3


def test_what_is_said(folder: Path) -> None:
    first, second = evaluated("fit").splitlines()
    assert "1,500 samples, 3 networks: loss " in first and "absolute_error " in first
    assert second.startswith("the squared error ") and "of bias" in second and "of variance" in second


def test_another_loss_is_not_taken_apart(folder: Path) -> None:
    assert not is_squared(catdl.load("fit.cat").learner("told_apart").plan)
    assert "apart" not in json.loads(evaluated("told_apart", "--json"))
    assert len(evaluated("told_apart").splitlines()) == 1
