"""Ties survive whatever happens to a module, and so does what it computes: huggingface/accelerate#1204 and its kin."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from catdl.driver import load
from tests.torch.tied import Tied, loss, moved, outputs, tied

SPEC = Path(__file__).parent.parent / "bugs" / "36-tied-embedding.control.cat"
Fresh: TypeAlias = Callable[[], nn.Module]
Way: TypeAlias = Callable[[nn.Module, Fresh, Path], nn.Module]

NETWORKS = [pytest.param(network, id=name) for name, network in tied().items()]


def clones(model: nn.Module) -> dict[str, Tensor]:
    """A state dict in which no two tensors share their memory, as a checkpoint in shards is."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def loaded(model: nn.Module, fresh: Fresh, _: Path) -> nn.Module:
    other = fresh()
    other.load_state_dict(clones(model))
    return other


def assigned(model: nn.Module, fresh: Fresh, _: Path) -> nn.Module:
    other = fresh()
    other.load_state_dict(clones(model), assign=True)
    return other


def from_meta(model: nn.Module, fresh: Fresh, _: Path) -> nn.Module:
    with torch.device("meta"):
        other = fresh()
    other.load_state_dict(clones(model), assign=True)
    return other


def emptied(model: nn.Module, fresh: Fresh, _: Path) -> nn.Module:
    with torch.device("meta"):
        other = fresh()
    other.to_empty(device="cpu")
    other.load_state_dict(clones(model))
    return other


def in_shards(model: nn.Module, fresh: Fresh, folder: Path) -> nn.Module:
    state = clones(model)
    for number, name in enumerate(state):
        save_file({name: state[name]}, folder / f"{number}.safetensors")
    other = fresh()
    for number in range(len(state)):
        other.load_state_dict(load_file(folder / f"{number}.safetensors"), strict=False, assign=True)
    return other


def as_a_file(model: nn.Module, fresh: Fresh, folder: Path) -> nn.Module:
    save_file(model.state_dict(), folder / "model.safetensors")  # raises where two keys share their memory
    other = fresh()
    other.load_state_dict(load_file(folder / "model.safetensors"))
    return other


def as_a_model(model: nn.Module, fresh: Fresh, folder: Path) -> nn.Module:
    save_model(model, str(folder / "model.safetensors"))
    other = fresh()
    load_model(other, folder / "model.safetensors")
    return other


def as_torch_saves(model: nn.Module, _: Fresh, folder: Path) -> nn.Module:
    torch.save(model, folder / "model.pt")
    other = torch.load(folder / "model.pt", weights_only=False)
    assert isinstance(other, nn.Module)
    return other


def as_torch_saves_weights(model: nn.Module, fresh: Fresh, folder: Path) -> nn.Module:
    torch.save(model.state_dict(), folder / "weights.pt")
    other = fresh()
    other.load_state_dict(torch.load(folder / "weights.pt"), assign=True)
    return other


WAYS: dict[str, Way] = {
    "loaded": loaded,
    "assigned": assigned,
    "meta": from_meta,
    "emptied": emptied,
    "shards": in_shards,
    "file": as_a_file,
    "model": as_a_model,
    "torch": as_torch_saves,
    "weights": as_torch_saves_weights,
    "copy": lambda model, _, __: copy.deepcopy(model),
    "pickle": lambda model, _, __: pickle.loads(pickle.dumps(model)),
    "double": lambda model, _, __: copy.deepcopy(model).double().float(),
    "to": lambda model, _, __: copy.deepcopy(model).to(torch.float64).to("cpu", torch.float32),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_tied_network_survives(way: Way, network: Tied, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = network.fresh()
    given = network.inputs(2)
    other = way(moved(model), network.fresh, tmp_path)
    agree(other, model, given)
    agree(moved(other), moved(model), given)  # each weight still serves in all its places


def agree(other: nn.Module, model: nn.Module, given: list[Tensor]) -> None:
    """Equal keys, one for each parameter, equal outputs and gradients, what is frozen still frozen."""
    assert list(other.state_dict()) == list(model.state_dict())
    names = [name for name, _ in other.named_parameters(remove_duplicate=False)]
    assert names == [name for name, _ in model.named_parameters()]
    found, wanted = outputs(other, given), outputs(model, given)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(gradients(other, found), gradients(model, wanted))


def gradients(model: nn.Module, results: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """The gradient of each parameter that is trained."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(loss(results), list(trained.values()), materialize_grads=True)
    return dict(zip(trained, found, strict=True))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_place_reads_it_anew(network: Tied) -> None:
    """No use of a weight is a copy of it: each parameter that is moved moves what comes out."""
    torch.manual_seed(0)
    model = network.fresh()
    given = network.inputs(2)
    for name, p in moved(model).named_parameters():
        before = outputs(model, given)
        with torch.no_grad():
            p.add_(torch.randn(p.shape))
        after = outputs(model, given)
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True)), name


@pytest.mark.parametrize("network", NETWORKS)
def test_an_exported_network_is_tied(network: Tied, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = network.fresh()
    given = network.inputs(2)
    torch.export.save(torch.export.export(model, tuple(given)), tmp_path / "model.pt2")
    other = torch.export.load(tmp_path / "model.pt2").module()
    assert {name: p.shape for name, p in other.named_parameters()} == {n: p.shape for n, p in model.named_parameters()}
    torch.testing.assert_close(outputs(other, given), outputs(model, given))
    torch.testing.assert_close(outputs(moved(other), given), outputs(moved(model), given))


@pytest.mark.parametrize("network", NETWORKS)
def test_compiled_in_one_graph_it_is_tied(network: Tied) -> None:
    torch.manual_seed(0)
    torch.compiler.reset()
    model = network.fresh()
    given = network.inputs(2)
    fast = torch.compile(model, fullgraph=True, backend="aot_eager")
    for _ in range(2):
        found, wanted = outputs(fast, given), outputs(model, given)
        torch.testing.assert_close(found, wanted)
        torch.testing.assert_close(gradients(model, found), gradients(model, wanted))
        moved(model)


def test_the_table_of_a_language_model() -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        model = load(SPEC)["model"].compile()
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
