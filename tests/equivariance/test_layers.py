"""What is said of layers is true: every one, with each of its dims a set, a cycle or vectors in turn, on moved inputs.

What is said to be kept is kept in numbers. What is lost may seem kept, for many weights start alike at all places.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import Tensor

import catdl
from catdl.diagram.model import Diagram
from catdl.equivariance.kept import symmetries
from catdl.symmetry.actions import Act, Group, Matrices, Translations
from catdl.types.types import axis_sizes
from tests.lint.test_sets import LISTS, MERGING, places
from tests.prelude import function_cases
from tests.prelude.compare import draw
from tests.symmetry.elements import drawn
from tests.torch.agree import model_of

ROLES = ("set", "cycle", "vector(SO)")


def turned() -> list[tuple[str, str, str]]:
    """Every layer with each dim that an input of it has as an axis, and no index of it is read; and a role."""
    found = []
    for case, sizes in [(case, sizes) for cases, sizes in LISTS for case in cases]:
        domain = case.partition(" : ")[2].partition("->")[0]
        if "~>" in case or any(word in case for word in MERGING):
            continue
        for name in sorted({*re.findall(r"(?<=[\[ ])([A-Z])(?=[,\]])", domain)}):
            if name in sizes and f"Fin({name})" not in case:
                text = function_cases.spec(case, sizes)
                found += [(re.sub(rf"\b({name} = \d+)", rf"\1 : {role}", text, count=1), name, role) for role in ROLES]
    return found


def apart(diagram: Diagram, name: str, group: Group) -> float:
    """How far a layer is from going with a random element of a group that acts on one dim."""
    size = group.size
    leaves = [diagram.wires[w].type for w in (*diagram.inputs, *diagram.outputs)]
    if any(axis_sizes(leaf)[place] != size for leaf in leaves for place in places(leaf, name)):
        return float("inf")
    torch.manual_seed(0)
    model = model_of(diagram).eval()
    for key, buffer in model.named_buffers():
        if key.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.1)
    matrix = torch.from_numpy(np.array(drawn(np.random.default_rng(1), group)(Act(group))))

    def moved(x: Tensor, wire: int) -> Tensor:
        whole = x.dtype
        numbers = whole.is_floating_point or whole.is_complex
        if not numbers and isinstance(group, Matrices):
            return x
        for place in places(diagram.wires[wire].type, name):
            wide = x if whole.is_complex else x.double()
            x = torch.tensordot(wide, matrix.to(wide.dtype), ([place], [1])).movedim(-1, place).contiguous()
        return x if x.dtype == whole else x.round().to(whole)

    wires = [diagram.wires[w] for w in diagram.inputs]
    inputs = [draw(wire.type, () if wire.constant else (2,), {}) for wire in wires]
    with torch.no_grad():
        both = [model(*inputs), model(*(moved(x, w) for x, w in zip(inputs, diagram.inputs, strict=True)))]
    plain, other = (r if isinstance(r, tuple) else (r,) for r in both)
    worst = 0.0
    for x, y, wire in zip(plain, other, diagram.outputs, strict=True):
        gap = (1.0 * moved(x, wire) - 1.0 * y).abs().nan_to_num(0).max()
        worst = max(worst, float(gap / (1 + (1.0 * y).abs().nan_to_num(0).max())))
    return worst


@pytest.mark.parametrize(("text", "name", "role"), turned())
def test_layers(text: str, name: str, role: str) -> None:
    spec = catdl.loads(text)
    if any(d.severity == "error" for d in spec.diagnostics):
        pytest.skip("the role does not fit the layer")
    diagram = spec["f"].diagram()
    for symmetry in symmetries(diagram, spec.program.role):
        assert not isinstance(symmetry.group, Translations), "no layer is given points here"
        assert symmetry.loss is not None or apart(diagram, name, symmetry.group) < 1e-9
