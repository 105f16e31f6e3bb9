"""What a rewrite did: where, to what, and by which law; and how that is told.

shown(applied)      "encoder.cat:8:12: fold[T] in `encode`: torch's fused LSTM\\n    law (real): …"
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl.record import record
from catdl.source import Span


@record
class Law:
    """Why both sides are equal. `bitwise`: in every bit; otherwise over the real numbers, so up to rounding."""

    name: str
    equation: str
    bitwise: bool


@record
class Applied:
    """One use of a rewrite."""

    rewrite: str
    what: str
    law: Law
    morphism: str
    span: Span


def shown(applied: Iterable[Applied]) -> str:
    """A paragraph for each use, in the order of the text; equal ones once."""
    found = dict.fromkeys(sorted(applied, key=lambda a: (a.span.source.path, a.span.start, a.morphism)))
    if not found:
        return "no rewrite applies\n"
    return "\n".join(map(_one, found))


def _one(applied: Applied) -> str:
    line, column = applied.span.source.position(applied.span.start)
    kind = "equal in every bit" if applied.law.bitwise else "equal over the reals, up to rounding here"
    return (
        f"{applied.rewrite}: {applied.what}\n"
        f"    where: {applied.span.source.shown}:{line}:{column}, in `{applied.morphism}`\n"
        f"    law:   {applied.law.name}: {applied.law.equation} ({kind})\n"
    )
