"""How much one check may do, counted over a whole program: what a text unfolds to may be far longer than the text.

A step is about what one static value costs. When they are spent, or too many mistakes are found, that is noted once,
and whatever asks for more is refused in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def deep() -> Iterator[None]:
    """Room on the stack for what unfolds deep; Python's frames live on the heap."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAME_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


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
