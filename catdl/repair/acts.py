"""The axis an operation acts on: one of those that are there, named in its brackets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catdl.diagnostics.base import Help
from catdl.diagnostics.suggest import near
from catdl.repair.case import Case, Group, drop_step, one
from catdl.repair.shown import Part, is_name, part
from catdl.repair.sizes import stated
from catdl.repair.tree import bare, walk
from catdl.syntax import ast

_MOST = 4  # axes of which each would do
_REDUCTIONS = {"sum", "prod", "max", "min", "mean", "any", "all", "logsumexp"}


def not_found(case: Case) -> Iterator[Group]:
    """E0303: a near name among the axes, the only one, or one more axis for `over`."""
    wrong, node = case.mistake, case.node
    labels = [part(a).label for a in wrong.available]
    named = [label for label in labels if is_name(label)]
    if wrong.operation == "over":
        yield from runs_along(case, part(wrong.axis), [part(a) for a in wrong.available])
        yield from spread_over(case, part(wrong.axis).label)
        return
    span = bracket(case, node)
    if span is not None:
        close = near(wrong.axis, named)
        rest = [n for n in named if n not in close]
        for label in close:
            yield one(f"did you mean `{label}`?", case.put(*span, label))
        yield tuple(Help(f"the input has `{label}`", (case.put(*span, label),)) for label in rest[:_MOST])
        if len(labels) == 1 and not named and wrong.operation in _REDUCTIONS:
            yield one("the only axis has no name; `..` means all", case.put(*span, ".."))
    if wrong.operation in _REDUCTIONS:
        step = case.around(ast.Index)
        dropped = drop_step(case, step) if step is not None else None
        if dropped is not None:
            yield one(f"`{wrong.axis}` is gone already: leave this out", dropped)


def bracket(case: Case, node: Any) -> tuple[int, int] | None:
    """Where the axis is written: the mistake may point at it, or at the whole step."""
    name = case.mistake.axis
    if case.span.text == name:
        return case.span.start, case.span.end
    node = bare(node)
    if isinstance(node, ast.Index):
        for item in node.items:
            if case.text(item).partition(":")[0].strip() == name:
                return item.start, item.end
    return None


def runs_along(case: Case, axis: Part, listed: list[Part]) -> Iterator[Group]:
    """What was cut to the size of an axis runs along that one, or along another to whose size it is to be cut."""
    for seq in (n for n in walk(case.node) if isinstance(n, ast.Seq)):
        cut = seq.steps[-1]
        sliced = bare(cut)
        if not isinstance(cut, ast.Call) or not isinstance(sliced, ast.Index) or case.text(sliced.base) != "slice":
            continue
        if [case.text(item) for item in sliced.items] != [axis.label] or case.text(cut.args[-1].value) != axis.size:
            continue
        helps = []
        for other in listed:
            said = f"if `{axis.label}` runs along `{other.label}`, say so"
            name = case.put(cut.end, cut.end, f" >> rename[{axis.label} -> {other.label}]")
            edits = (name,) if other.label == axis.size else (case.swap(cut.args[-1].value, other.label), name)
            if is_name(other.label):
                helps.append(Help(said, edits))
        yield tuple(helps)


def spread_over(case: Case, label: str) -> Iterator[Group]:
    """`over[…]` names the axis that an operand has; it comes first, or last."""
    around = case.around(ast.Call)
    while around is not None and not isinstance(around.function, ast.Index):
        place = next(i for i, n in enumerate(case.way) if n is around)
        around = next((n for n in reversed(case.way[:place]) if isinstance(n, ast.Call)), None)
    if around is None or not is_name(label):
        return
    items = around.function.items
    said = f"spread over `{label}` too"
    for place in range(len(items) + 1):
        at = items[place].start if place < len(items) else items[-1].end
        yield one(said, case.put(at, at, f"{label}, " if place < len(items) else f", {label}"))


def needs_axes(case: Case) -> Iterator[Group]:
    """E0308: all that are of size 1, for `squeeze`, or none of it; else the example, or all."""
    wrong, node = case.mistake, case.node
    parts = [part(a) for a in wrong.available]
    end = name_end(case, node)
    if end is None:
        return
    if wrong.operation == "squeeze":
        ones = [p.label for p in parts if p.size == "1" and is_name(p.label)]
        if ones:
            yield one("drop the axes of size 1", case.put(end, end, f"[{', '.join(ones)}]"))
        elif not any(p.size == "1" for p in parts) and (dropped := drop_step(case, node)) is not None:
            yield one("leave `squeeze` out", dropped)
        return
    names = [p.label for p in parts if is_name(p.label)]
    for name in reversed(names):
        yield one(f"say which: `{wrong.operation}[{name}]`, for one", case.put(end, end, f"[{name}]"))
    if wrong.operation in _REDUCTIONS:
        yield one("if all are meant, say so", case.put(end, end, "[..]"))


def of_nothing(case: Case) -> Iterator[Group]:
    """E0319: what a reduction of nothing is, or that there always is something."""
    node, wrong = case.node, case.mistake
    said = f"say that every sample has {'one' if wrong.least == 1 else wrong.least}"
    facts = (help_ for group in stated(case, f"{wrong.dim} >= {wrong.least}") for help_ in group)
    helps = [Help(said, help_.edits) for help_ in facts if help_.edits]
    call = case.parent(node)
    if isinstance(call, ast.Call) and call.function is node:
        node = call
    if wrong.operation in ("max", "min", "mean"):
        given = "empty = 0"
        edit = case.put(node.end, node.end, f"({given})")
        if isinstance(node, ast.Call):
            edit = case.put(node.end - 1, node.end - 1, f", {given}" if node.args else given)
        helps.append(Help("or what it is then, 0 for one", (edit,)))
    yield tuple(helps)


def name_end(case: Case, node: Any) -> int | None:
    """Where the brackets of a step belong: right after its name."""
    node = bare(node)
    return node.end if isinstance(node, ast.Name) else None


def free_parameter(case: Case) -> Iterator[Group]:
    """E0604: a layer acts on an axis whose size is fixed; weights for each place become one set for all."""
    node = case.node
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Index) and case.text(node.function.base) == "each":
        inner = node.args[-1].value
        body = inner.body if isinstance(inner, ast.Tie) else inner
        text = f"map{case.text(node.function)[4:]}(tied {case.text(body)})"
        yield one("one set of weights for every place is `map`", case.swap(node, text))
        return
    end = name_end(case, node)
    signature = getattr(case.decl, "signature", None)
    if end is None or not isinstance(signature, ast.Arrow) or not isinstance(signature.domain, ast.Index):
        return
    for item in signature.domain.items:
        label = item.name or case.text(item)
        if label != case.mistake.dim and is_name(label):
            yield one(f"let it act on `{label}`", case.put(end, end, f"[{label}]"))
