"""A learner as modules: the network, its loss, its measures.

Takes a checked `Learner`; guarantees modules whose weights start as the seed says, and one number, or a sum with its
weight, for every sample.

    net = objective(plan, Ranks())
    net(images, labels).mean().backward()
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from catdl.data.tree import Tree
from catdl.diagram.learned import weights_of
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
        self.named: dict[str, Tensor] = {}  # weights and states by their keys in the learner
        self.learned: dict[str, nn.Parameter] = {}  # those that a gradient comes to

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
    def beside(self) -> bool:
        """Whether the loss has weights or states that the model has not."""
        ours = {id(tensor) for _, tensor in tensors(self.trained)}
        return any(id(tensor) not in ours for _, tensor in tensors(self.loss))

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
    return objectives((plan,), plan.seed, ranks)[0]


def objectives(plans: Iterable[Learner], seed: int, ranks: Ranks) -> list[Objective]:
    """The networks and losses of several learners; declared parameters are the same ones in all of them."""
    torch.manual_seed(seed)
    known: dict[tuple[str, str], nn.Parameter] = {}
    return [_objective(plan, known, ranks) for plan in plans]


def _objective(plan: Learner, known: dict[tuple[str, str], nn.Parameter], ranks: Ranks) -> Objective:
    """The network and its loss; declared parameters that are known already are those."""
    model = None if plan.model is None else compiled(plan.model)
    net = Objective(model, compiled(plan.loss, plan.across), plan.inputs, ranks if plan.across else None)
    drawn = list(net.parameters())
    place: dict[int, nn.Parameter] = {}
    for diagram, module in ((plan.model, net.model), (plan.loss, net.loss)):
        for leaf in globals_of(diagram) if diagram is not None and module is not None else ():
            assert module is not None
            own = module.get_parameter(leaf.path)
            place[id(own)] = known.setdefault((leaf.home, leaf.path), own)
            put(module, leaf.path, place[id(own)])
    learned = {id(weight): weight for own in drawn if own.requires_grad for weight in [place.get(id(own), own)]}
    for weight in learned.values():
        weight.requires_grad_(True)
    net.named = named(plan, net)
    net.learned = {key: learned[id(weight)] for key, weight in net.named.items() if id(weight) in learned}
    if plan.chosen:  # what an extern brings along is named by nobody
        ours = {weight.key for weight in weights_of(plan.model, plan.loss)}
        for key in net.learned.keys() - ours:
            net.learned.pop(key).requires_grad_(False)
    return net


def put(module: nn.Module, path: str, weight: nn.Parameter) -> None:
    """Let a module read a declared parameter that is another's."""
    above, _, name = path.rpartition(".")
    module.get_submodule(above)._parameters[name] = weight


def shared(plan: Learner, net: Objective) -> dict[str, nn.Parameter]:
    """The declared parameters by their names."""
    found: dict[str, nn.Parameter] = {}
    for diagram, module in ((plan.model, net.model), (plan.loss, net.loss)):
        if diagram is not None and module is not None:
            found |= {leaf.path: module.get_parameter(leaf.path) for leaf in globals_of(diagram)}
    return found


def named(plan: Learner, net: Objective) -> dict[str, Tensor]:
    """Weights and states by the keys that `weights_of` gives them."""
    found = dict(tensors(net.trained))
    if net.model is not None:
        ours = {id(tensor) for tensor in found.values()}
        declared = {leaf.path for leaf in globals_of(plan.loss)}
        for path, tensor in tensors(net.loss):
            if id(tensor) not in ours:
                found[path if path in declared and path not in found else f"loss.{path}"] = tensor
    return found


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters and the states of a module, each under its first key."""
    yield from module.named_parameters()
    yield from module.named_buffers()
