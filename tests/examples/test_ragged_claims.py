"""The examples on samples of different size: packed batches are their samples, and they do what they claim."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl import Compiled
from tests.torch.test_ragged import compare

FOLDER = Path(__file__).parent.parent.parent / "examples"
SIZES = {"N": (4, 0, 5, 1), "E": (6, 0, 3, 2), "T": (3, 0, 7, 1)}
PARAMETERS = {
    "gin": 4_801 + 2 * 8_449 + 16 + 3 * 130,  # the layers, and a readout after each and before the first
    "texts": 20_000 * 128 + 512 * 128 + 256 + 49_536 + 16_512 + 16_512 + 128 + 645,
    "deepsets": 142_888,
}


@cache
def network(name: str) -> Compiled:
    spec = catdl.load(FOLDER / f"{name}.cat")
    assert spec.diagnostics == []
    return spec[name]


def run(model: nn.Module, name: str, samples: list[object]) -> Tensor:
    batch = network(name).pack(samples)
    result = model(*batch.inputs, **batch.offsets)
    assert isinstance(result, Tensor)
    return result


@pytest.mark.parametrize("name", PARAMETERS)
def test_it_has_the_weights_it_claims(name: str) -> None:
    with torch.device("meta"):
        model = network(name).compile()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_batch_is_its_samples(name: str) -> None:
    compare(network(name).diagram(), SIZES)


def ring(*sizes: int) -> object:
    """A graph of rings, all of whose nodes look alike."""
    pairs = []
    start = 0
    for size in sizes:
        for k in range(size):
            a, b = start + k, start + (k + 1) % size
            pairs += [(a, b), (b, a)]
        start += size
    return torch.ones(start, 7), [a for a, _ in pairs], [b for _, b in pairs]


def test_gin_sees_what_weisfeiler_and_leman_see() -> None:
    torch.manual_seed(0)
    model = network("gin").compile().eval()
    with torch.no_grad():
        hexagon, triangles, octagon, twice = run(model, "gin", [ring(6), ring(3, 3), ring(8), ring(6, 6)])
    torch.testing.assert_close(hexagon, triangles)  # every node has two neighbours: no test of this kind tells them
    assert not torch.allclose(hexagon, octagon)
    assert not torch.allclose(hexagon, twice)  # a mean would not tell one from two


def test_gin_has_no_order_of_nodes() -> None:
    torch.manual_seed(0)
    model = network("gin").compile().eval()
    x, source, target = torch.randn(5, 7), torch.tensor([0, 1, 4, 2]), torch.tensor([1, 3, 0, 2])
    order = torch.randperm(5)
    place = order.argsort()
    one, other = run(model, "gin", [(x, source, target), (x[order], place[source], place[target])])
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_deepsets_have_no_order() -> None:
    model = network("deepsets").compile()
    cloud = torch.randn(6, 3)
    one, other = run(model, "deepsets", [cloud, cloud[torch.randperm(6)]])
    torch.testing.assert_close(one, other)


def test_texts_are_learned_whatever_their_length() -> None:
    """Which of two words stands in a text, anywhere."""
    torch.manual_seed(0)
    model = network("texts").compile()
    texts, labels = [], []
    for k in range(48):
        words = torch.randint(10, 15, (1 + 7 * k % 23,))
        words[torch.randint(len(words), ())] = k % 2
        texts.append(words)
        labels.append(k % 2)
    target = torch.tensor(labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(15):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(run(model, "texts", [*texts]), target)
        loss.backward()
        optimizer.step()
    model.eval()
    assert (run(model, "texts", [*texts]).argmax(-1) == target).float().mean() > 0.95
