"""Several processes that train one network: torch's own data parallelism.

Takes what `torchrun` puts into the environment; guarantees that the processes together do the steps that one would do
on the whole batch: each has a share of every batch, gradients are averaged by DistributedDataParallel, and means are
divided once, by the weight of all shares.

    torchrun --nproc-per-node 2 -m catdl train digits.cat
"""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from catdl.record import record


@record
class Ranks:
    """How many processes there are, and which of them this is."""

    count: int = 1
    rank: int = 0
    sharded: bool = False  # whether each has a part of the weights, not all of them

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and tells."""
        return self.rank == 0

    def share(self, index: Tensor) -> Tensor:
        """The part of some samples that this process has."""
        return index if self.count == 1 else index.tensor_split(self.count)[self.rank]

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module with its gradients averaged over all processes."""
        if self.count == 1 or self.sharded:
            return module
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(module)

    def added(self, sums: Tensor) -> Tensor:
        """The sum of what every process has."""
        if self.count > 1:
            dist.all_reduce(sums)
        return sums

    def gathered(self, x: Tensor) -> Tensor:
        """What all processes have, one after the other, with gradients for what each gave; `share` undoes it."""
        if self.count == 1:
            return x
        found: Tensor = _Gathered.apply(x, self)  # type: ignore[no-untyped-call]
        return found

    def agreed(self, flag: bool) -> bool:
        """Whether any process says so."""
        return bool(self.added(torch.tensor(float(flag)))) if self.count > 1 else flag


class _Gathered(torch.autograd.Function):
    """Shares joined to a whole; the gradient of a share is what all processes have of it, added up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, ranks: Ranks) -> Tensor:
        """Shares may differ in length, which torch's own gathering does not allow."""
        counts = [torch.zeros(1, dtype=torch.int64, device=x.device) for _ in range(ranks.count)]
        dist.all_gather(counts, torch.tensor([len(x)], device=x.device))
        sizes = [int(count) for count in counts]
        sent = x.new_zeros(max(sizes), *x.shape[1:])
        sent[: len(x)] = x
        parts = [torch.empty_like(sent) for _ in sizes]
        dist.all_gather(parts, sent)
        ctx.share = slice(sum(sizes[: ranks.rank]), sum(sizes[: ranks.rank + 1]))
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Every process has a loss of the whole, and so a gradient of every share."""
        whole = grads[0].contiguous().clone()
        dist.all_reduce(whole)
        return whole[ctx.share], None


def begun(sharded: bool = False) -> Ranks:
    """Join the other processes, where `torchrun` started several."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Ranks()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    return Ranks(dist.get_world_size(), dist.get_rank(), sharded)


def leave() -> None:
    """End this process with all others, once all have come here; of a single process nothing is done.

    torch's threads are not taken down but left: at times one of gloo's is, while it runs, which aborts the process.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
