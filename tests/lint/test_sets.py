"""What is said of sets is true: every layer, with each of its dims a set in turn, on inputs in another order.

Without a warning the outputs are in the other order too; with one they are not.
"""

from __future__ import annotations

import re

import pytest
import torch

import catdl
from catdl.diagnostics.model_warnings import SetOrdered
from catdl.diagram.model import Diagram, Native
from catdl.diagram.params import post_order
from catdl.types.types import Axis, Leaf, axis_sizes, plain
from tests.prelude import function_cases, layer_cases
from tests.prelude.compare import draw
from tests.torch.agree import model_of

LISTS = ((layer_cases.CASES, layer_cases.SIZES), (function_cases.CASES, function_cases.SIZES))


def turned() -> list[tuple[str, str, int]]:
    """Every layer with each dim that an input of it has as an axis, and no index of it is read."""
    found = []
    for case, sizes in [(case, sizes) for cases, sizes in LISTS for case in cases]:
        domain = case.partition(" : ")[2].partition("->")[0]
        if "~>" in case:
            continue
        for name in sorted({*re.findall(r"(?<=[\[ ])([A-Z])(?=[,\]])", domain)}):
            if name in sizes and f"Fin({name})" not in case:
                text = function_cases.spec(case, sizes)
                found.append((re.sub(rf"\b({name} = \d+)", r"\1 : set", text, count=1), name, sizes[name]))
    return found


def places(leaf: Leaf, name: str) -> list[int]:
    """The axes that a dim or a twin of it labels, from the end."""
    rank = len(leaf.axes)
    return [
        i - rank
        for i, axis in enumerate(leaf.axes)
        if isinstance(axis, Axis) and isinstance(axis.label, str) and plain(axis.label).rstrip("'") == name
    ]


def reordered(x: torch.Tensor, leaf: Leaf, name: str, order: torch.Tensor) -> torch.Tensor:
    """A tensor with the elements of a dim in another order."""
    for place in places(leaf, name):
        x = x.index_select(x.dim() + place, order)
    return x


def keeps(diagram: Diagram, name: str, size: int) -> bool:
    """Whether the elements of a dim may come in any order."""
    leaves = [diagram.wires[w].type for w in (*diagram.inputs, *diagram.outputs)]
    if any(axis_sizes(leaf)[place] != size for leaf in leaves for place in places(leaf, name)):
        return False
    torch.manual_seed(0)
    model = model_of(diagram).eval()
    for key, buffer in model.named_buffers():
        if key.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.1)
    order = torch.arange(size).roll(1)
    if size > 2:
        order[:2] = order[:2].flip(0)
    wires = [diagram.wires[w] for w in diagram.inputs]
    inputs = [draw(wire.type, () if wire.constant else (2,), {}) for wire in wires]
    moved = [reordered(x, wire.type, name, order) for x, wire in zip(inputs, wires, strict=True)]
    both = [model(*inputs), model(*moved)]
    plain_, other = (r if isinstance(r, tuple) else (r,) for r in both)
    return all(
        torch.allclose(reordered(x, diagram.wires[w].type, name, order).to(y.dtype), y, atol=1e-9, equal_nan=True)
        for x, y, w in zip(plain_, other, diagram.outputs, strict=True)
    )


def opaque(diagram: Diagram) -> bool:
    """Whether an entry is used that has no definition to judge by, also inside of definitions."""
    natives = [box.op for inner in post_order(diagram) for box in inner.boxes if isinstance(box.op, Native)]
    return any(op.definition is None or opaque(op.definition.diagram()) for op in natives)


@pytest.mark.parametrize(("text", "name", "size"), turned())
def test_sets(text: str, name: str, size: int) -> None:
    spec = catdl.loads(text)
    spec.sound()
    diagram = spec["f"].diagram()
    told = any(isinstance(d, SetOrdered) and d.dim == name for d in spec.diagnostics)
    if not told and opaque(diagram):
        pytest.skip("its definition is not known")
    if "pixel_" in text or "patchify" in text or "im2col" in text:
        pytest.skip("the elements leave merged with others, so that no axis has them by itself")
    assert told == (not keeps(diagram, name, size)), text
