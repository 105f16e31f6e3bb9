"""Mistakes with effects: E07xx. See `base` for what each must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from catdl.diagnostics.base import Edit, Help, Label, Mistake, Parts
from catdl.source import Span

__all__ = ["RandomUnderDeterministic"]


@dataclass(frozen=True, slots=True)
class RandomUnderDeterministic(Mistake):
    """A `->` morphism that draws when used. `box` is what draws; `arrow` is the span of the `->`."""

    code: ClassVar[str] = "E0701"
    title: ClassVar[str] = "a deterministic morphism that draws"
    span: Span
    name: str
    box: str
    arrow: Span | None = None

    def parts(self) -> Parts:
        message = f"`{self.name}` is declared with `->`, but `{self.box}` draws at random when the network is used"
        labels = (Label(self.arrow, "`->` says that the same input gives the same output"),) if self.arrow else ()
        help_ = Help("declare it with `~>`", (Edit(self.arrow, "~>"),) if self.arrow else ())
        return Parts(message, self.span, "draws here", labels, helps=(help_,))
