"""What the autoencoders with four posteriors claim: each is trained on a bound, and a flow makes it tighter."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import distributions as known

from benchmarks.posteriors import POSTERIORS, faults, measured

FOLDER = Path(__file__).parent.parent.parent / "examples"


@cache
def script() -> ModuleType:
    """The script that makes the table."""
    found = importlib.util.spec_from_file_location("vae_flow", FOLDER / "vae_flow.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@cache
def pixels_alone() -> float:
    """The mean log-probability of the digits where each pixel is drawn by itself."""
    with np.load(FOLDER / "data" / "digits.npz") as file:
        images = torch.from_numpy(file["image"]).double()
    chance = (images.mean(0) / 16).clamp(1e-3, 1 - 1e-3)
    return float(known.Binomial(16, chance).log_prob(images).sum((1, 2)).mean())


@pytest.mark.parametrize("name", script().POSTERIORS)
def test_a_short_training_is_better_than_pixels_by_themselves(name: str) -> None:
    assert script().bound(name, 0, epochs=20) > pixels_alone() + 50


def test_the_table_is_what_the_script_writes_and_planar_layers_are_above_in_every_seed() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    head, rule, *_ = script().table({name: [0.0] for name in script().POSTERIORS}).splitlines()
    assert f"{head}\n{rule}\n" in text
    bounds = {}
    for name, words in script().POSTERIORS.items():
        (line,) = (each for each in text.splitlines() if each.startswith(f"| {words} |"))
        bounds[name] = [float(number) for number in line.strip("| ").split(" | ")[1].split(", ")]
        assert len(bounds[name]) == script().SEEDS
    for planar, normal in zip(bounds["planar_posterior"], bounds["normal_posterior"], strict=True):
        assert planar > normal


@pytest.mark.parametrize("name", POSTERIORS)
def test_bounds_and_divergences_are_those_of_integrals(name: str) -> None:
    assert faults(name, measured(name, samples=20_000)) == []
