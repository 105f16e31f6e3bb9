"""A fold that gives out its state before each step is what gives it out after, moved: so the other laws apply to it."""

from __future__ import annotations

import pytest

from catdl.driver import loads
from catdl.rewrite.run import rewritten
from catdl.torch.build import source
from tests.rewrite.same import same

HEAD = """
dim T : time, A = 3, H = 4
object S = Real[H]
object C = (h: Real[H], c: Real[H])
functor L(X) = () + Real[A] @ X
functor K(X) = Real[H] + Real[A] @ X

algebra elman : L(S) -> S = [ zeros | (a, h) => tanh((a >> linear) + (h >> linear)) ]
algebra begun : K(S) -> S = [ id | (a, h) => tanh((a >> linear) + (h >> linear)) ]
algebra lstm  : L(C) -> C = [ zeros | (a, s) => {
    i, f, g, o = ((a >> linear(4 * H)) + (s.h >> linear(4 * H, bias = false))) >> split(4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    (h = sigmoid(o) * tanh(c), c = c)
} ]
"""
ONE_MORE = "Real[T, A] -> Real[T: T + 1, H]"

FOUND = {
    "scan0": (f"{ONE_MORE} = scan0[T](elman)", ["before", "cells"]),
    "scan0, the last first": (f"{ONE_MORE} = scan0[T](elman, reverse = true)", ["before", "cells"]),
    "a start of each sample": (f"S @ {ONE_MORE} = scan0[T](begun)", ["before", "cells"]),
    "a start of the morphism": (
        f"{ONE_MORE} = x => {{\n    param s : Real[H] ~ normal(0, 1)\n    scan0[T](begun)(s, x)\n}}",
        ["before", "cells"],
    ),
    "one of two carriers": (f"{ONE_MORE} = scan0[T](lstm) >> ((h, _) => h)", ["prune", "before", "cells"]),
    "moore0": (
        "S @ Real[T, A] -> Real[T: T + 1, A] = moore0[T](linear(A), (s, a) => tanh((a >> linear(H)) + (s >> linear)))",
        ["before", "cells"],
    ),
    "an answer before it reads": (
        "S @ Real[T, A] -> Real[T, A] @ S ="
        " mealy[T]((s, a) => (s >> linear(A), tanh((a >> linear(H)) + (s >> linear))), last = true)",
        ["hoist", "before", "cells"],
    ),
    "affine": (
        "Real[T, H] @ Real[T, H] -> Real[T: T + 1, H] ="
        " scan0[T]([ zeros | (d, a, h) => sigmoid(d) * h + a ], carrier = S)",
        ["before", "hoist", "affine"],
    ),
    "before and after": (
        "S @ Real[T, H] -> Real[T, H] @ Real[T, H] = mealy[T]((h, a) => {\n    n = h + a\n    (h, n, n)\n})",
        ["before", "monoid"],
    ),
}

LEFT = {
    "no law for the cell": f"{ONE_MORE} = scan0[T]([ zeros | (a, h) => sin((a >> linear(H)) * h) ], carrier = S)",
    "a stream": "S -> Real[N: 5, A] = unfold[N: 5](s => (s >> linear(A), s >> linear(H) >> tanh))",
}


@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize("name", FOUND)
def test_states_before_each_step(name: str, steps: int) -> None:
    text, wanted = FOUND[name]
    assert same(loads(f"{HEAD}morphism net : {text}")["net"].diagram(), {"<string>::T": steps}) == wanted


@pytest.mark.parametrize("name", LEFT)
def test_what_stays_a_loop_is_left_as_it_was(name: str) -> None:
    diagram = loads(f"{HEAD}morphism net : {LEFT[name]}")["net"].diagram()
    assert "before" not in same(diagram, {"<string>::T": 4})
    assert "torch.cat" not in source(rewritten([diagram])[0][0]) or "T + 1" in LEFT[name]


def test_each_sample_of_its_own_size_stays_as_it_is() -> None:
    text = f"{HEAD}dim N : var\nmorphism net : S @ Real[N, H] -> Real[N, H] = mealy[N]((h, a) => (h, h + a))"
    assert "before" not in loads(text)["net"].rewrites()
