"""Networks that no number tells a dtype: what they start from is in that of the weights, and on their device."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import catdl
from catdl.types.types import Leaf, axis_sizes

SPEC = """
dim T : time, R : var, N = 5, H = 4, V = 7
functor Words(X) = () + Fin(V) @ X
functor Expr(X) = Fin(V) + Fin(3) @ X @ X

morphism start : () -> Real[H] = 2 * ones[H]
morphism hot : Fin(V) -> Real[H] = x => over[H](real(x) * ones[H])
algebra count : Words(Real[H]) -> Real[H] = [ zeros | (w, h) => h * h + (w >> hot) ]
algebra elman : Words(Real[H]) -> Real[H] = [
    zeros | (w, h) => tanh((w >> embed(H)) + (h >> linear) * (h >> linear))
]
algebra depth : Expr(Real) -> Real = [
    (w => w >> discard >> (() => ones)) | (op, l, r) => op >> discard >> (() => 1 + maximum(l, r))
]

morphism folded : Fin(V)[T] -> Real[H] = fold[T](elman)
morphism counted : Fin(V)[T] -> Real[H] = fold[T](count) >> linear
morphism begun : Fin(V)[T] -> Real[H] = x => {
    s = start
    (s, x) >> fold[T]([ id | (w, h) => tanh((w >> embed(H)) + (h >> linear)) ])
}
morphism ragged : Fin(V)[R] -> Real[H] = fold[R](count) >> linear
morphism pooled : Fin(V)[R] -> Real[H] = map[R](hot) >> max[R](empty = 0) >> linear
morphism trees : mu(Expr) -> Real[H] = fold(depth) >> expand[H] >> linear
morphism nodes : mu(Expr) -> Real[H] = annotate[R](depth) >> max[R] >> expand[H] >> linear
morphism mask : Keep[T] -> Real[T, H] = x => over[T, H](real(x) * start) >> linear
morphism stream : () -> Real[N, H] = zeros[H] >> unfold[N](s => (s >> linear, s >> linear >> tanh))
morphism spaced : () -> Real[N, H] = linspace[N](0, 1) >> (t => over[N, H](t * ones[H])) >> linear
morphism kept : Fin(V) -> Real[H] = x => {
    state h : Real[H] = ones
    z = hot(x)
    h <- h + z
    h
}
morphism plain : Fin(V) -> Real[H] = x => {
    state k : Fin(V) = 0
    z = hot(k) + hot(x)
    k <- x
    z
}
morphism statistics : Fin(V) -> Real[H] = hot >> batchnorm(affine = false)
param w : Real[H] ~ ones
morphism declared : Fin(V)[T] -> Real[H] = fold[T]([ zeros | (x, h) => h + hot(x) * w ], carrier = Real[H])
"""

NAMES = (
    *("folded", "counted", "begun", "ragged", "pooled", "trees", "nodes", "mask", "stream", "spaced"),
    *("kept", "statistics", "declared"),
)


def given(spec: Any, leaf: Leaf) -> Any:
    """An input of a type: 4 elements along each free axis, two samples."""
    if leaf.kind.form is not None:
        return spec.trees([(1, (2, 3, 4), 5), 6])
    sizes = [size if isinstance(size, int) else 4 for size in axis_sizes(leaf)]
    shape = sizes if any("R" in str(axis) for axis in leaf.axes) else [2, *sizes]
    return torch.ones(shape, dtype=torch.bool if leaf.kind.name == "Keep" else torch.int64)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_the_dtype_is_that_of_the_weights(name: str, dtype: torch.dtype) -> None:
    spec = catdl.loads(SPEC)[name]
    diagram = spec.diagram()
    inputs = [given(spec, diagram.wires[wire].type) for wire in diagram.inputs]
    offsets = {"R": torch.tensor([0, 1, 4])} if name in ("ragged", "pooled") else {}
    assert spec.compile().to(dtype)(*inputs, **offsets).dtype == dtype


@pytest.mark.parametrize("name", ["stream", "spaced"])
def test_what_has_no_input_is_made_where_the_weights_are(name: str) -> None:
    assert catdl.loads(SPEC)[name].compile().to("meta")().device.type == "meta"


def test_a_network_without_numbers_of_its_own_has_the_default() -> None:
    spec = catdl.loads(SPEC)
    assert spec["plain"].compile().double()(torch.tensor([1, 2])).dtype == torch.get_default_dtype()
