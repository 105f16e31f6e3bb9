"""The comments beside the generated statements say what the tensors are."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, TypeAlias

import pytest
import torch

import catdl
from catdl.types.types import axis_sizes

DIMS = "dim T = 5, D = 4, E = 3\n"
QKV = "(q: Real[E, T, D], k: Real[E, T', D], v: Real[E, T', D])"
SPECS = [
    f"morphism f : {QKV} -> Real[E, T, D] = attend(softcap = 2, causal = true)",
    f"morphism f : {QKV} -> Real[E, T, D] = map[E](attend(softcap = 2, dropout_p = 0.5))",
    "morphism f : Real[T, D] -> Real[T, D] = map[T](tied nn1) >> tanh\nmorphism nn1 : Real[D] -> Real[D] = linear",
    "morphism f : Real[T, D] -> Real[T, D] = map[T](linear >> relu >> softmax) >> tanh",
    "morphism f : Real[E, T, D] -> Real[E, T, D] = each[E](linear >> relu >> layernorm) >> tanh",
    "morphism f : Real[E, T, D] -> Real[E, T, D] = each[E](map[T](linear >> tanh))",
    "morphism f : Real[E, T, D] -> Real[E, T, D] = each[E](g)\nmorphism g : Real[T, D] -> Real[T, D] = linear >> relu",
    "morphism f : (x: Real[E, T, D], y: Real[D]) -> Real[E, T, D] = (x, y) => x >> map[E, T](z => z * y + y)",
]
Seen: TypeAlias = "dict[int, list[tuple[bool, dict[str, tuple[int, ...]]]]]"
STATED = re.compile(r"^\s*(\w+)(?:: Tensor)? = .*# \[(\.\.\., )?([^\]]*)\]$")


def said(source: str, shapes: Seen) -> Iterator[tuple[str, bool]]:
    """Every commented statement that ran, and whether its comment is true at each run."""
    for number, line in enumerate(source.splitlines(), 1):
        found = STATED.match(line)
        if found is None:
            continue
        name, batch, items = found.groups()
        sizes = {"T": 5, "D": 4, "E": 3}
        own = tuple(int(i.rpartition("=")[2]) if "=" in i else sizes[i] for i in items.split(", ") if i)
        for outermost, seen in shapes.get(number, []):
            shape = seen[name]
            whole = (2, 7, *own) if batch else own
            # What is called for each element of a map has the axes of the map among its batch axes.
            yield f"{line} {shape}", shape == whole or (not outermost and shape[-len(own) :] == own)


@pytest.mark.parametrize("text", SPECS)
def test_every_comment_is_true(text: str) -> None:
    """With two batch axes; each statement's variable is looked at when the next line begins."""
    spec = catdl.loads(DIMS + text)
    morphism = spec["f"]
    source, model = morphism.source(), morphism.compile()
    forward = type(model).forward.__code__
    shapes: Seen = {}
    last: dict[FrameType, int] = {}

    def watch(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != forward.co_filename:
            return None
        if frame in last and event in ("line", "return"):
            known = {k: tuple(v.shape) for k, v in frame.f_locals.items() if isinstance(v, torch.Tensor)}
            shapes.setdefault(last[frame], []).append((frame.f_code is forward, known))
        last[frame] = frame.f_lineno
        return watch

    diagram = morphism.diagram()
    leaves = [diagram.wires[wire].type for wire in diagram.inputs]
    inputs = [torch.randn(2, 7, *(size for size in axis_sizes(leaf) if isinstance(size, int))) for leaf in leaves]
    before = sys.gettrace()
    sys.settrace(watch)
    try:
        model(*inputs)
    finally:
        sys.settrace(before)
    checked = list(said(source, shapes))
    assert checked
    assert [line for line, true in checked if not true] == []
