"""The table: what is causal does not change when later steps do, or when they are cut off; what is not, does."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.causal.kept import Causality, causality
from catdl.diagnostics.causal_errors import ReadsAhead
from catdl.diagnostics.text import render
from catdl.types.sizes import evaluate
from catdl.types.types import Axis, Leaf
from tests.causal.cases import DIMS, KEPT, LOST

LONG, BATCH = 7, 2


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """In double precision, also what is made of indices."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def spec(signature: str, body: str, word: str = "morphism") -> catdl.Spec:
    """A case as a hom, or as a morphism of which nothing is demanded."""
    return catdl.loads(f"{DIMS}{word} f : {signature} = {body}\n")


def found(signature: str, body: str) -> Causality:
    """What is told of a case."""
    case = spec(signature, body)
    (told,) = causality(case["f"].diagram(), case.program.time)
    return told


def refused(signature: str, body: str) -> bool:
    """Whether the case is refused as a hom; any other mistake is one of the case."""
    mistakes = [d for d in spec(signature, body, "hom").diagnostics if d.severity == "error"]
    assert all(isinstance(d, ReadsAhead) for d in mistakes), render(mistakes)
    return bool(mistakes)


class Trial:
    """A case with random weights, on random inputs of which some steps may be others, or not be there."""

    def __init__(self, signature: str, body: str) -> None:
        torch.manual_seed(0)
        handle = spec(signature, body)["f"]
        self.diagram = handle.diagram()
        self.net: nn.Module = handle.compile().eval()
        for weight in self.net.parameters():
            nn.init.normal_(weight, std=0.5)
        self.leaves = [self.diagram.wires[wire].type for wire in self.diagram.inputs]
        self.inputs = [self.drawn(leaf) for leaf in self.leaves]

    def drawn(self, leaf: Leaf) -> Tensor:
        """A random input."""
        sizes = [evaluate(axis.size, self.dims(axis)) for axis in leaf.axes if isinstance(axis, Axis)]
        if leaf.kind.name == "Fin":
            assert isinstance(leaf.kind.size, int)
            return torch.randint(leaf.kind.size, (BATCH, *sizes))
        return torch.randn(BATCH, *sizes)

    def dims(self, axis: Axis) -> dict[str, int]:
        """The sizes of free dims."""
        return {} if isinstance(axis.size, int) else dict.fromkeys(axis.size.syms, LONG)

    def time(self, leaf: Leaf) -> int | None:
        """Where the time stands in a tensor of a type."""
        places = [k for k, axis in enumerate(leaf.axes) if isinstance(axis, Axis) and axis.label == "<string>::T"]
        return places[0] - len(leaf.axes) if places else None

    def run(self, inputs: list[Tensor]) -> Tensor:
        """The result, with its time in front."""
        (wire,) = self.diagram.outputs
        at = self.time(self.diagram.wires[wire].type)
        assert at is not None
        with torch.no_grad():
            result: Tensor = self.net(*inputs)
        return result.movedim(at, 0)

    def cut(self, steps: int) -> list[Tensor]:
        """The inputs up to a step."""
        places = map(self.time, self.leaves)
        return [x if at is None else x.narrow(at, 0, steps) for x, at in zip(self.inputs, places, strict=True)]

    def changed(self, step: int) -> list[Tensor]:
        """The inputs with others from a step on."""
        out = []
        for x, leaf in zip(self.inputs, self.leaves, strict=True):
            at, other = self.time(leaf), self.drawn(leaf)
            rest = x.shape[at] - step if at is not None else 0
            out.append(x if at is None else torch.cat([x.narrow(at, 0, step), other.narrow(at, step, rest)], at))
        return out


@pytest.mark.parametrize(("lag", "signature", "body"), KEPT, ids=lambda c: str(c))
def test_kept(lag: int, signature: str, body: str) -> None:
    told = found(signature, body)
    assert (told.lag, told.loss) == (lag, None)
    assert not refused(signature, body)
    trial = Trial(signature, body)
    whole = trial.run(trial.inputs)
    for step in range(LONG):
        torch.testing.assert_close(trial.run(trial.changed(step))[: step + lag], whole[: step + lag], rtol=0, atol=1e-9)
    for step in range(4, LONG):
        torch.testing.assert_close(trial.run(trial.cut(step)), whole[:step], rtol=0, atol=1e-9)
    least = trial.run(trial.changed(2))[2 + lag :]
    assert not torch.allclose(least, whole[2 + lag :], rtol=0, atol=1e-9), "no step depends on any"


@pytest.mark.parametrize(("rule", "signature", "body"), LOST, ids=lambda c: str(c))
def test_lost(rule: str, signature: str, body: str) -> None:
    told = found(signature, body)
    assert told.loss is not None and told.loss.rule.name == rule
    assert refused(signature, body)
    trial = Trial(signature, body)
    whole = trial.run(trial.inputs)
    changes = [trial.run(trial.changed(step))[:step] - whole[:step] for step in range(1, LONG)]
    for step in range(4, LONG):
        short = trial.run(trial.cut(step))
        both = min(len(short), len(whole), step)
        changes.append(short[:both] - whole[:both])
    assert max(change.abs().max().item() for change in changes if change.numel()) > 1e-6


def test_of_nothing() -> None:
    assert found("Real[T, D] -> Real[T, D]", "x => zeros_like(x)").lag == inf


def test_more_rounds_than_are_looked_at() -> None:
    told = found("Real[D, T] -> Real[D, T]", "iterate(1000, tied conv1d(D, 3, padding = 1))")
    assert told.lag == -inf and told.loss is not None and told.loss.name == "conv1d"
