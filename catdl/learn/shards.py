"""Weights that are spread over the processes, by FSDP2: each holds a part, and a group is gathered when it is called.

Takes a network with the same weights in every process; guarantees that what a checkpoint holds is whole, as that of
one process is.

    spread(net, plan, ranks)
    whole(weight)               gathered; every process has to ask for it
    like(value, weight)         a whole value spread as a weight is
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from catdl import diagnostics as wrong
from catdl.diagram.learner import Learner
from catdl.learn.following import beside_steps
from catdl.learn.objective import Objective, named
from catdl.learn.ranks import Ranks
from catdl.learn.refuse import Refused
from catdl.source import Span


def spread(net: Objective, plan: Learner, ranks: Ranks, device: torch.device) -> None:
    """Spread the weights of a network, and of a loss that has some of its own. Raises Refused."""
    from torch.distributed.device_mesh import init_device_mesh

    from catdl.torch.sharding import shard

    own = {id(weight) for weight in net.trained.parameters()}
    beside = [] if net.model is None else list(net.loss.parameters())
    if any(id(weight) in own for weight in beside):
        raise unspreadable(plan.span, "a model and a loss that share a weight")
    if (found := beside_steps(plan)) is not None:
        raise unspreadable(plan.span, found)
    if any(weight.ndim == 0 for weight in net.parameters()):
        raise unspreadable(plan.span, "a weight without axes")
    mesh = init_device_mesh(device.type, (ranks.count,))
    shard(net.trained, mesh=mesh)
    if beside:
        shard(net.loss, mesh=mesh)
    net.named = named(plan, net)  # for others are the parameters now
    net.learned = {key: weight for key in net.learned if isinstance(weight := net.named[key], nn.Parameter)}


def unspreadable(span: Span, found: str) -> Refused:
    """A learner whose weights cannot be spread."""
    return Refused(wrong.BadSetting(span, "--shard", "for weights that can be spread over processes", found))


def is_spread(value: Tensor) -> bool:
    """Whether a tensor is a `DTensor`; asked so that nobody else has to load what these need."""
    return hasattr(value, "placements")


def whole(value: Tensor) -> Tensor:
    """A tensor with the parts that the other processes hold."""
    return value.full_tensor() if is_spread(value) else value  # type: ignore[attr-defined]


def like(value: Tensor, spread: Any) -> Tensor:
    """A whole value spread as another tensor of its shape is."""
    if not is_spread(spread) or value.shape != spread.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(spread.device), spread.device_mesh, spread.placements)
