"""Keys of the higher-order constructions: what adds a segment, what collides, what is shared, and that it all runs."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.diagram.model import Diagram
from catdl.diagram.params import bodies, parameters
from catdl.diagram.taken import TAKEN
from catdl.diagram.verify import verify
from tests.torch.agree import agree

FILE = """
dim T, E = 3, F = 2, D = 4, O = 5
morphism ffn : Real[D] -> Real[D] = up: linear(6) >> relu >> down: linear
morphism twice(tied f : Real[D] -> Real[D]) : Real[D] -> Real[D] = f >> f
morphism pair(tied f : Real[E, D] -> Real[E, D]) : Real[E, D] -> Real[E, D] = f >> f
morphism f : """


def file(text: str) -> str:
    """A file whose `f` is a text, with the parameter that it may plug in."""
    return ("param w : Real[D, D] ~ normal(0, 1)\n" if "w}" in text else "") + FILE.lstrip() + text


def layer(name: str, *below: str) -> list[str]:
    """The keys of a layer with weight and bias."""
    return [f"{name}.{leaf}" for leaf in below or ("weight", "bias")]


def shapes(diagram: Diagram) -> dict[str, str]:
    return {p.path: ", ".join(str(a.size) for a in p.type.axes) for p in parameters(diagram)}  # type: ignore[union-attr]


def diagram_of(text: str) -> Diagram:
    found = catdl.loads(file(text))["f"].diagram()
    stack = [found]
    while stack:
        at = stack.pop()
        verify(at)
        stack += [body for box in at.boxes if (body := bodies(box)) is not None]
    return found


def keys(*names: str) -> list[str]:
    return [key for name in names for key in layer(name)]


CASES = {
    "each": (
        "Real[E, D] -> Real[E, O] = each[E](fresh (layernorm >> linear)) >> layernorm",
        keys("layernorm", "linear", "layernorm_2"),
    ),
    "each after": (
        "Real[E, D] -> Real[E, O] = layernorm >> each[E](fresh (layernorm >> linear))",
        keys("layernorm", "layernorm_2", "linear"),
    ),
    "each of one": ("Real[E, D] -> Real[E, D] = each[E](fresh ffn)", keys("ffn.up", "ffn.down")),
    "each of a lambda": ("Real[E, D] -> Real[E, O] = each[E](fresh (x => x >> linear))", keys("linear")),
    "each with a name": (
        "Real[E, D] -> Real[E, O] = experts: each[E](fresh (layernorm >> linear)) >> layernorm",
        keys("experts.layernorm", "experts.linear", "layernorm"),
    ),
    "each of one with a name": (
        "Real[E, D] -> Real[E, D] = experts: each[E](fresh ffn)",
        keys("experts.up", "experts.down"),
    ),
    "each that cannot be stacked": (
        "Images -> Images = each[E](fresh (CONV >> relu >> CONV)) >> each[E](fresh CONV)",
        keys("conv2d", "conv2d_2", "conv2d_3"),
    ),
    "each with a loop that cannot be stacked": (
        "Images -> Images = each[E](fresh (CONV >> repeat(2, fresh CONV) "
        ">> iterate(2, tied (CONV >> dropout(p = 0.0)))))",
        keys("conv2d", "conv2d_2.0", "conv2d_2.1", "conv2d_3"),
    ),
    "map": (
        "Real[T, D] -> Real[T, O] = map[T](tied (layernorm >> linear(O))) >> linear(O)",
        keys("layernorm", "linear", "linear_2"),
    ),
    "map in each": (
        "Real[E, T, D] -> Real[E, T, D] = each[E](fresh map[T](tied (layernorm >> linear)))",
        keys("layernorm", "linear"),
    ),
    "iterate": (
        "Real[D] -> Real[D] = iterate(3, tied (layernorm >> linear)) >> linear(D)",
        keys("layernorm", "linear", "linear_2"),
    ),
    "iterate of a box used twice": (
        "Real[D] -> Real[D] = iterate(2, tied (x => {\n"
        "    box tied g = linear(D) >> tanh\n    x >> g >> g >> linear(D)\n}))",
        keys("g.linear", "linear"),
    ),
    "iterate of no input": (
        "Real[D] -> Real[D] = iterate(3, tied (x => {\n    x >> discard\n    param b : Real[D] ~ ones\n    b\n}))",
        ["b"],
    ),
    "iterate of two wires": (
        "Real[D] @ Real[D] -> Real[D] @ Real[D] = (x, y) => {\n    z = x * 2\n"
        "    (u, v) = (x, y) >> iterate(3, tied ((a, b) => ((b * z) >> linear, (a + z) >> linear >> tanh)))\n"
        "    (u + z, v + x)\n}",
        keys("linear", "linear_2"),
    ),
    "iterate in each": (
        "Real[E, D] -> Real[E, D] = each[E](fresh (x => iterate(3, tied (y => (y >> linear) + x))(x)))",
        keys("linear"),
    ),
    "iterate in iterate in each": (
        "Real[E, D] -> Real[E, D] = each[E](fresh iterate(3, tied (layernorm >> iterate(2, tied (linear >> tanh)))))",
        keys("layernorm", "linear"),
    ),
    "each in each": (
        "Real[E, F, T, D] -> Real[E, F, T, D] = each[E](fresh (map[F, T](tied linear(D)) >> "
        "each[F](fresh (linear(D) >> relu >> linear(D))) >> each[F](fresh map[T](tied (linear(D) >> tanh)))))",
        keys("linear", "linear_2", "linear_3", "linear_4"),
    ),
    "each in repeat": (
        "Real[E, D] -> Real[E, D] = repeat(2, fresh each[E](fresh (layernorm >> linear)))",
        keys("repeat.0.layernorm", "repeat.0.linear", "repeat.1.layernorm", "repeat.1.linear"),
    ),
    "two repeats": (
        "Real[D] -> Real[D] = repeat(2, fresh (layernorm >> linear)) >> repeat(1, fresh (layernorm >> linear))",
        keys("repeat.0.layernorm", "repeat.0.linear", "repeat.1.layernorm", "repeat.1.linear")
        + keys("repeat_2.0.layernorm", "repeat_2.0.linear"),
    ),
    "chain": (
        "Real[D] -> Real[D] = chain([iterate(2, tied (layernorm >> linear)), linear(D)])",
        keys("chain.0.layernorm", "chain.0.linear", "chain.1"),
    ),
    "tied each": (
        "Real[E, D] -> Real[E, D] = pair(each[E](fresh (layernorm >> linear))) >> layernorm",
        keys("layernorm", "linear", "layernorm_2"),
    ),
    "tied iterate": ("Real[D] -> Real[D] = twice(iterate(2, tied (linear >> tanh)))", keys("linear")),
    "tied repeat": (
        "Real[D] -> Real[D] = twice(repeat(2, fresh linear >> tanh))",
        keys("repeat.0.linear", "repeat.1.linear"),
    ),
    "tied beside a declared parameter": (
        "Real[D] -> Real[D] = twice(linear{weight = w} >> layernorm)",
        ["linear.bias", *keys("layernorm")],
    ),
    "two params of one name": (
        "Real[D] -> Real[D] = (x => {\n    param s : Real[D] ~ ones\n    x * s\n}) >> "
        "(x => {\n    param s : Real[D] ~ ones\n    x * s\n})",
        ["s", "s_2"],
    ),
    "a name that a number makes": (
        "Real[D] -> Real[D] = linear(D) >> linear(D) >> linear_2: linear(D)",
        keys("linear", "linear_2", "linear_2_2"),
    ),
}


def text_of(case: str) -> str:
    return CASES[case][0].replace("Images", "Real[E, C: 2, H: 6, W: 6]").replace("CONV", "conv2d(2, 3, padding = 1)")


@pytest.mark.parametrize("case", CASES)
def test_keys_and_values(case: str) -> None:
    diagram = diagram_of(text_of(case))
    assert list(shapes(diagram)) == CASES[case][1]
    agree(diagram, {"<string>::T": 3})


def test_show_tells_the_same_keys() -> None:
    for case in ("each", "map", "iterate", "each that cannot be stacked"):
        shown = catdl.loads(file(text_of(case)))["f"].show()
        assert all(f"  {key} " in shown for key in CASES[case][1])


def test_shapes() -> None:
    found = shapes(diagram_of(text_of("each")))
    assert found == {
        "layernorm.weight": "3, 4",
        "layernorm.bias": "3, 4",
        "linear.weight": "3, 5, 4",
        "linear.bias": "3, 5",
        "layernorm_2.weight": "5",
        "layernorm_2.bias": "5",
    }
    found = shapes(diagram_of(text_of("each in each")))
    assert (found["linear.weight"], found["linear_2.weight"], found["linear_4.bias"]) == (
        "3, 4, 4",
        "3, 2, 4, 4",
        "3, 2, 4",
    )


def examples() -> Iterator[tuple[str, nn.Module, Tensor]]:
    for case, size in (
        ("each", (3, 4)),
        ("each that cannot be stacked", (3, 2, 6, 6)),
        ("map in each", (3, 5, 4)),
        ("iterate of a box used twice", (4,)),
        ("iterate in iterate in each", (3, 4)),
    ):
        yield case, catdl.loads(file(text_of(case)))["f"].compile(), torch.randn(2, *size)


def test_copies_and_files() -> None:
    for case, model, x in examples():
        wanted = model(x)
        torch.testing.assert_close(copy.deepcopy(model)(x), wanted)
        stream = io.BytesIO()
        torch.save(model, stream)
        stream.seek(0)
        again = torch.load(stream, weights_only=False)
        torch.testing.assert_close(again(x), wanted)
        assert list(again.state_dict()) == CASES[case][1]
        with torch.device("meta"):
            empty = catdl.loads(file(text_of(case)))["f"].compile()
        empty.load_state_dict(model.state_dict(), assign=True)
        torch.testing.assert_close(empty(x), wanted)


def test_compiled_and_exported() -> None:
    for case, model, x in examples():
        wanted = model(x)
        torch.testing.assert_close(torch.compile(model, fullgraph=True, backend="aot_eager")(x), wanted)
        if case not in ("each that cannot be stacked", "map in each"):  # torch exports no weights through `vmap`
            torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), wanted)


def test_slices_start_each_by_itself() -> None:
    model = catdl.loads(
        FILE
        + "Real[E, F, D] -> Real[E, F, O] = each[E](fresh each[F](fresh map[G](tied linear)))".replace(
            "F, D", "F, G: 2, D"
        ).replace("F, O", "F, G: 2, O")
    )["f"].compile()
    weight = model.state_dict()["linear.weight"]
    assert weight.shape == (3, 2, 5, 4)
    assert bool((weight.abs() <= 0.5).all()) and float(weight.std()) > 0.2  # uniform up to 1 / sqrt(4)


def test_what_cannot_stand_under_its_own_name_is_refused() -> None:
    images = "Real[E, C: 2, H: 6, W: 6]"
    text = f"{images} -> {images} = each[E](fresh (conv2d(2, 3, padding = 1) >> batchnorm))"
    with pytest.raises(catdl.CheckError, match="cannot keep a state"):
        catdl.loads(file(text))["f"].compile()


def test_each_reads_across_the_batch_at_each_index_alone() -> None:
    text = "Real[E, D] -> Real[E, D] = each[E](fresh (x => x - over[D](across_mean[D](x))))"
    agree(diagram_of(text))
    x = torch.randn(7, 3, 4)
    found = catdl.loads(file(text))["f"].compile()(x)
    torch.testing.assert_close(found, x - x.mean(0))


EXTERN = """
dim C = 4, E = 3
extern morphism e : Real[C] -> Real[C] = python("torch.nn:Linear", in_features = 4, out_features = 4)
extern morphism wrong : Real[C] -> Real[C] = python("torch.nn:Linear", in_features = 4, out_features = 3)
morphism f : """


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Real[C] -> Real[C] = e >> e", keys("e", "e_2")),
        ("Real[C] -> Real[C] = name: e", keys("name")),
        ("Real[C] -> Real[C] = repeat(2, fresh e)", keys("e.0", "e.1")),
        ("Real[C] -> Real[C] = iterate(2, tied e)", keys("e")),
        ("Real[C] -> Real[C] = chain([e, e])", keys("e.0", "e.1")),
        ("Real[E, C] -> Real[E, C] = each[E](fresh e)", keys("e")),
        ("Real[E, C] -> Real[E, C] = map[E](tied e)", keys("e")),
    ],
)
def test_a_module_of_another_package_stands_under_its_name_once(text: str, wanted: list[str]) -> None:
    model = catdl.loads(EXTERN + text)["f"].compile(allow=["torch"])
    assert list(model.state_dict()) == wanted
    lead = (3,) if "Real[E" in text else ()
    assert model(torch.randn(2, *lead, 4)).shape == (2, *lead, 4)
    wrong = catdl.loads(EXTERN + re.sub(r"\be\b", "wrong", text))
    with pytest.raises(ValueError, match="the output must be"):
        wrong["f"].compile(allow=["torch"])(torch.randn(2, *lead, 4))


def test_no_key_hides_what_every_module_has() -> None:
    """What torch has, whatever its version, is refused as a name (E0109)."""
    assert {name for name in dir(nn.Module()) if not name.startswith("__")} <= TAKEN
