"""How wires come to the morphism that takes them: for the words of a mistake, and for the types along the way.

Takes nothing from other stages of a check but bundles; costs a chain one small record and a step next to nothing.

    x >> relu >> head        head is reached by `Step(…)`, its `number` 3
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from catdl.check.builder import Bundle
from catdl.check.scope import Env
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast

KEPT = 5  # bundles that a composition remembers before the step it is at


class Step:
    """A composition on its way: the step it is at (from 1) and what the last steps gave."""

    __slots__ = ("env", "first", "last", "number", "recent", "sign", "steps", "wired")

    def __init__(self, steps: tuple[ast.Expr, ...], env: Env, first: Bundle | None, sign: str = ">>") -> None:
        self.steps = steps
        self.sign = sign
        self.env = env
        self.first = first  # what enters, or what the first step is
        self.wired = first is None  # the first step is itself wires
        self.number = 1
        self.last: Step | None = None  # what the last step is, where that is itself a composition
        self.recent: deque[Bundle] = deque(maxlen=KEPT)

    def passed(self, out: Bundle) -> None:
        """Note what a step gave."""
        if self.first is None:
            self.first = out
        entered = self.recent[-1] if self.recent else self.first
        inner = out.way
        self.last = inner if isinstance(inner, Step) and inner.first is entered and inner is not self else None
        self.recent.append(out)
        self.number += 1


@record
class Leg:
    """A leg of `@` or `&`, counted from 1."""

    sign: str
    number: int


@record
class Given:
    """Wires given as arguments: where each is written and how many wires it is; `rest` is how the others come."""

    parts: tuple[tuple[Span, int], ...]
    rest: Way | None = None


Way: TypeAlias = Step | Leg | Given


@record
class Port:
    """One of the places of a morphism that take wires: its number and name, and how wires come to it."""

    callee: str
    index: int = 0
    count: int = 1
    name: str | None = None
    way: Way | None = None
    number: int = 0  # the step a composition was at


def number_of(way: Way | None) -> int:
    """The step that the composition is at along which wires come; 0 for none."""
    while isinstance(way, Given):
        way = way.rest
    return way.number if isinstance(way, Step) else 0


def as_given(env: Env, args: list[ast.Arg], parts: list[Bundle], rest: Way | None) -> Given:
    """How wires come that are given as arguments."""
    return Given(tuple((env.module.span(a), len(p.wires)) for a, p in zip(args, parts, strict=True)), rest)
