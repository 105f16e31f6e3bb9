"""Cells of torch, however written, become torch's kernels; what is almost one stays the loop; both are equal."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catdl.rewrite.run import rewritten
from catdl.torch.build import build, source
from tests.rewrite.by_text import body, fold, folded
from tests.rewrite.same import names, same

DIMS = {"T": 6}
STEP = "morphism cell : Real[H] @ Real[A] -> Real[H] = (h, a) => "
TWO = "morphism cell : Real[H] @ Real[H] @ Real[A] -> Real[H] @ Real[H] = (h, c, a) => "

ELMAN = {
    "linears": STEP + "tanh((a >> linear(H)) + (h >> linear(bias = false)))",
    "other order": STEP + "tanh((h >> linear) + (a >> linear(H)))",
    "relu": STEP + "relu((a >> linear(H)) + (h >> linear))",
    "no bias": STEP + "tanh((a >> linear(H, bias = false)) + (h >> linear(bias = false)))",
    "one linear of both": STEP + "concat[J](h >> rename[H -> J], a >> rename[A -> J]) >> linear(H) >> tanh",
    "a number beside": STEP + "tanh(0.5 * (a >> linear(H)) + (h >> linear) + 1 - (a >> linear(H)))",
    "an element as it is": "morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => tanh(a + (h >> linear))",
    "a function of the element": STEP + "tanh((a >> layernorm >> linear(H)) + (h >> linear))",
}

LSTM = {
    "four linears": TWO
    + """{
    i = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    f = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    g = tanh((a >> linear(H)) + (h >> linear(bias = false)))
    o = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    new = f * c + i * g
    (o * tanh(new), new)
}""",
    "joint, in torch's order": TWO
    + """{
    i, f, g, o = ((a >> linear(4 * H)) + (h >> linear(4 * H))) >> split(4)
    new = sigmoid(f) * c + sigmoid(i) * tanh(g)
    (sigmoid(o) * tanh(new), new)
}""",
    "joint, another order": TWO
    + """{
    o, g, i, f = ((a >> linear(4 * H)) + (h >> linear(4 * H))) >> split(4)
    new = tanh(g) * sigmoid(i) + c * sigmoid(f)
    (tanh(new) * sigmoid(o), new)
}""",
    "interleaved": TWO
    + """{
    gates = ((a >> linear(J: 4 * H)) + (h >> linear(J: 4 * H))) >> unflatten[J](H: H, G: 4)
    i = gates >> slice[G](0, 1) >> squeeze[G]
    f = gates >> slice[G](1, 2) >> squeeze[G]
    g = gates >> slice[G](2, 3) >> squeeze[G]
    o = gates >> slice[G](3, 4) >> squeeze[G]
    new = sigmoid(f) * c + sigmoid(i) * tanh(g)
    (sigmoid(o) * tanh(new), new)
}""",
    "one linear of both": TWO
    + """{
    i, f, g, o = concat[J](a >> rename[A -> J], h >> rename[H -> J]) >> linear(4 * H) >> split(4)
    new = sigmoid(f + 1) * c + sigmoid(i) * tanh(g)
    (sigmoid(o) * tanh(new), new)
}""",
}

GRU = {
    "torch's": STEP
    + """{
    r = sigmoid((a >> linear(H)) + (h >> linear))
    z = sigmoid((a >> linear(H)) + (h >> linear))
    n = tanh((a >> linear(H)) + r * (h >> linear))
    (1 - z) * n + z * h
}""",
    "joint": STEP
    + """{
    rx, zx, nx = a >> linear(3 * H) >> split(3)
    rh, zh, nh = h >> linear(3 * H) >> split(3)
    n = tanh(nx + sigmoid(rx + rh) * nh)
    z = sigmoid(zx + zh)
    n + z * (h - n)
}""",
    "the other update": STEP
    + """{
    r = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    z = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    n = tanh((a >> linear(H)) + r * (h >> linear(bias = false)))
    z * n + (1 - z) * h
}""",
    "lerp": STEP
    + """{
    r = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    z = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))
    n = tanh((a >> linear(H)) + r * (h >> linear(bias = false)))
    lerp(n, h, z)
}""",
}

FIRST = "    i = sigmoid((a >> linear(H)) + (h >> linear(bias = false)))\n"

NEAR = {
    "another function of a gate": LSTM["four linears"].replace("f = sigmoid", "f = tanh"),
    "out before the tanh": LSTM["four linears"].replace("o * tanh(new)", "tanh(o * new)"),
    "no tanh": LSTM["four linears"].replace("o * tanh(new)", "o * new"),
    "the old cell given out": LSTM["four linears"].replace("o * tanh(new)", "o * tanh(c)"),
    "coupled gates": LSTM["four linears"].replace("i * g", "(1 - f) * g").replace(FIRST, ""),
    "a peephole": LSTM["four linears"].replace("o = sigmoid(", "o = sigmoid((c >> linear) + "),
    "reset before the product": GRU["torch's"].replace("r * (h >> linear)", "((r * h) >> linear)"),
    "the state twice": STEP + "tanh((a >> linear(H)) + (h >> linear) + h * h)",
    "a residual": STEP + "h + tanh((a >> linear(H)) + (h >> linear))",
    "two layers": STEP + "tanh((a >> linear(H)) + (h >> linear(H) >> tanh >> linear))",
    "sigmoid": STEP + "sigmoid((a >> linear(H)) + (h >> linear)) * 1",
    "z h twice": GRU["torch's"].replace("(1 - z) * n + z * h", "(1 - z) * n + z * h + z * h"),
    "update of another": GRU["torch's"].replace("(1 - z) * n + z * h", "(1 - z) * n + r * h"),
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ELMAN)
def test_elman(name: str, reverse: bool) -> None:
    assert same(fold(ELMAN[name], reverse=reverse), DIMS) == ["cells"]


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("name", LSTM)
def test_lstm(name: str, zeros: bool) -> None:
    assert same(fold(LSTM[name], 2, zeros=zeros, reverse=zeros), DIMS) == ["cells"]


@pytest.mark.parametrize("name", GRU)
def test_gru(name: str) -> None:
    assert same(fold(GRU[name]), DIMS) == ["cells"]


@pytest.mark.parametrize("name", NEAR)
def test_what_is_almost_a_cell_stays_a_loop(name: str) -> None:
    carried = 2 if NEAR[name].startswith(TWO) else 1
    assert "cells" not in same(fold(NEAR[name], carried), DIMS)


def test_weights_in_torchs_order_are_not_copied() -> None:
    (found,), _ = rewritten([fold(LSTM["joint, in torch's order"], 2)])
    text = source(found)
    assert "torch.cat" not in text
    assert "self.linear.weight, self.linear_2.weight, self.linear.bias, self.linear_2.bias" in " ".join(text.split())
    assert "torch.cat" in source(rewritten([fold(LSTM["joint, another order"], 2)])[0][0])


@pytest.mark.parametrize("kernel", ["RNN", "GRU", "LSTM"])
def test_equal_to_torchs_modules(kernel: str) -> None:
    texts = {
        "RNN": STEP + "tanh((a >> linear(H)) + (h >> linear))",
        "GRU": GRU["joint"],
        "LSTM": LSTM["joint, in torch's order"],
    }
    module = getattr(torch.nn, kernel)(3, 4, batch_first=True).double()
    (found,), _ = rewritten([fold(texts[kernel], 2 if kernel == "LSTM" else 1)])
    model = build(found).double()
    given = dict(model.named_parameters())
    ours = [given[key] for key in ("linear.weight", "linear_2.weight", "linear.bias", "linear_2.bias")]
    with torch.no_grad():
        for mine, theirs in zip(ours, module.parameters(), strict=True):
            mine.copy_(theirs)
    x = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    start = torch.zeros(2, 4, dtype=torch.float64)
    states = (start, start) if kernel == "LSTM" else (start,)
    last = model(*states, x)
    wanted = module(x)[1]
    pairs = list(zip(last, wanted, strict=True)) if kernel == "LSTM" else [(last, wanted)]
    for mine, theirs in pairs:
        torch.testing.assert_close(mine, theirs[0], rtol=1e-10, atol=1e-10)
    mine_grads = torch.autograd.grad(sum(y.square().sum() for y, _ in pairs), [x, *ours])
    grads = torch.autograd.grad(sum(y.square().sum() for _, y in pairs), [x, *module.parameters()])
    for one, other in zip(mine_grads, grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_all_steps_of_the_hidden_state() -> None:
    text = LSTM["joint, another order"].replace("-> Real[H] @ Real[H]", "-> Real[H] @ Real[H] @ Real[H]")
    text = text.replace("(tanh(new) * sigmoid(o), new)", "out = tanh(new) * sigmoid(o)\n    (out, new, out)")
    for reverse in (False, True):
        assert same(fold(text, 2, reverse=reverse), DIMS) == ["cells"]


def test_all_steps_of_the_cell_state_stay_a_loop() -> None:
    text = LSTM["joint, another order"].replace("-> Real[H] @ Real[H]", "-> Real[H] @ Real[H] @ Real[H]")
    text = text.replace("(tanh(new) * sigmoid(o), new)", "(tanh(new) * sigmoid(o), new, new)")
    assert same(fold(text, 2), DIMS) == ["hoist"]


def test_cells_in_calls_with_names() -> None:
    text = """
