"""What the learners on sequences, graphs, texts and unnamed digits claim, trained for a shorter time than they say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import catdl
from catdl.driver import Trainable

FOLDER = Path(__file__).parent.parent.parent / "examples"
NAMED = 5  # digits of each class


@cache
def spec(name: str) -> catdl.Spec:
    found = catdl.load(FOLDER / f"{name}.cat")
    assert found.diagnostics == []
    return found


def learner(file: str, name: str, epochs: int) -> Trainable:
    return spec(file).learner(name).with_setting("stop", None, f"epochs({epochs})")


@pytest.mark.parametrize(("name", "epochs", "least"), [("shapes", 5, 0.75), ("strokes", 5, 0.6)])
def test_samples_of_different_size_are_told_apart(name: str, epochs: int, least: float) -> None:
    run = learner(name, name, epochs).run()
    run.train(lambda row: None)
    assert run.data.test is not None
    assert run.measure(run.data.test)["accuracy"] > least


@pytest.mark.parametrize(
    ("name", "epochs", "metric", "least"), [("next", 3, "accuracy", 0.45), ("masked", 7, "hidden_found", 0.35)]
)
def test_a_text_teaches_itself(name: str, epochs: int, metric: str, least: float) -> None:
    """Who knows only how often each byte comes is right in a fifth of all places, for so many are spaces."""
    rows: list[dict[str, float]] = []
    learner("characters", name, epochs).fit(told=rows.append)
    text = (FOLDER / "data" / "facts.txt").read_bytes()
    assert text.count(b" ") / len(text) < 0.2
    assert rows[-1][metric] > least


def nearest(code: Tensor, label: Tensor) -> float:
    """How often the class of the nearest of a few named digits is right, over five choices of these."""
    found = []
    for seed in range(5):
        order = torch.randperm(len(label), generator=torch.Generator().manual_seed(seed))
        named = torch.cat([order[label[order] == k][:NAMED] for k in range(10)])
        others = torch.ones(len(label), dtype=torch.bool)
        others[named] = False
        guess = label[named][torch.cdist(code[others], code[named]).argmin(1)]
        found.append((guess == label[others]).float().mean())
    return float(torch.stack(found).mean())


def test_digits_that_nobody_named_are_near_their_like() -> None:
    net = learner("contrast", "contrast", 40).fit()
    encoder = spec("contrast")["encoder"].compile()
    encoder.load_state_dict({key.removeprefix("encoder."): value for key, value in net.state_dict().items()})
    with np.load(FOLDER / "data" / "digits.npz") as file:
        image, label = torch.from_numpy(file["image"]).float() / 16, torch.from_numpy(file["label"]).long()
    with torch.no_grad():
        code = F.normalize(encoder(image), dim=1)
    assert nearest(code, label) > nearest(image.flatten(1), label)
