"""Room on Python's stack: nothing asks the system for memory at each call, however deep it runs."""

from __future__ import annotations

import resource
from collections.abc import Callable

from catdl.check.work import roomy

CALLS = 1_000
DEPTHS = range(200)


def leaf(a: int, b: int, c: int) -> int:
    return a + b + c


def busy(depth: int) -> None:
    """Many calls at some depth."""
    if depth:
        busy(depth - 1)
    else:
        for i in range(CALLS):
            leaf(i, i, i)


def faults(run: Callable[[int], None], depth: int) -> int:
    """How many pages of memory the system hands out meanwhile."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    run(depth)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_some_depth_is_slow_without_room() -> None:
    """What the room is for. A Python of which this is not true does without it."""
    assert max(faults(busy, depth) for depth in DEPTHS) >= CALLS


def test_no_depth_is_slow_with_room() -> None:
    run = roomy(busy)
    assert max(faults(run, depth) for depth in DEPTHS) < CALLS / 10
