"""A coercion that is offered converts: it never makes a second distribution of what has a meaning already."""

from __future__ import annotations

import pytest

from catdl.check.kinds import ROOTS
from catdl.check.program import Program
from catdl.check.scope import KindDef
from catdl.driver import loads
from catdl.repair.case import Case
from catdl.repair.kinds import links, steps, ways

PROGRAM = loads("dim D = 8\nmorphism f : Real[D] -> Real[D] = linear\n").program
CASE = Case(None, PROGRAM, PROGRAM.main, (), (), {})


def kinds(program: Program) -> list[str]:
    """The kinds of the prelude."""
    scope = program.prelude
    names = [n for n, place in scope.prelude.entries.items() if place.source.path == "prelude/kinds.cat"]
    return [name for name in names if isinstance(scope.find(name), KindDef)]


KINDS = kinds(PROGRAM)
MEANING = [kind for kind in KINDS if kind not in ROOTS]
LINKS = {step.name for step in steps(CASE) if step.link}
SQUASHERS = {"softmax", "log_softmax", "softmin", "sparsemax", "sigmoid", "logsigmoid", "logit", "softplus"}


def test_links_are_known_as_such() -> None:
    assert SQUASHERS <= LINKS


@pytest.mark.parametrize("found", MEANING)
def test_no_link_of_what_has_a_meaning(found: str) -> None:
    """But for logits, which are what a link takes, each step of a way is declared for the kind it is given."""
    declared = {(s.start, s.name) for s in steps(CASE) if not s.link}
    for wanted in KINDS:
        if wanted == found:
            continue
        assert links(CASE, found, wanted) == []
        for way in ways(CASE, found, wanted):
            if found != "Logits":
                assert not SQUASHERS & set(way), (found, wanted, way)
            starts = PROGRAM.kinds.above(found)
            assert any((start, way[0]) in declared for start in starts), (found, wanted, way)


def test_ways() -> None:
    assert ways(CASE, "Var", "Std") == [("sqrt",)]
    assert ways(CASE, "Std", "Var") == [("square",)]
    assert ways(CASE, "Drop", "Keep") == [("not",)]
    assert ways(CASE, "Probs", "LogProbs") == [("log",)]
    assert ways(CASE, "Positive", "Var") == []
    assert links(CASE, "Real", "Probs")[0] == ("softmax",)
