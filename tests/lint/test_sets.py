"""What is said of sets is true: every layer, with each of its dims a set in turn, on inputs in another order.

Without a warning the outputs are in the other order too; with one they are not.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
import torch

import catdl
from catdl.check.names import free, mentioned
from catdl.check.scope import MorphismDef
from catdl.diagnostics.model_warnings import SetOrdered
from catdl.diagram.model import Diagram
from catdl.types.types import Axis, Leaf, axis_sizes, plain
from tests.prelude import function_cases, layer_cases
from tests.prelude.compare import draw
from tests.torch.agree import model_of

MERGING = ("pixel_", "patchify", "im2col")  # elements leave merged with others: no axis has them by itself
OTHERWISE = ("diag :", "rfft >> irfft")  # they leave along an axis of another name; what is undone again was done
LISTS = ((layer_cases.CASES, layer_cases.SIZES), (function_cases.CASES, function_cases.SIZES))


def turned() -> list[tuple[str, str, int]]:
    """Every layer with each dim that an input of it has as an axis, and no index of it is read."""
    found = []
    for case, sizes in [(case, sizes) for cases, sizes in LISTS for case in cases]:
        domain = case.partition(" : ")[2].partition("->")[0]
        if "~>" in case or any(word in case for word in MERGING + OTHERWISE):
            continue
        for name in sorted({*re.findall(r"(?<=[\[ ])([A-Z])(?=[,\]])", domain)}):
            if name in sizes and f"Fin({name})" not in case:
                text = function_cases.spec(case, sizes)
                text = re.sub(rf"\b({name} = \d+)", r"\1 : set", text, count=1)
                if not opaque(text) or is_told(catdl.loads(text), name):
                    found.append((text, name, sizes[name]))
    return found


@cache
def undefined() -> frozenset[str]:
    """The entries of the prelude without a definition to judge by, also inside of others'."""
    program = catdl.loads("dim D").program
    entries = {name: e for name in program.prelude.names() if isinstance(e := program.entry(name), MorphismDef)}
    found = {name for name, entry in entries.items() if bodiless(entry)}
    while more := {name for name, entry in entries.items() if name not in found and uses(entry, found)}:
        found |= more
    return frozenset(found)


def bodiless(definition: MorphismDef) -> bool:
    """Whether an entry has only a signature; a core operation has its rule."""
    return definition.head.body is None and "core" not in definition.modifiers


def uses(definition: MorphismDef, names: set[str]) -> bool:
    """Whether an entry speaks of one of some others."""
    head = definition.head
    return any(free([head], name) for name in mentioned([head]) & names)


def opaque(text: str) -> bool:
    """Whether a spec uses an entry without a definition."""
    return not undefined().isdisjoint(re.findall(r"\w+", text))


def is_told(spec: catdl.Spec, name: str) -> bool:
    """Whether there is a warning of the order of a dim."""
    return any(isinstance(d, SetOrdered) and d.dim == name for d in spec.diagnostics)


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


@pytest.mark.parametrize(("text", "name", "size"), turned())
def test_sets(text: str, name: str, size: int) -> None:
    spec = catdl.loads(text)
    spec.sound()
    assert is_told(spec, name) == (not keeps(spec["f"].diagram(), name, size)), text
