"""What the layers' definitions ask of the language, in specs of a user."""

from __future__ import annotations

import pytest

import catdl
from tests.prelude.test_layers import diagram
from tests.torch.agree import agree

GOOD = {
    "over takes the size of a resized axis from its operands": """
        dim C = 4, H = 8, W = 8
        param shift : Real[C] ~ normal(0, 1)
        morphism f : Real[C, H, W] -> Real[C, H: 4, W: 4] = x => {
            y = x >> maxpool2d(2)
            over[C, H, W](y + shift)
        }""",
    "an axis made in a body is known by its label": """
        dim C = 6, T = 5
        morphism f : Real[C, T] -> Real[C, T] = x => {
            g = x >> unflatten[C](G: 2, I: 3)
            y = over[G, I, T](g - mean[I](g))
            y >> flatten[G, I] >> rename[(G, I) -> C]
        }""",
    "functions of numbers": """
        dim C = 3, H = 9, W = 9
        morphism half(n) = (n + 1) // 2
        morphism depth(n) = if n < 2 then 0 else 1 + depth(n // 2)
        morphism f : Real[C, H, W] -> Real[C: depth(9), H: half(H), W: half(W)] =
            conv2d(depth(9), 3, stride = 2, padding = 1)""",
    "a wire of the branch not taken": """
        dim D = 4
        morphism g(gated : bool) : Real[D] @ Real[D] -> Real[D] = (x, y) => if gated then x * y else x
        morphism f : Real[D] @ Real[D] -> Real[D] = (x, y) => g(false)(x, y) + y""",
    "noise in training only": """
        dim D = 4
        morphism mine : Real[D] -> Real[D] = x => if_training(x + normal_like(x), x)
        morphism f : Real[D] -> Real[D] = mine >> dropout(0.5)""",
    "a morphism out of the unit as an operand": """
        dim D = 4, E = 5
        morphism f : Real[D] -> Real[E] = x => contract[D](x, eye[D, E])""",
    "a constant that goes round comes to differ from sample to sample": """
        dim D = 4
        morphism f : Real[D] -> Real[D] = x => {
            pairs = over[D, D'](x * (x >> rename[D -> D']))
            iterate(3, (u, v) => (contract[D](v, pairs) >> rename[D' -> D], u))(ones[D], zeros[D]) >> add
        }""",
    "another name": """
        dim C = 3, H = 8, W = 8
        morphism f : Real[C, H, W] -> Real[5, H: 4, W: 4] = conv(5, 3, padding = 1) >> maxpool(2)""",
    "a choice of one's own": """
        dim D = 4
        morphism act(kind : ["soft", "hard"]) : Real[D] -> Real[D] = if kind == "soft" then silu else hardswish
        morphism f : Real[D] -> Real[D] = act("hard")""",
    "channels stay channels": """
        dim C = 3, H = 8, W = 8
        morphism f : Real[C, H, W] -> Real[C: 12, H, W] =
            x => concat[C](x >> conv(8, 3, padding = 1), x >> conv(4, 1))""",
    "a mask for windows, a bias for heads": """
        dim Window = 3, Head = 2, T = 4, D = 4
        object Heads = Real[Window, Head, T, D]
        morphism f : (x: Heads, seen: Keep[Window, T, T'], near: Real[Head, T, T']) -> Heads = (x, seen, near) => {
            y = x >> rename[T -> T']
            (q = x, k = y, v = y, mask = seen, bias = near) >> attend
        }""",
}
BAD = {
    "a word that is no choice": (
        "dim D = 4\n"
        'morphism act(kind : ["soft", "hard"]) : Real[D] -> Real[D] = if kind == "soft" then silu else relu\n'
        'morphism f : Real[D] -> Real[D] = act("harder")',
        'must be "soft" or "hard"',
    ),
    "a list of the wrong length": (
        "dim C = 4, H = 8, W = 8\nmorphism f : Real[C, H, W] -> Real[C, H: 4, W: 4] = maxpool2d([2])",
        "a list of 2",
    ),
    "a sort that there is none of": ("morphism f(n : cuont) : Real -> Real = x => n * x", "sort"),
    "a mask over an axis that the queries have not": (
        "dim T = 4, D = 4, Head = 2, Z = 2\n"
        "object X = Real[Head, T, D]\nmorphism f : (q: X, k: X, v: X, mask: Keep[Z, T, T']) -> X"
        " = (q, k, v, m) => (q = q, k = k >> rename[T -> T'], v = v >> rename[T -> T'], mask = m) >> attend",
        "Keep",
    ),
    "a static argument where there is none": (
        "dim D = 4\nmorphism f : Real[D] -> Real = x => contract[D](x, 3)",
        "argument",
    ),
    "noise in evaluation": (
        "dim D = 4\nmorphism f : Real[D] -> Real[D] = x => x + if_training(0 * x, normal_like(x))",
        "draws at random",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_checks_and_runs(name: str) -> None:
    """And the compiled module is the definition."""
    agree(diagram(GOOD[name].replace("\n        ", "\n")))


@pytest.mark.parametrize("name", BAD)
def test_is_refused(name: str) -> None:
    """In words that say what is wrong."""
    text, words = BAD[name]
    found = [d.parts().message for d in catdl.loads(text).diagnostics]
    assert any(words in message for message in found), found


def test_effects_of_noise_in_training() -> None:
    """It is no noise of evaluation."""
    effects = diagram(GOOD["noise in training only"].replace("\n        ", "\n")).effects
    assert "rand_train" in effects and "rand" not in effects
