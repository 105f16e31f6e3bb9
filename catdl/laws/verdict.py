"""The verdict on a law: proved, held or refuted, and never more than is known.

Takes both sides. `proved`: one normal form, for all values, over the reals; `steps` are the laws of arithmetic and of
diagrams that it took. `held`: not proved, and so many random trials of values and gradients passed. `refuted`: with a
counterexample.

    judge(left, right)      Proved(("map keeps composition (functoriality)",))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from catdl.diagram.model import Core, Diagram, Extern
from catdl.diagram.opened import opened
from catdl.diagram.params import post_order
from catdl.laws.normal import results
from catdl.laws.places import Places
from catdl.laws.terms import Budget
from catdl.laws.trial import Held, Refuted, tried

WIRING = "wiring alone: both sides are one diagram"
STEPS = 400_000
TRIALS = 100


@dataclass(frozen=True, slots=True)
class Proved:
    """Both sides have one normal form; the laws that it took."""

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """Not proved, and nothing that can be tried: why."""

    why: str


Verdict: TypeAlias = Proved | Held | Refuted | Open


def judge(left: Diagram, right: Diagram, trials: int = TRIALS) -> Verdict:
    """What is known of an equation. Of sides that keep something: as functions of it, with what they keep then."""
    left, ours = opened(left)
    right, theirs = opened(right)
    if [(state.type, state.state) for state in ours] != [(state.type, state.state) for state in theirs]:
        return Open("the sides do not keep the same: their states differ in number, type or mode")
    steps = proof(left, right)
    if steps is not None:
        return Proved(steps)
    if random(left) or random(right):
        return Open("the sides draw, and their normal forms differ; equality in law is not decided by trials")
    return tried(left, right, trials)


def proof(left: Diagram, right: Diagram) -> tuple[str, ...] | None:
    """The laws by which both sides have one normal form; None where they do not, or where it is too long."""
    algebra = Places(STEPS)
    try:
        ours, theirs = results(left, algebra), results(right, algebra)
    except Budget:
        return None
    same = all(a is b for a, b in zip(ours, theirs, strict=True))
    return (tuple(algebra.used) or (WIRING,)) if same else None


def random(side: Diagram) -> bool:
    """Whether a side draws."""
    for op in (box.op for diagram in post_order(side) for box in diagram.boxes):
        if (isinstance(op, Core) and op.name == "sample") or (isinstance(op, Extern) and op.target.endswith("~")):
            return True
    return "rand" in side.effects
