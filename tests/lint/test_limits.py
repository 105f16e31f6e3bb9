"""Warnings are bounded: of very many layers over a set only the first are looked into, and none of it fails."""

from __future__ import annotations

import time

import pytest

import catdl
from catdl.diagram.model import Native
from catdl.lint.sets import DEFINITIONS


def spec(count: int, last: str) -> catdl.Spec:
    """Many layers over a set, each of another size."""
    steps = " >> ".join(f"conv1d({i}, 1) >> relu" for i in range(1, count))
    return catdl.loads(f"dim N : set, C = 3\nmorphism f : Real[C, N] -> Real[3, N] = {steps} >> {last}")


def natives(found: catdl.Spec) -> list[Native]:
    """The layers of `f`."""
    return [box.op for box in found["f"].diagram().boxes if isinstance(box.op, Native)]


def test_few_definitions_are_made() -> None:
    found = spec(1000, "conv1d(3, 3, padding = 1)")
    assert not found.diagnostics
    made = [op for op in natives(found) if op.definition is not None and op.definition._diagram is not None]
    assert len(made) <= DEFINITIONS


def test_what_stands_early_is_told() -> None:
    assert [d.code for d in spec(DEFINITIONS // 4, "conv1d(3, 3, padding = 1)").diagnostics] == ["W0301"]


def test_a_definition_is_made_when_the_check_has_nothing_left() -> None:
    found = spec(1000, "conv1d(3, 1)")
    found.program.work.left = 0
    last = natives(found)[-1]
    assert last.definition is not None
    assert last.definition.diagram().boxes
    assert found.program.work.left == 0


ALLOWS = {
    "many codes": "# catdl: allow " + "W0201 " * 10_000,
    "many codes, with commas": "# catdl: allow " + "W0201, " * 9_000,
    "a long blank": "# catdl: allow W0201" + " " * 60_000 + "W0202",
    "one comment below the other": "morphism m : Real[3] -> Real[3] = x => {\n"
    + "# catdl: allow W0201\n" * 3_000
    + "x >> relu\n}",
    "many above many dims": "# catdl: allow W0201\n" * 1_500 + "dim " + ", ".join(f"K{i} = 1" for i in range(3_000)),
}


@pytest.mark.parametrize("name", ALLOWS)
def test_comments_cost_what_they_are_long(name: str) -> None:
    start = time.perf_counter()
    assert {found.code for found in catdl.loads(ALLOWS[name]).diagnostics} >= {"W0105"}
    assert time.perf_counter() - start < 2, "64 KiB are checked within two seconds"
