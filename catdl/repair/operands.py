"""Operands with different axes: an axis of size 1 to drop, an order to change, or the spreading said aloud."""

from __future__ import annotations

from collections.abc import Iterator

from catdl.repair.case import Case, Group, one
from catdl.repair.reads import operands
from catdl.repair.shown import Shown, is_name, read
from catdl.repair.tree import walk
from catdl.syntax import ast


def broadcast(case: Case) -> Iterator[Group]:
    """E0309."""
    wrong, node = case.mistake, case.node
    left, right = read(wrong.left), read(wrong.right)
    found = operands(case, node)
    if len(found) == 2:
        for have, want, operand in ((right, left, found[1]), (left, right, found[0])):
            spare = [a for a in have.axes if a.size == "1" and a not in want.axes]
            if spare and [a for a in have.axes if a not in spare] == list(want.axes):
                yield from dropped(case, spare[0].label, operand)
        if sorted(left.labels) == sorted(right.labels) and left.named:
            said = "the axes stand in another order: move them"
            for operand in reversed(found):
                yield from unmoved(case, operand)
            for want, operand in ((left, found[1]), (right, found[0])):
                moved = f"{case.text(operand)} >> permute[{', '.join(want.labels)}]"
                yield one(said, case.swap(operand, moved if case.enclosed(operand) else f"({moved})"))
        for have, want, operand in ((right, left, found[1]), (left, right, found[0])):
            missing = leading(have, want)
            if missing:
                said = "if the same value is meant all along it, repeat it"
                text = f"({case.text(operand)} >> expand[{', '.join(missing)}])"
                yield one(said, case.swap(operand, text))
    more, fewer = (left, right) if len(left.axes) >= len(right.axes) else (right, left)
    if more.named and set(fewer.labels) < set(more.labels) and isinstance(node, ast.Chain | ast.Call | ast.Power):
        for whole in arithmetic(case, node):
            text = f"over[{', '.join(more.labels)}]({case.text(whole)})"
            yield one("if it is meant, spread the operands by label", case.swap(whole, text))


def arithmetic(case: Case, node: ast.Expr) -> list[ast.Expr]:
    """An operation, and the whole of the arithmetic that it is in."""
    outer: ast.Expr = node
    while isinstance(around := case.parent(outer), ast.Chain | ast.Negate | ast.Power):
        outer = around
    return [node] if outer is node else [node, outer]


def unmoved(case: Case, operand: ast.Expr) -> Iterator[Group]:
    """An operand without the move that it ends with."""
    if isinstance(operand, ast.Seq) and len(operand.steps) > 1:
        *before, last = operand.steps
        if isinstance(last, ast.Index) and case.text(last.base) == "permute":
            start, end = operand.start, operand.end
            if case.enclosed(operand) and isinstance(before[-1], ast.Name) and len(before) == 1:
                start = case.module.source.text.rindex("(", 0, start)
                end = case.module.source.text.index(")", end) + 1
            text = case.module.source.text[operand.start : before[-1].end]
            yield one(f"leave `{case.text(last)}` out: the axes agree without", case.put(start, end, text))


def leading(have: Shown, want: Shown) -> tuple[str, ...]:
    """The axes that one side has in front of all of the other's."""
    count = len(want.axes) - len(have.axes)
    if count > 0 and want.named and want.labels[count:] == have.labels:
        return want.labels[:count]
    return ()


def dropped(case: Case, label: str, operand: ast.Expr) -> Iterator[Group]:
    """An axis of size 1: dropped by its name, or named where it is made and dropped there."""
    if is_name(label):
        yield one("drop the axis of size 1", case.swap(operand, f"({case.text(operand)} >> squeeze[{label}])"))
    yield from unit_made(case)


def unit_made(case: Case) -> Iterator[Group]:
    """A layer of this declaration that yields one number: its axis is named and dropped."""
    body = getattr(case.decl, "body", None)
    if body is None:
        return
    taken = case.module.source.text
    name = next(n for n in ("Out", "One", "Unit", "Single", "Lone") if f"{n}:" not in taken)
    for node in walk(body):
        if isinstance(node, ast.Call) and node.args and not node.args[0].sep:
            first = node.args[0].value
            if isinstance(first, ast.Number) and first.value == 1:
                edits = (
                    case.put(first.start, first.start, f"{name}: "),
                    case.put(node.end, node.end, f" >> squeeze[{name}]"),
                )
                yield one("name the axis of size 1 and drop it", *edits)


def mismatched(case: Case) -> Iterator[Group]:
    """E0301 between two types of which one has an axis of size 1 that the other lacks."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    for more, fewer in ((expected, found), (found, expected)):
        spare = [a for a in more.axes if a.size == "1"]
        if spare and [a for a in more.axes if a.size != "1"] == list(fewer.axes):
            yield from unit_made(case)
