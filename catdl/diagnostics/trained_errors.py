"""Mistakes with what learners train: E13xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Help, Label, Mistake, Parts
from catdl.diagnostics.words import listed
from catdl.source import Span

__all__ = ["WeightsOrphaned", "WeightsOverwritten", "WeightsTrainedTwice", "WeightsUnlike"]


@dataclass(frozen=True, slots=True)
class WeightsUnlike(Mistake):
    """Weights that are to be written with others of another type; `reason` says what differs."""

    code: ClassVar[str] = "E1301"
    title: ClassVar[str] = "weights written with others that are not alike"
    span: Span
    target: str
    source: str
    reason: str
    written: Span

    def parts(self) -> Parts:
        message = f"`{self.target}` cannot hold `{self.source}`: {self.reason}"
        helps = (Help("declare both as the weights of one morphism: `param old : weights(net)`"),)
        return Parts(message, self.span, "read here", (Label(self.written, "written here"),), (), helps)


@dataclass(frozen=True, slots=True)
class WeightsOverwritten(Mistake):
    """Weights that are trained and written by `<-` as well."""

    code: ClassVar[str] = "E1302"
    title: ClassVar[str] = "weights that are trained and written over"
    span: Span
    key: str
    written: Span

    def parts(self) -> Parts:
        message = f"`{self.key}` is trained, and written by `<-` as well"
        notes = ("what is written by `<-` follows other weights, and no gradient comes to it",)
        return Parts(message, self.span, "trained here", (Label(self.written, "written here"),), notes)


@dataclass(frozen=True, slots=True)
class WeightsTrainedTwice(Mistake):
    """Weights that two learners train by turns, of which one does not say so."""

    code: ClassVar[str] = "E1303"
    title: ClassVar[str] = "weights that two learners train without saying so"
    span: Span
    name: str  # of the declared parameter
    learners: tuple[str, str]
    silent: Span  # the learner that does not say what it trains

    def parts(self) -> Parts:
        first, second = self.learners
        message = f"`{first}` and `{second}` both train `{self.name}`"
        labels = (Label(self.silent, "it does not say what it trains, so it trains all that its loss depends on"),)
        helps = (Help(f"say what each trains, `train = …`; if both are meant to train `{self.name}`, both say so"),)
        return Parts(message, self.span, "these take turns", labels, (), helps)


@dataclass(frozen=True, slots=True)
class WeightsOrphaned(Mistake):
    """Weights of learners that take turns which none of them trains."""

    code: ClassVar[str] = "E1304"
    title: ClassVar[str] = "weights that nobody trains"
    span: Span
    keys: tuple[str, ...]
    learner: str  # one that depends on them
    train: Span
    declared: bool

    def parts(self) -> Parts:
        first = listed(self.keys)
        message = f"nobody trains {first} of `{self.learner}`"
        labels = (Label(self.train, "it trains these alone"),)
        notes = (
            ()
            if self.declared
            else ("every occurrence of a morphism has weights of its own: those of another learner are others",)
        )
        help_ = "share them by a declared parameter, `param w : weights(net)`, and `net{w}` wherever it is used"
        if self.declared:
            help_ = "let a learner train them, or say that they stay: `{**: frozen}` where they are used"
        return Parts(message, self.span, "these take turns", labels, notes, (Help(help_),))
