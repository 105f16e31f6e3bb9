"""A learner as modules: the network, its loss, its measures.

Takes a checked `Learner`; guarantees modules whose weights start as the seed says, and one number, or a sum with its
weight, for every sample.

    net = objective(plan)
    net(images, labels).mean().backward()
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from catdl.diagram.learner import Learner
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of
from catdl.rewrite.run import rewritten
from catdl.torch.build import build


class Objective(nn.Module):
    """The loss of the network on the columns of some samples: per sample a number, or a sum and its weight."""

    def __init__(self, model: nn.Module | None, loss: nn.Module, inputs: int) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.inputs = inputs

    def forward(self, *columns: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What the loss gives for each sample. Columns: those of the model, then the targets, with a batch axis."""
        if self.model is None:
            return self.loss(*columns)  # type: ignore[no-any-return]
        return self.loss(*self.results(columns), *columns[self.inputs :])  # type: ignore[no-any-return]

    def results(self, columns: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What the model gives."""
        assert self.model is not None
        found = self.model(*columns[: self.inputs])
        return found if isinstance(found, tuple) else (found,)

    @property
    def trained(self) -> nn.Module:
        """The module whose weights are learned and kept."""
        return self.loss if self.model is None else self.model


def compiled(diagram: Diagram) -> nn.Module:
    """The module that the printed source of a Diagram defines."""
    return build(rewritten([diagram])[0][0])


def objective(plan: Learner) -> Objective:
    """The network and its loss, with weights drawn from the seed; declared parameters of both are the same ones."""
    torch.manual_seed(plan.seed)
    model = None if plan.model is None else compiled(plan.model)
    loss = compiled(plan.loss)
    if model is not None and plan.model is not None:
        ours = {parameter.path for parameter in globals_of(plan.model)}
        for parameter in globals_of(plan.loss):
            if parameter.path in ours:
                share(model, loss, parameter.path)
    return Objective(model, loss, plan.inputs)


def share(giver: nn.Module, taker: nn.Module, path: str) -> None:
    """Let one module read a declared parameter, or a record of them, that another holds."""
    first = path.partition(".")[0]
    setattr(taker, first, getattr(giver, first))
