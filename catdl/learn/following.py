"""Weights that follow others: copies and averages of what is trained, moved after each step.

Takes a checked `Learner` and its modules; guarantees that what the learner leaves as it is stays so in every bit,
statistics of batch norms too, that `old <- every(500, w)` begins with a copy of w, and that the average is of the
weights after each step, the k-th last of which counts `decay^k`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from catdl.diagram.learner import Learner, Move
from catdl.learn.objective import Objective

_COUNT = "num_batches_tracked"


def beside_steps(plan: Learner) -> str | None:
    """What a learner asks for that is more than steps of an optimiser on batches, in words."""
    if plan.average is not None or plan.moves or plan.still:
        return "weights that are averaged, copied or held"
    return "a loss that looks across the batch" if plan.across else None


class Following:
    """What moves after each step of a learner beside the weights that its optimiser moves."""

    def __init__(self, plan: Learner, net: Objective) -> None:
        self.moves = [Copies(move, net.named) for move in plan.moves]
        self.held = [tensor for key, tensor in net.named.items() if _state(key, tensor) in plan.still]
        self.were: list[Tensor] = []
        self.average = None if plan.average is None else Average(plan.average.number("decay"), net.learned)

    def before(self) -> None:
        """Remember what a step is not to move."""
        if self.held:
            self.were = [tensor.clone() for tensor in self.held]

    def after(self, step: int) -> None:
        """After so many steps."""
        with torch.no_grad():
            for tensor, was in zip(self.held, self.were, strict=True):
                tensor.copy_(was)
            for move in self.moves:
                move.after(step)
            if self.average is not None:
                self.average.after(step)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with its averaged weights, where there are any."""
        if self.average is not None:
            self.average.swap()
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap()

    @property
    def averages(self) -> dict[str, Tensor]:
        """The averages by the keys of the weights."""
        return {} if self.average is None else self.average.values

    def settle(self) -> None:
        """Training is over: the averaged weights take the place of those that were trained."""
        if self.average is not None:
            self.average.swap()
        self.given()

    def given(self) -> None:
        """The weights are those that count already."""
        self.average = None


def _state(key: str, tensor: Tensor) -> str:
    """The key of a state, which a call moves; empty for a weight. Torch counts batches beside a running mean."""
    above, _, name = key.rpartition(".")
    return "" if isinstance(tensor, nn.Parameter) else f"{above}.running_mean" if name == _COUNT else key


class Copies:
    """`old <- every(500, w)`, on tensors; both begin alike."""

    def __init__(self, move: Move, named: Mapping[str, Tensor]) -> None:
        self.how = move.how
        self.targets = [named[target].detach() for target, _ in move.pairs]
        self.sources = [named[source].detach() for _, source in move.pairs]
        self.copy()

    def copy(self) -> None:
        """The targets become the sources."""
        torch._foreach_copy_(self.targets, self.sources)

    def after(self, step: int) -> None:
        """After so many steps."""
        if self.how.name == "ema":
            torch._foreach_lerp_(self.targets, self.sources, 1 - self.how.number("decay"))
        elif step % self.how.count("n") == 0:
            self.copy()


class Average:
    """The mean of weights over the steps, the k-th last counting `decay^k`; of all steps alike where decay is 1."""

    def __init__(self, decay: float, weights: dict[str, nn.Parameter]) -> None:
        self.decay = decay
        self.weights = [weight.detach() for weight in weights.values()]
        self.values = {key: weight.detach().clone() for key, weight in weights.items()}

    def after(self, step: int) -> None:
        """After so many steps."""
        share = 1 / step if self.decay == 1 else (1 - self.decay) / (1 - self.decay**step)
        torch._foreach_lerp_(list(self.values.values()), self.weights, share)

    def swap(self) -> None:
        """Weights and averages change places."""
        with torch.no_grad():
            for weight, value in zip(self.weights, self.values.values(), strict=True):
                was = weight.clone()
                weight.copy_(value)
                value.copy_(was)
