"""Warnings about layers that undo or repeat each other: W02xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts, Severity
from catdl.source import Span

__all__ = ["AffineTwice", "BiasRemoved", "DropoutBeforeNorm", "DropsEverything", "NormOfOne", "WithItself"]


@dataclass(frozen=True, slots=True)
class AffineTwice(Mistake):
    """Two linear maps with nothing between that are together no more than one. `first` is where the first one is."""

    code: ClassVar[str] = "W0201"
    title: ClassVar[str] = "two linear maps with nothing between"
    severity: ClassVar[Severity] = "warning"
    span: Span
    size: str
    first: Span
    fix: Edit | None = None

    def parts(self) -> Parts:
        message = "two linear maps with nothing between are one linear map"
        labels = (Label(self.first, "this one"),)
        note = f"through {self.size} numbers; a narrower middle would make a map of low rank, of which nothing is said"
        help_ = Help("put what is missing between them, such as `relu`", (self.fix,) if self.fix else ())
        return Parts(message, self.span, "and this one are one map", labels, (note,), (help_,))


@dataclass(frozen=True, slots=True)
class BiasRemoved(Mistake):
    """A bias that the normalisation right after it takes away. `layer` and `norm` are names, `norm_span` its place."""

    code: ClassVar[str] = "W0202"
    title: ClassVar[str] = "a bias that the next layer takes away"
    severity: ClassVar[Severity] = "warning"
    span: Span
    layer: str
    norm: str
    norm_span: Span
    fix: Edit | None = None

    def parts(self) -> Parts:
        message = f"the bias of `{self.layer}` has no effect: `{self.norm}` subtracts the mean, and the bias with it"
        labels = (Label(self.norm_span, "takes it away"),)
        help_ = Help(f"`{self.layer}` without it: `bias = false`", (self.fix,) if self.fix else ())
        return Parts(message, self.span, "adds a bias", labels, helps=(help_,))


@dataclass(frozen=True, slots=True)
class DropoutBeforeNorm(Mistake):
    """Dropout right before a batch norm. `norm` is where this is; `fix` puts them the other way round."""

    code: ClassVar[str] = "W0203"
    title: ClassVar[str] = "dropout before batch norm"
    severity: ClassVar[Severity] = "warning"
    span: Span
    norm: Span
    fix: tuple[Edit, ...] = ()

    def parts(self) -> Parts:
        message = "dropout right before `batchnorm` spoils the variance that this keeps for evaluation"
        note = "the variance is larger while elements drop out, and the running one is that of training"
        labels = (Label(self.norm, "learns the variance with dropout, and uses it without"),)
        help_ = Help("put the dropout after it", self.fix)
        return Parts(message, self.span, "drops out in training only", labels, (note,), (help_,))


@dataclass(frozen=True, slots=True)
class NormOfOne(Mistake):
    """A normalisation over a single element, so that nothing of the input is left. `axes` is what it runs over."""

    code: ClassVar[str] = "W0204"
    title: ClassVar[str] = "a normalisation over one element"
    severity: ClassVar[Severity] = "warning"
    span: Span
    layer: str
    axes: str
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.layer}` over {self.axes} gives the same whatever comes in"
        return Parts(message, self.span, "one element, so nothing of the input is left", helps=self.helps)


@dataclass(frozen=True, slots=True)
class DropsEverything(Mistake):
    """A chance of 1 to drop out. `argument` is the name of the argument."""

    code: ClassVar[str] = "W0205"
    title: ClassVar[str] = "dropout of everything"
    severity: ClassVar[Severity] = "warning"
    span: Span
    layer: str
    argument: str

    def parts(self) -> Parts:
        message = f"`{self.layer}` with `{self.argument} = 1` is 0 in training"
        help_ = Help(f"`{self.argument}` is the chance that an element goes, not that it stays")
        return Parts(message, self.span, "drops everything", helps=(help_,))


@dataclass(frozen=True, slots=True)
class WithItself(Mistake):
    """A wire less itself, or over itself. `always` is what comes out."""

    code: ClassVar[str] = "W0206"
    title: ClassVar[str] = "a wire less itself, or over itself"
    severity: ClassVar[Severity] = "warning"
    span: Span
    always: int

    def parts(self) -> Parts:
        message = f"both sides are the same wire, so this is always {self.always}"
        return Parts(message, self.span, f"always {self.always}", helps=(Help("another wire is meant on one side"),))
