"""Warnings about what a model cannot respect or learn: W03xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts, Severity
from catdl.source import Span

__all__ = ["DeadWeights", "NothingLearns", "SetOrdered", "StructureBroken"]


@dataclass(frozen=True, slots=True)
class SetOrdered(Mistake):
    """What goes by the order of the elements of a set. `what` is its name, `how` what it does, `origin` the dim."""

    code: ClassVar[str] = "W0301"
    title: ClassVar[str] = "an order where there is none"
    severity: ClassVar[Severity] = "warning"
    span: Span
    what: str
    how: str
    dim: str
    origin: Span
    fix: Edit | None = None

    def parts(self) -> Parts:
        message = f"{self.what} goes by the order of `{self.dim}`, which is a set"
        helps = (
            Help(f"treat all elements alike: `map[{self.dim}]`, `sum[{self.dim}]`, attention"),
            Help(f"if `{self.dim}` has an order, it is no set", (self.fix,) if self.fix else ()),
        )
        return Parts(message, self.span, self.how, (Label(self.origin, "a set has no order"),), helps=helps)


@dataclass(frozen=True, slots=True)
class DeadWeights(Mistake):
    """Weights that nothing comes of. `name` is the layer that has them, `morphism` where this is."""

    code: ClassVar[str] = "W0302"
    title: ClassVar[str] = "weights that nothing comes of"
    severity: ClassVar[Severity] = "warning"
    span: Span
    name: str
    morphism: str

    def parts(self) -> Parts:
        message = f"`{self.name}` has weights, and nothing in the result of `{self.morphism}` comes of it"
        return Parts(message, self.span, "what it yields is discarded", helps=(Help("use it, or leave the layer out"),))


@dataclass(frozen=True, slots=True)
class NothingLearns(Mistake):
    """A network none of whose weights gets a gradient. The span is that of the last place where one is stopped."""

    code: ClassVar[str] = "W0303"
    title: ClassVar[str] = "a network that cannot learn"
    severity: ClassVar[Severity] = "warning"
    span: Span
    morphism: str

    def parts(self) -> Parts:
        message = f"no gradient reaches any weight of `{self.morphism}`"
        help_ = Help("stop the gradient of one branch only, and let the result have another")
        return Parts(message, self.span, "the gradient stops here", helps=(help_,))


@dataclass(frozen=True, slots=True)
class StructureBroken(Mistake):
    """A learner whose model does not go with what acts on its data. `box` is where that is lost, `how` by what rule."""

    code: ClassVar[str] = "W0304"
    title: ClassVar[str] = "a model that breaks what its data have"
    severity: ClassVar[Severity] = "warning"
    span: Span
    model: str
    group: str
    box: Span | None
    name: str
    how: str
    instead: str
    origin: Span

    def parts(self) -> Parts:
        message = f"the data have {self.group}, and `{self.model}` does not go with them"
        labels = [Label(self.origin, "said here")]
        if self.box is not None:
            labels.append(Label(self.box, f"lost at {self.name}: it {self.how}"))
        helps = (Help(self.instead), Help("if it is not so, leave the role of the dim out"))
        return Parts(message, self.span, "learns them from samples alone", tuple(labels), helps=helps)
