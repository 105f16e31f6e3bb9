"""Layers that slide a window: the padding with which a size stays what it is.

conv2d(C, 3)                              64 becomes 62: `padding = 1`
conv2d(C, 3, padding = 1, dilation = 2)   64 becomes 62: `padding = 2`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from catdl.check.scope import MorphismDef
from catdl.diagnostics.base import Edit
from catdl.repair.case import Case, Group, one
from catdl.repair.shown import read
from catdl.repair.tree import walk
from catdl.syntax import ast

PADDING = "padding"
_LESS = re.compile(r"^(.+) - (\d+)$")
_MOST = 3  # layers that are padded alone, the nearest first


def padded(case: Case) -> Iterator[Group]:
    """E0301: each layer that loses something with more padding, as far as that is told; then all as `"same"`."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    body = getattr(case.decl, "body", None)
    if body is None or len(expected.axes) != len(found.axes):
        return
    lost = {lacking(w.size, h.size) for w, h in zip(expected.axes, found.axes, strict=True) if w.size != h.size}
    lost.discard(0)
    calls = [n for n in walk(body) if isinstance(n, ast.Call) and n.start < case.span.end and takes_padding(case, n)]
    if len(lost) != 1 or not calls:
        return
    said = "pad, and the size stays"
    told = {d.span.start: d.formula for d in case.mistake.parts().derivations if d.span is not None}
    each = [(call, int(less[2])) for call in calls if (less := _LESS.match(told.get(call.start, "")))]
    if len(each) > 1:
        yield one(said, *(more(case, call, less) for call, less in each))
    bare = [call for call in calls if given(call) is None]
    if len(bare) > 1:
        yield one(said, *(with_padding(case, call, '"same"') for call in bare))
    least = lost.pop()
    calls.sort(key=lambda call: (call.start not in told, -call.start))
    for call in calls[:_MOST]:
        yield one(said, more(case, call, least))


def lacking(want: str, have: str) -> int:
    """How much shorter one size is than another, 0 if it is not."""
    if want.isdigit() and have.isdigit():
        return max(int(want) - int(have), 0)
    less = _LESS.match(have)
    return int(less[2]) if less is not None and less[1] == want else 0


def takes_padding(case: Case, call: ast.Call) -> bool:
    """Whether a call is of a layer that can pad."""
    root: Any = call.function
    while isinstance(root, ast.Index):
        root = root.base
    found = case.module.find(root.id) if isinstance(root, ast.Name) else None
    return isinstance(found, MorphismDef) and any(p.name == PADDING for p in found.head.params or ())


def given(call: ast.Call, name: str = PADDING) -> ast.Expr | None:
    """The value that an argument is given by its name."""
    return next((a.value for a in call.args if a.name == name and a.sep == "="), None)


def more(case: Case, call: ast.Call, less: int) -> Edit:
    """The edit that makes up for what a layer loses; the stride takes its part of what is added."""
    now = given(call)
    if now is not None and not isinstance(now, ast.Number):
        return with_padding(case, call, '"same"')
    return with_padding(case, call, str(-(-less * stride(call) // 2) + (int(now.value) if now is not None else 0)))


def stride(call: ast.Call) -> int:
    """The stride of a layer, 1 where it is not a plain number."""
    value = given(call, "stride")
    return int(value.value) if isinstance(value, ast.Number) else 1


def with_padding(case: Case, call: ast.Call, text: str) -> Edit:
    """The edit that gives a layer its padding."""
    now = given(call)
    if now is not None:
        return case.swap(now, text)
    if not call.args:
        return case.put(call.end - 1, call.end - 1, f"{PADDING} = {text}")
    return case.put(call.args[-1].end, call.args[-1].end, f", {PADDING} = {text}")
