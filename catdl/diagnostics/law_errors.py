"""Mistakes with laws: E09xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.source import Span

__all__ = ["LawDomainUntold", "LawNoEquation", "LawOwnsWeights", "LawRefuted", "LawSidesDiffer"]


@dataclass(frozen=True, slots=True)
class LawNoEquation(Mistake):
    """The body of a law that is no equation, or more than one."""

    code: ClassVar[str] = "E0901"
    title: ClassVar[str] = "a law that is not one equation"
    span: Span

    def parts(self) -> Parts:
        message = "a law is one equation between morphisms, `left == right`"
        return Parts(message, self.span, "this is not one equation")


@dataclass(frozen=True, slots=True)
class LawDomainUntold(Mistake):
    """A law of which neither side says what it takes."""

    code: ClassVar[str] = "E0902"
    title: ClassVar[str] = "a law that does not say what it takes"
    span: Span
    name: str

    def parts(self) -> Parts:
        message = f"neither side of `{self.name}` says what it takes"
        helps = (Help(f"write its type: `law {self.name} : X -> Y = left == right`"),)
        return Parts(message, self.span, "of what type are the inputs?", (), (), helps)


@dataclass(frozen=True, slots=True)
class LawSidesDiffer(Mistake):
    """Two sides with different results."""

    code: ClassVar[str] = "E0903"
    title: ClassVar[str] = "a law whose sides give different types"
    span: Span
    expected: str
    found: str
    other: Span

    def parts(self) -> Parts:
        message = f"the left side gives `{self.expected}`, the right side `{self.found}`"
        labels = (Label(self.other, f"gives `{self.expected}`"),)
        return Parts(message, self.span, f"gives `{self.found}`", labels)


@dataclass(frozen=True, slots=True)
class LawOwnsWeights(Mistake):
    """A side of a law with weights of its own, which the other side cannot have."""

    code: ClassVar[str] = "E0904"
    title: ClassVar[str] = "a law about weights that it does not name"
    span: Span
    path: str

    def parts(self) -> Parts:
        message = f"`{self.path}` is a weight of this side alone, so the two sides cannot be compared"
        helps = (Help("declare the weights, `param w : weights(f)`, and plug them in on both sides: `f{w}`"),)
        return Parts(message, self.span, "owns weights", (), (), helps)


@dataclass(frozen=True, slots=True)
class LawRefuted(Mistake):
    """A law that does not hold. `where` is the counterexample, `left` and `right` what the sides give there."""

    code: ClassVar[str] = "E0905"
    title: ClassVar[str] = "a law that does not hold"
    span: Span
    name: str
    where: str
    left: str
    right: str
    what: str = "values"

    def parts(self) -> Parts:
        message = f"the law `{self.name}` does not hold"
        of = "" if self.what == "values" else f" as the {self.what}"
        notes = (f"at {self.where}, the left side gives {self.left}{of}, the right side {self.right}",)
        return Parts(message, self.span, f"refuted at {self.where}", (), notes)
