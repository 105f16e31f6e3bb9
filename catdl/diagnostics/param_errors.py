"""Mistakes with parameters: E06xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import NO_WHY, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.words import did_you_mean, listed
from catdl.source import Span

__all__ = [
    "BadStart",
    "KeyTaken",
    "LabelForTwo",
    "NotBatchConstant",
    "ParamFreeDim",
    "ParamNotFound",
    "ParamTypeMismatch",
    "ParamUnused",
    "RecordMismatch",
]


@dataclass(frozen=True, slots=True)
class ParamNotFound(Mistake):
    """A plug into a parameter that the morphism does not have. `available` are its paths."""

    code: ClassVar[str] = "E0601"
    title: ClassVar[str] = "a parameter that is not there"
    span: Span
    path: str
    available: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"there is no parameter `{self.path}` to plug into"
        has = f"its parameters are {listed(self.available)}" if self.available else "it has no parameters"
        return Parts(message, self.span, "matches nothing", (), (has,), did_you_mean(self.span, self.suggestions))


@dataclass(frozen=True, slots=True)
class ParamTypeMismatch(Mistake):
    """A plug whose type is not the parameter's. `owner` has the parameter, `declared` is where the plug is from."""

    code: ClassVar[str] = "E0610"
    title: ClassVar[str] = "a plug of another type than the parameter"
    span: Span
    path: str
    expected: str
    found: str
    owner: Span | None = None
    declared: Span | None = None
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY

    def parts(self) -> Parts:
        message = f"the parameter `{self.path}` is `{self.expected}`, but `{self.found}` is plugged in"
        last = self.path.rpartition(".")[2]
        labels = [Label(self.owner, f"this has the parameter `{last}: {self.expected}`")] if self.owner else []
        if self.declared is not None:
            labels.append(Label(self.declared, f"declared as `{self.found}`"))
        return self.why.onto(Parts(message, self.span, f"this is `{self.found}`", tuple(labels), (), self.helps))


@dataclass(frozen=True, slots=True)
class RecordMismatch(Mistake):
    """A record of weights plugged into a morphism that has others; the message tells the first difference."""

    code: ClassVar[str] = "E0608"
    title: ClassVar[str] = "the weights of another morphism"
    span: Span
    wanted: tuple[str, ...]
    given: tuple[str, ...]

    def parts(self) -> Parts:
        missing = next((name for name in self.wanted if name not in self.given), None)
        extra = next((name for name in self.given if name not in self.wanted), None)
        if missing is not None:
            label = f"has no `{missing}`"
        elif extra is not None:
            label = f"there is no parameter `{extra}`"
        else:
            label = "has them in another order"
        notes = (f"the parameters here are {listed(self.wanted)}", f"the record has {listed(self.given)}")
        return Parts("this record is not that of the morphism it is plugged into", self.span, label, (), notes)


@dataclass(frozen=True, slots=True)
class ParamUnused(Mistake):
    """A declared parameter that nothing uses."""

    code: ClassVar[str] = "E0609"
    title: ClassVar[str] = "a parameter that nothing uses"
    span: Span
    name: str

    def parts(self) -> Parts:
        helps = (Help(f"plug it in, `f{{weight = {self.name}}}`, or remove it"),)
        return Parts(f"nothing uses the parameter `{self.name}`", self.span, "never plugged in", (), (), helps)


@dataclass(frozen=True, slots=True)
class LabelForTwo(Mistake):
    """One name for two occurrences that have different parameters."""

    code: ClassVar[str] = "E0607"
    title: ClassVar[str] = "one name for two sets of parameters"
    span: Span
    name: str
    first: Span

    def parts(self) -> Parts:
        message = f"two occurrences are called `{self.name}`, and their parameters differ"
        labels = (Label(self.first, f"the first `{self.name}`"),)
        notes = ("the name is where the parameters live in the `state_dict`; sharing is said with `{w}`",)
        return Parts(message, self.span, "give this another name", labels, notes)


@dataclass(frozen=True, slots=True)
class NotBatchConstant(Mistake):
    """Something that differs from sample to sample where one value for the whole batch is needed."""

    code: ClassVar[str] = "E0603"
    title: ClassVar[str] = "a value that differs from sample to sample"
    span: Span
    what: str

    def parts(self) -> Parts:
        message = f"this differs from sample to sample, but {self.what} must be the same for the whole batch"
        helps = (Help("build it from parameters and constants only"),)
        return Parts(message, self.span, "depends on the input", helps=helps)


@dataclass(frozen=True, slots=True)
class BadStart(Mistake):
    """An initialiser that cannot fill its parameter, or `what` it is to fill; `why` is a clause."""

    code: ClassVar[str] = "E0605"
    title: ClassVar[str] = "an initialiser that does not fit its parameter"
    span: Span
    name: str
    why: str
    what: str = "a parameter"

    def parts(self) -> Parts:
        message = f"{self.what} cannot start as `{self.name}` here: {self.why}"
        return Parts(message, self.span, f"cannot fill the {self.what.split()[-1]}")


@dataclass(frozen=True, slots=True)
class KeyTaken(Mistake):
    """Two parameters of one network under one key. `what` and `other` are phrases, with where each is declared."""

    code: ClassVar[str] = "E0606"
    title: ClassVar[str] = "two parameters under one key"
    span: Span
    key: str
    what: str
    other: str
    what_at: Span | None = None
    other_at: Span | None = None
    label: str = "uses both"
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.key}` is the key of {self.what} and of {self.other}"
        labels = [Label(at, words) for at, words in ((self.what_at, self.what), (self.other_at, self.other)) if at]
        notes = ("a declared parameter lies under its own name in the `state_dict`, wherever it is used",)
        return Parts(message, self.span, self.label, tuple(labels), notes, self.helps)


@dataclass(frozen=True, slots=True)
class ParamFreeDim(Mistake):
    """A parameter whose shape would change from call to call."""

    code: ClassVar[str] = "E0604"
    title: ClassVar[str] = "a parameter without a fixed shape"
    span: Span
    name: str
    dim: str
    declared: Span | None = None

    def parts(self) -> Parts:
        message = f"the parameter `{self.name}` has the axis `{self.dim}`, whose size changes from call to call"
        notes = ("a parameter has one shape for good, so each of its dims must have a fixed size",)
        helps = (
            Help(f"keep `{self.dim}` out of it: name the axes to act on, or move them first with `permute`"),
            Help(f"or, if `{self.dim}` is the same in every call, fix it: `dim {self.dim} = …`"),
        )
        return Parts(message, self.span, f"`{self.dim}` is free", notes=notes, helps=helps)
