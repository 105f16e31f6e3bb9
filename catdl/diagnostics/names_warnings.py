"""Warnings about names and about the comments that allow warnings: W01xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Mistake, Parts, Severity
from catdl.diagnostics.words import did_you_mean
from catdl.source import Span

__all__ = ["AllowUnknown", "AllowUnused", "UnusedDeclaration", "UnusedImport", "UnusedMorphism"]


@dataclass(frozen=True, slots=True)
class UnusedDeclaration(Mistake):
    """A dim, a kind or an object that nothing in the file mentions. `fix` takes it away."""

    code: ClassVar[str] = "W0101"
    title: ClassVar[str] = "a declaration that nothing uses"
    severity: ClassVar[Severity] = "warning"
    span: Span
    sort: str
    name: str
    fix: Edit | None = None

    def parts(self) -> Parts:
        help_ = Help("leave it out", (self.fix,) if self.fix else ())
        return Parts(f"nothing uses the {self.sort} `{self.name}`", self.span, "declared and not used", helps=(help_,))


@dataclass(frozen=True, slots=True)
class UnusedImport(Mistake):
    """A name that is imported and not used. `fix` takes it away."""

    code: ClassVar[str] = "W0102"
    title: ClassVar[str] = "an import that nothing uses"
    severity: ClassVar[Severity] = "warning"
    span: Span
    name: str
    fix: Edit | None = None

    def parts(self) -> Parts:
        help_ = Help("leave it out", (self.fix,) if self.fix else ())
        return Parts(f"nothing uses the import `{self.name}`", self.span, "imported and not used", helps=(help_,))


@dataclass(frozen=True, slots=True)
class UnusedMorphism(Mistake):
    """A morphism that can only be used by others, and is not. `reason` says why it cannot stand alone."""

    code: ClassVar[str] = "W0103"
    title: ClassVar[str] = "a part that no morphism uses"
    severity: ClassVar[Severity] = "warning"
    span: Span
    name: str
    reason: str

    def parts(self) -> Parts:
        message = f"nothing uses `{self.name}`, and it cannot stand alone"
        return Parts(message, self.span, self.reason, helps=(Help("use it, or leave it out"),))


@dataclass(frozen=True, slots=True)
class AllowUnknown(Mistake):
    """A comment for catdl that it does not understand: `found` is no code of a warning, or no instruction."""

    code: ClassVar[str] = "W0104"
    title: ClassVar[str] = "a comment for catdl that says nothing to it"
    severity: ClassVar[Severity] = "warning"
    span: Span
    found: str
    reason: str
    suggestions: tuple[str, ...] = ()

    def parts(self) -> Parts:
        helps = did_you_mean(self.span, self.suggestions) or (Help("a warning is allowed by `# catdl: allow W0201`"),)
        return Parts(f"`{self.found}` {self.reason}", self.span, "has no effect", helps=helps)


@dataclass(frozen=True, slots=True)
class AllowUnused(Mistake):
    """A warning that is allowed and does not come. `place` says for what it is allowed, `fix` takes the word away."""

    code: ClassVar[str] = "W0105"
    title: ClassVar[str] = "a warning that is allowed and does not come"
    severity: ClassVar[Severity] = "warning"
    span: Span
    found: str
    place: str
    fix: Edit | None = None

    def parts(self) -> Parts:
        message = f"`{self.found}` is allowed for {self.place}, where it does not come up"
        helps = (Help("leave it out", (self.fix,)),) if self.fix else ()
        return Parts(message, self.span, "not needed", helps=helps)
