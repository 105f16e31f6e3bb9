"""Mistakes with files, compiling and limits: E08xx. See `base`; some have no place in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Diagnostic, Help, Label, Mistake, Parts
from catdl.diagnostics.words import listed
from catdl.source import Decoded, Span

__all__ = [
    "DepthLimit",
    "ExternNotAllowed",
    "FileUnreadable",
    "InputMismatch",
    "InstanceLimit",
    "KeyMapMismatch",
    "KeyMapUnreadable",
    "LimitExceeded",
    "NoSuchMorphism",
    "NotCompilable",
    "NotText",
    "OutputIsInput",
    "OutputUnwritable",
    "UnfoldDepth",
    "WeightsOpen",
    "not_text",
    "readable",
]


@dataclass(frozen=True, slots=True)
class FileUnreadable(Mistake):
    """A file that cannot be read. `span` is the import that asks for it, if one does."""

    code: ClassVar[str] = "E0801"
    title: ClassVar[str] = "a file that cannot be read"
    path: str
    reason: str
    span: Span | None = None

    def parts(self) -> Parts:
        return Parts(f"cannot read `{self.path}`: {self.reason}", self.span, "asked for here" if self.span else "")


NUL = "a NUL byte"


@dataclass(frozen=True, slots=True)
class NotText(Mistake):
    """A character that no text in UTF-8 holds. `what` names it; `more` counts further ones in the same file."""

    code: ClassVar[str] = "E0802"
    title: ClassVar[str] = "a file that is not UTF-8 text"
    span: Span
    what: str
    more: int = 0

    def parts(self) -> Parts:
        notes = (f"{self.more} more such places follow",) if self.more else ()
        nul = self.what == NUL  # which is UTF-8, but no text
        helps = (Help("take it out: no text has one" if nul else "save the file as UTF-8"),)
        return Parts(
            f"the file is not {'' if nul else 'UTF-8 '}text: {self.what}", self.span, self.what, (), notes, helps
        )


def not_text(decoded: Decoded) -> tuple[NotText, ...]:
    """The mistake that tells of the faults of a decoded source: the first one, and how many follow."""
    if not decoded.faults:
        return ()
    first = decoded.faults[0]
    match first.what:
        case "nul":
            what = NUL
        case "surrogate":
            what = "half of a surrogate pair"
        case _:
            what = f"the byte 0x{first.byte or 0:02x}"
    span = Span(decoded.source, first.offset, first.offset + 1)
    return (NotText(span, what, len(decoded.faults) - 1),)


def readable(texts: list[Decoded], diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """The mistakes with what is no text told as such, not as the character that stands in its place."""
    faulty = [decoded for decoded in texts if decoded.faults]
    if not faulty:
        return diagnostics
    places = {(decoded.source.path, fault.offset) for decoded in faulty for fault in decoded.faults}
    unread = [mistake for decoded in faulty for mistake in not_text(decoded)]

    def told(mistake: Diagnostic) -> bool:
        span = mistake.span
        return mistake.code == "E0002" and span is not None and (span.source.path, span.start) in places

    return [*unread, *(mistake for mistake in diagnostics if not told(mistake))]


@dataclass(frozen=True, slots=True)
class OutputIsInput(Mistake):
    """An output that would overwrite the file it is made from."""

    code: ClassVar[str] = "E0803"
    title: ClassVar[str] = "an output that would overwrite its input"
    path: str
    input: str = ""
    span: Span | None = None

    def parts(self) -> Parts:
        other = f" (it is the same file as `{self.input}`)" if self.input and self.input != self.path else ""
        message = f"writing `{self.path}` would overwrite the input{other}"
        return Parts(message, self.span, helps=(Help("give `-o` another name"),))


@dataclass(frozen=True, slots=True)
class OutputUnwritable(Mistake):
    """A file that cannot be written; nothing was changed."""

    code: ClassVar[str] = "E0804"
    title: ClassVar[str] = "a file that cannot be written"
    path: str
    reason: str
    span: Span | None = None

    def parts(self) -> Parts:
        return Parts(f"cannot write `{self.path}`: {self.reason}", self.span)


@dataclass(frozen=True, slots=True)
class ExternNotAllowed(Mistake):
    """An extern morphism whose package the user has not allowed to run."""

    code: ClassVar[str] = "E0805"
    title: ClassVar[str] = "a package that may not run"
    span: Span
    package: str

    def parts(self) -> Parts:
        message = f"compiling would run code of the package `{self.package}`, which is not allowed"
        notes = ("checking never imports a package; compiling does, and only those that are allowed by name",)
        helps = (Help(f'allow it: `compile(allow=["{self.package}"])`, or `--allow {self.package}`'),)
        return Parts(message, self.span, "runs Python code", notes=notes, helps=helps)


@dataclass(frozen=True, slots=True)
class LimitExceeded(Mistake):
    """More of something than catdl takes on. `what` is a phrase ("the nesting of parentheses"); `why`: who sets it."""

    code: ClassVar[str] = "E0806"
    title: ClassVar[str] = "a limit is exceeded"
    span: Span
    what: str
    limit: str | int
    why: str = ""
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        message = f"{self.what} is over the limit of {_number(self.limit)}"
        notes = (self.why,) if self.why else ()
        return Parts(message, self.span, "over the limit", notes=notes, helps=self.helps)


@dataclass(frozen=True, slots=True)
class DepthLimit(Mistake):
    """Equations that call themselves too deep, most often without a base case."""

    code: ClassVar[str] = "E0807"
    title: ClassVar[str] = "equations that go too deep"
    span: Span
    name: str
    limit: int
    first: Span | None = None

    def parts(self) -> Parts:
        message = f"the equations of `{self.name}` call each other more than {_number(self.limit)} deep"
        labels = (Label(self.first, "started from here"),) if self.first and self.first != self.span else ()
        helps = (Help(f"does the number shrink, and does an equation such as `{self.name}(0) = …` stop it?"),)
        return Parts(message, self.span, "this call goes on", labels, helps=helps)


@dataclass(frozen=True, slots=True)
class InstanceLimit(Mistake):
    """Too many uses that are unfolded where they stand; `name` is the one that goes over."""

    code: ClassVar[str] = "E0808"
    title: ClassVar[str] = "too many uses unfolded in one declaration"
    span: Span
    name: str
    limit: int

    def parts(self) -> Parts:
        message = f"`{self.name}` takes the uses unfolded in this declaration past the limit of {_number(self.limit)}"
        helps = (Help("use `repeat` for steps that are alike: its body is checked once"),)
        return Parts(message, self.span, "one use too many", helps=helps)


@dataclass(frozen=True, slots=True)
class UnfoldDepth(Mistake):
    """A use that stands too deep inside uses that are unfolded where they stand; `signed` has a signature."""

    code: ClassVar[str] = "E0812"
    title: ClassVar[str] = "uses that are unfolded too deep"
    span: Span
    name: str
    limit: int
    signed: bool = False

    def parts(self) -> Parts:
        message = (
            f"`{self.name}` stands inside {_number(self.limit)} uses that are unfolded where they stand, "
            "and that is as deep as it goes"
        )
        why = "takes morphisms" if self.signed else "has no signature"
        notes = (f"a morphism that {why} is unfolded at every use",)
        if self.signed:
            how = "use `repeat` for steps that are alike: its body is checked once"
        else:
            how = f"give `{self.name}` a signature, and it is checked by itself"
        return Parts(message, self.span, "one use too deep", (), notes, (Help(how),))


@dataclass(frozen=True, slots=True)
class NoSuchMorphism(Mistake):
    """A morphism asked for from outside the spec that it does not declare; without a name, any at all."""

    code: ClassVar[str] = "E0809"
    title: ClassVar[str] = "a morphism that the spec does not declare"
    name: str
    path: str
    available: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    span: Span | None = None

    def parts(self) -> Parts:
        if not self.name:
            return Parts(f"`{self.path}` declares no morphism that can stand alone", self.span)
        message = f"`{self.path}` declares no morphism `{self.name}`"
        has = f"it declares {listed(self.available)}" if self.available else "it declares none that can stand alone"
        helps = tuple(Help(f"did you mean `{name}`?") for name in self.suggestions[:1])
        return Parts(message, self.span, notes=(has,), helps=helps)


@dataclass(frozen=True, slots=True)
class InputMismatch(Mistake):
    """Data for a run that does not fit the signature; `reason` is in the spec's words."""

    code: ClassVar[str] = "E0810"
    title: ClassVar[str] = "data that does not fit the signature"
    path: str
    reason: str
    signature: str = ""
    span: Span | None = None

    def parts(self) -> Parts:
        notes = (f"the signature is `{self.signature}`",) if self.signature else ()
        return Parts(f"`{self.path}` does not fit: {self.reason}", self.span, notes=notes)


