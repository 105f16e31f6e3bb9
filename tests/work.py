"""How much work an action is, counted and not timed: the same on any machine, however busy it is.

What is counted is what Python does: the lines that run, each turn of a loop or comprehension, the calls and returns.
What one call does inside C is not seen; that is timed by the benchmarks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(action: Callable[[], object]) -> int:
    """The steps that Python takes for an action. What is made on first use must be made before."""
    count = 0

    def step(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        nonlocal count
        count += 1
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def growth(make: Callable[[int], Callable[[], object]], few: int, many: int) -> float:
    """How much more work it is for many than for few, over how many more they are: 1 where it is linear."""
    make(few)()
    return steps(make(many)) / steps(make(few)) * few / many
