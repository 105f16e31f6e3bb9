"""The wires that go into a place, as they are written."""

from __future__ import annotations

from typing import Any

from catdl.repair.case import Case
from catdl.syntax import ast


def operands(case: Case, node: Any) -> list[Any]:
    """The wires that an expression reads: its operands, its arguments, the items of the tuple before it.

    Where one argument is at fault, the place is that argument, and it is the wire.
    """
    if is_argument(case):
        return [node]
    match node:
        case ast.Chain(found, _):
            return list(found)
        case ast.Power(base, exponent):
            return [base, exponent]
        case ast.Call(_, args):
            return [a.value for a in args if a.sep != "="] + before(case, node)
        case _:
            called = case.parent(node)
            if isinstance(called, ast.Call) and called.function is node:
                return [a.value for a in called.args if a.sep != "="]
            return before(case, node)


def before(case: Case, node: Any) -> list[Any]:
    """The items of a tuple that goes into a step."""
    seq = case.parent(node)
    if not isinstance(seq, ast.Seq):
        return []
    place = next(i for i, step in enumerate(seq.steps) if step is node)
    source = seq.steps[place - 1] if place else None
    return [item.value for item in source.items] if isinstance(source, ast.Tuple) else []


def is_argument(case: Case) -> bool:
    """Whether the place is an argument of a call."""
    if case.mistake_context.startswith("argument "):
        return True
    around = case.parent(case.node)
    called = case.parent(around) if isinstance(around, ast.Arg) else None
    return isinstance(called, ast.Call) and case.mistake_context == f"the input of `{case.text(called.function)}`"


def two(case: Case) -> tuple[ast.Expr, ast.Expr] | None:
    """The two wires that go into the place, when they are written side by side."""
    reads = operands(case, case.node)
    call = next((n for n in reversed(case.way) if isinstance(n, ast.Call) and n is not case.node), None)
    if is_argument(case) and call is not None:
        reads = [a.value for a in call.args if a.sep != "="]
    if not reads and isinstance(case.node, ast.Tuple):
        reads = [item.value for item in case.node.items]
    return (reads[0], reads[1]) if len(reads) == 2 else None
