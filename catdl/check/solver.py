"""Equations between labels, sizes and rows: solved as soon as they are forced, kept waiting until then.

Takes types with unknowns; guarantees that what it binds is forced (so the outcome does not depend on the order of the
equations) and that each broken equation is reported once, by the blame that came with it.

A port matches one way: an axis without a name takes any label and gives none (CALCULUS, "Sizes and labels").
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic, Why
from catdl.record import record
from catdl.source import Span
from catdl.types.sizes import (
    Contradiction,
    Facts,
    Poly,
    Size,
    SizeTooLarge,
    SizeVar,
    Solution,
    Wait,
    equal,
    free_vars,
    is_integral,
    mul,
    normal,
    show,
    solve,
    var,
)
from catdl.types.types import (
    Anonymous,
    Axis,
    AxisItem,
    Label,
    LabelVar,
    Leaf,
    RowVar,
    Word,
    label_of,
    show_axis,
    show_both,
    show_leaf,
    walk_axes,
)


@record(frozen=False)
class Blame:
    """What to say when an equation is broken: the place, the two sides and where the expectation came from.

    `wire` is what was found there, `against` the wire it should agree with, if the expectation is one; `port` is the
    place of a morphism it came to, or `way` the composition it came out of. (What they are is not the solver's affair.)
    """

    span: Span
    expected: Leaf | None = None
    found: Leaf | None = None
    context: str = ""
    origin: Span | None = None
    origin_text: str = ""
    told: bool = False
    expect: Callable[[], Leaf | None] | None = None
    wire: Any = None
    against: Any = None
    port: Any = None
    way: Any = None
    use: Span | None = None  # the use that was being unfolded when the equation came up


class Solver:
    """The unknowns of one declaration."""

    def __init__(
        self,
        facts: Facts,
        report: Callable[[Diagnostic], None],
        explain: Callable[[Blame, Size | None], Why],
        namesakes: Callable[[Blame, Why], Diagnostic | None],
    ) -> None:
        self.facts = facts
        self.report = report
        self.explain = explain
        self.namesakes = namesakes  # what to say where the two sides read alike
        self.waiting: list[tuple[Size, Size, Blame]] = []
        self.obligations: list[tuple[Size, Blame]] = []
        self.unknown: list[tuple[SizeVar, Span, str]] = []
        self.rows: list[tuple[RowVar, Span, str]] = []
        self.count = 0
        self.use: Span | None = None  # the outermost use that is being unfolded
        self.blamed: set[Span] = set()  # where an equation was broken

    def size(self, span: Span, what: str) -> Poly:
        """A new unknown size; `what` says it in words when nothing determines it."""
        self.count += 1
        unknown = SizeVar(self.count, None, what)
        self.unknown.append((unknown, span, what))
        return var(unknown)

    def label(self) -> LabelVar:
        """A new unknown label."""
        self.count += 1
        return LabelVar(self.count)

    def row(self, span: Span, what: str) -> RowVar:
        """A new unknown run of axes."""
        self.count += 1
        unknown = RowVar(self.count)
        self.rows.append((unknown, span, what))
        return unknown

    def forget(self, since: int) -> None:
        """Leave out unknowns that came after `count` was `since` and are still open; what an older one is stays."""
        new = list(takewhile(lambda entry: entry[0].id > since, reversed(self.unknown)))
        lost = {unknown for unknown, _, _ in new if unknown.bound is None}
        if lost:
            lost.difference_update(*(free_vars(var(old)) for old, _, _ in self.unknown[: len(self.unknown) - len(new)]))
            self.unknown = [entry for entry in self.unknown if entry[0] not in lost]
            self.waiting = [pair for pair in self.waiting if lost.isdisjoint(free_vars(pair[0]) | free_vars(pair[1]))]
            self.obligations = [pair for pair in self.obligations if lost.isdisjoint(free_vars(pair[0]))]
        while self.rows and self.rows[-1][0].id > since and self.rows[-1][0].bound is None:
            self.rows.pop()

    def broken(self, blame: Blame, left: Size | None = None, right: Size | None = None) -> None:
        """Report a broken equation, once for each blame."""
        if blame.told:
            return
        blame.told = True
        blame.use = blame.use or self.use
        self.blamed.add(blame.span)
        if blame.expected is None and blame.expect is not None:
            blame.expected = blame.expect()
        why = self.explain(blame, left)
        place = (blame.context, blame.origin, blame.origin_text, (), why)
        if left is not None and right is not None and blame.expected is None:
            self.report(wrong.SizeMismatch(blame.span, show(normal(right)), show(normal(left)), *place))
            return
        expected, found = (show_leaf(side) if side is not None else "?" for side in (blame.expected, blame.found))
        if expected == found and blame.expected is not None and blame.found is not None:
            if (alike := self.namesakes(blame, why)) is not None:
                self.report(alike)
                return
            expected, found = show_both(blame.expected, blame.found)
        self.report(wrong.Mismatch(blame.span, expected, found, *place))

    def same_size(self, found: Size, expected: Size, blame: Blame) -> bool:
        """Demand that two sizes are equal. False when they certainly are not."""
        if found is expected or found == expected:
            return True
        if found.__class__ is int and expected.__class__ is int:
            self.broken(blame, found, expected)
            return False
        try:
            step = solve(found, expected, self.facts)
        except SizeTooLarge as error:
            self.report(wrong.LimitExceeded(blame.span, error.what, error.limit))
            return False
        match step:
            case Solution(unknown, value, obligation):
                unknown.bound = value
                blame.use = blame.use or self.use
                if obligation is not None:
                    self.obligations.append((obligation, blame))
                return True
            case Contradiction():
                self.broken(blame, found, expected)
                return False
            case Wait():
                blame.use = blame.use or self.use
                self.waiting.append((found, expected, blame))
                return True
            case _:
                return True

    def same_label(self, found: Label, expected: Label) -> bool:
        """Demand that two labels agree at a port."""
        found, expected = label_of(found), label_of(expected)
        if found is expected or isinstance(found, Anonymous) or isinstance(expected, Anonymous):
            return True
        if isinstance(found, LabelVar):
            if not (isinstance(expected, Word) and _mentions(expected, found)):
                found.bound = expected
            return True
        if isinstance(expected, LabelVar):
            if not (isinstance(found, Word) and _mentions(found, expected)):
                expected.bound = found
            return True
        if isinstance(found, Word) and isinstance(expected, Word):
            if len(found.axes) != len(expected.axes):
                return False
            return all(self.same_label(f.label, e.label) for f, e in zip(found.axes, expected.axes, strict=True))
        return found == expected

    def same_axis(self, found: Axis, expected: Axis, blame: Blame) -> bool:
        """Demand that two axes agree."""
        if found is expected:
            return True
        if not self.same_label(found.label, expected.label):
            self.broken(blame)
            return False
        return self.same_size(found.size, expected.size, blame)

    def same_axes(self, found: tuple[AxisItem, ...], expected: tuple[AxisItem, ...], blame: Blame) -> bool:
        """Demand that two lists of axes agree, binding rows where one side is closed."""
        if found is expected:
            return True
        found, expected = walk_axes(found), walk_axes(expected)
        rigid_found = all(isinstance(a, Axis) for a in found)
        rigid_expected = all(isinstance(a, Axis) for a in expected)
        if rigid_found and rigid_expected:
            if len(found) != len(expected):
                self.broken(blame)
                return False
            ok = True
            for f, e in zip(found, expected, strict=True):
                ok = self.same_axis(f, e, blame) and ok  # type: ignore[arg-type]
            return ok
        if rigid_found:
            return self._open(expected, found, blame, flipped=True)
        if rigid_expected:
            return self._open(found, expected, blame, flipped=False)
        while found and expected and isinstance(found[0], Axis) and isinstance(expected[0], Axis):
            if not self.same_axis(found[0], expected[0], blame):
                return False
            found, expected = found[1:], expected[1:]
        while found and expected and isinstance(found[-1], Axis) and isinstance(expected[-1], Axis):
            if not self.same_axis(found[-1], expected[-1], blame):
                return False
            found, expected = found[:-1], expected[:-1]
        if len(found) == 1 and isinstance(found[0], RowVar):
            if expected != found:
                found[0].bound = expected
            return True
        if len(expected) == 1 and isinstance(expected[0], RowVar):
            expected[0].bound = found
            return True
        self.report(wrong.RankUndetermined(blame.span, "this type"))
        blame.told = True
        return False

    def _open(self, open_: tuple[AxisItem, ...], closed: tuple[AxisItem, ...], blame: Blame, flipped: bool) -> bool:
        place = next(i for i, a in enumerate(open_) if isinstance(a, RowVar))
        after = len(open_) - place - 1
        if len(closed) < place + after:
            self.broken(blame)
            return False
        row = open_[place]
        assert isinstance(row, RowVar)
        row.bound = closed[place : len(closed) - after]
        pairs = [*zip(open_[:place], closed[:place], strict=True)]
        if after:
            pairs += zip(open_[-after:], closed[-after:], strict=True)
        ok = True
        for left, right in pairs:
            if isinstance(left, RowVar) or isinstance(right, RowVar):
                self.report(wrong.RankUndetermined(blame.span, "this type"))
                return False
            ok = (self.same_axis(right, left, blame) if flipped else self.same_axis(left, right, blame)) and ok
        return ok

    def settle(self) -> None:
        """Go through the waiting equations until nothing moves."""
        moved = True
        while moved and self.waiting:
            moved = False
            pending, self.waiting = self.waiting, []
            for found, expected, blame in pending:
                before = len(self.waiting)
                self.same_size(normal(found), normal(expected), blame)
                if len(self.waiting) == before:
                    moved = True

    def conclude(self, broken: bool = False, told: frozenset[SizeVar] = frozenset()) -> None:
        """Settle, then report what is undecided, not integral or not determined.

        After an error (`broken`) only the unknowns in `told` are known to depend on nothing that it hides.
        """
        self.settle()
        for row, span, what in self.rows:
            if row.bound is None:
                row.bound = ()
                if not broken:
                    self.report(wrong.RankUndetermined(span, what))
        # What holds an unknown that nothing determines cannot be judged, and is not at fault itself.
        waiting = [(f, e, b) for f, e, b in self.waiting if not (free_vars(f) or free_vars(e))]
        obligations = [(value, blame) for value, blame in self.obligations if not free_vars(value)]
        spans: set[tuple[Span, str]] = set()
        for unknown, span, what in self.unknown:
            if unknown.bound is None:
                if (span, what) not in spans and (not broken or unknown in told):
                    spans.add((span, what))
                    self.report(wrong.Undetermined(span, what))
                unknown.bound = 1
        for found, expected, blame in waiting:
            found, expected = normal(found), normal(expected)
            verdict = equal(found, expected, self.facts)
            if verdict.is_proved or blame.told:
                continue
            if verdict.is_refuted:
                self.broken(blame, found, expected)
                continue
            blame.told = True
            fact = f"{show(found)} == {show(expected)}"
            why = self.explain(blame, found)
            self.report(wrong.SizeUndecided(blame.span, show(found), show(expected), fact, (), why))
        for value, blame in obligations:
            if blame.span in self.blamed:
                continue  # what it yields was refused already
            if not is_integral(normal(value), self.facts, refute=False).is_proved and not blame.told:
                blame.told = True
                top, bottom = _quotient(normal(value))
                self.report(wrong.NotDivisible(blame.span, top, bottom, "", self.explain(blame, None)))
        self.waiting.clear()
        self.obligations.clear()
        self.unknown.clear()
        self.rows.clear()


def _quotient(size: Size) -> tuple[str, str]:
    if isinstance(size, int):
        return show(size), "1"
    from math import lcm

    bottom = lcm(*(getattr(coef, "denominator", 1) for _, coef in size.terms))
    return show(mul(size, bottom)), str(bottom)


def _mentions(word: Word, unknown: LabelVar) -> bool:
    return any(label_of(axis.label) is unknown for axis in word.axes)


def describe(axes: tuple[AxisItem, ...]) -> tuple[str, ...]:
    """Axes as shown, for messages that list them."""
    return tuple(show_axis(axis) for axis in walk_axes(axes))
