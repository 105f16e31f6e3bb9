"""Ties survive whatever happens to a module: the bug of huggingface/accelerate#1204, tests/bugs/36-*.control.cat."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from catdl.driver import load

SPEC = Path(__file__).parent.parent / "bugs" / "36-tied-embedding.control.cat"


def fresh() -> nn.Module:
    return load(SPEC)["model"].compile()


def clones(model: nn.Module) -> dict[str, Tensor]:
    """A state dict in which no two tensors share their memory, as a checkpoint in shards is."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assigned(model: nn.Module, _: Path) -> nn.Module:
    other = fresh()
    other.load_state_dict(clones(model), assign=True)
    return other


def from_meta(model: nn.Module, _: Path) -> nn.Module:
    with torch.device("meta"):
        other = fresh()
    other.load_state_dict(clones(model), assign=True)
    return other


def emptied(model: nn.Module, _: Path) -> nn.Module:
    with torch.device("meta"):
        other = fresh()
    other.to_empty(device="cpu")
    other.load_state_dict(clones(model))
    return other


def in_shards(model: nn.Module, folder: Path) -> nn.Module:
    state = clones(model)
    for number, name in enumerate(state):
        save_file({name: state[name]}, folder / f"{number}.safetensors")
    other = fresh()
    for number in range(len(state)):
        other.load_state_dict(load_file(folder / f"{number}.safetensors"), strict=False, assign=True)
    return other


def as_a_model(model: nn.Module, folder: Path) -> nn.Module:
    save_model(model, str(folder / "model.safetensors"))
    other = fresh()
    load_model(other, folder / "model.safetensors")
    return other


def cast(model: nn.Module, _: Path) -> nn.Module:
    return copy.deepcopy(model).to(torch.float64).to(torch.float32)


WAYS: list[Callable[[nn.Module, Path], nn.Module]] = [
    assigned,
    from_meta,
    emptied,
    in_shards,
    as_a_model,
    cast,
    lambda model, _: copy.deepcopy(model),
    lambda model, _: pickle.loads(pickle.dumps(model)),
]


@pytest.mark.parametrize("way", WAYS, ids=["assigned", "meta", "emptied", "shards", "model", "cast", "copy", "pickle"])
def test_a_tie_survives(way: Callable[[nn.Module, Path], nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = fresh()
    x = torch.randint(0, 100, (2, 5))
    other = way(model, tmp_path)
    torch.testing.assert_close(other(x), model(x))
    still_tied(other, x)


def test_a_tie_survives_a_new_start() -> None:
    with torch.device("meta"):
        model = fresh()
    model.to_empty(device="cpu")
    for module in model.modules():
        if callable(start := getattr(module, "reset_parameters", None)):
            start()
    still_tied(model, torch.randint(0, 100, (2, 5)))


def still_tied(model: nn.Module, x: Tensor) -> None:
    """One parameter and one key of the table's shape, which both ends read: its gradient has a part from each."""
    tables = [name for name, p in model.named_parameters(remove_duplicate=False) if tuple(p.shape) == (100, 16)]
    assert tables == ["table"]
    assert [name for name, t in model.state_dict().items() if tuple(t.shape) == (100, 16)] == ["table"]
    table = model.get_parameter("table")
    logits = model(x)
    assert torch.isfinite(logits).all()
    read = torch.zeros(100, dtype=torch.bool)
    read[x.flatten()] = True
    (gradient,) = torch.autograd.grad(logits.logsumexp(-1).sum(), table)
    head, both = gradient[~read], gradient[read]
    assert head.abs().sum() > 0 and both.abs().sum() > 0
    with torch.no_grad():
        table.zero_()
    assert model(x).abs().sum() == 0  # the head
    changed = model.get_submodule("encode")(x, table)  # the embedding, whose positions are left
    torch.testing.assert_close(changed[0], changed[1])
