"""Mistakes with kinds, what the numbers mean: E04xx. Kinds come as strings already shown; see `base`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import NO_WHY, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.words import listed, placed
from catdl.source import Span

__all__ = ["KindAmbiguous", "KindMismatch", "KindNever", "MeanAndSum", "NoMeaning", "UnrelatedKinds"]


@dataclass(frozen=True, slots=True)
class KindMismatch(Mistake):
    """Numbers that mean one thing where another is needed. `origin` is the box that gave them their meaning."""

    code: ClassVar[str] = "E0401"
    title: ClassVar[str] = "numbers that mean something else"
    span: Span
    expected: str
    found: str
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    context: str = ""
    notes: tuple[str, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"expected `{self.expected}`, found `{self.found}`{placed(self.context)}"
        labels = (Label(self.origin, self.origin_text or f"`{self.found}` from here"),) if self.origin else ()
        parts = Parts(message, self.span, f"`{self.expected}` is needed here", labels, self.notes, self.helps)
        return self.why.onto(parts)


@dataclass(frozen=True, slots=True)
class KindNever(Mistake):
    """A combination of kinds that is declared to make no sense; `message` is the reason the overload gives."""

    code: ClassVar[str] = "E0402"
    title: ClassVar[str] = "kinds that must not meet"
    span: Span
    operation: str
    kinds: tuple[str, ...]
    message: str
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"`{self.operation}` of {listed(self.kinds)} makes no sense{self.message and f': {self.message}'}"
        labels = (Label(self.origin, self.origin_text or "from here"),) if self.origin else ()
        return self.why.onto(Parts(message, self.span, self.message, labels, helps=self.helps))


@dataclass(frozen=True, slots=True)
class KindAmbiguous(Mistake):
    """Several overloads fit equally well. `candidates` are their signatures."""

    code: ClassVar[str] = "E0403"
    title: ClassVar[str] = "several overloads fit"
    span: Span
    operation: str
    candidates: tuple[str, ...]

    def parts(self) -> Parts:
        message = f"several overloads of `{self.operation}` fit, and none is the most specific"
        notes = ("candidates\n" + "\n".join(f"  {candidate}" for candidate in self.candidates),)
        helps = (Help("say which is meant with `as`: `as[Std](x)`, say"),)
        return Parts(message, self.span, "which one?", notes=notes, helps=helps)


@dataclass(frozen=True, slots=True)
class UnrelatedKinds(Mistake):
    """Arithmetic between kinds that have no common meaning."""

    code: ClassVar[str] = "E0404"
    title: ClassVar[str] = "kinds with no common meaning"
    span: Span
    left: str
    right: str
    operation: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        what = f"`{self.operation}` cannot combine" if self.operation else "cannot combine"
        message = f"{what} `{self.left}` and `{self.right}`: neither is a kind of the other"
        return self.why.onto(Parts(message, self.span, "unrelated kinds", helps=self.helps))


@dataclass(frozen=True, slots=True)
class NoMeaning(Mistake):
    """One of several morphisms by the kinds that come, and these are none's, or `several`'s."""

    code: ClassVar[str] = "E0405"
    title: ClassVar[str] = "no morphism for these kinds"
    span: Span
    operation: str
    found: str
    candidates: tuple[str, ...]
    several: bool
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        if self.several:
            message = f"`{self.operation}` of `{self.found}` may mean several things"
            notes = ("it could be read as\n" + "\n".join(f"  {candidate}" for candidate in self.candidates),)
            return Parts(message, self.span, "which one?", notes=notes, helps=self.helps)
        message = f"`{self.operation}` of `{self.found}` means nothing"
        notes = (f"`{self.operation}` takes\n" + "\n".join(f"  {candidate}" for candidate in self.candidates),)
        return Parts(message, self.span, "none takes these kinds", notes=notes, helps=self.helps)


@dataclass(frozen=True, slots=True)
class MeanAndSum(Mistake):
    """A sum of two informations, one averaged over its axes, the other summed over its own."""

    code: ClassVar[str] = "E0406"
    title: ClassVar[str] = "a mean added to a sum"
    span: Span
    mean: Span
    mean_axes: str
    whole: Span
    whole_axes: str

    def parts(self) -> Parts:
        labels = (
            Label(self.mean, f"this is averaged over `{self.mean_axes}`"),
            Label(self.whole, f"this is summed over `{self.whole_axes}`"),
        )
        helps = (
            Help("sum both: `-log_prob(q, x)` is summed over all axes of x"),
            Help("or say how much one counts, by a number: `beta * kl(q, p)`"),
        )
        notes = (
            "a bound on an evidence is of a whole sample: what is averaged counts too little by the number of places",
        )
        return Parts("a mean and a sum do not add up", self.span, "added here", labels, notes, helps)
