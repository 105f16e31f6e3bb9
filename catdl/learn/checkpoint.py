"""Checkpoints: all that training needs to go on as if nothing had happened, in one safetensors file.

Takes tensors and plain numbers; guarantees that a file is written whole or not at all, that none is unpickled, and that
one which was cut short or made by another spec is told, not used.

    save(path, Checkpoint(tensors, {"step": 12, …}))
    load(path)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from catdl import diagnostics as wrong
from catdl.atomic import put
from catdl.learn.refuse import Refused
from catdl.learn.shards import like, whole
from catdl.record import record

FORMAT = 1


@record
class Checkpoint:
    """Tensors by name and everything else as JSON."""

    tensors: dict[str, Tensor]
    state: dict[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write it in the place of the one before. Raises Refused, and then that one is untouched."""
    from safetensors.torch import save as pack

    data = pack(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()},
        {"catdl": json.dumps({"format": FORMAT, **checkpoint.state})},
    )
    try:
        put(path, data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        kept = ("the checkpoint that was there is untouched",) if path.exists() else ()
        raise Refused(wrong.CheckpointUnfit(str(path), f"cannot be written: {reason}", kept)) from None


def directory(path: Path) -> None:
    """Make the directory of a run. Raises Refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refused(wrong.CheckpointUnfit(str(path), f"no directory can be made here: {reason}")) from None


def load(path: Path) -> Checkpoint:
    """Read one. Raises Refused."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            state = json.loads((file.metadata() or {})["catdl"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except FileNotFoundError:
        raise Refused(wrong.CheckpointUnfit(str(path), "there is no checkpoint to go on from")) from None
    except OSError as error:
        raise Refused(wrong.CheckpointUnfit(str(path), (error.strerror or str(error)).lower())) from None
    except (SafetensorError, KeyError, ValueError):
        raise Refused(wrong.CheckpointUnfit(str(path), "it is no whole checkpoint of catdl")) from None
    if state.get("format") != FORMAT:
        reason = f"it is of format {state.get('format')}, and this is format {FORMAT}"
        raise Refused(wrong.CheckpointUnfit(str(path), reason))
    return Checkpoint(tensors, state)


def chance() -> dict[str, Tensor]:
    """The state of chance."""
    tensors = {"chance.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["chance.cuda"] = torch.cuda.get_rng_state()
    return tensors


def set_chance(checkpoint: Checkpoint) -> None:
    """Put the state of chance back."""
    torch.set_rng_state(checkpoint.tensors["chance.cpu"])
    if torch.cuda.is_available() and "chance.cuda" in checkpoint.tensors:
        torch.cuda.set_rng_state(checkpoint.tensors["chance.cuda"])


def packed(
    module: nn.Module, optimizer: torch.optim.Optimizer, averages: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The state of a module, an optimiser and averages of weights: tensors, and the rest as plain numbers."""
    tensors = {f"module.{key}": whole(value) for key, value in module.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in averages.items()}
    plain: dict[str, dict[str, Any]] = {}
    for index, entry in optimizer.state_dict()["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = whole(value)
            else:
                plain.setdefault(str(index), {})[name] = value
    return tensors, plain


def unpacked(
    checkpoint: Checkpoint,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    averages: Mapping[str, Tensor],
    path: Path,
) -> None:
    """Put a state back. Raises Refused."""
    own = {key.removeprefix("module."): value for key, value in checkpoint.tensors.items() if key.startswith("module.")}
    here = module.state_dict()
    try:
        module.load_state_dict({key: like(value, here.get(key, value)) for key, value in own.items()})
    except RuntimeError as error:
        lines = tuple(line.strip() for line in str(error).splitlines()[1:6])
        raise Refused(wrong.CheckpointUnfit(str(path), "its weights are those of another network", lines)) from None
    state: dict[int, dict[str, Any]] = {}
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for key, value in checkpoint.tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = like(value, weights[int(index)])
    for index, entry in checkpoint.state["optimizer"].items():
        state.setdefault(int(index), {}).update(entry)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    for key, average in averages.items():
        average.copy_(checkpoint.tensors[f"average.{key}"])


def weights(module: nn.Module) -> dict[str, Tensor]:
    """The weights by the keys of the spec, each once, whole."""
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for key, value in module.state_dict(keep_vars=True).items():
        if id(value) not in seen:
            seen.add(id(value))
            tensors[key] = whole(value.detach()).cpu().contiguous()
    return tensors


def write_weights(path: Path, tensors: dict[str, Tensor]) -> None:
    """The weights alone, as `catdl run --weights` takes them. Raises Refused."""
    from safetensors.torch import save as pack

    try:
        put(path, pack(tensors))
    except OSError as error:
        raise Refused(
            wrong.CheckpointUnfit(str(path), f"cannot be written: {(error.strerror or str(error)).lower()}")
        ) from None


def read_weights(path: Path, module: nn.Module) -> dict[str, Tensor]:
    """The state of a module with the weights that were written alone. Raises Refused."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = load_file(path)
    except (OSError, SafetensorError):
        raise Refused(wrong.CheckpointUnfit(str(path), "the weights of the best epoch cannot be read")) from None
    named = {id(value): found[key] for key, value in module.state_dict(keep_vars=True).items() if key in found}
    return {key: like(named[id(value)], value) for key, value in module.state_dict(keep_vars=True).items()}
