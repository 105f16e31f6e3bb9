"""Mistakes with static arguments and declarations: E02xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics import elsewhere
from catdl.diagnostics.base import NO_WHY, Edit, Help, Label, Mistake, Parts, Why
from catdl.diagnostics.words import counted, did_you_mean, listed
from catdl.source import Span

__all__ = [
    "BadArgument",
    "BadValue",
    "DivisionByZero",
    "EndlessTree",
    "FalseFact",
    "FunctorForm",
    "MissingArgument",
    "NegativeSize",
    "NoEquationMatches",
    "NotDivisible",
    "NotStatic",
    "TooManyArguments",
    "UnknownArgument",
    "UnusedArgument",
]

_DIGITS = 6  # of a size, the longest whose divisors are looked for


@dataclass(frozen=True, slots=True)
class UnknownArgument(Mistake):
    """A named argument that the morphism does not have."""

    code: ClassVar[str] = "E0201"
    title: ClassVar[str] = "an argument that the morphism does not have"
    span: Span
    name: str
    function: str
    suggestions: tuple[str, ...] = ()
    available: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.function}` has no argument `{self.name}`"
        notes = (f"its arguments are {listed(self.available)}",) if self.available else ()
        helps = did_you_mean(self.span, self.suggestions)
        if known := elsewhere.arguments(self.name, self.available):
            helps = (Help(f"`{self.name}` is called {listed(known, 'or')} here"),)
        elif words := elsewhere.of_argument(self.name, self.function):
            helps = (Help(words),)
        return Parts(message, self.span, "no such argument", (), notes, helps)


@dataclass(frozen=True, slots=True)
class MissingArgument(Mistake):
    """An argument without a default that was not given."""

    code: ClassVar[str] = "E0202"
    title: ClassVar[str] = "an argument is missing"
    span: Span
    name: str
    function: str
    declared: Span | None = None

    def parts(self) -> Parts:
        message = f"`{self.function}` needs the argument `{self.name}`"
        labels = (Label(self.declared, f"`{self.name}` has no default"),) if self.declared else ()
        helps = (Help(f"give it: `{self.function}({self.name} = …)`"),)
        return Parts(message, self.span, f"`{self.name}` is missing", labels, helps=helps)


@dataclass(frozen=True, slots=True)
class TooManyArguments(Mistake):
    """More unnamed arguments than the morphism takes."""

    code: ClassVar[str] = "E0203"
    title: ClassVar[str] = "too many arguments"
    span: Span
    function: str
    expected: int
    found: int
    available: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"`{self.function}` takes {counted(self.expected, 'unnamed argument')}, found {self.found}"
        notes = (f"these are given by name: {listed(self.available)}",) if self.available else ()
        return Parts(message, self.span, "one too many", notes=notes)


@dataclass(frozen=True, slots=True)
class BadArgument(Mistake):
    """An argument of the wrong sort or value. `expected` and `found` are phrases ("a whole number", "`relu`")."""

    code: ClassVar[str] = "E0204"
    title: ClassVar[str] = "an argument of the wrong sort"
    span: Span
    name: str
    expected: str
    found: str
    function: str = ""

    def parts(self) -> Parts:
        whose = f" of `{self.function}`" if self.function else ""
        message = f"the argument `{self.name}`{whose} must be {self.expected}, found {self.found}"
        return Parts(message, self.span, f"must be {self.expected}")


@dataclass(frozen=True, slots=True)
class NotStatic(Mistake):
    """Something known only when the network runs, where a constant is needed. `what` is a phrase ("the wire `x`")."""

    code: ClassVar[str] = "E0205"
    title: ClassVar[str] = "a value that is not known before the network runs"
    span: Span
    what: str

    def parts(self) -> Parts:
        message = f"{self.what} is not known before the network runs, and a constant is needed here"
        return Parts(message, self.span, "must be a number, a fixed dim or computed from such")


@dataclass(frozen=True, slots=True)
class NoEquationMatches(Mistake):
    """A morphism given by equations, used at arguments that none of them covers."""

    code: ClassVar[str] = "E0206"
    title: ClassVar[str] = "no equation covers these arguments"
    span: Span
    name: str
    args: str
    equations: tuple[Span, ...] = ()

    def parts(self) -> Parts:
        message = f"no equation of `{self.name}` covers `{self.name}({self.args})`"
        labels = tuple(Label(span, "does not match") for span in self.equations[:4])
        helps = (Help(f"add an equation: `morphism {self.name}({self.args}) = …`"),)
        return Parts(message, self.span, "no equation for these arguments", labels, helps=helps)


@dataclass(frozen=True, slots=True)
class NotDivisible(Mistake):
    """An exact division that is not exact."""

    code: ClassVar[str] = "E0207"
    title: ClassVar[str] = "a division that is not exact"
    span: Span
    numerator: str
    denominator: str
    fact: str = ""
    why: Why = NO_WHY
    asked: str = ""  # what a signature asks for, where no `/` is written
    parts_of: str = ""  # what to write under a cut into equal parts, where no `/` is written

    def parts(self) -> Parts:
        if self.asked:
            broken = f"`{self.numerator}` is not a multiple of `{self.denominator}`"
            others = () if self.asked[:1].isdigit() else self._divisors()
            message = f"the signature asks for `{self.asked}`, and {broken}"
            return self.why.onto(Parts(message, self.span, "does not divide", helps=others))
        message = f"`{self.numerator}` is not a multiple of `{self.denominator}`"
        if self.parts_of:
            return self.why.onto(Parts(message, self.span, self.parts_of, helps=self._divisors()))
        message += ", so `/` has no result"
        helps = [Help("write `//` if rounding down is meant")]
        if self.fact:
            helps.insert(0, Help(f"if it always is one, say so: `where {self.fact}`"))
        return self.why.onto(Parts(message, self.span, "does not divide", helps=tuple(helps)))

    def _divisors(self) -> tuple[Help, ...]:
        size, by = self.numerator.rpartition(":")[2].strip(), self.denominator
        if not (size.isdigit() and by.isdigit() and len(size) < _DIGITS):
            return ()
        n, d = int(size), int(by)
        near = [next((k for k in ks if k > 1 and n % k == 0), 0) for ks in (range(min(d, n), 1, -1), range(d, n))]
        found = [str(k) for k in dict.fromkeys(near) if k]
        return (Help(f"{listed(found)} would divide it"),) if found else ()


@dataclass(frozen=True, slots=True)
class BadValue(Mistake):
    """A value that makes no sense where it stands; the message says why."""

    code: ClassVar[str] = "E0208"
    title: ClassVar[str] = "a value that makes no sense here"
    span: Span
    message: str
    label: str = ""
    helps: tuple[Help, ...] = ()

    def parts(self) -> Parts:
        return Parts(self.message, self.span, self.label or "makes no sense here", helps=self.helps)


@dataclass(frozen=True, slots=True)
class NegativeSize(Mistake):
    """A size below 0; `what` is a clause ("this is -3")."""

    code: ClassVar[str] = "E0210"
    title: ClassVar[str] = "a size that is negative"
    span: Span
    what: str

    def parts(self) -> Parts:
        return Parts(f"a size is never negative, and {self.what}", self.span, "less than nothing")


@dataclass(frozen=True, slots=True)
class DivisionByZero(Mistake):
    """A division by zero in a static expression."""

    code: ClassVar[str] = "E0211"
    title: ClassVar[str] = "a division by zero"
    span: Span

    def parts(self) -> Parts:
        return Parts(f"`{self.span.text}` divides by zero", self.span, "has no value")


@dataclass(frozen=True, slots=True)
class FalseFact(Mistake):
    """A `where` that numbers make false: `values` is what it says with them put in."""

    code: ClassVar[str] = "E0212"
    title: ClassVar[str] = "a where that does not hold"
    span: Span
    fact: str
    values: str
    asked: bool = False  # by the signature of what is used at `span`
    found: str = ""  # what the signature rules out, where the fact itself speaks in names that no spec knows
    rule: str = ""  # and why, in words

    def parts(self) -> Parts:
        if self.found:
            return Parts(f"{self.rule}: `{self.found}`", self.span, "does not hold")
        if self.asked:
            message = f"the signature asks for `{self.fact}`, and here it is `{self.values}`"
        else:
            message = f"`{self.fact}` does not hold: it is `{self.values}`"
        return Parts(message, self.span, "does not hold")


@dataclass(frozen=True, slots=True)
class UnusedArgument(Mistake):
    """An argument that was given and changes nothing. `removal` is the span to delete, comma included."""

    code: ClassVar[str] = "E0209"
    title: ClassVar[str] = "an argument that is not used"
    span: Span
    name: str
    function: str
    removal: Span | None = None

    def parts(self) -> Parts:
        message = f"the argument `{self.name}` of `{self.function}` is not used"
        edits = (Edit(self.removal, ""),) if self.removal else ()
        return Parts(message, self.span, "nothing depends on it", helps=(Help("remove it", edits),))


@dataclass(frozen=True, slots=True)
class FunctorForm(Mistake):
    """Something that no functor is made of; the message says what."""

    code: ClassVar[str] = "E0213"
    title: ClassVar[str] = "a functor that is no sum of products"
    span: Span
    message: str

    def parts(self) -> Parts:
        help_ = Help("a functor is made of objects, its variable, `@`, `+`, `()`, `(Fin(n) -> X)` and other functors")
        return Parts(self.message, self.span, "no part of a functor", helps=(help_,))


@dataclass(frozen=True, slots=True)
class EndlessTree(Mistake):
    """The trees of a functor without a leaf (`endless`), or whose nodes have no children at all."""

    code: ClassVar[str] = "E0214"
    title: ClassVar[str] = "a functor that makes no trees"
    span: Span
    functor: str
    variable: str
    endless: bool
    declared: Span

    def parts(self) -> Parts:
        if self.endless:
            message = f"no tree of `{self.functor}` ever ends: every summand has children"
            help_ = Help(f"add a summand without `{self.variable}`, the leaf")
        else:
            message = f"no node of `{self.functor}` has children: no summand has `{self.variable}`"
            help_ = Help(f"put `{self.variable}` where a node has a subtree")
        labels = (Label(self.declared, "declared here"),)
        return Parts(message, self.span, "trees of this functor", labels, helps=(help_,))
