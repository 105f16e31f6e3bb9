"""What the recurrent example claims: its cells are torch's, values and gradients, with torch's own weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl import Spec

FILE = Path(__file__).parent.parent.parent / "examples" / "recurrent.cat"
PARAMETERS = {
    "elman_states": 24_832,
    "gru_states": 3 * 24_832,
    "lstm_states": 4 * 24_832,
    "lstm_last": 4 * 24_832,
    "stacked": 4 * 24_832 + 4 * 33_024,
    "both_ways": 2 * 4 * 24_832,
    "tagger": 640_000 + 2 * 4 * 24_832 + 257 * 17,
}


@cache
def spec() -> Spec:
    return catdl.load(FILE)


def compiled(name: str) -> nn.Module:
    torch.manual_seed(0)
    return spec()[name].compile().double()


def real(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def adopt(theirs: nn.Module, ours: nn.Module, layers: dict[str, str]) -> dict[str, str]:
    """Give torch's network the weights of ours, layer by layer; which key is which."""
    keys = {
        f"{which}_{part}_{suffix}": f"{path}.{part}.{which}"
        for suffix, path in layers.items()
        for which in ("weight", "bias")
        for part in ("ih", "hh")
    }
    theirs.load_state_dict({key: ours.get_parameter(our).detach() for key, our in keys.items()})
    return keys


def equal(ours: nn.Module, theirs: nn.Module, keys: dict[str, str], got: Tensor, wanted: Tensor, x: Tensor) -> None:
    """The same values, and the same gradients in a random direction."""
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)
    direction = torch.randn_like(wanted)
    found = torch.autograd.grad(got, [x, *(ours.get_parameter(key) for key in keys.values())], direction)
    grads = torch.autograd.grad(wanted, [x, *(theirs.get_parameter(key) for key in keys)], direction)
    for one, other in zip(found, grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_it_is_clean_and_every_network_in_it_is_tried() -> None:
    assert spec().diagnostics == []
    assert set(spec().names) == {*PARAMETERS, "elman", "gru", "lstm"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_it_has_the_weights_it_claims(name: str) -> None:
    with torch.device("meta"):
        model = spec()[name].compile()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


CELLS = [
    ("elman_states", nn.RNN, {"l0": "elman"}),
    ("gru_states", nn.GRU, {"l0": "gru"}),
    ("lstm_states", nn.LSTM, {"l0": "lstm.step"}),
]
DEEPER = [
    ("stacked", {"num_layers": 2}, {"l0": "layer.step", "l1": "layer_2.step"}),
    ("both_ways", {"bidirectional": True}, {"l0": "early.step", "l0_reverse": "late.step"}),
]


@pytest.mark.parametrize(("name", "torchs", "layers"), CELLS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_cells_are_those_of_torch(name: str, torchs: Callable[..., nn.Module], layers: dict[str, str]) -> None:
    ours, theirs = compiled(name), torchs(64, 128, batch_first=True).double()
    keys = adopt(theirs, ours, layers)
    x = real(2, 6, 64)
    equal(ours, theirs, keys, ours(x), theirs(x)[0], x)


@pytest.mark.parametrize(("name", "options", "layers"), DEEPER, ids=["stacked", "both ways"])
def test_layers_and_directions_are_those_of_torch(name: str, options: dict[str, int], layers: dict[str, str]) -> None:
    ours, theirs = compiled(name), nn.LSTM(64, 128, batch_first=True, **options).double()
    keys = adopt(theirs, ours, layers)
    x = real(2, 6, 64)
    equal(ours, theirs, keys, ours(x), theirs(x)[0], x)


def test_the_last_state_is_the_fold() -> None:
    ours, theirs = compiled("lstm_last"), nn.LSTM(64, 128, batch_first=True).double()
    keys = adopt(theirs, ours, {"l0": "lstm.step"})
    x = real(2, 6, 64)
    h, c = ours(x)
    _, (last, cell) = theirs(x)
    equal(ours, theirs, keys, torch.cat([h, c], -1), torch.cat([last[0], cell[0]], -1), x)


def test_a_tag_reads_both_sides() -> None:
    model = compiled("tagger")
    words = torch.randint(10_000, (1, 7))
    tags = model(words)
    assert tags.shape == (1, 7, 17)
    for place in (0, 6):
        other = words.clone()
        other[0, place] = (other[0, place] + 1) % 10_000
        changed = (model(other) - tags).abs().amax(-1)
        assert (changed > 0).all()  # the first word reaches the last tag, and the last word the first
