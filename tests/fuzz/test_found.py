"""Texts that fuzzing found, each of which once made the checker raise or run on: they get reports like any other."""

from __future__ import annotations

import pytest

from catdl.diagnostics.text import render
from catdl.driver import loads

FOUND = {
    "a kind that is no name": (
        "dim A, B = 3\nmorphism first[..S, A] : Rea£[..S, A] -> Real = mean[..]\n"
        "morphism f : Real[A, B] -> Real[B] = first\n",
        ("E0002", "E0101"),
    ),
    "a second equation whose signature is broken": (
        "dim D = 4\nmorphism s(0) : Real[D] -> Real[D] = id\n"
        "morphism s(n) : Real[D]] -> Real[D] = linear >> s(n - 1)\nmorphism main : Real[D] -> Real[D] = s(3)\n",
        ("E0005",),
    ),
    "a binder that is a kind here and an axis there": ("morphism f[..x, A] : R -> A[A]\n", ("E0101",)),
    "a merged axis that is too large": (
        "dim H = 2, K = 9223372036854775807\nmorphism m : Real[H, K] -> Real[(H K)] = id\n",
        ("E0806",),
    ),
    "a template without a body": ("morphism t(f : R[D])\nmorphism m : Real -> Real = t(relu)\n", ("E0208",)),
    "a constant that is no number": ('morphism m : Real -> () = full_like("") >> discard\n', ("E0503",)),
    "a chance that is no number": ('morphism m : Real -> Real = bernoulli_like("")\n', ("E0503",)),
    "a pattern of many stars": (
        "morphism m : Real[2] -> Real[2] = repeat(6, fresh repeat(6, fresh linear)){" + "**.a." * 40 + "w = ones}\n",
        ("E0601",),
    ),
    "a stack of nothing": ("morphism m : () -> () = stack[l] >> discard\n", ("E0505",)),
    "a row for an axis": ("morphism m[..S] : () ~> Real = length_mask[..S]\n", ("E0208",)),
    "a row for an index": ("morphism m[..S] : Real[..S] -> () = x => index[..S] >> discard\n", ("E0208",)),
    "an index of nothing": ("morphism m : Real -> () = x => index[] >> discard\n", ("E0308",)),
    "a period beyond any": ("dim W\nmorphism m : Real[(W / 9223372036854775808)] -> () = discard\n", ("E0207",)),
    "equations that never end": (
        "dim D = 4\nmorphism s(0) : Real[D] -> Real[D] = id\n"
        "morphism s(n) : Real[D] -> Real[D] = linear >> s(n + 3)\nmorphism main : Real[D] -> Real[D] = s(3)\n",
        ("E0807",),
    ),
    "a root that is no real number": ("morphism m : Real[2] -> Real[2] = x => x * (-8) ^ (1 / 3)\n", ("E0205",)),
    "as many numbers as there are none, normalised": (
        "dim C = 8, H = 2, W = 9223372036854775807\n"
        "morphism m : Real[C, H, W] -> Real[C, H, W] = conv2d(C, 1) >> instancenorm\n",
        ("W0202",),
    ),
    "a quotient by a dim that may be zero, inside of another": (
        "dim A = 4, U\nmorphism m : Real[C: ((A // U) // (24 - A)), A] -> Real = argmax[A]\n",
        ("E0301",),
    ),
    "a role with a sign that is no letter": ("dim T : ti\uff44em\n", ("E0002",)),
    "attention over no features": (
        "dim T, D = 0\nmorphism m : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend\n",
        ("E0211",),
    ),
    "attention over no features, scaled": (
        "dim T, D = 0, W = 144\n"
        "morphism m : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend(scale = 1 / sqrt(W))\n"
        "morphism n : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend\n",
        ("E0211",),
    ),
    "an operation that lacks its axes without a help": (
        'morphism m : Real[2] -> () = x => 1 >> argmax >> rearrange("a b -> b a") >> discard\n',
        ("E0308",),
    ),
    "an index below nothing in a signature": (
        "dim T, V = 10\nmorphism f[A] : Fin()[A] @ Real[A] -> Real[A] = (x, y) => y\n"
        "morphism g : Fin(V)[T] @ Real[T] -> Real[T] = f\n",
        ("E0208",),
    ),
    "a scale that is the root of no width": (
        "dim T, D = 4, W = 8\n"
        "morphism m : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend(scale = W / 1e200)\n"
        "morphism n : Real[T, D] -> Real[T, D] = x => (q = x, k = x, v = x) >> attend(scale = 1e200 / W) >> nothing\n",
        ("E0101",),
    ),
    "a dim that an equation makes a number": (
        "dim T, S = T / 4\nwhere 2 == T\ndim Half = T / 2\n",
        ("E0207",),
    ),
    "a template without a signature that uses itself": (
        "morphism residual[X](f : X -> X) = x => residual(relu\n",
        (),
    ),
    "a learner with a line that is none": (
        "learner l {\n    = 3\n    model\n    loss = cross_entropy\n}\n",
        ("E0001",),
    ),
    "a division by a number whose divisors are many to try": (
        "dim Place = (224 / 16) * (224 / 9223372036854775807) + 1\n",
        ("E0207",),
    ),
    "a power that is a truth": ("dim D = 2\nmorphism m : Real[D]^(1 == 1) -> Real[D] = id\n", ("E0208",)),
    "a body half read under a morphism that acts": (
        "dim N : set, A = 4, B = 6\n"
        "hom residual[S](f : S -> S) : Real[N, A] @ S -> Real[N, A] @ S = (x, y) => (x, f(y)u\n"
        "hom beside : Real[N, A] @ Real[N, B] -> Real[N, A] @ Real[N, B] = residual(relu)\n",
        ("E0004",),
    ),
    "a hom half read, with morphisms among its arguments": (
        "dim N : set, A = 4\nhom f(g : Real[A] -> Real[A]) Real[N, A] -> = map[N](tied g)\n"
        "hom as ( ) = as ( ) // as [ ] / as ( ) - as 1\n",
        ("E0001",),
    ),
    "a window that no padding makes fit": (
        "dim H = 24 : grid, A = 4\n"
        "hom coarser : Real[A, H] -> Real[A, H: 12] = conv1d(A, 3, padding = 1, stride = 9223372036854775807)\n",
        ("E0301",),
    ),
    "a window without arguments in a line of its own": (
        "dim A = 4, T, U : set\n"
        "(x, y)\n"
        "morphism m : Real[U] -> Prob[A, T] = residual(im2col[A -> K]()) >> (x => {\n"
        "    over[A, T, U](T)\n"
        "})\n",
        ("E0008",),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_reports(name: str) -> None:
    text, codes = FOUND[name]
    found = loads(text).diagnostics
    assert render(found)
    assert {mistake.code for mistake in found} >= set(codes)


def test_what_is_too_large_to_count_is_shown() -> None:
    shown = loads("dim D = 2^62\nmorphism a : Real[D] -> Real[D] = linear(D) >> linear\n")["a"].show()
    assert f"{2 * (2**124 + 2**62):,}" in shown


def test_maps_into_no_channels_compose() -> None:
    text = "dim N : set, B = 6\nmorphism r : Real[N, B] -> Real[N, B] = equilinear(0) >> equilinear[Real[N, B]]\n"
    assert loads(text).diagnostics == []
