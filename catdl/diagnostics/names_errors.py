"""Mistakes with names and imports: E01xx. Takes what name resolution knows; see `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics import elsewhere
from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts
from catdl.diagnostics.shape_errors import BATCH, NO_BATCH
from catdl.diagnostics.words import article, did_you_mean, listed
from catdl.source import Span

__all__ = [
    "DeclarationCycle",
    "DuplicateName",
    "ImportCycle",
    "ImportMissing",
    "ImportNotFound",
    "NameOfTorch",
    "TwinDeclared",
    "UnboundName",
    "UnknownName",
    "WrongSort",
]


@dataclass(frozen=True, slots=True)
class UnknownName(Mistake):
    """A name that stands for nothing here. `sort` is what was needed ("morphism", "dim", "wire"), or empty.

    `known` is all there is of a sort that no file adds to.
    """

    code: ClassVar[str] = "E0101"
    title: ClassVar[str] = "a name that stands for nothing"
    span: Span
    name: str
    sort: str = ""
    suggestions: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def parts(self) -> Parts:
        if self.sort:
            message = f"there is no {self.sort} called `{self.name}`"
        else:
            message = f"nothing is called `{self.name}` here"
        helps = did_you_mean(self.span, self.suggestions)
        last = self.name.rpartition(".")[2]  # of `nn.Linear`
        if words := elsewhere.said(last):
            other = elsewhere.same(last)
            helps = (Help(words, (Edit(self.span, other),) if other and self.span.text == self.name else ()),)
        if self.sort == "dim" and self.name.lower() in BATCH:
            helps = (Help(f"leave it out: {NO_BATCH}"),)
        elif not helps and self.sort == "dim":
            helps = (Help(f"declare it: `dim {self.name} = …`, or `dim {self.name}` if calls may choose its size"),)
        if not helps and self.known:
            helps = (Help(f"the {self.sort}s are {listed(self.known, most=len(self.known))}"),)
        label = "not declared or imported" if not self.known else f"no {self.sort} of the language"
        return Parts(message, self.span, label, helps=helps)


UnboundName = UnknownName


@dataclass(frozen=True, slots=True)
class DuplicateName(Mistake):
    """A name given twice in one scope. `previous` is None when it was given outside any file."""

    code: ClassVar[str] = "E0102"
    title: ClassVar[str] = "a name declared twice"
    span: Span
    name: str
    previous: Span | None = None

    def parts(self) -> Parts:
        labels = (Label(self.previous, "first declared here"),) if self.previous else ()
        notes = () if self.previous else (f"`{self.name}` is already a name of the language",)
        return Parts(f"`{self.name}` is declared twice", self.span, "declared again here", labels, notes)


@dataclass(frozen=True, slots=True)
class WrongSort(Mistake):
    """A name of one sort where another is needed: a dim where a morphism belongs."""

    code: ClassVar[str] = "E0103"
    title: ClassVar[str] = "a name of the wrong sort"
    span: Span
    name: str
    expected: str
    found: str
    declared: Span | None = None

    def parts(self) -> Parts:
        message = f"`{self.name}` is {article(self.found)}, but {article(self.expected)} is needed here"
        labels = (Label(self.declared, f"declared as {article(self.found)} here"),) if self.declared else ()
        return Parts(message, self.span, f"{article(self.expected)} is needed", labels)


@dataclass(frozen=True, slots=True)
class ImportNotFound(Mistake):
    """No file for an imported module. `searched` are the paths that were tried."""

    code: ClassVar[str] = "E0104"
    title: ClassVar[str] = "a module without a file"
    span: Span
    module: str
    searched: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        notes = ("looked for\n" + "\n".join(f"  {path}" for path in self.searched),) if self.searched else ()
        message = f"there is no file for the module `{self.module}`"
        return Parts(message, self.span, "not found", (), notes, did_you_mean(self.span, self.suggestions))


@dataclass(frozen=True, slots=True)
class ImportMissing(Mistake):
    """A module that does not declare the imported name."""

    code: ClassVar[str] = "E0105"
    title: ClassVar[str] = "a name that the module does not declare"
    span: Span
    module: str
    name: str
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        message = f"the module `{self.module}` declares no `{self.name}`"
        return Parts(message, self.span, "not declared there", helps=did_you_mean(self.span, self.suggestions))


@dataclass(frozen=True, slots=True)
class ImportCycle(Mistake):
    """Modules that import each other in a circle; `cycle` starts and ends with the same module."""

    code: ClassVar[str] = "E0106"
    title: ClassVar[str] = "modules that import each other"
    span: Span
    cycle: tuple[str, ...]

    def parts(self) -> Parts:
        message = f"modules import each other in a circle: {_arrows(self.cycle)}"
        helps = (Help("move what both need into a third module that imports neither"),)
        return Parts(message, self.span, "this import closes the circle", helps=helps)


@dataclass(frozen=True, slots=True)
class DeclarationCycle(Mistake):
    """Declarations that need each other in a circle; `cycle` starts and ends with the same name."""

    code: ClassVar[str] = "E0107"
    title: ClassVar[str] = "declarations that need each other"
    span: Span
    cycle: tuple[str, ...]
    morphisms: bool = True  # or none of them is one

    def parts(self) -> Parts:
        if len(set(self.cycle)) == 1:
            message = f"`{self.cycle[0]}` is declared by itself"
        else:
            message = f"{listed(self.cycle[:-1])} are declared by each other in a circle: {_arrows(self.cycle)}"
        recursion = (
            "recursion is written as equations on a number (`f(0) = …`, `f(n) = …`), equal steps as `repeat(n, f)`"
        )
        notes = (
            recursion if self.morphisms else "each is made from what is known before it, so one has to come first",
        )
        return Parts(message, self.span, "this closes the circle", notes=notes)


@dataclass(frozen=True, slots=True)
class TwinDeclared(Mistake):
    """A dim declared under the name of a twin."""

    code: ClassVar[str] = "E0108"
    title: ClassVar[str] = "a twin that is declared"
    span: Span
    name: str
    base: str

    def parts(self) -> Parts:
        message = f"`{self.name}` is the twin of `{self.base}`: it has the size of `{self.base}` and is not declared"
        helps = (
            Help(f"leave it out: wherever `{self.base}` is, `{self.name}` is, too"),
            Help(f"or call it something else, if it is to have a size of its own: `{self.base}2`"),
        )
        return Parts(message, self.span, "has a size already", helps=helps)


@dataclass(frozen=True, slots=True)
class NameOfTorch(Mistake):
    """A segment of a key that is the name of what every module of PyTorch has; `said`: it was given here."""

    code: ClassVar[str] = "E0109"
    title: ClassVar[str] = "a name that PyTorch keeps for itself"
    span: Span
    name: str
    said: bool = True

    def parts(self) -> Parts:
        message = f"`{self.name}` is a name that every module of PyTorch keeps for itself"
        fix = f"call it `{self.name}_`" if self.said else f"name the occurrence: `{self.name}_: {self.name}`"
        return Parts(message, self.span, f"would be `self.{self.name}`", helps=(Help(fix),))


def _arrows(cycle: tuple[str, ...]) -> str:
    shown = cycle if len(cycle) <= 8 else (*cycle[:4], "…", *cycle[-3:])
    return " → ".join(shown)
