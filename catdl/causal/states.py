"""How far into the past each step of a wire reaches.

Prefix truncation of a `time` dim is an action of a monoid: a morphism commutes with it if the first n steps of its
result depend on the first n steps of its input alone. What is known of a wire is a reach for each axis: the element at
index i of an axis with lag g depends on nothing after step i - g, and is what it would be were there more steps if i is
less than the number of steps plus `end`. An element depends on what any of its axes lets it.

    x, along T                            Steps((Reach(0, 0), STILL))
    x >> pad[T](2, 0)                     Steps((Reach(2, 2), STILL))
    … >> window[T](K: 3)                  Steps((Reach(0, 0), STILL, STILL))
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from functools import reduce
from itertools import zip_longest
from math import inf
from typing import TypeAlias

from catdl.record import record
from catdl.source import Span

LOW = -10_000
"""What is so far below all scores that a softmax makes nothing of it; masks are written with less."""

Number: TypeAlias = int | Fraction


class Rule(Enum):
    """How a box comes to read what is later: what it does, and what to do instead."""

    WHOLE = (
        "reads all steps",
        "running sums keep it: `cumsum[T]`, `scan[T]`, `attend(causal = true)`",
    )
    SEES = (
        "attends to all steps",
        "let each step attend to those up to itself: `attend(causal = true)`",
    )
    AHEAD = (
        "reads later steps",
        'a convolution sees none with `padding = "causal"`, a window none after `pad[T](k - 1, 0)`',
    )
    REVERSED = (
        "goes from the last step to the first",
        "go forward",
    )
    PACE = (
        "keeps only some of the steps, so that they come at another pace",
        "keep every step, with a stride of 1",
    )
    JOINED = (
        "makes one axis of the steps and another one, or several of the steps",
        "leave the time an axis of its own",
    )
    SINGLE = (
        "takes some of the steps and leaves others",
        "act on every step: `map[T](tied f)`",
    )
    TAKEN = (
        "takes steps by their numbers",
        "`shift[T](n)` gives the step n before",
    )
    LENGTH = (
        "depends on how many steps there are",
        "count the steps up to each: `1 + real(index[T])`",
    )
    LAST = (
        "is what is left after all steps",
        "`scan[T]` gives it after every step",
    )
    ROUND = (
        "goes round from the last step to the first",
        "begin with zeros, `pad[T](n, 0)`",
    )
    FOREIGN = (
        "is computed elsewhere, and what it reads is not known",
        "apply it at every step, `map[T](tied f)`",
    )
    TAIL = (
        "ends in what was filled in after the last step",
        "shift by as many steps as are meant, at once",
    )
    RESULT = (
        "does not come out along the time",
        "give the result the axis of the input",
    )

    def __init__(self, how: str, instead: str) -> None:
        self.how = how
        self.instead = instead


@record
class Broken:
    """A box that breaks a rule."""

    rule: Rule


@record
class Loss:
    """The box at which causality is lost: how, where, and what the box is called, if it has a name."""

    rule: Rule
    span: Span
    name: str


@record
class Line:
    """Numbers made of places: the sum of `terms`, each an axis's index times a number, and `plus`; or its size."""

    terms: tuple[tuple[int, Number], ...]  # position of the axis, factor
    plus: Number
    absolute: bool = False


@record
class Band:
    """What a mask leaves open: entries whose place along `col` is more than `after` past that along `row` are `value`.

    `inside`: the entry at equal places is none of them, so no row is all masked.
    """

    row: int
    col: int
    after: int
    value: Number
    inside: bool


@record
class Reach:
    """How far before its own place each element of an axis reaches, and how far the axis goes on before it is cut."""

    lag: float
    end: float

    @property
    def moves(self) -> bool:
        """Whether any element depends on a step."""
        return self.lag != inf

    def later(self, steps: float) -> Reach:
        """The same elements that many places later."""
        return Reach(self.lag + steps, self.end + steps)


STILL = Reach(inf, inf)


def meet(one: Reach, other: Reach) -> Reach:
    """What reads an element of each."""
    return Reach(min(one.lag, other.lag), min(one.end, other.end))


@record
class Steps:
    """What is known of a wire: reaches by axis, those of the loops around, and what it is where it comes of no input.

    `low`: some elements may be the number by which a mask shuts them out. `ahead` is the box at which some element came
    to read later steps.
    """

    lags: tuple[Reach, ...]
    hidden: tuple[Reach, ...] = ()
    line: Line | None = None
    bands: tuple[Band, ...] = ()
    low: bool = False
    ahead: Loss | None = None

    @property
    def number(self) -> Number | None:
        """The number that all elements are, if it is known."""
        return self.line.plus if self.line is not None and not self.line.terms else None

    @property
    def worst(self) -> float:
        """The least lag."""
        return min((reach.lag for reach in (*self.lags, *self.hidden)), default=inf)


State: TypeAlias = Steps | Loss


def least(lags: Sequence[tuple[Reach, ...]]) -> tuple[Reach, ...]:
    """The reaches of what reads several things together, axis by axis; STILL along those that one of them lacks."""
    return tuple(reduce(meet, column) for column in zip_longest(*lags, fillvalue=STILL))


def around(states: Sequence[Steps]) -> tuple[Reach, ...]:
    """The reaches along the loops around of what reads several things together."""
    return least([state.hidden for state in states])
