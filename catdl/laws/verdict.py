"""The verdict on a law: proved, held or refuted, and never more than is known.

Takes both sides. `proved`: one normal form, for all values, over the reals, of the wiring or of the terms; `steps` are
the laws that it took, among them proved ones of the file. `held`: not proved, and so many random trials of values and
gradients passed. `refuted`: with a counterexample.

    judge(left, right).laws      ("map keeps composition (functoriality)",)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from catdl.diagram.model import Diagram
from catdl.diagram.opened import opened
from catdl.laws.lemmas import Lemma, lemmas, rewritten
from catdl.laws.modes import draws, foreign, means
from catdl.laws.normal import results
from catdl.laws.places import Places
from catdl.laws.shown import shown, told
from catdl.laws.terms import Budget, Store, Term
from catdl.laws.trial import Held, Refuted, tried
from catdl.laws.wires import wired

WIRING = "wiring alone: both sides are one diagram"
MEANING = "reading both sides at an index: they are one term"
STEPS = 400_000
TRIALS = 100


@dataclass(frozen=True, slots=True)
class Step:
    """A law that a proof took; the first that it was used on, and what came of that, where it is one of terms."""

    law: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Proved:
    """Both sides have one normal form: the laws that it took, and the form, one formula for each result."""

    steps: tuple[Step, ...]
    form: tuple[str, ...] = ()

    @property
    def laws(self) -> tuple[str, ...]:
        """The names of the laws."""
        return tuple(step.law for step in self.steps)


@dataclass(frozen=True, slots=True)
class Open:
    """Not proved, and nothing that can be tried: why."""

    why: str


Verdict: TypeAlias = Proved | Held | Refuted | Open


def judge(left: Diagram, right: Diagram, trials: int = TRIALS, known: Sequence[Lemma] = ()) -> Verdict:
    """What is known of an equation. Of sides that keep something: as functions of it, with what they keep then."""
    left, ours = opened(left)
    right, theirs = opened(right)
    if [(state.type, state.state) for state in ours] != [(state.type, state.state) for state in theirs]:
        return Open("the sides do not keep the same: their states differ in number, type or mode")
    proved = wiring(left, right, ()) or (wiring(left, right, known) if known else None) or proof(left, right)
    if proved is not None:
        return proved
    if draws(left) or draws(right):
        return Open("the sides draw, and their normal forms differ; equality in law is not decided by trials")
    module = foreign(left) or foreign(right)
    if module is not None:
        return Open(f"the normal forms of the sides differ, and `{module}` is not run to try them")
    if "sample" not in means(left) | means(right):
        return tried(left, right, trials)
    found = tried(left, right, trials, trains=False)
    if isinstance(found, Refuted):
        return found
    return Open("the sides draw in training, and their normal forms differ; in evaluation no trial told them apart")


def judged(laws: Iterable[tuple[str, Diagram, Diagram]], trials: int = TRIALS) -> dict[str, Verdict]:
    """The verdicts on laws by name; what is proved may be used in the proofs of those that follow."""
    found: dict[str, Verdict] = {}
    known: list[Lemma] = []
    for name, left, right in laws:
        verdict = found[name] = judge(left, right, trials, known)
        if isinstance(verdict, Proved):
            known += lemmas(name, opened(left)[0], opened(right)[0], STEPS)
    return found


def wiring(left: Diagram, right: Diagram, known: Sequence[Lemma]) -> Proved | None:
    """A proof by wiring, after what lemmas rewrite; None where the diagrams differ, or are too large."""
    store = Store(STEPS)
    used: dict[str, None] = {}
    sides: list[list[Term]] = []
    try:
        for side in (left, right):
            terms, types = wired(side, store)
            if known:
                terms, names = rewritten(terms, known, store, types)
                used |= dict.fromkeys(names)
            sides.append(terms)
    except Budget:
        return None
    if any(a is not b for a, b in zip(*sides, strict=True)):
        return None
    return Proved(tuple(Step(f"the law `{name}`") for name in used) or (Step(WIRING),))


def proof(left: Diagram, right: Diagram) -> Proved | None:
    """A proof by the normal form of terms; None where they differ, or where it is too long."""
    algebra = Places(STEPS)
    names = [name or f"x{k + 1}" for k, name in enumerate(left.domain_names)] if len(left.inputs) > 1 else ["x"]
    try:
        ours, theirs = results(left, algebra, names), results(right, algebra, names)
    except Budget:
        return None
    if any(a is not b for a, b in zip(ours, theirs, strict=True)):
        return None
    steps = tuple(Step(law, *told(used)) for law, used in algebra.used.items())
    return Proved(steps or (Step(MEANING),), tuple(map(shown, ours)))
