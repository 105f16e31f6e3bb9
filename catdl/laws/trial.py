"""Trials: both sides of a law at random values, and what refutes it made small.

Takes two Diagrams with the same ends. A difference counts when it is beyond what rounding can make, which is measured:
the same side in single precision shows how much its rounding grows. Gradients are compared too, for a law must not
license the removal of `stop_gradient`.

    refutation(left, right, trials=100)     None where all trials passed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from catdl.diagram.interpret import interpret
from catdl.diagram.model import VARIABLE, Diagram, Extern
from catdl.diagram.params import bounds_of, globals_of, post_order
from catdl.laws.modes import means
from catdl.laws.values import Trial, dims_of, possible, sizes
from catdl.types.sizes import short

SAFETY = 1e3
"""How many times the rounding seen in single precision, scaled to double, a difference may have."""

MODES = frozenset({"training", "across"})
"""Core operations that may do one thing in training and another in evaluation."""

SHRINKS = 300
NUDGES = 3
NUDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Case:
    """One trial: the values of the inputs and of the declared parameters, and whether it is one of training."""

    trial: Trial
    inputs: tuple[Tensor, ...]
    weights: dict[str, Tensor]
    training: bool


@dataclass(frozen=True, slots=True)
class Refuted:
    """A counterexample in words, what each side gives there, and of what: values, or the gradient of an input."""

    where: str
    left: str
    right: str
    what: str


@dataclass(frozen=True, slots=True)
class Held:
    """How many trials passed, and the largest difference among them."""

    trials: int
    worst: float


def tried(left: Diagram, right: Diagram, trials: int, *, trains: bool = True, seed: int = 0) -> Held | Refuted:
    """Both sides at random values; where they say what they do in training, there in every other trial that may."""
    trains = trains and not MODES.isdisjoint(means(left) | means(right))
    names = dims_of((left, right))
    bounds = (*bounds_of(left), *bounds_of(right))
    divides = (*left.facts, *right.facts)
    worst, passed = 0.0, 0
    for number in range(trials):
        dims = sizes(names, number, divides, bounds)
        if dims is None or not possible(left, dims):
            continue
        case = drawn(left, right, dims, number, seed, training=trains and number % 2 == 1)
        gap, what = compared(left, right, case)
        if what:
            return told(left, right, *shrunk(left, right, case))
        worst = max(worst, gap)
        passed += 1
    return Held(passed, worst)


def drawn(
    left: Diagram, right: Diagram, dims: dict[str, int], number: int, seed: int, *, training: bool = False
) -> Case:
    """The values of a trial: the same for the same number and sizes."""
    rng = torch.Generator().manual_seed(seed * 1_000_003 + number)
    trial = Trial(number, dims, rng)
    for side in (left, right):
        for diagram in post_order(side):
            for k, box in enumerate(diagram.boxes):
                if isinstance(box.op, Extern) and box.op.target not in trial.functions:
                    trial.function(box.op.target, diagram, k)
    inputs = tuple(trial.tensor(left.wires[w].type) for w in left.inputs)
    weights = {p.path: trial.tensor(p.type) for p in (*globals_of(left), *globals_of(right))}
    return Case(trial, inputs, weights, training)


def values(side: Diagram, case: Case, dtype: torch.dtype, gradients: bool) -> list[Tensor]:
    """What a side gives, and the gradients of a fixed mixture of it by each input and parameter."""
    floats = (torch.float32, torch.float64)
    inputs = [x.to(dtype, copy=True) if x.dtype in floats else x for x in case.inputs]
    weights = {k: w.to(dtype, copy=True) if w.dtype in floats else w for k, w in case.weights.items()}
    leaves = [x.requires_grad_() for x in (*inputs, *weights.values()) if x.is_floating_point()] if gradients else []
    torch.manual_seed(case.trial.number)
    functions, dims = case.trial.functions, case.trial.dims
    found = interpret(side, inputs, weights, training=case.training, batch=(), externs=functions, dims=dims)
    outputs = list(found)
    if not gradients:
        return outputs
    total = torch.zeros((), dtype=dtype)
    for k, y in enumerate(outputs):
        if y.is_floating_point() and y.requires_grad:
            mixture = torch.cos(torch.arange(y.numel(), dtype=dtype) * 1.7 + k + 1).reshape(y.shape)
            total = total + (y * mixture).sum()
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in leaves]
    slopes = torch.autograd.grad(total, leaves, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, slopes, strict=True)]


def compared(left: Diagram, right: Diagram, case: Case) -> tuple[float, str]:
    """The largest difference, and of what it is one that rounding cannot make; empty for none."""
    worst = 0.0
    for what in ("values", "gradient"):
        gradients = what == "gradient"
        ours, theirs = (values(side, case, torch.float64, gradients) for side in (left, right))
        rough = [values(side, case, torch.float32, gradients) for side in (left, right)]
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if a.shape != b.shape:
                return float("inf"), what
            gap = difference(a, b)
            worst = max(worst, gap)
            bound = max(rounding(a, rough[0][k]), rounding(b, rough[1][k]))
            if gap > bound and (not gradients or all(smooth(left, right, case, k, seed) for seed in range(NUDGES))):
                return gap, what
    return worst, ""


def smooth(left: Diagram, right: Diagram, case: Case, place: int, seed: int) -> bool:
    """Whether gradients differ beside a case, too: at a kink, as at 0 of relu, any of several numbers is one."""
    rng = torch.Generator().manual_seed(seed)

    def nudged(x: Tensor) -> Tensor:
        return x + NUDGE * torch.randn(x.shape, generator=rng, dtype=x.dtype) if x.is_floating_point() else x

    near = replace(
        case, inputs=tuple(map(nudged, case.inputs)), weights={name: nudged(w) for name, w in case.weights.items()}
    )
    ours, theirs = (values(side, near, torch.float64, True)[place] for side in (left, right))
    rough = [values(side, near, torch.float32, True)[place] for side in (left, right)]
    return difference(ours, theirs) > max(rounding(ours, rough[0]), rounding(theirs, rough[1]))


def difference(a: Tensor, b: Tensor) -> float:
    """The largest difference; equal infinities and two values that are no numbers do not differ."""
    if not a.numel():
        return 0.0
    if not a.is_floating_point() and not a.is_complex():
        return 0.0 if torch.equal(a, b) else float("inf")
    same = (a == b) | (a.isnan() & b.isnan())
    gap = (a - b).abs().masked_fill(same, 0)
    return float(gap.detach().nan_to_num(nan=float("inf"), posinf=float("inf")).max())


def rounding(exact: Tensor, rough: Tensor) -> float:
    """How much rounding in double precision may make, seen from that in single precision."""
    if not exact.numel() or not (exact.is_floating_point() or exact.is_complex()):
        return 0.0
    scale = torch.finfo(torch.float64).eps / torch.finfo(torch.float32).eps
    exact, rough = exact.detach(), rough.detach()
    size = float(exact.abs().nan_to_num(0, 0, 0).max())
    gap = float((exact - rough).abs().nan_to_num(0, 0, 0).max())
    return SAFETY * (scale * gap + torch.finfo(torch.float64).eps * max(size, 1.0))


def shrunk(left: Diagram, right: Diagram, case: Case) -> tuple[Case, str]:
    """A smaller case that refutes, too: fewer elements, simpler morphisms, smaller whole numbers."""
    best, what = case, compared(left, right, case)[1]
    budget = SHRINKS
    bounds = (*bounds_of(left), *bounds_of(right))
    divides = (*left.facts, *right.facts)
    for number in range(24):  # the first trials are the simple ones; small sizes come first there
        dims = sizes(tuple(case.trial.dims), 0, divides, bounds)
        if dims is None:
            break
        smaller = drawn(left, right, dims, number, 0, training=case.training)
        budget -= 1
        if (found := compared(left, right, smaller)[1]) == "values" or (found and found == what):
            best, what = smaller, found
            break
    for candidate_of in (rounded, *(zeroed(k) for k in range(64))):
        if budget <= 0:
            break
        candidate = candidate_of(best)
        if candidate is None:
            continue
        budget -= 1
        if compared(left, right, candidate)[1] == what:
            best = candidate
    return best, what


def rounded(case: Case) -> Case | None:
    """Whole numbers instead."""
    return replace(case, inputs=tuple(x.round() if x.is_floating_point() else x for x in case.inputs))


def zeroed(place: int) -> Callable[[Case], Case | None]:
    """One number of the inputs made zero."""

    def change(case: Case) -> Case | None:
        at = place
        for k, x in enumerate(case.inputs):
            if at < x.numel():
                if not x.is_floating_point() or float(x.reshape(-1)[at]) == 0:
                    return None
                y = x.clone()
                y.reshape(-1)[at] = 0
                return replace(case, inputs=(*case.inputs[:k], y, *case.inputs[k + 1 :]))
            at -= x.numel()
        return None

    return change


def told(left: Diagram, right: Diagram, case: Case, what: str) -> Refuted:
    """A counterexample in words."""
    parts = [f"{name.removeprefix(VARIABLE).rstrip('~')} = {said}" for name, said in case.trial.chosen.items()]
    names = left.domain_names
    for k, x in enumerate(case.inputs):
        plain = "x" if len(case.inputs) == 1 else f"x{k + 1}"
        parts.append(f"{(names[k] if k < len(names) else None) or plain} = {shown(x)}")
    parts += ["in training"] if case.training else []
    if not case.inputs or any(x.numel() > MOST for x in case.inputs):
        parts += [f"{short(name).lstrip('~:')} = {size}" for name, size in case.trial.dims.items()]
    ours, theirs = (values(side, case, torch.float64, what == "gradient") for side in (left, right))
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape or difference(a, b) > 0:
            return Refuted(", ".join(parts), shown(a), shown(b), what)
    return Refuted(", ".join(parts), "something else", "something else", what)


MOST = 12
"""How many numbers of a tensor are shown."""


def shown(x: Tensor) -> str:
    """A tensor as nested lists, cut where it is long."""
    if x.numel() > MOST:
        first = ", ".join(number(v) for v in x.reshape(-1)[:4].tolist())
        return f"[{first}, …] of shape {tuple(x.shape)}"

    def nested(value: object) -> str:
        return f"[{', '.join(map(nested, value))}]" if isinstance(value, list) else number(value)

    return nested(x.tolist())


def number(value: object) -> str:
    """A number as one writes it."""
    return f"{value + 0.0:.6g}" if isinstance(value, float) else str(value)
