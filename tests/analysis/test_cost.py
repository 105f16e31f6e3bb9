"""The cost of a diagram is what torch counts when the compiled module runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import catdl
from catdl.analysis.cost import count_parameters, flops, foreign, uncounted
from catdl.torch.build import build
from catdl.types.sizes import show
from tests.analysis.counted import counted, number

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
GPT2 = "Vocab = 50257, Context = 1024, D = 768, Head = 12"


def agree(text: str, name: str, *sizes: dict[str, int]) -> None:
    """Cost and number of parameters, at some sizes of the free dims."""
    diagram = catdl.loads(text)[name].diagram()
    cost = flops(diagram)
    for dims in sizes:
        assert number(cost, dims) == counted(diagram, dims)
    assert count_parameters(diagram) == sum(p.numel() for p in build(diagram).parameters())


def test_digits() -> None:
    agree((EXAMPLES / "digits.cat").read_text("utf-8"), "mlp", {})


def test_lenet() -> None:
    agree((EXAMPLES / "lenet.cat").read_text("utf-8"), "lenet", {})


def test_gpt2() -> None:
    text = (EXAMPLES / "gpt2.cat").read_text("utf-8")
    assert GPT2 in text
    agree(text.replace(GPT2, "Vocab = 50, Context = 16, D = 24, Head = 3"), "gpt2", {"T": 5}, {"T": 16})


def test_gpt2_as_published() -> None:
    diagram = catdl.load(EXAMPLES / "gpt2.cat")["gpt2"].diagram()
    assert count_parameters(diagram) == 124_439_808
    assert show(flops(diagram)) == "36864 * T^2 + 247064064 * T"


def test_running_statistics_are_not_learned() -> None:
    agree("dim C = 4, H\nmorphism f : Real[C, H] -> Real[C, H] = batchnorm >> conv1d(C, 3, padding = 1)", "f", {"H": 7})


@pytest.mark.parametrize(
    "body",
    [
        "Real[T, D] -> Real[T, E] = linear(E)",
        "Real[T, D, A] -> Real[T, E, A] = linear[D](E)",
        "Real[T, D] -> Real[T, A, E] = linear_onto[D, A, E]",
        "Real[T, A, E] -> Real[T, D] = linear_from[A, E](D)",
        "Real[A, X, Y] -> Real[6, X, Y: Y - 2] = conv2d(6, [1, 3], groups = 2)",
        "Real[A, X] -> Real[6, X: (X + 1) // 2] = conv1d(6, 3, stride = 2, padding = 1, dilation = 1)",
        "Real[A, X, Y] -> Real[A, X, Y] = depthwise_conv2d(3, padding = 1)",
        "Real[A, X] -> Real[6, X: 2 * X + 1] = conv_transpose1d(6, 3, stride = 2, groups = 2)",
        "(q: Real[A, T, D], k: Real[A, X, D], v: Real[A, X, E]) -> Real[A, T, E] = attend",
        "(q: Real[A, T, D], k: Real[E, T, D], v: Real[E, T, D]) -> Real[A, T, D] = grouped_attend(causal = true)",
        '(x: Real[T, D], y: Real[E, D]) -> Real[T, E] = (x, y) => einsum("t d, e d -> t e")(x, y)',
        '(x: Real[D], y: Real[E]) -> Real[D, E] = (x, y) => einsum("d, e -> d e")(x, y)',
        '(x: Real[T, D], y: Real[E, A]) -> Real[T] = (x, y) => einsum("t d, e a -> t")(x, y)',
        '(x: Real[D], y: Real[E, D, A], z: Real[A]) -> Real[E] = (x, y, z) => einsum("d, e d a, a -> e")(x, y, z)',
        '(x: Real[D], z: Real[A], y: Real[D, A]) -> Real = (x, z, y) => einsum("d, a, d a -> ")(x, z, y)',
        "Fin(9)[T] -> Real[T, D] = embed(D)",
        "Real[T, D] -> Probs[T, D] = layernorm >> gelu >> softmax",
        "Real[A, X] -> Real[A, X: 4] = adaptive_avgpool1d(4)",
        "Real[T, D] -> Real[T, D] = repeat(3, linear >> relu) >> iterate(2, linear)",
        "Real[T, D] -> Real[T, D] = map[T](tied (linear >> relu))",
    ],
)
def test_operations(body: str) -> None:
    dims = {"T": 6, "X": 9, "Y": 8}
    agree(f"dim T, X, Y, D = 6, E = 2, A = 4\nmorphism f : {body}", "f", dims)


def test_what_torch_leaves_out() -> None:
    form = catdl.loads("dim D = 5, E = 3\nmorphism f : Real[D] @ Real[E] -> Real[7] = bilinear(7)")["f"].diagram()
    assert flops(form) == 2 * 5 * 7 * 3 + 2 * 7 * 3
    assert counted(form, {}) == 0


def test_nested_repeats_multiply() -> None:
    text = "dim D = 4\nmorphism f : Real[D] -> Real[D] = repeat(3, x => x >> repeat(5, linear) >> relu)"
    assert flops(catdl.loads(text)["f"].diagram()) == 3 * 5 * 2 * 4 * 4


def test_each_multiplies() -> None:
    text = "dim E = 3, T, D = 4\nmorphism f : Real[E, T, D] -> Real[E, T, D] = each[E](fresh linear)"
    diagram = catdl.loads(text)["f"].diagram()
    assert number(flops(diagram), {"T": 7}) == 3 * 7 * 2 * 4 * 4
    assert count_parameters(diagram) == 3 * (4 * 4 + 4)


def test_what_is_not_counted_is_named() -> None:
    text = """
dim D = 4
extern morphism other : Real[D] -> Real[D] = python("some.place:Thing")
morphism f : Real[D, D'] -> Real = a => sum[..](inv(a) >> map[D'](tied other))
"""
    diagram = catdl.loads(text)["f"].diagram()
    assert flops(diagram) == 0
    assert uncounted(diagram) == ("inv",)
    assert foreign(diagram) == ("some.place:Thing",)


def test_a_long_chain_of_declarations() -> None:
    lines = [f"morphism f{i} : Real[D] -> Real[D] = f{i - 1} >> relu" for i in range(1, 2000)]
    text = "\n".join(["dim D = 8", "morphism f0 : Real[D] -> Real[D] = linear", *lines])
    assert flops(catdl.loads(text)["f1999"].diagram()) == 2 * 8 * 8
