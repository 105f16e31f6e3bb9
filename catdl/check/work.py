"""How much one check may do, counted over a whole program: what a text unfolds to may be far longer than the text.

A step is about what one static value costs. When they are spent, or too many mistakes are found, that is noted once,
and whatever asks for more is refused in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from types import FunctionType
from typing import ParamSpec, TypeVar

from catdl import diagnostics as wrong
from catdl.source import Span

STEP_LIMIT = 300_000  # beyond those that a text of its length may take
STEPS_PER_CHARACTER = 6
STEPS_PER_USE = 4  # a morphism applied to wires, or an expression read as wires
STEPS_PER_INSTANCE = 100
WIRES_PER_STEP = 4
LIMIT_SHOWN = f"{STEP_LIMIT // 1000} 000 and {STEPS_PER_CHARACTER} for each character of text"
EXPANSION_LIMIT = 10_000
MISTAKE_LIMIT = 250
TEXT_LIMIT = 2**24  # characters of a file
FRAME_LIMIT = 10_000
ROOM = 2**18  # slots of the stack: some thousand frames
P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def deep() -> Iterator[None]:
    """Room on the stack for what unfolds deep; Python's frames live on the heap."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAME_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def roomy(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with room on the stack for all that it calls.

    Python asks the system for its stack a small chunk at a time and gives it back at once. What runs just where a chunk
    ends, ten thousand times perhaps, asks each time: that made a check take three times as long. A frame that claims a
    large stack of its own gets a large chunk; what nothing touches takes no memory.
    """
    assert isinstance(function, FunctionType)
    code = function.__code__
    wide = code.replace(co_stacksize=code.co_stacksize + ROOM)
    made = FunctionType(wide, function.__globals__, None, function.__defaults__, function.__closure__)
    return update_wrapper(made, function)


class Work:
    """What is left to be done; `found` is the mistake of having asked for more."""

    __slots__ = ("expansions", "found", "left", "limit", "mistakes")

    def __init__(self, limit: int = STEP_LIMIT) -> None:
        self.left = limit
        self.limit = limit
        self.mistakes = 0
        self.expansions = 0
        self.found: wrong.LimitExceeded | None = None

    def grant(self, characters: int) -> None:
        """A text was read: what it writes out may be done."""
        self.limit += STEPS_PER_CHARACTER * characters
        self.left += STEPS_PER_CHARACTER * characters

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Work that does not count: what an entry of the prelude is defined by, made when someone asks for it."""
        before, self.left = self.left, STEP_LIMIT
        try:
            yield
        finally:
            self.left = before

    @property
    def done(self) -> int:
        """The steps taken."""
        return self.limit - max(self.left, 0)

    def spend(self, steps: int, span: Span) -> bool:
        """Take steps; False when there are none left."""
        self.left -= steps
        if self.left >= 0:
            return True
        if self.found is None:
            self.found = wrong.LimitExceeded(span, "the number of steps that this unfolds to", LIMIT_SHOWN)
        return False

    def too_deep(self, span: Span) -> None:
        """Templates in brackets in templates went on for longer than the stack is deep."""
        if self.found is None:
            self.found = wrong.LimitExceeded(span, "the depth of calls that this unfolds to", FRAME_LIMIT)

    def mistake(self, span: Span | None) -> None:
        """Another error was found: of a text with too many of them no more is asked."""
        self.mistakes += 1
        if self.mistakes > MISTAKE_LIMIT and self.found is None and span is not None:
            self.left = -1
            self.found = wrong.LimitExceeded(span, "the number of mistakes", MISTAKE_LIMIT)
