"""The normal form says what the interpreter does: its terms, evaluated number by number, on random diagrams."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from torch import Tensor

import catdl
from catdl.diagram.interpret import interpret
from catdl.diagram.interpret_core import Run
from catdl.diagram.interpret_point import POINTWISE
from catdl.diagram.params import globals_of, parameters
from catdl.laws.functions import ASSOCIATIVE
from catdl.laws.normal import results
from catdl.laws.places import Places
from catdl.laws.terms import Budget, Term
from catdl.types.sizes import show
from tests.laws.agreement import diagram_of
from tests.laws.generate import Spec, well_typed
from tests.torch.agree import sample

REDUCE: dict[str, Any] = {
    "max": max,
    "min": min,
    "prod": math.prod,
    "any": any,
    "all": all,
    "logsumexp": lambda xs: torch.tensor([float(x) for x in xs], dtype=torch.float64).logsumexp(0).item(),
}


class Unread(Exception):
    """An operation that has no meaning here."""


@dataclass
class Reader:
    """Terms as numbers, by their plain meaning."""

    inputs: dict[str, Tensor]
    weights: dict[str, Tensor]
    dims: dict[str, int]
    known: dict[tuple[int, tuple[tuple[int, int], ...]], Any] = field(default_factory=dict)
    left: int = 60_000

    def size(self, text: str) -> int:
        return int(eval(text, {}, self.dims))

    def value(self, term: Term, at: dict[int, int]) -> Any:
        key = (id(term), tuple(sorted((k, v) for k, v in at.items() if k in term.free)))
        if key not in self.known:
            self.left -= 1
            if self.left < 0:
                raise Unread
            self.known[key] = self.read(term, at)
        return self.known[key]

    def over(self, term: Term, sizes: tuple[str, ...], at: dict[int, int]) -> Any:
        for places in itertools.product(*(range(self.size(s)) for s in sizes)):
            yield {**at, **dict(zip(term.bound, places, strict=True))}

    def read(self, term: Term, at: dict[int, int]) -> Any:
        data: Any = term.data
        match term.op:
            case "index":
                return at[data]
            case "const" | "truth":
                return data
            case "size":
                return self.size(data)
            case "poly":
                return sum(float(c) * self.value(m, at) for c, m in zip(data, term.args, strict=True))
            case "mono":
                powers, sizes = data
                total = 0.0
                for here in self.over(term, sizes, at):
                    product = 1.0
                    for factor, power in zip(term.args, powers, strict=True):
                        product *= float(self.value(factor, here)) ** power
                    total += product
                return total
            case "red":
                name, sizes = data
                return REDUCE[name]([self.value(term.args[0], here) for here in self.over(term, sizes, at)])
            case "in":
                return self.inputs[data][tuple(self.value(a, at) for a in term.args)].item()
            case "param":
                return self.weights[data.rpartition("::")[2]][tuple(self.value(a, at) for a in term.args)].item()
            case "fn" if data in ("stop", "training", "straight"):
                return self.value(term.args[-1], at)
            case "fn":
                run = Run((), self.dims, torch.float64, torch.device("cpu"), False)
                xs = [self.tensor(self.value(a, at)) for a in term.args]
                if data in ASSOCIATIVE:
                    return functools.reduce(lambda a, b: POINTWISE[data](run, a, b), xs).item()
                return POINTWISE[data](run, *xs).item()
            case "pair":
                return self.value(term.args[0], at) * self.size(data) + self.value(term.args[1], at)
            case "over":
                return self.value(term.args[0], at) // self.size(data)
            case "within":
                return self.value(term.args[0], at) % self.size(data)
            case "moved":
                start, step = (self.size(show(s)) for s in data)
                return start + step * self.value(term.args[0], at)
            case "window":
                stride, dilation = (self.size(s) for s in data)
                return self.value(term.args[0], at) * stride + self.value(term.args[1], at) * dilation
            case "at" | "place":
                return self.value(term.args[0], at)
            case "concat":
                place = self.value(term.args[0], at)
                for width, part in zip(data, term.args[1:], strict=True):
                    if place < self.size(width):
                        return self.value(part.args[0], {**at, part.bound[0]: place})
                    place -= self.size(width)
                raise AssertionError
            case _:
                raise Unread

    def tensor(self, value: Any) -> Tensor:
        return torch.tensor(value) if isinstance(value, bool | int) else torch.tensor(value, dtype=torch.float64)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(well_typed())
def test_terms_are_what_the_interpreter_computes(spec: Spec) -> None:
    torch.manual_seed(0)
    diagram = diagram_of(spec)
    named = {f"<string>::{name}": size for name, size in spec.dims.items()} | spec.dims
    inputs = [sample(diagram.wires[w].type, (), named) for w in diagram.inputs]
    weights = {p.path: sample(p.type, (), named) for p in (*parameters(diagram), *globals_of(diagram))}
    weights = {k: w.abs() + 0.1 if k.endswith("running_var") else w for k, w in weights.items()}
    try:
        terms = results(diagram, Places(200_000))
    except Budget:
        assume(False)
    wanted = interpret(diagram, inputs, weights, batch=())
    reader = Reader({f"x{k}": x for k, x in enumerate(inputs)}, weights, dict(spec.dims))
    for term, y in zip(terms, wanted, strict=True):
        for place in list(itertools.product(*map(range, y.shape)))[:3]:
            try:
                found = reader.value(term, dict(enumerate(place)))
            except Unread:
                continue
            expected = y[place].item()
            if isinstance(expected, float) and math.isfinite(expected):
                assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_equal_ends_do_not_make_equal_terms() -> None:
    text = "dim A = 3\nmorphism f : Real[A] -> Real[A] = relu\nmorphism g : Real[A] -> Real[A] = abs\n"
    algebra = Places(1000)
    spec = catdl.loads(text)
    assert results(spec["f"].diagram(), algebra) != results(spec["g"].diagram(), algebra)


def test_a_long_chain_needs_no_stack() -> None:
    text = "dim A = 3\nmorphism f : Real[A] -> Real[A] = " + " >> ".join(["tanh", "relu"] * 3000) + "\n"
    spec = catdl.loads(text)
    algebra = Places(1_000_000)
    once, again = (results(spec["f"].diagram(), algebra) for _ in range(2))
    assert once == again
