"""One mistake to be helped: its place in the tree, and edits there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from catdl.check.program import Program
from catdl.check.scope import Module
from catdl.diagnostics.base import Edit, Help
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast

Group: TypeAlias = tuple[Help, ...]
"""Helps of equal standing; the first group with one that proves right is offered."""

Maker: TypeAlias = "Callable[[Case], Iterator[Group]]"

# Inside these a `>>` must stand in parentheses: they bind tighter, or take one step each.
_TIGHT = (ast.Chain, ast.Tensor, ast.Fan, ast.Power, ast.Negate, ast.Plug, ast.Labelled, ast.Index, ast.Field, ast.Tie)
# These must stand in parentheses before or after a `>>`.
_LOOSE = (ast.Chain, ast.Lambda, ast.If, ast.Arrow, ast.Negate)


@record
class Case:
    """A mistake, the file it is in, and the nodes that cover it, outermost first."""

    mistake: Any
    program: Program
    module: Module
    way: tuple[Any, ...]
    together: tuple[Any, ...]  # the mistakes of its code at its place, itself among them
    known: dict[str, Any]  # what was found out about the file for an earlier mistake

    @property
    def span(self) -> Span:
        """Where the mistake is."""
        found: Span = self.mistake.span
        return found

    @property
    def node(self) -> Any:
        """The outermost node of exactly the mistake's extent, or the innermost one that covers it."""
        exact = [n for n in self.way if (n.start, n.end) == (self.span.start, self.span.end)]
        plain = [n for n in exact if not isinstance(n, ast.Arg)]
        return (plain or exact or list(self.way) or [None])[0 if exact else -1]

    @property
    def mistake_context(self) -> str:
        """Which place wanted what was not there."""
        return str(getattr(self.mistake, "context", ""))

    @property
    def decl(self) -> Any:
        """The declaration around it."""
        return self.way[0] if self.way else None

    def parent(self, node: Any) -> Any:
        """The node around one on the way."""
        place = next((i for i, n in enumerate(self.way) if n is node), 0)
        return self.way[place - 1] if place else None

    def around(self, kind: type[Any] | tuple[type[Any], ...]) -> Any:
        """The innermost node of a kind on the way, or None."""
        return next((n for n in reversed(self.way) if isinstance(n, kind)), None)

    def text(self, node: Any) -> str:
        """What is written."""
        return self.module.source.text[node.start : node.end]

    def put(self, start: int, end: int, text: str) -> Edit:
        """Text in the place of a stretch."""
        return Edit(Span(self.module.source, start, end), text)

    def swap(self, node: Any, text: str) -> Edit:
        """Text in the place of a node."""
        return self.put(node.start, node.end, text)

    def enclosed(self, node: Any) -> bool:
        """Whether parentheses stand right around it."""
        text = self.module.source.text
        return text[: node.start].rstrip()[-1:] == "(" and text[node.end :].lstrip()[:1] == ")"

    def then(self, node: Any, step: str) -> tuple[Edit, ...]:
        """The edits that send what a node yields through one more step."""
        open_, close = self._hold(node)
        if isinstance(node, _LOOSE) and not (isinstance(node, ast.Lambda) and self.tail(node)):
            open_, close = open_ + "(", ")" + f" >> {step}" + close
        else:
            close = f" >> {step}" + close
        edits = (self.put(node.start, node.start, open_),) if open_ else ()
        return (*edits, self.put(node.end, node.end, close))

    def first(self, node: Any, step: str) -> tuple[Edit, ...]:
        """The edits that send what comes in through a step before a node."""
        open_, close = self._hold(node)
        open_ = open_ + f"{step} >> "
        if isinstance(node, _LOOSE):
            open_, close = open_ + "(", ")" + close
        edits = (self.put(node.start, node.start, open_),)
        return (*edits, self.put(node.end, node.end, close)) if close else edits

    def tail(self, node: ast.Lambda) -> bool:
        """Whether a lambda's body may be made longer in place of the lambda."""
        return not isinstance(node.body, _LOOSE)

    def _hold(self, node: Any) -> tuple[str, str]:
        parent = self.parent(node)
        called = isinstance(parent, ast.Call) and parent.function is node
        if (isinstance(parent, _TIGHT) or called) and not self.enclosed(node) and not isinstance(node, ast.Seq):
            return "(", ")"
        return "", ""


def one(message: str, *edits: Edit) -> Group:
    """A group of one help."""
    return (Help(message, edits),)


def drop_step(case: Case, node: Any) -> Edit | None:
    """The edit that takes a step out of a composition, or None where it is none."""
    seq = next((n for n in case.way if isinstance(n, ast.Seq) and any(s is node for s in n.steps)), None)
    if seq is None:
        return None
    place = next(i for i, step in enumerate(seq.steps) if step is node)
    if place:
        start = arrow_before(case, node)
        return case.put(start, node.end, "") if start is not None else None
    gap = case.module.source.text[node.end : seq.steps[1].start]
    arrow = len(gap) - len(gap.lstrip())
    if not gap.startswith(">>", arrow):
        return None
    arrow += len(">>")
    return case.put(node.start, node.end + arrow + len(gap[arrow:]) - len(gap[arrow:].lstrip()), "")


def arrow_before(case: Case, node: Any) -> int | None:
    """Where the `>>` before a step starts, blanks before it included; None where a parenthesis is between."""
    text = case.module.source.text
    head = text[: node.start].rstrip()
    if not head.endswith(">>"):
        return None
    return len(head[:-2].rstrip())
