"""Mistakes with the order of time: E11xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.source import Span

__all__ = ["NotStepped", "OrdersApart", "ReadsAhead", "StepReadsAhead", "TargetSeen"]


@dataclass(frozen=True, slots=True)
class ReadsAhead(Mistake):
    """A `hom` along a time whose result reads later steps: the first box at which it does, and what to do instead.

    `dim` is where the time is declared.
    """

    code: ClassVar[str] = "E1101"
    title: ClassVar[str] = "a hom that reads later steps"
    span: Span
    name: str
    time: str
    what: str
    how: str
    instead: str
    dim: Span | None

    def parts(self) -> Parts:
        message = f"no step of `{self.name}` along `{self.time}` may depend on later ones, and {self.what} {self.how}"
        labels = (Label(self.dim, "the time"),) if self.dim is not None else ()
        helps = (
            Help(self.instead.replace("[T]", f"[{self.time}]")),
            Help(f"write `morphism {self.name}` where later steps may be read; `catdl show` tells where they are"),
        )
        return Parts(message, self.span, "reads them", labels, helps=helps)


@dataclass(frozen=True, slots=True)
class StepReadsAhead(Mistake):
    """`step` of a morphism that is not causal: the first box that reads later steps; `asked` is where it is stepped."""

    code: ClassVar[str] = "E1102"
    title: ClassVar[str] = "steps of a morphism that reads later ones"
    span: Span
    name: str
    time: str
    what: str
    how: str
    instead: str
    asked: Span

    def parts(self) -> Parts:
        message = f"`{self.name}` cannot go step by step along `{self.time}`: {self.what} {self.how}"
        labels = (Label(self.asked, "steps of it"),) if self.asked != self.span else ()
        return Parts(
            message,
            self.span,
            "reads later steps",
            labels,
            helps=(Help(self.instead.replace("[T]", f"[{self.time}]")),),
        )


@dataclass(frozen=True, slots=True)
class NotStepped(Mistake):
    """`step` of a causal morphism of which it is not known what to keep; `why` says what is in the way.

    `asked` is where it is stepped.
    """

    code: ClassVar[str] = "E1103"
    title: ClassVar[str] = "a causal morphism that cannot be stepped"
    span: Span
    name: str
    why: str
    instead: str
    asked: Span

    def parts(self) -> Parts:
        message = f"`{self.name}` cannot go step by step: {self.why}"
        labels = (Label(self.asked, "steps of it"),) if self.asked != self.span else ()
        return Parts(message, self.span, "cannot be stepped", labels, helps=(Help(self.instead),))


@dataclass(frozen=True, slots=True)
class OrdersApart(Mistake):
    """Two axes that a layer takes in one order where `flag` is set, and that are two dims."""

    code: ClassVar[str] = "E1104"
    title: ClassVar[str] = "an order between the steps of two dims"
    span: Span
    who: str
    flag: str
    one: str
    other: str

    def parts(self) -> Parts:
        message = (
            f"`{self.who}` with `{self.flag}` lets each step along `{self.one}` see those of `{self.other}` "
            "up to itself, and these are two dims, whose steps have nothing to do with each other"
        )
        helps = (
            Help(f"let each see all of `{self.other}`: leave out `{self.flag} = true`"),
            Help(f"if both are the same steps, say so: `rename[{self.other} -> {self.one}']`"),
        )
        return Parts(message, self.span, f"`{self.one}` and `{self.other}`", helps=helps)


@dataclass(frozen=True, slots=True)
class TargetSeen(Mistake):
    """A loss whose prediction has read the very tokens that it is to predict."""

    code: ClassVar[str] = "E1105"
    title: ClassVar[str] = "a prediction that has read its target"
    span: Span
    time: str
    dim: Span | None

    def parts(self) -> Parts:
        message = (
            f"the prediction at each step of `{self.time}` has read the token that it is to predict: "
            "the loss falls, and nothing is learned"
        )
        labels = (Label(self.dim, "the time"),) if self.dim is not None else ()
        helps = (
            Help(f"predict from the steps before: shift what goes into the model, `x >> shift[{self.time}]`"),
            Help(f"or read all tokens but the last, `slice[{self.time}](0, n)`, and predict all but the first"),
        )
        return Parts(message, self.span, "compares it with what was read", labels, helps=helps)