@dataclass(frozen=True, slots=True)
class NotCompilable(Mistake):
    """A morphism that checks but cannot be made into a module as it stands; `reason` is a sentence's tail."""

    code: ClassVar[str] = "E0811"
    title: ClassVar[str] = "a morphism that cannot be compiled as it stands"
    name: str
    reason: str
    span: Span | None = None
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        return Parts(f"`{self.name}` cannot be compiled: {self.reason}", self.span, "", helps=self.helps)


@dataclass(frozen=True, slots=True)
class KeyMapUnreadable(Mistake):
    """A line of a key map that is none; `reason` says what it lacks."""

    code: ClassVar[str] = "E0813"
    title: ClassVar[str] = "a line of a key map that cannot be read"
    span: Span
    reason: str

    def parts(self) -> Parts:
        notes = ("a line is `key <- key of the file`, or `discard <- key of the file`",)
        return Parts(f"this is no line of a key map: {self.reason}", self.span, "", (), notes)


@dataclass(frozen=True, slots=True)
class KeyMapMismatch(Mistake):
    """A line of a key map that the weights, or the morphism, do not bear out. `reason` is a sentence.

    `first` is another line for the same key; `turn` is what to do with `^T` if that alone is wrong.
    """

    code: ClassVar[str] = "E0814"
    title: ClassVar[str] = "a line of a key map that does not fit"
    reason: str
    span: Span | None
    suggestions: tuple[str, ...] = ()
    first: Span | None = None
    turn: str = ""

    def parts(self) -> Parts:
        labels = (Label(self.first, "here first"),) if self.first else ()
        helps = tuple(Help(f"did you mean `{name}`?") for name in self.suggestions[:1])
        if self.turn:
            helps = (Help(self.turn),)
        return Parts(self.reason, self.span, "", labels, helps=helps)


@dataclass(frozen=True, slots=True)
class WeightsOpen(Mistake):
    """Weights from elsewhere that leave tensors of the morphism open, or have no place in it: how many of each."""

    code: ClassVar[str] = "E0815"
    title: ClassVar[str] = "weights that do not fill the morphism"
    path: str
    name: str
    undecided: int = 0
    missing: int = 0
    extra: int = 0
    span: Span | None = None

    def parts(self) -> Parts:
        told = ((self.undecided, "not decided"), (self.missing, "missing"), (self.extra, "left over"))
        counts = ", ".join(f"{count} {what}" for count, what in told if count)
        help_ = Help("the map tells them; write the lines that it lacks into a file, and give it with `--map`")
        return Parts(f"`{self.path}` does not fill `{self.name}`: {counts}", self.span, helps=(help_,))


def _number(value: str | int) -> str:
    return f"{value:_}".replace("_", " ") if isinstance(value, int) else value