morphism gate : Real[H] @ Real[A] -> Real[H] = (h, a) => (a >> linear(H)) + (h >> linear(bias = false))
morphism cell : Real[H] @ Real[H] @ Real[A] -> Real[H] @ Real[H] = (h, c, a) => {
    i, f = ((h, a) >> into: gate >> sigmoid, (h, a) >> forget: gate >> sigmoid)
    g, o = ((h, a) >> new: gate >> tanh, (h, a) >> out: gate >> sigmoid)
    state = f * c + i * g
    (o * tanh(state), state)
}"""
    diagram = fold(text, 2)
    assert same(diagram, DIMS) == ["cells"]
    assert "forget.linear_2.weight" in build(rewritten([diagram])[0][0]).state_dict()


def test_a_context_for_all_steps_goes_in_with_the_elements() -> None:
    text = """
morphism cell : Real[H] @ Real[A] @ Real[H] -> Real[H] =
    (h, a, w) => tanh((a >> linear(H)) + (w >> linear) + (h >> linear))"""
    assert same(fold(text, captured=1), DIMS) == ["cells"]


def test_a_tied_weight() -> None:
    text = """
param w : weights(mix)
morphism mix : Real[H] -> Real[H] = linear
morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => tanh((h >> mix{w}) + (a >> mix{w}))
"""
    assert same(fold(text), DIMS) == ["cells"]


def test_a_weight_that_is_made() -> None:
    text = STEP + "tanh((a >> linear(H)) + (h >> linear{weight: w => w + low_rank(2)}))"
    assert same(fold(text), DIMS) == ["cells"]


def test_it_runs_under_compile_export_and_deepcopy() -> None:
    for text, carried in ((LSTM["four linears"], 2), (GRU["joint"], 1)):
        model = build(rewritten([fold(text, carried)])[0][0]).double()
        states = [torch.randn(2, 4, dtype=torch.float64) for _ in range(carried)]
        inputs = (*states, torch.randn(2, 5, 3, dtype=torch.float64))
        wanted = model(*inputs)
        torch.testing.assert_close(copy.deepcopy(model)(*inputs), wanted)
        torch.testing.assert_close(torch.export.export(model, inputs).module()(*inputs), wanted)
        torch.testing.assert_close(torch.compile(model, backend="eager")(*inputs), wanted)


def test_no_steps_give_the_start() -> None:
    for text, carried in ((LSTM["four linears"], 2), (GRU["joint"], 1), (ELMAN["relu"], 1)):
        model = build(rewritten([fold(text, carried)])[0][0])
        starts = [torch.randn(2, 4) for _ in range(carried)]
        found = model(*starts, torch.randn(2, 0, 3))
        for a, b in zip(found if carried == 2 else (found,), starts, strict=True):
            assert torch.equal(a, b)


# Random cells: gates in any order, from one linear or several, sums and products in any order; and one slip.


@st.composite
def linears(draw: st.DrawFn, gates: int) -> tuple[list[str], list[str]]:
    """Statements that make the sums of the gates `g0`, `g1`, …, and their names in the order in which they were cut."""
    order = draw(st.permutations(range(gates)))
    names_ = [f"g{k}" for k in order]
    bias = [draw(st.sampled_from(["", ", bias = false"])) for _ in range(2)]
    if draw(st.booleans()):
        parts = [f"(a >> linear({gates} * H{bias[0]}))", f"(h >> linear({gates} * H{bias[1]}))"]
        total = " + ".join(draw(st.permutations(parts)))
        return [f"{', '.join(names_)} = ({total}) >> split({gates})"], names_
    lines = []
    for name in names_:
        parts = [f"(a >> linear(H{bias[0]}))", f"(h >> linear(H{bias[1]}))"]
        lines.append(f"{name} = {' + '.join(draw(st.permutations(parts)))}")
    return lines, names_


def product(draw: st.DrawFn, *factors: str) -> str:
    return " * ".join(draw(st.permutations(factors)))


SLIPS = ("none", "function", "twice", "early")


@st.composite
def lstms(draw: st.DrawFn) -> tuple[str, bool]:
    """An LSTM cell, or one with a slip; and whether it is one."""
    lines, _ = draw(linears(4))
    slip = draw(st.sampled_from(SLIPS))
    wrong = draw(st.sampled_from(["tanh", "relu", "sin"]))
    forget = f"{wrong}(g1)" if slip == "function" else "sigmoid(g1)"
    kept, added = product(draw, forget, "c"), product(draw, "sigmoid(g0)", "tanh(g2)")
    extra = " + 0.5 * h" if slip == "twice" else ""
    lines.append(f"new = {' + '.join(draw(st.permutations([kept, added])))}{extra}")
    inner = product(draw, "sigmoid(g3)", "new")
    out = f"tanh({inner})" if slip == "early" else product(draw, "sigmoid(g3)", "tanh(new)")
    body_ = "\n    ".join([*lines, f"({out}, new)"])
    return f"{TWO}{{\n    {body_}\n}}", slip == "none"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(lstms(), st.booleans())
def test_random_lstm_cells(cell: tuple[str, bool], reverse: bool) -> None:
    text, is_one = cell
    assert (same(fold(text, 2, reverse=reverse), DIMS, ((2,),)) == ["cells"]) == is_one


@st.composite
def grus(draw: st.DrawFn) -> tuple[str, bool]:
    """A GRU cell, or one with a slip; and whether it is one."""
    lines, _ = draw(linears(2))
    slip = draw(st.sampled_from(SLIPS))
    bias = draw(st.sampled_from(["", "(bias = false)"]))
    h = "((r * h) >> linear)" if slip == "early" else product(draw, "r", f"(h >> linear{bias})")
    lines += ["r = sigmoid(g0)", "z = tanh(g1)" if slip == "function" else "z = sigmoid(g1)"]
    lines.append(f"n = tanh({' + '.join(draw(st.permutations(['(a >> linear(H))', h])))})")
    forms = ["(1 - z) * n + z * h", "n + z * (h - n)", "z * n + (1 - z) * h", "h - z * h + n * z", "lerp(n, h, z)"]
    extra = " - 0.5 * h" if slip == "twice" else ""
    body_ = "\n    ".join([*lines, draw(st.sampled_from(forms)) + extra])
    return f"{STEP}{{\n    {body_}\n}}", slip == "none"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(grus(), st.booleans())
def test_random_gru_cells(cell: tuple[str, bool], reverse: bool) -> None:
    text, is_one = cell
    assert ("cells" in same(fold(text, reverse=reverse), DIMS, ((2,),))) == is_one


def test_the_law_is_told() -> None:
    _, applied = rewritten([fold(GRU["joint"])])
    assert names(applied) == ["cells"] and applied[0].what == "fold[T] is torch's fused GRU"
    assert applied[0].law.equation == "c = c' implies fold[T](c) = fold[T](c')"


def test_a_body_that_grows_too_large_is_left_alone() -> None:
    wide = " + ".join(f"tanh({k} * h)" for k in range(90))
    deep = "h" + " >> tanh" * 400
    for cell in (f"({wide}) * ({wide})", deep):
        assert "cells" not in names(rewritten([folded(body(STEP + f"({cell}) + 0 * (a >> linear(H))"))])[1])
