"""One of two processes that train every tied network on half a batch each: `python ranks.py RANK MEETING REPORT`.

They meet in a file and write what they found, by network: how far DDP and FSDP2 are from one process that has
the whole batch, in gradients, weights and outputs, or what was raised.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, set_model_state_dict
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from catdl.torch.reparameterised import Reparameterised
from catdl.torch.sharding import shard
from tests.torch.tied import Tied, loss, outputs, tied

RANKS = 2
WHOLE = StateDictOptions(full_state_dict=True)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor of which each process has a part."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def farthest(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """How far tensors of the same names are from each other."""
    assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
    return max(float((found[name] - wanted[name]).detach().abs().max()) for name in wanted)


def learned(model: nn.Module, given: list[Tensor]) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
    """The gradients of one step of training, and what comes out after it, as it did before, without gradients."""
    with torch.no_grad():
        outputs(model, given)
    results = outputs(model, given)
    loss(results).backward()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients = {name.removeprefix("module."): whole(p.grad) for name, p in trained.items() if p.grad is not None}
    torch.optim.SGD(trained.values(), lr=0.1).step()
    with torch.no_grad():
        return gradients, outputs(model, given)


def against_one(network: Tied, wrap: Callable[[nn.Module], nn.Module]) -> dict[str, float]:
    """Two processes with half a batch each against one that has it all."""
    torch.manual_seed(0)
    one = network.fresh().double()
    given = [x.double() if x.is_floating_point() else x for x in network.inputs(2 * RANKS)]
    model = network.fresh().double()
    model.load_state_dict(one.state_dict())
    model = wrap(model)
    rank = dist.get_rank()
    gradients, after = learned(model, [x[2 * rank :][:2] for x in given])
    wanted, result = learned(one, given)
    saved = get_model_state_dict(model, options=WHOLE)
    state = {name.removeprefix("module."): t for name, t in saved.items() if isinstance(t, Tensor)}
    return {
        "gradients": farthest(gradients, wanted),
        "weights": farthest(state, one.state_dict()),
        "outputs": max(float((a - b[2 * rank :][:2]).abs().max()) for a, b in zip(after, result, strict=True)),
    }


def from_meta(network: Tied, mesh: DeviceMesh) -> dict[str, float]:
    """Made without memory, sharded, and filled with what one process has."""
    one = network.fresh()
    with torch.device("meta"):
        model = network.fresh()
    shard(model, mesh=mesh).to_empty(device="cpu")
    set_model_state_dict(model, one.state_dict(), options=WHOLE)
    given = network.inputs(2)
    with torch.no_grad():
        found, wanted = outputs(model, given), outputs(one, given)
    return {
        "outputs": max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True)),
        "kept": float(
            sum(part._kept.found is not None for part in model.modules() if isinstance(part, Reparameterised))
        ),
    }


def block_by_block(network: Tied, mesh: DeviceMesh) -> dict[str, float]:
    """Every block in a list sharded by itself, and the root, whoever reads their weights."""

    def wrap(model: nn.Module) -> nn.Module:
        for part in reversed(list(model.modules())):
            if isinstance(part, nn.ModuleList):
                for block in part:
                    fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)
        return model

    return against_one(network, wrap)


def main(rank: int, meeting: str, report: str) -> None:
    """All networks in both ways."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=RANKS, timeout=timedelta(seconds=120)
    )
    mesh = init_device_mesh("cpu", (RANKS,))
    found: dict[str, dict[str, float]] = {}
    for name, network in tied().items():
        if network.random:
            continue  # each process draws for itself
        found[f"ddp {name}"] = against_one(network, DistributedDataParallel)
        found[f"fsdp {name}"] = against_one(network, lambda model: shard(model, mesh=mesh))
        found[f"meta {name}"] = from_meta(network, mesh)
    try:
        found["apart"] = block_by_block(tied()["adapted_stack"], mesh)
    except RuntimeError as error:
        found["apart"] = {"refused": float("mixed torch.Tensor and DTensor" in str(error))}
    Path(report).write_text(json.dumps(found), encoding="utf-8")
    dist.barrier()  # none leaves while the other still talks to it
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
