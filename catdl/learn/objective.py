"""A learner as modules: the network, its loss, its measures.

Takes a checked `Learner`; guarantees modules whose weights start as the seed says, and one number, or a sum with its
weight, for every sample.

    net = objective(plan, Ranks())
    net(images, labels).mean().backward()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from catdl.data.tree import Tree
from catdl.diagram.learner import Learner
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of
from catdl.learn.ranks import Ranks
from catdl.record import record
from catdl.rewrite.run import rewritten
from catdl.torch.build import build
from catdl.torch.extern import constructed, require
from catdl.torch.segments import Segments
from catdl.types.ragged import of_leaves
from catdl.types.sizes import short

Columns: TypeAlias = tuple[Tensor | Tree, ...]
Found: TypeAlias = Tensor | tuple[Tensor, ...]


@record
class Part:
    """A compiled Diagram, the var dims that it takes the offsets of, and whether it looks across the batch."""

    module: nn.Module
    dims: tuple[str, ...]
    across: bool = False

    def __call__(self, inputs: Columns, offsets: Mapping[str, Segments]) -> Found:
        """What it gives; `offsets` has those of all dims of the samples."""
        found: Found = self.module(*inputs, **{dim: offsets[dim] for dim in self.dims})
        return found


class Objective(nn.Module):
    """The loss of the network on the columns of some samples: per sample a number, or a sum and its weight.

    A loss that looks `across` the batch gives one for all samples, those that other processes have among them.
    """

    def __init__(self, model: Part | None, loss: Part, inputs: int, ranks: Ranks | None = None) -> None:
        super().__init__()
        self.parts = model, loss
        self.model = None if model is None else model.module
        self.loss = loss.module
        self.inputs = inputs
        self.across = ranks  # whose samples the loss looks across, if it looks across the batch

    def forward(self, *columns: Tensor | Tree, **offsets: Tensor) -> Found:
        """What the loss gives for each sample. Columns: those of the model, then the targets, with a batch axis."""
        told = segments(offsets)
        seen = self.seen(columns, told)
        if self.across is not None and self.model is not None:
            seen = tuple(x if isinstance(x, Tree) else self.across.gathered(x) for x in seen)
        return self.parts[1](seen, told)

    def seen(self, columns: Columns, offsets: Mapping[str, Segments]) -> Columns:
        """What the loss and the metrics take: the results of the model and the targets."""
        model = self.parts[0]
        if model is None:
            return columns
        found = model(columns[: self.inputs], offsets)
        return (*(found if isinstance(found, tuple) else (found,)), *columns[self.inputs :])

    @property
    def whole(self) -> bool:
        """Whether every process needs the columns of a whole batch: they go into a loss that looks across it."""
        return self.across is not None and self.model is None

    @property
    def trained(self) -> nn.Module:
        """The module whose weights are learned and kept."""
        return self.loss if self.model is None else self.model


def segments(offsets: Mapping[str, Tensor]) -> dict[str, Segments]:
    """The samples along every var dim, checked once for all that takes them."""
    return {dim: Segments.of(at, dim) for dim, at in offsets.items()}


def compiled(diagram: Diagram, across: bool = False) -> Part:
    """The module that the printed source of a Diagram defines; the packages that it runs are allowed by name."""
    require(diagram)
    ends = (diagram.wires[wire].type for wire in (*diagram.inputs, *diagram.outputs))
    with constructed(diagram):
        module = build(rewritten([diagram])[0][0])
    return Part(module, tuple(sorted(map(short, of_leaves(ends)))), across)


def objective(plan: Learner, ranks: Ranks) -> Objective:
    """The network and its loss, with weights drawn from the seed; declared parameters of both are the same ones."""
    torch.manual_seed(plan.seed)
    model = None if plan.model is None else compiled(plan.model)
    loss = compiled(plan.loss, plan.across)
    if model is not None and plan.model is not None:
        ours = {parameter.path for parameter in globals_of(plan.model)}
        for parameter in globals_of(plan.loss):
            if parameter.path in ours:
                share(model.module, loss.module, parameter.path)
    return Objective(model, loss, plan.inputs, ranks if plan.across else None)


def share(giver: nn.Module, taker: nn.Module, path: str) -> None:
    """Let one module read a declared parameter, or a record of them, that another holds."""
    first = path.partition(".")[0]
    setattr(taker, first, getattr(giver, first))
