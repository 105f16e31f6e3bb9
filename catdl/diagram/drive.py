"""Work that nests as deep as a diagram does, without recursion.

A piece of work is a generator: it yields the work that it needs done first, and is sent what came of it.

    drive(_diagram(diagram, …))      what the generator returns
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Work: TypeAlias = "Generator[Work[T], T, T]"


def drive(work: Work[T]) -> T:
    """Run to the end; a yielded piece of work is done first and its result is sent back."""
    stack = [work]
    result: T | None = None
    while True:
        try:
            stack.append(stack[-1].send(result))  # type: ignore[arg-type]  # None starts a generator
            result = None
        except StopIteration as end:
            stack.pop()
            result = end.value
            if not stack:
                return end.value  # type: ignore[no-any-return]
