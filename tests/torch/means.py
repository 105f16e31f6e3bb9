"""One of two processes that train on unequal parts of a ragged batch: `python means.py RANK MEETING REPORT`.

Each takes its part as micro batches, with gradients averaged by DDP or by FSDP2; the report says how far gradients and
the mean are from those of one process with one flat mean over all tokens.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel

from catdl.torch.means import Total
from catdl.torch.sharding import shard
from tests.torch.ranks import farthest, whole
from tests.torch.test_means import flat, loss, packed

RANKS = 2
PARTS = (([0, 1], [2]), ([3],))
"""The samples of each micro batch of each rank: two tokens of all stand against the rest."""


def trained(model: nn.Module, rank: int) -> dict[str, float]:
    """This rank's micro batches, then one division."""
    total = Total()
    batches = PARTS[rank] if rank == 0 else (*PARTS[rank], [])  # ranks reduce together, so each has two
    for samples in batches:
        x, y, at = packed(samples)
        total.backward(*model(x, y, T=at))
    value = total.divide(model.parameters())
    gradients = {n.removeprefix("module."): whole(p.grad) for n, p in model.named_parameters() if p.grad is not None}
    wanted, grads = flat()
    return {"mean": float((value - wanted).abs()), "gradients": farthest(gradients, grads)}


def main(rank: int, meeting: str, report: str) -> None:
    """Both ways to average gradients."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=RANKS, timeout=timedelta(seconds=120)
    )
    mesh = init_device_mesh("cpu", (RANKS,))
    ways: dict[str, Callable[[nn.Module], nn.Module]] = {
        "ddp": DistributedDataParallel,
        "fsdp": lambda model: shard(model, mesh=mesh),
    }
    found = {name: trained(wrap(loss()), rank) for name, wrap in ways.items()}
    Path(report).write_text(json.dumps(found), encoding="utf-8")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
