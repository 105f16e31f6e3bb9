"""Informations that do not add up: one summed over its axes, as a divergence is, and one averaged over its own.

Takes a finished Diagram; guarantees that a bound on an evidence whose likelihood is a mean over the pixels is told, for
the divergence then weighs as many times too much as there are pixels. What is multiplied by a number is meant.

    kl(q, standard_normal[Z]) + binary_cross_entropy_with_logits(y, x)     # y of [H, W]: told
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catdl import diagnostics as wrong
from catdl.causal.losses import LOSSES
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Box, Call, Core, Diagram, Native
from catdl.types.types import AxisItem, show_axis

_PASSING = ("permute", "cast")
_ADDING = ("add", "sub")


class Reduced(NamedTuple):
    """How a number came of many: by their sum or their mean, over which axes, and in which box."""

    mean: bool
    axes: tuple[AxisItem, ...]
    box: Box


def unlike_terms(diagram: Diagram) -> Iterator[Diagnostic]:
    """Sums of a mean and a sum, both in nats."""
    makers = _Makers()
    made = makers.of(diagram)
    told: set[int] = set()  # terms of a sum that is a term are told once
    for box in reversed(diagram.boxes):
        if not _adds(diagram, box) or box.outputs[0] in told:
            continue
        found: dict[bool, Reduced] = {}
        stack = list(reversed(box.inputs))
        while stack:
            wire = stack.pop()
            term = made.get(wire)
            if term is not None and _adds(diagram, term):
                told.add(wire)
                stack += reversed(term.inputs)
            elif term is not None and (how := _reduced(diagram, makers, wire)) is not None:
                found.setdefault(how.mean, how)
        if len(found) == 2:
            mean, whole = found[True], found[False]
            yield wrong.MeanAndSum(box.span, mean.box.span, _shown(mean), whole.box.span, _shown(whole))


def _adds(diagram: Diagram, box: Box) -> bool:
    """Whether a box adds informations."""
    if not isinstance(box.op, Core) or box.op.name != "pointwise" or box.op["fn"] not in _ADDING:
        return False
    return all(diagram.wires[wire].type.kind.name == "Nats" for wire in box.inputs)


class _Makers:
    """Which box makes a wire, for every diagram that was asked for."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Diagram, dict[int, Box]]] = {}

    def of(self, diagram: Diagram) -> dict[int, Box]:
        """The boxes of a diagram by the wires that they make."""
        if id(diagram) not in self.known:
            made = {wire: box for box in diagram.boxes for wire in box.outputs}
            self.known[id(diagram)] = diagram, made  # held, so that the number stays its own
        return self.known[id(diagram)][1]


def _reduced(diagram: Diagram, makers: _Makers, wire: int) -> Reduced | None:
    """How a number came of many, through the morphisms that it came through; None where it is not known."""
    outer: Box | None = None
    made = makers.of(diagram)
    while (box := made.get(wire)) is not None:
        op = box.op
        if isinstance(op, Core) and (op.name in _PASSING or (op.name == "pointwise" and op["fn"] == "neg")):
            wire = box.inputs[0]
            continue
        outer = outer or box
        if isinstance(op, Core) and op.name == "reduce" and op["fn"] in ("sum", "mean"):
            places = op["axes"]
            assert isinstance(places, tuple)
            axes = diagram.wires[box.inputs[0]].type.axes
            over = tuple(axes[place] for place in places if isinstance(place, int))
            return Reduced(op["fn"] == "mean", over, outer) if over else None
        if isinstance(op, Native) and op.entry in LOSSES:
            positions = op.bind("S")
            return Reduced(True, positions, outer) if isinstance(positions, tuple) and positions else None
        if isinstance(op, Call):
            inside = op.callee
        elif isinstance(op, Native) and op.definition is not None:
            inside = op.definition.diagram()
        else:
            return None
        wire = inside.outputs[box.outputs.index(wire)]
        diagram, made = inside, makers.of(inside)
    return None


def _shown(reduced: Reduced) -> str:
    return ", ".join(show_axis(axis) for axis in reduced.axes)
