"""Mistakes with wires and structure: E05xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import NO_WHY, Edit, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.words import counted, did_you_mean, listed, placed
from catdl.source import Span

__all__ = ["ArityMismatch", "NeedsTie", "NoSuchPort", "NotAMorphism", "NotAWire", "UnusedWire"]


@dataclass(frozen=True, slots=True)
class UnusedWire(Mistake):
    """A wire that nothing reads: `name`, or all that comes in where a body has no name for it.

    `fix` is an edit that says so, if the place for it is known.
    """

    code: ClassVar[str] = "E0501"
    title: ClassVar[str] = "a wire that is never used"
    span: Span
    name: str
    fix: Edit | None = None
    nameless: bool = False

    def parts(self) -> Parts:
        edits = (self.fix,) if self.fix else ()
        if self.nameless:
            help_ = Help("if it is meant, say so: `_ => …`", edits)
            return Parts("what comes in is never used", self.span, "nothing reads this", helps=(help_,))
        message = f"the wire `{self.name}` is never used"
        help_ = Help(f"if it is meant, say so: `{self.name} >> discard`", edits)
        return Parts(message, self.span, "bound here and never read", helps=(help_,))


@dataclass(frozen=True, slots=True)
class NotAMorphism(Mistake):
    """Something that is no morphism where one must stand. `found` is a phrase ("the wire `x`", "a number")."""

    code: ClassVar[str] = "E0502"
    title: ClassVar[str] = "a morphism is needed"
    span: Span
    found: str
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        return Parts(f"a morphism is needed here, found {self.found}", self.span, "not a morphism", helps=self.helps)


@dataclass(frozen=True, slots=True)
class NotAWire(Mistake):
    """Something that carries no value where a wire must stand. `found` is a phrase ("the morphism `relu`")."""

    code: ClassVar[str] = "E0503"
    title: ClassVar[str] = "a wire is needed"
    span: Span
    found: str
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        helps = self.helps
        if not helps and self.found.endswith(("morphism", "lambda")):
            helps = (Help("apply it to a wire first: `x >> …`"),)
        return Parts(f"a wire is needed here, found {self.found}", self.span, "carries no value", helps=helps)


@dataclass(frozen=True, slots=True)
class NeedsTie(Mistake):
    """A morphism with weights, used twice, and no word on whether they are shared. `binder` spans its name."""

    code: ClassVar[str] = "E0504"
    title: ClassVar[str] = "shared or separate weights"
    span: Span
    name: str
    first_use: Span | None = None
    second_use: Span | None = None
    binder: Span | None = None

    def parts(self) -> Parts:
        message = f"`{self.name}` has weights and is used more than once: are they shared?"
        places = ((self.first_use, "used here"), (self.second_use, "and used here"))
        labels = tuple(Label(span, text) for span, text in places if span is not None and span != self.span)
        helps = (self._help("tied", "one set of weights for all uses"), self._help("fresh", "new weights for each use"))
        return Parts(message, self.span, f"say `tied {self.name}` or `fresh {self.name}`", labels, helps=helps)

    def _help(self, word: str, meaning: str) -> Help:
        edits: tuple[Edit, ...] = ()
        if self.binder:
            edits = (Edit(Span(self.binder.source, self.binder.start, self.binder.start), f"{word} "),)
        return Help(f"`{word} {self.name}`: {meaning}", edits)


@dataclass(frozen=True, slots=True)
class ArityMismatch(Mistake):
    """Another number of wires than the place takes."""

    code: ClassVar[str] = "E0505"
    title: ClassVar[str] = "another number of wires"
    span: Span
    expected: int
    found: int
    context: str = ""
    origin: Span | None = None
    origin_text: str = ""
    helps: tuple[Help, ...] = ()
    why: Why = NO_WHY
    notes: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"expected {counted(self.expected, 'wire')}, found {self.found}{placed(self.context)}"
        labels = (Label(self.origin, self.origin_text or "because of this"),) if self.origin else ()
        label = counted(self.found, "wire")
        return self.why.onto(Parts(message, self.span, label, labels, self.notes, self.helps))


@dataclass(frozen=True, slots=True)
class NoSuchPort(Mistake):
    """A port name that the record does not have."""

    code: ClassVar[str] = "E0506"
    title: ClassVar[str] = "a port that is not there"
    span: Span
    port: str
    available: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    owner: str = ""  # the morphism that has them

    def parts(self) -> Parts:
        message = f"`{self.owner}` has no port `{self.port}`" if self.owner else f"there is no port `{self.port}`"
        has = f"the ports are {listed(self.available)}" if self.available else "nothing here has named ports"
        return Parts(message, self.span, "no such port", (), (has,), did_you_mean(self.span, self.suggestions))
