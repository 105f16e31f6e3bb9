# ruff: noqa: E501  (lines of specs)
"""Small specs on which random ones once went wrong, shrunk."""

from __future__ import annotations

import pytest
import torch

import catdl
from catdl.diagram.params import parameters
from catdl.torch.build import source
from tests.laws.agreement import sound
from tests.laws.generate import Spec, used

TIED = "param w : Real[A, A] ~ zeros\nparam b : Real[A] ~ zeros\nmorphism f : Real[A] -> Real[A] = "
CHOICE = "morphism c(k) = if k == 1 then tanh else cos\nmorphism f : "
PLUG = (
    "morphism gate[..S] : Real[..S] -> Real[..S] = w => {\n    param g : Real[..S] ~ ones\n    w * g\n}\n"
    "morphism twist[..S] : Real[..S] -> Real[..S] = w => tanh(w) + w\nparam w : Real[A, A] ~ zeros\nparam b : Real[A] ~ zeros\n"
    "morphism m : Real[A] -> Real[A] = linear(A)\nmorphism f : Real[B, A] -> Real[B, A] = "
)
CASES = {
    "repeat of a layer that is plugged in full": TIED + "repeat(2, linear(A){weight = w, bias = b})",
    "iterate of one": TIED + "iterate(2, linear(A){weight = w, bias = b} >> tanh)",
    "a repeat whose weights are all plugged": (
        "param w : Real[A, A] ~ zeros\nparam b : Real[A] ~ zeros\n"
        "morphism f : Real[A] -> Real[A] = linear(A) >> repeat(2, linear(A){weight = w, bias = b})"
    ),
    "rounds within a loop that are given a weight each": "param w : Real[C] ~ ones\nmorphism m : Real[C, A] -> Real[C, A] = batchnorm >> tanh\nmorphism f : Real[C, A] -> Real[C, A] = iterate(2, repeat(2, m)){**.weight = w}",
    "rounds within a loop that keep statistics alone": "param w : Real[C] ~ ones\nmorphism m : Real[C, A] -> Real[C, A] = batchnorm >> tanh\nmorphism f : Real[C, A] -> Real[C, A] = iterate(2, repeat(2, m)){** = w}",
    "rounds within a loop that keep nothing": "param w : Real[A, A] ~ zeros\nparam b : Real[A] ~ zeros\nmorphism m : Real[A] -> Real[A] = linear(A) >> tanh\nmorphism f : Real[A] -> Real[A] = iterate(2, repeat(2, m)){**.weight = w, **.bias = b}",
    "rounds of which one keeps its weight": "param w : Real[A, A] ~ zeros\nparam b : Real[A] ~ zeros\nmorphism m : Real[A] -> Real[A] = linear(A) >> tanh\nmorphism f : Real[A] -> Real[A] = repeat(2, m){0.linear.weight = w, **.bias = b}",
    "an axis called as one of a row without a name": "morphism f : Real[D, P2: 2, B, C] -> Real[D, P2: 2, B, C] = batchnorm",
    "repeat of one layer on another axis": "morphism f : Real[D, K: 6] -> Real[D, K: 6] = repeat(2, layernorm[D](eps = 0.1))",
    "iterate of one layer on another axis": "morphism f : Real[D, K: 6] -> Real[D, K: 6] = iterate(2, linear[D](D))",
    "each of one layer on another axis": "morphism f : Real[B, D, K: 6] -> Real[B, D, K: 6] = each[B](linear[D](D))",
    "repeat of a convolution of other axes": "morphism f : Real[B, D, K: 6] -> Real[B, D, K: 6] = repeat(2, conv1d[B, D](B, 3, padding = 1))",
    "a number beside a layer that needs one batch axis": "morphism f : Real[C, U] @ Real -> Real[C, U] @ Real = conv1d(C, 3, padding = 1) @ id",
    "one number in each group": "morphism f : Real[A] -> Real[A] = groupnorm(2, eps = 0.1)",
    "an instance norm of numbers": "morphism f : Real[D] -> Real[D] = instancenorm(eps = 0.1, affine = true)",
    "a convolution of other axes under many": "morphism f : Real[K: 6, D, U] -> Real[K: 6, D, U] = repeat(2, conv1d[D, U](D, 3, padding = 1))",
    "a convolution of other axes at every index": "morphism f : Real[B, C, D, K: 6] -> Real[B, C, D, K: 6] = each[B](conv1d[D, K](D, 3, padding = 1))",
    "repeat of a convolution that is padded before": 'morphism f : Real[D, U] -> Real[D, U] = repeat(2, conv1d(D, 2, padding = "same"))',
    "repeat of a convolution of a weight": "param w : Real[D, K: 6] ~ normal(0, 1)\nmorphism f : Real[D, K: 6] -> Real[D, K: 6] = x => x + (w >> repeat(2, conv1d(D, 3, padding = 1) >> tanh))",
    "repeat of a batchnorm on another axis": "morphism f : Real[D, K: 6] -> Real[D, K: 6] = repeat(2, batchnorm[K])",
    "a round that passes an input on": "morphism f : Real[D] @ Real[D] -> Real[D] @ Real[D] = iterate(2, (x, s) => (x >> linear(D), s))",
    "a number from a weight beside a layer that needs one batch axis": "param w : Real ~ ones\nmorphism f : Real[C, U] -> Real[C, U] @ Real = x => (x >> conv1d(C, 3, padding = 1), w)",
    "repeat of an instance norm of numbers": "morphism f : Real[D] -> Real[D] = repeat(2, instancenorm(eps = 0.1, affine = true))",
    "an instance norm of a free size": "morphism f : Real[D, U] -> Real[D, U] = instancenorm(eps = 0.1, affine = true)",
    "one channel in each group": "morphism f : Real[D, U] -> Real[D, U] = groupnorm(D, eps = 0.1)",
    "names of torch": "morphism tensor : Real[D] -> Real[D] = x => tanh(x) + x + sin(x)\nmorphism nn : Real[D] -> Real[D] = linear(D) >> tensor >> tensor\nmorphism module : Real[D] -> Real[D] = nn >> nn >> tensor\nmorphism F : Real[D] -> Real[D] = module >> gelu\nmorphism len : Real[D] -> Real[D] = x => sin(x) + x + x\nmorphism Tensor : Real[D] -> Real[D] = F >> len >> len\nmorphism f : Real[D] -> Real[D] = repeat(2, Tensor) >> linear(D) >> module",
    "a static choice in a tensor product": CHOICE + "Real[A] @ Real -> Real[A] @ Real = c(0) @ id",
    "a step plugged below an each": PLUG + "each[B](m){**.weight: twist, **.bias: gate}",
    "a step plugged below an each that runs often": PLUG + "iterate(2, each[B](m)){**.weight: twist, **.bias: gate}",
    "a wire plugged into one round of many that run often": PLUG + "iterate(2, repeat(2, map[B](m))){**.1.**.bias = b}",
    "a round that is given all its weights": PLUG + "repeat(2, map[B](m)){0.**.weight = w, 0.**.bias = b}",
    "one round changed": PLUG + "repeat(2, map[B](m) >> tanh){1: twist >> neg}",
    "frozen where a declared parameter is used": PLUG + "map[B](repeat(2, linear(A){weight = w})){**: frozen}",
    "an equation that needs no argument": "morphism tower(0, k) = id\nmorphism tower(n, k) = x => x + (x >> linear(k) >> tower(n - 1, k))\nmorphism f : Real[C] -> Real[C] = tower(2, C)",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_sound(text: str) -> None:
    sound(Spec(used(text.split("\n")), {"T": 6, "U": 5}))


@pytest.mark.parametrize(
    "body",
    [
        "Real[X: N] -> Real[X: 2 * (N // 2)] where 2 | N = id",
        'Real[X: N] -> Real[2, N / 2] where 2 | N = rearrange("(a b) -> a b", a = 2)',
        "Real[X: N] -> Real[X: N / 2] where 2 | N = maxpool1d(2)",
    ],
)
def test_what_a_morphism_states_holds_in_it(body: str) -> None:
    """`where` after a signature counts for the sizes of the signature and of the result."""
    assert catdl.loads(f"dim N\nmorphism f : {body}\n").diagnostics == []


@pytest.mark.parametrize("layer", ["batchnorm[C]", "groupnorm[C](2)", "instancenorm[C](affine = true)"])
def test_a_named_axis_is_the_one_that_is_normalised(layer: str) -> None:
    """`f[C]` acts on the axis C wherever it stands, also where the signature has C first."""
    spec = catdl.loads(f"dim B = 3, C = 4\nmorphism f : Real[B, C] -> Real[B, C] = {layer}\n")
    spec.sound()
    assert {tuple(p.shape) for p in spec["f"].compile().parameters()} == {(4,)}


def test_too_few_elements_are_refused() -> None:
    """A slice of two from an axis of one must not yield one: the module says that T is too small."""
    text = "dim T\nparam w : Real[T: 2] ~ ones\nmorphism f : Real[T] -> Real[T: 2] = x => (x >> slice[T](0, 2)) + w\n"
    spec = catdl.loads(text)
    spec.sound()
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        spec["f"].compile()(torch.ones(1))


def test_a_square_weight_has_a_twin_axis() -> None:
    """The weight of a linear map from an axis to itself is declared with the twin of the axis."""
    text = (
        "dim T, D = 4\nparam w : Real[D, D'] ~ zeros\nmorphism f : Real[T, D] -> Real[T, D] = linear(D){weight = w}\n"
    )
    assert catdl.loads(text).diagnostics == []


def test_every_index_keeps_the_order_of_leaves() -> None:
    """The state dict lists the weights of `each` as `parameters` does."""
    spec = catdl.loads("dim B = 3, D = 4\nmorphism f : Real[B, D] -> Real[B, D] = each[B](linear(D))\n")
    spec.sound()
    assert list(spec["f"].compile().state_dict()) == [p.path for p in parameters(spec["f"].diagram())]


def test_a_package_keeps_its_name() -> None:
    """No class of the file may hide a module that the file imports."""
    spec = catdl.loads(
        'extern morphism part : Real[3] -> Real[3] = python("Whole.parts:Part")\n'
        "morphism Whole : Real[3] -> Real[3] = x => x + part(x)\n"
    )
    spec.sound()
    shown = source(spec["Whole"].diagram())
    assert "import Whole.parts\n" in shown
    assert "class Whole2(nn.Module)" in shown
