"""Mistakes with wires and structure: E05xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import NO_WHY, Edit, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.words import counted, did_you_mean, listed, placed
from catdl.source import Span

__all__ = [
    "ArityMismatch",
    "LegMismatch",
    "NeedsTie",
    "NoSuchPort",
    "NotALinearFunctor",
    "NotACoalgebra",
    "NotAMorphism",
    "NotAWire",
    "NotAnAlgebra",
    "NotThatSum",
    "StateUntold",
    "TreesOnly",
    "UnusedWire",
]


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


@dataclass(frozen=True, slots=True)
class LegMismatch(Mistake):
    """Legs that are not those of a functor: so many for so many summands, or one that takes other wires."""

    code: ClassVar[str] = "E0507"
    title: ClassVar[str] = "a leg that does not fit its summand"
    span: Span
    functor: str
    leg: int  # which one is wrong; 0: their number
    summand: str
    wanted: int
    found: int

    def parts(self) -> Parts:
        note = (f"`{self.functor}`",)
        if not self.leg:
            message = f"an algebra has a leg for each summand: {self.wanted} are needed, found {self.found}"
            return Parts(message, self.span, counted(self.found, "leg"), notes=note)
        message = (
            f"leg {self.leg} takes {counted(self.found, 'wire')}, its summand `{self.summand}` "
            f"has {counted(self.wanted, 'wire')}"
        )
        return Parts(message, self.span, f"for `{self.summand}`", notes=note)


@dataclass(frozen=True, slots=True)
class NotALinearFunctor(Mistake):
    """A fold along an axis by a functor that is not that of lists."""

    code: ClassVar[str] = "E0510"
    title: ClassVar[str] = "a functor that has no axis"
    span: Span
    name: str
    form: str

    def parts(self) -> Parts:
        message = f"`{self.name}` along an axis is for lists, `K + E @ X`; this is `{self.form}`"
        helps = (Help("`fold(algebra)`, without an axis, folds trees"),)
        return Parts(message, self.span, "not along an axis", (), (), helps)


@dataclass(frozen=True, slots=True)
class StateUntold(Mistake):
    """A fold that starts with zeros, or ones, of a type that nothing says."""

    code: ClassVar[str] = "E0511"
    title: ClassVar[str] = "a state whose type nothing says"
    span: Span
    name: str

    def parts(self) -> Parts:
        leg = self.span.text
        message = f"`{self.name}` starts with {leg}, but of what type nothing says"
        helps = (
            Help(f"say it: `{self.name}[T]([ {leg} | … ], carrier = State)`"),
            Help("or declare an `algebra`, whose type says it"),
        )
        return Parts(message, self.span, f"{leg} of what type?", (), (), helps)


@dataclass(frozen=True, slots=True)
class NotAnAlgebra(Mistake):
    """Something folded with that is no algebra. `found` is a phrase, `instead` says what would do."""

    code: ClassVar[str] = "E0508"
    title: ClassVar[str] = "an algebra is needed"
    span: Span
    found: str
    instead: str = "write a leg for each summand, `fold([ leaf | node ])`, or the name of an `algebra`"
    edits: tuple[Edit, ...] = ()

    def parts(self) -> Parts:
        helps = (Help(self.instead, self.edits),)
        return Parts(f"an algebra is needed here, found {self.found}", self.span, "no algebra", helps=helps)


@dataclass(frozen=True, slots=True)
class NotACoalgebra(Mistake):
    """Something that no machine is made of. `found` is a phrase; `instead` says what would do."""

    code: ClassVar[str] = "E0512"
    title: ClassVar[str] = "a coalgebra is needed"
    span: Span
    found: str
    instead: str = "a coalgebra says what comes out of a state, and the state after it: `s => (out, next)`"

    def parts(self) -> Parts:
        message = f"a coalgebra is needed here, found {self.found}"
        return Parts(message, self.span, "no coalgebra", helps=(Help(self.instead),))


@dataclass(frozen=True, slots=True)
class NotThatSum(Mistake):
    """A value that is not of the sum that is needed; `summand` counts from 1, 0 for the whole."""

    code: ClassVar[str] = "E0513"
    title: ClassVar[str] = "a value of another sum"
    span: Span
    wanted: str
    found: str
    summand: int
    context: str
    declared: Span | None = None
    instead: str = "`either(p, a, b)` is of the first summand where p holds, of the second elsewhere"

    def parts(self) -> Parts:
        labels = (Label(self.declared, "declared here"),) if self.declared is not None else ()
        if self.summand:
            message = f"summand {self.summand} is `{self.wanted}`, found `{self.found}`, in {self.context}"
            return Parts(message, self.span, f"`{self.wanted}` is needed", labels)
        message = f"a value of the sum `{self.wanted}` is needed, found {self.found}, in {self.context}"
        return Parts(message, self.span, "not of that sum", labels, (), (Help(self.instead),))


@dataclass(frozen=True, slots=True)
class TreesOnly(Mistake):
    """Trees where a tensor must stand, or something else where trees must (`wanted`). `type` is what was found."""

    code: ClassVar[str] = "E0509"
    title: ClassVar[str] = "trees where tensors stand, or the other way round"
    span: Span
    name: str
    type: str
    wanted: bool

    def parts(self) -> Parts:
        if self.wanted:
            without = " without an axis" if self.name == "fold" else ""
            message = f"`{self.name}`{without} takes trees, found {self.type}"
            helps = (Help("trees are of an object `mu(F)`, where F is a functor"),)
            return Parts(message, self.span, "no trees come in", helps=helps)
        message = f"`{self.name}` takes tensors, found trees, {self.type}"
        return Parts(
            message,
            self.span,
            "trees come in",
            helps=(Help("only `fold(algebra)` and `annotate[N](algebra)` read trees"),),
        )
