"""Grids: what a hom is accepted for moves with the signal, but for places at the ends that are told as spoilt."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import catdl
from catdl.diagnostics.symmetry_errors import SymmetryLost
from catdl.equivariance.kept import Symmetry, symmetries
from catdl.types.types import Axis, Leaf

DIMS = "dim H = 24 : grid, W = 24 : grid, D = 4, C = 3\n"
SIZE, MOVED = 24, 4

KEPT = [  # with the step by which it goes, and the places that are spoilt
    ("Real[D, H] -> Real[C, H: 22]", "conv1d(C, 3) >> relu", 1, 0),
    ("Real[D, H] -> Real[C, H]", "conv1d(C, 3, padding = 1) >> relu", 1, 1),
    ("Real[D, H] -> Real[C, H]", "conv1d(8, 3, padding = 1) >> relu >> conv1d(C, 5, padding = 2)", 1, 3),
    ("Real[D, H] -> Real[C, H: 20]", "conv1d(8, 3, padding = 1) >> relu >> conv1d(C, 5)", 1, 1),
    ("Real[D, H] -> Real[C, H: 12]", "conv1d(C, 3, padding = 1, stride = 2)", 2, 1),
    ("Real[D, H] -> Real[D, H: 6]", "maxpool1d(2) >> conv1d(D, 3, padding = 1) >> avgpool1d(2)", 4, 1),
    ("Real[D, H] -> Real[C, H]", 'conv1d(C, 3, padding = "causal")', 1, 2),
    ("Real[D, H] -> Real[D, H]", 'pad[H](1, 1, mode = "reflect") >> conv1d(D, 3)', 1, 1),
    ("Real[H, D] -> Real[H, D]", "linear(8) >> layernorm >> relu >> linear", 1, 0),
    ("Real[D, H] -> Real[D, H]", "x => x + (x >> pad[H](1, 1) >> slice[H](2, 26))", 1, 1),
    ("Real[D, H, W] -> Real[C, H, W]", "conv2d(C, 3, padding = 1) >> relu >> conv2d(C, 3, padding = 1)", 1, 2),
    ("Real[D, H] -> Real[H: 6, C]", 'rearrange("d (h p) -> h (d p)", p = 4) >> linear(C)', 4, 0),
    ("Real[D, H] -> Real[D, H]", "repeat(3, fresh conv1d(D, 3, padding = 1) >> tanh)", 1, 3),
]

LOST = [
    ("Real[D, H] -> Real[D]", "conv1d(D, 3, padding = 1) >> mean[H]"),
    ("Real[D, H] -> Real[D]", "max[H]"),
    ("Real[D, H] -> Real[D]", "flatten >> linear(D)"),
    ("Real[H, D] -> Real[H, D]", "positions[H, D](50)"),
    ("Real[D, H] -> Real[D, H]", "reverse[H]"),
    ("Real[D, H] -> Real[D, H]", "cumsum[H]"),
    ("Real[D, H] -> Real[D, H]", "softmax[H]"),
    ("Real[D, H] -> Real[D, H]", "layernorm[H]"),
    ("Real[D, H] -> Real[D, H]", "linear[H](H)"),
    ("Real[H, D] -> Real[H, D]", "each[H](fresh linear(D))"),
    ("Real[D, H] -> Real[D, H]", "x => over[D, H](x + real(index[H]))"),
    ("Real[D, H] -> Real[D, H]", "x => x >> avgpool1d(2) >> pad[H](0, 12)"),
    ("Real[D, H] -> Real[D]", "slice[H](3, 4) >> squeeze[H]"),
]


def spec(signature: str, body: str, word: str) -> catdl.Spec:
    return catdl.loads(f"{DIMS}{word} f : {signature} = {body}\n")


def of_grid(found: catdl.Spec) -> Symmetry:
    return next(s for s in symmetries(found["f"].diagram(), found.program.role) if s.dim.endswith("::H"))


def gap(found: catdl.Spec, step: int, border: int) -> float:
    """How far what comes of a signal that is moved is from the moved result, the spoilt places left out."""
    torch.manual_seed(0)
    module = found["f"].compile().double().eval()
    diagram = found["f"].diagram()
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_()
    names = [dims(diagram.wires[w].type) for w in (*diagram.inputs, *diagram.outputs)]
    at = names[0].index("H") + 1
    x = torch.randn(2, *(SIZE + MOVED if k + 1 == at else SIZE if n == "W" else 4 for k, n in enumerate(names[0])))
    before, after = (x.double().narrow(at, start, SIZE) for start in (0, MOVED))
    with torch.no_grad():
        one, other = module(before), module(after)
    if "H" not in names[1]:
        return apart(one, other)
    place = names[1].index("H") + 1
    moved, length = MOVED // step, one.shape[place]
    inside = length - moved - 2 * border
    assert inside > 0
    return apart(one.narrow(place, border + moved, inside), other.narrow(place, border, inside))


def dims(leaf: Leaf) -> list[str]:
    """The dims of the axes of a type."""
    labels = [axis.label if isinstance(axis, Axis) else None for axis in leaf.axes]
    return [label.rpartition("::")[2] if isinstance(label, str) else "" for label in labels]


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / (1 + one.abs().max()))


@pytest.mark.parametrize(("signature", "body", "step", "border"), KEPT, ids=lambda v: str(v))
def test_kept(signature: str, body: str, step: int, border: int) -> None:
    assert not any(d.severity == "error" for d in spec(signature, body, "hom").diagnostics)
    found = spec(signature, body, "morphism")
    symmetry = of_grid(found)
    assert symmetry.kept is not None and (symmetry.kept.step, symmetry.border) == (step, border)
    assert gap(found, step, border) < 1e-9
    if border:  # and no more is said to be spoilt than is
        assert gap(found, step, border - 1) > 1e-6


@pytest.mark.parametrize(("signature", "body"), LOST)
def test_lost(signature: str, body: str) -> None:
    assert any(isinstance(d, SymmetryLost) for d in spec(signature, body, "hom").diagnostics)
    found = spec(signature, body, "morphism")
    assert of_grid(found).loss is not None
    assert gap(found, 1, 2) > 1e-6
