"""Random values for trials: sizes, inputs, weights, and morphisms for the variables of a law.

Takes Diagrams. The first trials are simple, whole numbers and named functions, so that what refutes a law can be read.

    Trial(3).tensor(leaf)      a tensor of the leaf's type
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from catdl.diagram.interpret_core import Function
from catdl.diagram.model import Diagram
from catdl.types.dtypes import storage
from catdl.types.ragged import is_ragged
from catdl.types.sizes import Bound, Poly, evaluate, free_syms
from catdl.types.types import Leaf, axis_sizes, plain

NAMED: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("neg", torch.neg),
    ("square", torch.square),
    ("abs", torch.abs),
    ("x => x + 1", lambda x: x + 1),
    ("x => 2 * x", lambda x: 2 * x),
    ("relu", torch.relu),
    ("x => 1 - x", lambda x: 1 - x),
    ("tanh", torch.tanh),
    ("sin", torch.sin),
)


@dataclass(slots=True)
class Trial:
    """One choice: `dims` are the sizes of free dims, `functions` the morphisms, `chosen` what these are called."""

    number: int
    dims: dict[str, int]
    rng: torch.Generator
    functions: dict[str, Function] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def shape(self, leaf: Leaf) -> tuple[int, ...]:
        """The shape of a type."""
        return tuple(int(evaluate(size, self.dims)) for size in axis_sizes(leaf))

    def tensor(self, leaf: Leaf) -> Tensor:
        """A value of a type."""
        shape = self.shape(leaf)
        match storage(leaf.kind):
            case "int":
                top = int(evaluate(leaf.kind.size, self.dims)) if leaf.kind.size is not None else 5
                return torch.randint(0, max(top, 1), shape, generator=self.rng)
            case "bool":
                return torch.rand(shape, generator=self.rng) < 0.5
            case "complex":
                return torch.complex(self.normal(shape), self.normal(shape))
            case _:
                return meant(self.normal(shape), leaf)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Numbers: small whole ones in the first trials, large ones in some, in one zeros alone."""
        if self.number == ZEROS:
            return torch.zeros(shape, dtype=torch.float64)
        if self.number < 8:
            return torch.randint(-2, 4, shape, generator=self.rng).double()
        size = 10 if self.number % FAR == FAR - 1 else 1
        return size * torch.randn(shape, generator=self.rng, dtype=torch.float64)

    def function(self, name: str, diagram: Diagram, box: int) -> None:
        """Choose a morphism for a variable, by what one of its boxes takes and gives."""
        at = diagram.boxes[box]
        ins = [diagram.wires[w].type for w in at.inputs]
        outs = [diagram.wires[w].type for w in at.outputs]
        numbers = len(ins) == len(outs) == 1 and ins == outs and plain(ins[0].kind.name) == "Real"
        if numbers and self.number < 2 * len(NAMED):
            said, pointwise = NAMED[(self.number + len(self.functions) * 5) % len(NAMED)]
            self.functions[name] = lambda xs, lead: (pointwise(xs[0]),)
            self.chosen[name] = said
            return
        self.functions[name] = self.mixing(ins, outs)
        self.chosen[name] = "a random network"

    def mixing(self, ins: list[Leaf], outs: list[Leaf]) -> Function:
        """A random network of one layer over everything that comes in."""
        width = sum(math.prod(self.shape(leaf)) for leaf in ins)
        weights: list[tuple[Leaf, tuple[int, ...], Tensor, Tensor]] = []
        for leaf in outs:
            count = math.prod(self.shape(leaf))
            scale = 1 / math.sqrt(max(width, 1))
            weight = torch.randn(count, width, generator=self.rng, dtype=torch.float64) * scale
            weights.append(
                (leaf, self.shape(leaf), weight, torch.randn(count, generator=self.rng, dtype=torch.float64))
            )

        def run(xs: Sequence[Tensor], lead: int) -> tuple[Tensor, ...]:
            batch = xs[0].shape[:lead] if xs else ()
            flat = [(x if x.is_floating_point() else x.double()).reshape(*batch, -1) for x in xs]
            whole = torch.cat(flat, -1) if flat else torch.zeros(0, dtype=torch.float64)
            made = []
            for leaf, shape, weight, bias in weights:
                y = torch.sin(whole @ weight.to(whole).T + bias.to(whole)).reshape(*batch, *shape)
                made.append(as_stored(y, leaf, self))
            return tuple(made)

        return run


