"""What a mistake is: data first, words on demand.

Takes spans from `catdl.source`. Each kind of mistake is one frozen dataclass that holds spans and strings already
shown (it never refers to types, diagrams or the tree), so that it can be compared, sent elsewhere and rendered by
anyone. `parts()` puts it into words; `text` and `json` lay the words out.

    UnknownName(span, "linera", "morphism", ("linear",)).parts().message   # "there is no morphism `linera`"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from catdl.record import record, replace
from catdl.source import Span

Severity: TypeAlias = Literal["error", "warning"]

WIDTH = 100  # of a report, where no terminal says how wide it is


class Edit(NamedTuple):
    """Put `replacement` in the place of `span`; an empty span inserts."""

    span: Span
    replacement: str


class Label(NamedTuple):
    """A secondary place that explains the first one."""

    span: Span
    text: str


@record
class Help:
    """What the reader may do; `edits`, if any, do it and belong together."""

    message: str
    edits: tuple[Edit | tuple[Span, str], ...] = ()


class Derivation(NamedTuple):
    """How a size came about: `1568` is `32 * 7 * 7`, by `flatten`, at `span`. A size that is given has no formula."""

    size: str
    formula: str
    by: str
    span: Span | None


class Step(NamedTuple):
    """A row of the table of types: a step of a composition, and the type after it."""

    text: str
    type: str


@record
class Steps:
    """The types along a composition up to the box that does not fit.

    `rows` are its beginning, `near` the last ones before the box; `skipped` steps stand between them.
    """

    rows: tuple[Step, ...]
    near: tuple[Step, ...] = ()
    skipped: int = 0


@record
class Contrast:
    """Expected and found, to be read under each other; the marks are the stretches that differ, half open."""

    expected: str
    found: str
    expected_marks: tuple[tuple[int, int], ...]
    found_marks: tuple[tuple[int, int], ...]


@record
class Parts:
    """A mistake in words. `message` stands alone; `label` is written under `span`; `notes` may have many lines."""

    message: str
    span: Span | None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()
    contrast: Contrast | None = None
    derivations: tuple[Derivation, ...] = ()
    steps: Steps | None = None


@record
class Why:
    """What explains a mistake beyond its own words: labels, derivations of sizes, types along the way."""

    labels: tuple[Label, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    steps: Steps | None = None

    def onto(self, parts: Parts) -> Parts:
        """The words with this added."""
        if self is NO_WHY:
            return parts
        labels = (*parts.labels, *(label for label in self.labels if label.span != parts.span))
        return replace(parts, labels=labels, derivations=self.derivations, steps=self.steps)


NO_WHY = Why()


class Diagnostic(Protocol):
    """What every mistake offers."""

    @property
    def code(self) -> str:
        """The stable code: `E0301`."""

    @property
    def title(self) -> str:
        """The kind of mistake in a few words."""

    @property
    def severity(self) -> Severity:
        """Whether it is an error or a warning."""

    @property
    def span(self) -> Span | None:
        """The smallest stretch that is wrong; None when there is no text to point at."""

    def parts(self) -> Parts:
        """The mistake in words."""


def told(diagnostic: Diagnostic) -> str:
    """The report of one mistake, as `str` gives it."""
    from catdl.diagnostics.text import render_one  # late: it needs what stands here

    return render_one(diagnostic)


class Mistake:
    """The common base of the mistakes of the language; a warning overrides `severity`."""

    __slots__ = ()

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity] = "error"

    __str__ = told


@record
class Helped:
    """A mistake with the helps that were found for it, in the place of its own."""

    mistake: Diagnostic
    helps: tuple[Help, ...]

    @property
    def code(self) -> str:
        """The code of the mistake."""
        return self.mistake.code

    @property
    def title(self) -> str:
        """The title of the mistake."""
        return self.mistake.title

    @property
    def severity(self) -> Severity:
        """The severity of the mistake."""
        return self.mistake.severity

    @property
    def span(self) -> Span | None:
        """Where the mistake is."""
        return self.mistake.span

    def parts(self) -> Parts:
        """The mistake in words, with these helps."""
        return replace(self.mistake.parts(), helps=self.helps)

    __str__ = told


@record
class Denied:
    """A warning that whoever asked for the check takes for an error."""

    warning: Diagnostic

    @property
    def code(self) -> str:
        """The code of the warning."""
        return self.warning.code

    @property
    def title(self) -> str:
        """The title of the warning."""
        return self.warning.title

    @property
    def severity(self) -> Severity:
        """An error."""
        return "error"

    @property
    def span(self) -> Span | None:
        """Where the warning is."""
        return self.warning.span

    def parts(self) -> Parts:
        """The warning in words, and why it is an error."""
        parts = self.warning.parts()
        return replace(parts, notes=(*parts.notes, f"a warning that `--deny` makes an error: {self.code}"))

    __str__ = told


def sort_key(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    """Source order: by file, place, then code. What has no place comes first."""
    span = diagnostic.span
    if span is None:
        return "", 0, 0, diagnostic.code
    return span.source.path, span.start, span.end, diagnostic.code


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics in source order, each once."""
    return sorted(dict.fromkeys(diagnostics), key=sort_key)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is more than a warning."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)
