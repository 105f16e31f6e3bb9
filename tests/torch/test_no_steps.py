"""A recursion of no steps: the start, and an axis of size 0 with the batch axes and the dtype that any other has."""

from __future__ import annotations

import pytest
import torch

import catdl
from catdl.types.dtypes import storage
from catdl.types.sizes import evaluate, free_syms
from catdl.types.types import Leaf, axis_sizes

SPEC = """
dim T : time, E = 2, A = 3, H = 4, V = 7
functor Words(X) = () + Real[A] @ X
algebra crossed : Words(Real[H]) -> Real[H] = [ zeros | (a, h) => tanh((a >> linear) + (h >> linear) * (h >> linear)) ]
algebra elman : Words(Real[H]) -> Real[H] = [ zeros | (a, h) => tanh((a >> linear) + (h >> linear(bias = false))) ]

morphism folded : Real[T, A] -> Real[H] = fold[T](crossed)
morphism scanned : Real[T, A] -> Real[T, H] = scan[T](crossed)
morphism before : Real[T, A] -> Real[T: T + 1, H] = scan0[T](crossed)
morphism back : Real[T, A] -> Real[T, H] = scan[T](crossed, reverse = true)
morphism fused : Real[T, A] -> Real[T, H] @ Real[H] = scan[T](elman) & fold[T](elman, reverse = true)
morphism summed : Real[T, A] -> Real[T, A] @ Real[A] =
    scan[T]([ zeros | add ], carrier = Real[A]) & fold[T]([ zeros | add ], carrier = Real[A])
morphism affine : Real[T, A] -> Real[T, A] @ Real[A] =
    scan[T]([ zeros | (a, h) => 0.5 * h + a ], carrier = Real[A])
    & fold[T]([ zeros | (a, h) => a * h + a ], carrier = Real[A])
morphism counted : Real[T, A] -> Real[T, A] @ Real[T] =
    x => (ones, x) >> mealy[T]((k, a) => (a * k, 0 * sum[A](a) + k, k + 1))
morphism machine : Real[H] @ Fin(V)[T] -> Fin(H)[T] @ Real[T, H] @ Real[H] = mealy[T]((s, x) => {
    new = (s >> linear) + (x >> embed(H)) * tanh(s)
    (argmax[H](new), new, new)
}, last = true)
morphism words : Fin(V)[T] -> Fin(V)[T] = x => {
    state = zeros[H]
    (state, x) >> mealy[T]((s, x) => (x, tanh(s + (x >> embed(H)))))
}
morphism moored : Real[H] @ Real[T, A] -> Real[T, V] =
    moore[T](linear(V), (s, x) => tanh((s >> linear) * (s >> linear) + (x >> linear)))
morphism stopping : Real[T] @ Real[H] -> Real[T, A] @ Keep[T] = (x, s) => {
    x >> discard
    s >> unfold[T](s => (s >> linear, s >> linear >> tanh), until = s => sum[H](s) > 100)
}
morphism never : Real[H] -> Real[Step: 0, H] = unfold[Step: 0](s => (s, s >> linear))
morphism several : Real[E, T, A] -> Real[E, T, H] = each[E](fresh scan[T](crossed))
"""
NAMES = (
    *("folded", "scanned", "before", "back", "fused", "summed", "affine"),
    *("counted", "machine", "words", "moored", "stopping", "never", "several"),
)
FITTING = {"float": torch.float64, "int": torch.int64, "bool": torch.bool}


def sizes(leaf: Leaf, steps: int) -> tuple[int, ...]:
    """The sizes of a type at a number of steps."""
    return tuple(evaluate(size, dict.fromkeys(free_syms(size), steps)) for size in axis_sizes(leaf))


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("batch", [(), (2,), (2, 5)])
@pytest.mark.parametrize("name", NAMES)
def test_the_axis_is_as_long_as_there_are_steps(name: str, batch: tuple[int, ...], steps: int) -> None:
    spec = catdl.loads(SPEC)[name]
    diagram = spec.diagram()
    wires = diagram.wires
    given = []
    for wire in diagram.inputs:
        shape = (*batch, *sizes(wires[wire].type, steps))
        index = storage(wires[wire].type.kind) == "int"
        given.append(torch.randint(7, shape) if index else torch.randn(shape, dtype=torch.float64))
    out = spec.compile().double()(*given)
    results = out if isinstance(out, tuple) else (out,)
    for result, wire in zip(results, diagram.outputs, strict=True):
        leaf = wires[wire].type
        assert result.shape == (*batch, *sizes(leaf, steps))
        assert result.dtype == FITTING[storage(leaf.kind)]