def as_stored(value: Tensor, leaf: Leaf, trial: Trial) -> Tensor:
    """Real numbers as numbers of a kind."""
    match storage(leaf.kind):
        case "int":
            top = int(evaluate(leaf.kind.size, trial.dims)) if leaf.kind.size is not None else 5
            return ((value + 1) / 2 * top).long().clamp(0, max(top - 1, 0))
        case "bool":
            return value > 0
        case "complex":
            return torch.complex(value, value.cos())
        case _:
            return meant(value, leaf)


def meant(value: Tensor, leaf: Leaf) -> Tensor:
    """Real numbers as what the kind says they mean."""
    name = plain(leaf.kind.name)
    root = plain(leaf.kind.root or "")
    if name in ("Probs", "LogProbs") and value.ndim:
        label = leaf.kind.axis
        places = [k for k, a in enumerate(leaf.axes) if getattr(a, "label", None) == label and label is not None]
        dim = (places[0] if places else len(leaf.axes) - 1) - len(leaf.axes)
        return value.softmax(dim) if name == "Probs" else value.log_softmax(dim)
    if name in ("Prob", "Probs"):
        return value.sigmoid()
    if name in ("Positive", "Std", "Var") or root in ("Positive", "Std", "Var"):
        return value.exp()
    return value


def dims_of(diagrams: Sequence[Diagram]) -> tuple[str, ...]:
    """The free dims of some diagrams, in a fixed order."""
    found: dict[str, None] = {}
    for diagram in diagrams:
        for wire in diagram.wires:
            sizes = [*axis_sizes(wire.type), *([wire.type.kind.size] if wire.type.kind.size is not None else [])]
            for size in sizes:
                if isinstance(size, Poly):
                    found |= dict.fromkeys(sorted(free_syms(size)))
    return tuple(found)


EMPTY = 6
"""In one of so many trials samples have no elements along some var dims."""

ZEROS = 6
"""The trial in which all numbers are zero, where what is divided by them is found out."""

FAR = 4
"""In one of so many trials numbers are large."""


def sizes(
    names: Sequence[str], number: int, divides: Sequence[tuple[int, object]], bounds: Sequence[Bound]
) -> dict[str, int] | None:
    """Sizes for a trial under what the law assumes of them; None where none were found. In some, var dims are empty."""
    step = math.lcm(*(n for n, _ in divides)) if divides else 1
    for shift in range(12):
        chosen = {name: step * (1 + (number + shift + (number // 3 + 1) * k) % 4) for k, name in enumerate(names)}
        if number == 0 and shift == 0:
            chosen = dict.fromkeys(names, max(step, 2))
        if number % EMPTY == EMPTY - 1 and shift == 0:
            var = list(filter(is_ragged, names))
            some = number // EMPTY % max(2 ** len(var) - 1, 1) + 1
            chosen |= {name: 0 for k, name in enumerate(var) if some >> k & 1}
        if all(holds(bound, chosen) for bound in bounds):
            return chosen
    return None


def possible(side: Diagram, dims: Mapping[str, int]) -> bool:
    """Whether there are inputs at these sizes: no index is one of no elements."""
    leaves = [side.wires[wire].type for wire in side.inputs]
    found = [leaf for leaf in leaves if leaf.kind.size is not None and evaluate(leaf.kind.size, dict(dims)) == 0]
    return all(0 in [evaluate(size, dict(dims)) for size in axis_sizes(leaf)] for leaf in found)


def holds(bound: Bound, dims: Mapping[str, int]) -> bool:
    """Whether a bound holds at these sizes."""
    try:
        left, right = evaluate(bound.left, dict(dims)), evaluate(bound.right, dict(dims))
    except ValueError:
        return True
    return {
        "==": left == right,
        ">=": left >= right,
        "<=": left <= right,
        ">": left > right,
        "<": left < right,
        "|": left != 0 and right % left == 0,
    }[bound.op]
