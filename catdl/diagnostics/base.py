"""What a mistake is: data first, words on demand.

Takes spans from `catdl.source`. Each kind of mistake is one frozen dataclass that holds spans and strings already
shown (it never refers to types, diagrams or the tree), so that it can be compared, sent elsewhere and rendered by
anyone. `parts()` puts it into words; `text` and `json` lay the words out.

    UnknownName(span, "linera", "morphism", ("linear",)).parts().message   # "there is no morphism `linera`"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from catdl.record import record
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


@record
class Parts:
    """A mistake in words. `message` stands alone; `label` is written under `span`; `notes` may have many lines."""

    message: str
    span: Span | None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()


class Diagnostic(Protocol):
    """What every mistake offers."""

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity]

    @property
    def span(self) -> Span | None:
        """The smallest stretch that is wrong; None when there is no text to point at."""

    def parts(self) -> Parts:
        """The mistake in words."""


class Mistake:
    """The common base of the mistakes of the language; a warning overrides `severity`."""

    __slots__ = ()

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity] = "error"


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
