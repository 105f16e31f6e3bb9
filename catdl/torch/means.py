"""Losses into `Mean`, divided once: over the samples of a batch, over several batches, over ranks.

A network into `Mean` gives a sum and a weight for each sample. The mean over a batch of texts of different length is
that of all tokens, so it is one division and no mean of means.

    mean(*loss(x, y, T=at))             the mean over one batch, to call `backward` on

    total = Total()
    for x, y, at in batches:
        total.backward(*loss(x, y, T=at))     gradients of the sum
    total.divide(loss.parameters())           and their division, by the weight of all batches and ranks
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


def mean(sums: Tensor, weights: Tensor) -> Tensor:
    """The sum over all samples by their weight; 0 where nothing weighs anything."""
    return _divided(sums.sum(), weights.sum())


class Total:
    """A sum and a weight over several batches, and the gradients of the sum."""

    def __init__(self) -> None:
        self._both: Tensor | None = None

    def backward(self, sums: Tensor, weights: Tensor) -> None:
        """Add one batch, and the gradients of its sum to those that parameters have."""
        total = sums.sum()
        total.backward()
        both = torch.stack((total.detach(), weights.detach().sum().to(total.dtype)))
        self._both = both if self._both is None else self._both + both

    def divide(self, parameters: Iterable[Tensor]) -> Tensor:
        """Divide the gradients by the weight of all batches, and start anew; gives the mean over them.

        Where there are several ranks, the weight is that of all of them; their gradients are taken to be averaged, as
        `DistributedDataParallel` and FSDP2 do. Each rank has to call it.
        """
        if self._both is None:
            raise ValueError("there is no batch to divide by")
        both, self._both, ranks = self._both, None, 1
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(both)
            ranks = dist.get_world_size()
        factor = ranks / (float(both[1]) or 1.0)
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
        return _divided(*both)


def _divided(total: Tensor, weight: Tensor) -> Tensor:
    return total / weight.where(weight != 0, 1)
