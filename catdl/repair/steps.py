"""A step that was left out: axes flattened, put together again, made, or told from each other.

conv >> linear                        flatten >> linear
rearrange("t (h d) -> h t d") …       rearrange("h t d -> t (h d)")
contract[D](q, k)                     contract[D](q, k >> rename[T -> T'])
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catdl.diagnostics.base import Edit
from catdl.repair.case import Case, Group, one
from catdl.repair.shown import is_name, part, read
from catdl.repair.tree import bare, walk
from catdl.syntax import ast

_MOST = 3  # compositions, or patterns, of one declaration


def left_out(case: Case) -> Iterator[Group]:
    """E0301: what a network of this sort has at the place."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    unnamed = [axis for axis in expected.axes if axis.size == "_"]
    if len(found.axes) > len(expected.axes):
        yield from undone(case)
        yield from flattened(case)
    elif len(unnamed) == len(found.axes) + 1:
        taken = {*found.labels}
        name = next(n for n in ("C", "Channel", "Feature") if n not in taken)
        yield one("if it lacks the axis of channels, make one", *case.first(case.node, f"expand[{name}: 1]"))
    lost = [label for label in expected.labels if is_name(label) and label not in found.labels]
    if len(lost) == 1:
        yield from attended(case, lost[0])


def undone(case: Case) -> Iterator[Group]:
    """Axes that a pattern took apart are put together again."""
    texts = [n for n in walk(case.decl) if isinstance(n, ast.Text) and "->" in n.value]
    for text in texts[:_MOST]:
        left, _, right = text.value.partition("->")
        if "(" in left and "(" not in right:
            step = f'rearrange("{right.strip()} -> {left.strip()}")'
            said = "what was taken apart is put together again"
            yield one(said, *case.first(case.node, step))
            yield one(said, *case.then(case.node, step))


def flattened(case: Case) -> Iterator[Group]:
    """A linear map of all that there is takes it as one axis."""
    body = getattr(case.decl, "body", None)
    found = [n for n in walk(body) if isinstance(n, ast.Seq)] if body is not None else []
    for seq in found[:_MOST]:
        step = next((s for s in seq.steps if named(s) == "linear"), None)
        if step is not None and step.start <= case.span.end and step is not seq.steps[0]:
            yield one("a linear map of all axes takes them as one", case.put(step.start, step.start, "flatten >> "))


def named(step: Any) -> str:
    """The name of the morphism that a step is."""
    step = bare(step)
    step = step.base if isinstance(step, ast.Index) else step
    return step.id if isinstance(step, ast.Name) else ""


def attended(case: Case, label: str) -> Iterator[Group]:
    """Queries and keys along one axis meet place by place: all pairs are those of the axis and its twin."""
    twin = f"{label}'"
    edits: list[Edit] = []
    renamed: set[str] = set()
    for call in walk(case.decl):
        if not isinstance(call, ast.Call) or not isinstance(call.function, ast.Index) or len(call.args) != 2:
            continue
        if case.text(call.function.base) == "contract" and isinstance(call.args[1].value, ast.Name):
            second = call.args[1].value
            edits.append(case.swap(second, f"{second.id} >> rename[{label} -> {twin}]"))
            renamed.add(second.id)
            edits += [case.swap(item, twin) for item in call.function.items if case.text(item) == label]
    if len(renamed) > 1:
        yield one(f"along `{label}` each is with itself alone; all pairs are those of `{label}` and `{twin}`", *edits)


def lacking(case: Case) -> Iterator[Group]:
    """E0303: an axis of size 1 for what is joined along it; one along which the same is given to each."""
    wrong = case.mistake
    call = case.around(ast.Call)
    label = part(wrong.axis).label
    if not isinstance(call, ast.Call) or not is_name(label):
        return
    if wrong.operation == "concat":
        for arg in call.args:
            if isinstance(arg.value, ast.Name):
                said = f"what has no `{label}` is one more element along it"
                yield one(said, case.swap(arg.value, f"{case.text(arg.value)} >> expand[{label}: 1]"))
    if wrong.operation in ("each", "map"):
        said = f"if each `{label}` is given the same, repeat it"
        place = next((i for i, n in enumerate(case.way) if n is call), 0)
        applied = next((n for n in reversed(case.way[:place]) if isinstance(n, ast.Call) and n.function is call), None)
        if applied is not None and len(applied.args) == 1:
            yield one(said, *case.then(applied.args[0].value, f"expand[{label}]"))
        else:
            yield one(said, *case.first(call, f"expand[{label}]"))
