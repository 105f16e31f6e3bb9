"""The keys that are told without torch are those of the compiled module, with their shapes and all else of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import catdl
from catdl.weights.held import Held, held

FOLDER = Path(__file__).parent.parent.parent / "examples"
BROKEN = {"digits_broken.cat", "vae_broken.cat"}
NETWORKS = [
    (path.relative_to(FOLDER).as_posix(), name)
    for path in sorted(FOLDER.rglob("*.cat"))
    if path.name not in BROKEN
    for name in catdl.load(path).names
]


def kept(model: nn.Module) -> dict[str, tuple[tuple[int, ...], bool, bool, bool]]:
    """Shape, whether it holds floats, is a buffer, and is frozen, by key."""
    parameters = dict(model.named_parameters())
    return {
        key: (tuple(value.shape), value.is_floating_point(), key not in parameters, not _learns(parameters.get(key)))
        for key, value in model.state_dict().items()
    }


def _learns(parameter: nn.Parameter | None) -> bool:
    return parameter is None or parameter.requires_grad


def told(tensors: tuple[Held, ...]) -> dict[str, tuple[tuple[int, ...], bool, bool, bool]]:
    return {t.key: (t.shape, t.stored == "float", t.buffer, t.frozen) for t in tensors}


@pytest.mark.parametrize(("file", "name"), NETWORKS)
def test_examples(file: str, name: str) -> None:
    network = catdl.load(FOLDER / file)[name]
    with torch.device("meta"):
        model = network.compile()
    tensors = held(network.diagram())
    assert len({tensor.key for tensor in tensors}) == len(tensors)
    assert told(tensors) == kept(model)


SPECS = {
    "statistics": "dim E = 3, C = 4, N\nmorphism f : Real[E, C, N] -> Real[E, C, N] = each[E](fresh batchnorm)",
    "statistics in a loop": "dim C = 4, N\nmorphism f : Real[C, N] -> Real[C, N] = repeat(2, batchnorm >> relu)",
    "frozen": "morphism g : Real[4] -> Real[4] = repeat(2, linear >> relu)\n"
    "morphism f : Real[4] -> Real[4] = g{**.weight: frozen}",
    "frozen, declared and read elsewhere, too": "param w : Real[4, 4] ~ zeros\nparam v : Real[4, 4] ~ ones\n"
    "morphism g : Real[4] -> Real[4] = linear{weight = w} >> relu >> linear{weight = v}\n"
    "morphism f : Real[4] -> Real[4] = g{**: frozen} >> relu >> linear{weight = v}",
    "a record": "morphism g : Real[4] -> Real[4] = linear(5) >> relu >> linear\nparam w : weights(g)\n"
    "morphism f : Real[4] -> Real[4] = g{w} >> relu >> g{w}",
    "a table": "morphism f : Fin(9)[3] -> Real[3, 4] = embed(4)",
}


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_made_up(text: str) -> None:
    network = catdl.loads(text)["f"]
    assert told(held(network.diagram())) == kept(network.compile())


def test_what_is_shared_is_told() -> None:
    text = """
param w : Real[4, 4] ~ normal(0, 1)
morphism g : Real[4] -> Real[4] = linear >> relu
morphism f : Real[4] -> Real[4] =
    linear{weight = w} >> relu >> linear{weight = w} >> relu
    >> loop: iterate(3, tied g) >> repeat(2, fresh (x => x >> inner: iterate(5, tied g)))
"""
    found = {tensor.key: tensor.tied for tensor in held(catdl.loads(text)["f"].diagram())}
    twice, thrice, often = "read at 2 places", "iterate, 3 rounds", "iterate, 5 rounds"
    assert {key: tied for key, tied in found.items() if not key.startswith("linear")} == {
        "w": twice,
        **{key: thrice for key in found if key.startswith("loop.")},
        **{key: often for key in found if ".inner." in key},
    }
    assert {thrice, often} <= set(found.values())
    assert {found[key] for key in found if key.startswith("linear")} == {""}
