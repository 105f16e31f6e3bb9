"""A file's weights beside a morphism's: the lines that are given, those that are found, and what is left open.

Takes the forms of both sides by key. Guarantees: `plan` is what the lines come to; a tensor that is left over and holds
the same numbers as one that is used is discarded as its copy, for so a tied weight is kept twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.weights.fit import Plan, fit
from catdl.weights.held import Form
from catdl.weights.keymap import Line, Piece
from catdl.weights.propose import Open, propose


@record
class Diff:
    """The whole map, what it comes to, and what is open, missing and left over: patterns, stars for their numbers."""

    lines: tuple[Line, ...]
    plan: Plan
    open: tuple[Open, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def complete(
    given: Iterable[Line],
    name: str,
    ours: Mapping[str, Form],
    path: str,
    theirs: Mapping[str, Form],
    copies: Callable[[Iterable[str], Iterable[str]], dict[str, str]],
) -> tuple[Diff, list[Diagnostic]]:
    """The map that begins with the given lines, and those of them that do not fit.

    `copies` tells which of some keys of the file hold the same numbers as one of others.
    """
    lines = list(given)
    plan, mistakes = fit(lines, name, ours, path, theirs)
    found = propose(ours, theirs, plan)
    lines += found.lines
    plan, _ = fit(lines, name, ours, path, theirs)
    same = copies(found.extra, plan.used)
    lines += [Line(None, (Piece(key),), f"a copy of {other}") for key, other in same.items()]
    plan, misfits = fit(lines, name, ours, path, theirs)
    assert len(misfits) == len(mistakes), "what is proposed fits"
    extra = tuple([key for key in found.extra if key not in same])
    return Diff(tuple(lines), plan, found.open, found.missing, extra), mistakes
