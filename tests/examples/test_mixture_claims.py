"""What the mixture of the digits claims: nobody says which digit is which, and its parts tell most of them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributions as known

import catdl

FOLDER = Path(__file__).parent.parent.parent / "examples"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_its_parts_are_digits(seed: int) -> None:
    spec = catdl.load(FOLDER / "mixture.cat")
    assert spec.diagnostics == []
    rows: list[dict[str, float]] = []
    trained = spec.learner("parts").with_setting("seed", None, str(seed)).fit(told=rows.append)
    with np.load(FOLDER / "data" / "digits.npz") as file:
        image, label = torch.from_numpy(file["image"]).float(), torch.from_numpy(file["label"]).long()
    part = spec["part"].compile()
    part.load_state_dict(trained.state_dict())
    with torch.no_grad():
        chosen = part(image).argmax(-1)
    counts = torch.zeros(20, 10).index_put_((chosen, label), torch.ones(()), accumulate=True)
    assert counts.amax(1).sum() / len(image) > 0.6  # the share of pictures whose digit is that of most in their part

    x = (image + torch.rand(image.shape, generator=torch.Generator().manual_seed(0))) / 17
    single = -known.Normal(x.mean(0), x.std(0)).log_prob(x).sum((1, 2)).mean()
    assert rows[-1]["learned"] < float(single) - 20


def test_a_part_is_as_likely_as_its_share_of_the_density() -> None:
    spec = catdl.load(FOLDER / "mixture.cat")
    part = spec["part"].compile().double()
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.normal_(0, 0.5)
    weights = part.state_dict()
    image = torch.randint(17, (5, 8, 8)).double()
    x = ((image + 0.5) / 17)[:, None]
    told = known.Normal(weights["mean"], weights["log_std"].exp()).log_prob(x).sum((-1, -2)) + weights["scores"]
    torch.testing.assert_close(part(image), told.softmax(-1))
