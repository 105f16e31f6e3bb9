"""What the variational autoencoder claims: its codes tell the digits apart, and the copied slip is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import catdl
from catdl.diagnostics.text import render

FOLDER = Path(__file__).parent.parent.parent / "examples"


def test_the_bound_is_below_what_pixels_by_themselves_cost() -> None:
    learner = catdl.load(FOLDER / "vae.cat").learner("vae").with_setting("stop", None, "epochs(12)")
    rows: list[dict[str, float]] = []
    learner.fit(told=rows.append)
    with np.load(FOLDER / "data" / "digits.npz") as file:
        images = torch.from_numpy(file["image"]).float() / 16
    alone = F.binary_cross_entropy(images.mean(0).expand_as(images), images, reduction="sum") / len(images)
    assert rows[-1]["loss"] < float(alone) - 1
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_noise_scaled_by_a_logarithm_is_refused() -> None:
    (mistake,) = catdl.load(FOLDER / "vae_broken.cat").diagnostics
    assert mistake.code == "E0402"
    assert mistake.span is not None and mistake.span.text == "logvar * normal_like(mean)"
    assert "exp(0.5 * logvar) * normal_like(mean)" in render([mistake])
