"""Calls, repeats, maps, each, shared and declared parameters: keys, sharing, agreement with the interpreter."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from catdl.diagram.model import Diagram, Each, Map, Repeat
from catdl.diagram.params import parameters
from catdl.torch.build import build, source
from catdl.types.sizes import sym
from catdl.types.types import Axis
from tests.diagram.by_hand import Hand, ax, fin, linear, native, real, relu
from tests.torch.agree import agree

A, D, E = ax("A", 3), ax("D", 4), ax("E", 2)
T = ax("T")
DIMS = {"T": 5}


def block(leaf_axes: tuple[Axis, ...] = (D,), width: int = 6) -> Diagram:
    h = Hand("block")
    x = h.input(real(*leaf_axes), "x")
    y = linear(h, x, ax("F", width), "up")
    y = relu(h, y)
    y = linear(h, y, D, "down")
    return h.done(h.point("add", (x, y), real(*leaf_axes)))


def residual(f: Diagram, site: str | None) -> Diagram:
    """An inline higher-order body: `x => x + f(x)`."""
    h = Hand("residual")
    leaf = f.wires[f.inputs[0]].type
    x = h.input(leaf, "x")
    (y,) = h.call(f, x, site=site)
    return h.done(h.point("add", (x, y), leaf))


def keys(d: Diagram) -> list[str]:
    return [p.path for p in parameters(d)]


def test_call_and_sharing() -> None:
    b = block()
    h = Hand("twice")
    x = h.input(real(D), "x")
    (y,) = h.call(b, x, site="block")
    (z,) = h.call(b, y, site="block")
    d = h.done(z)
    assert keys(d) == ["block.up.weight", "block.up.bias", "block.down.weight", "block.down.bias"]
    agree(d)
    assert source(d).count("Block()") == 1


def test_one_class_for_units_that_differ_in_a_number() -> None:
    b, same, other = block(), block(), block(width=5)
    h = Hand("net")
    x = h.input(real(D), "x")
    for callee, site in ((b, "a"), (same, "b"), (other, "c")):
        (x,) = h.call(callee, x, site=site)
    d = h.done(x)
    agree(d)
    text = source(d)
    assert "def __init__(self, out_features: int) -> None:" in text
    assert (text.count("Block(6)"), text.count("Block(5)")) == (2, 1)
    assert text.count("class ") == 2


def test_inline_calls_join_the_namespace() -> None:
    h = Hand("net")
    x = h.input(real(D), "x")
    for site in ("first", "second"):
        (x,) = h.call(residual(block(), site), x, inline=True)
    d = h.done(x)
    assert keys(d)[0] == "first.up.weight"
    agree(d)
    assert "Residual" not in source(d)


@pytest.mark.parametrize("tie", ["fresh", "tied"])
def test_repeat(tie: Any) -> None:
    h = Hand("net")
    x = h.input(real(T, D), "x")
    body = Hand("body")
    bx = body.input(real(T, D))
    (by,) = body.call(block((T, D)), bx, site="block")
    (y,) = h.box(Repeat(3, body.done(by), tie, 0), (x,), real(T, D), site="block")
    d = h.done(h.point("add", (x, y), real(T, D)))
    assert keys(d)[0] == ("block.0.up.weight" if tie == "fresh" else "block.up.weight")
    agree(d, DIMS)


@pytest.mark.parametrize("tie", ["fresh", "tied"])
def test_repeat_of_a_native_and_of_a_composite(tie: Any) -> None:
    h = Hand("net")
    x = h.input(real(D), "x")
    body = Hand("body")
    single = body.done(linear(body, body.input(real(D)), D))
    (x,) = h.box(Repeat(2, single, tie, 0), (x,), real(D), site="linear")
    body = Hand("mix")
    mixed = body.done(relu(body, linear(body, body.input(real(D)), D)))
    (x,) = h.box(Repeat(2, mixed, tie, 0), (x,), real(D), site="mix")
    d = h.done(x)
    index = "0." if tie == "fresh" else ""
    assert f"linear.{index}weight" in keys(d)
    assert f"mix.{index}linear.weight" in keys(d)
    agree(d)


def test_repeat_with_several_wires_and_a_captured_one() -> None:
    body = Hand("step")
    x, y, m = body.input(real(D), "x"), body.input(real(D), "y"), body.input(real(D), "m")
    s = body.point("add", (linear(body, x, D), m), real(D))
    inner = body.done(y, s)
    h = Hand("net")
    x, m = h.input(real(D), "x"), h.input(real(D), "m")
    a, b = h.box(Repeat(3, inner, "fresh", 1), (x, x, m), real(D), real(D), site="step")
    agree(h.done(a, b, m))
    h = Hand("net")
    x, m = h.input(real(D), "x"), h.input(real(D), "m", constant=True)
    a, b = h.box(Repeat(3, inner, "tied", 1), (x, x, m), real(D), real(D), site="step")
    agree(h.done(b, a))


def test_repeat_without_weights() -> None:
    body = Hand("halve")
    x = body.input(real(D), "x")
    inner = body.done(body.point("mul", (x, body.literal(0.5)), real(D), ((0,), ())))
    h = Hand("net")
    x = h.input(real(D), "x")
    (y,) = h.box(Repeat(4, inner, "fresh", 0), (x,), real(D))
    agree(h.done(y))


@pytest.mark.parametrize("site", [None, "inner"])
@pytest.mark.parametrize("constant", [False, True])
def test_map(site: Any, constant: Any) -> None:
    body = Hand("body")
    x, m = body.input(real(D), "x"), body.input(real(D), "m", constant)
    y = linear(body, body.point("add", (x, m), real(D)), A)
    inner = body.done(relu(body, y), body.literal(2), m)
    h = Hand("net")
    x, m = h.input(real(T, E, D), "x"), h.input(real(D), "m", constant)
    a, b, c = h.box(Map((T, E), inner, 1), (x, m), real(T, E, A), real(T, E), real(T, E, D), site=site)
    d = h.done(a, b, c)
    assert keys(d)[0] == ("linear.weight" if site is None else "inner.linear.weight")
    agree(d, DIMS)


def test_map_of_one_box() -> None:
    body = Hand("body")
    inner = body.done(linear(body, body.input(real(D)), A))
    h = Hand("net")
    (y,) = h.box(Map((T,), inner, 0), (h.input(real(T, D), "x"),), real(T, A), site="per_step")
    d = h.done(y)
    assert keys(d) == ["per_step.weight", "per_step.bias"]
    agree(d, DIMS)


@pytest.mark.parametrize("composite", [False, True])
@pytest.mark.parametrize("constant", [False, True])
def test_each(composite: Any, constant: Any) -> None:
    body = Hand("expert")
    x, m = body.input(real(D), "x"), body.input(real(D), "m", constant)
    if composite:
        x = body.point("mul", (x, m), real(D))
        inner = body.done(relu(body, linear(body, x, A)))
        captured = 1
    else:
        body = Hand("expert")
        x = body.input(real(D), "x")
        inner = body.done(linear(body, x, A))
        captured = 0
    h = Hand("net")
    x, m = h.input(real(E, D), "x"), h.input(real(D), "m", constant)
    wires = (x, m) if captured else (x,)
    (y,) = h.box(Each(E, inner, captured), wires, real(E, A), site="expert")
    d = h.done(y, m)
    path = "expert.linear.weight" if composite else "expert.weight"
    shapes = {p.path: len(p.type.axes) for p in parameters(d)}
    assert shapes[path] == 3
    agree(d)


def test_each_starts_every_slice_as_the_module_starts() -> None:
    body = Hand("expert")
    inner = body.done(linear(body, body.input(real(D), "x"), A))
    h = Hand("net")
    (y,) = h.box(
        Each(ax("E", 50), inner, 0), (h.input(real(ax("E", 50), D), "x"),), real(ax("E", 50), A), site="expert"
    )
    model: Any = build(h.done(y))
    weight = model.state_dict()["expert.weight"]
    assert weight.shape == (50, 3, 4)
    assert 0.3 < float(weight.abs().max()) <= 0.5  # 1 / sqrt(4)
    with torch.no_grad():
        weight.zero_()
    model.reset_parameters()
    assert 0.3 < float(model.state_dict()["expert.weight"].abs().max()) <= 0.5


def test_declared_parameters_live_once_on_the_root() -> None:
    inner = Hand("head")
    x = inner.input(real(D), "x")
    w = inner.declared("wte", real(A, D))
    y = linear(inner, x, A, plugs=(("weight", w),))
    head = inner.done(y)
    h = Hand("net")
    x = h.input(real(D), "x")
    w = h.declared("wte", real(A, D))
    (y,) = h.call(head, x, site="head")
    z = h.core("contract", (y, w), real(D), ins=((0,), (0, 1)), out=(1,))
    (y2,) = h.call(head, z, site="head_2")
    d = h.done(y2)
    assert keys(d) == ["head.linear.bias", "head_2.linear.bias"]
    model = agree(d)
    assert sorted(model.state_dict()) == ["head.linear.bias", "head_2.linear.bias", "wte"]


def test_plugs_reach_inside_calls() -> None:
    h = Hand("net")
    x = h.input(real(D), "x")
    w = h.declared("shared", real(ax("F", 6), D))
    b = block()
    (y,) = h.call(b, x, site="a", plugs=(("up.weight", w),))
    (z,) = h.call(b, y, site="b")
    d = h.done(z)
    assert "a.up.weight" not in keys(d)
    assert "a.up.bias" in keys(d)
    agree(d)


def test_own_parameters() -> None:
    h = Hand("scale")
    x = h.input(real(T, D), "x")
    w = h.local("gain", real(D))
    inner = h.done(h.point("mul", (x, w), real(T, D)))
    h = Hand("net")
    (y,) = h.call(inner, h.input(real(T, D), "x"), site="scale")
    d = h.done(y)
    assert keys(d) == ["scale.gain"]
    agree(d, DIMS)


def test_constant_outputs_are_repeated_over_the_batch() -> None:
    from catdl.diagram.model import Wire

    h = Hand("net")
    x = h.input(real(D), "x")
    one = h.core("expand", (h.literal(1),), real(D), position=0, size=4)
    h.wires[one] = Wire(real(D), False, None)
    d = h.done(one, x)
    model = agree(d)
    assert model(torch.zeros(7, 4).double())[0].shape == (7, 4)


def test_a_call_of_constants_meets_a_batch() -> None:
    b = block()
    h = Hand("net")
    x = h.input(real(D), "x")
    table = h.core("expand", (h.literal(1),), real(D), position=0, size=4)
    (c,) = h.call(b, table, site="block")
    y = h.core("concat", (x, c), real(ax("D2", 8)), axis=0)
    agree(h.done(y))


def test_free_dims_that_no_input_tells_are_passed() -> None:
    inner = Hand("scaled")
    x = inner.input(real(D), "x")
    y = inner.point("mul", (linear(inner, x, D), inner.literal(sym("T"))), real(D), ((0,), ()))
    h = Hand("net")
    x, t = h.input(real(D), "x"), h.input(real(T), "t")
    (y,) = h.call(inner.done(y), x, site="scaled")
    agree(h.done(y, t), DIMS)


def test_entry_checks() -> None:
    h = Hand("pair")
    x, y = h.input(real(T, D), "x"), h.input(real(T), "y")
    model = build(h.done(native(h, "relu", x, define="abs"), y, facts=((2, sym("T")),)))
    model(torch.zeros(4, 4), torch.zeros(4))
    for bad, words in (
        ((torch.zeros(4, 5), torch.zeros(4)), "pair: input x must be Real[..., T, D=4], got (4, 5) in torch.float32"),
        ((torch.zeros(4), torch.zeros(4)), "pair: input x must be Real[..., T, D=4], got (4,)"),
        ((torch.zeros(4, 4), torch.zeros(6)), "pair: input y must be Real[..., T], got (6,)"),
        ((torch.zeros(2, 4, 4), torch.zeros(3, 4)), "the same leading batch axes"),
        ((torch.zeros(3, 4), torch.zeros(3)), "2 must divide T, got T=3"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            model(*bad)


def expert(leaf_axes: tuple[Axis, ...] = (D,), width: int = 6) -> Diagram:
    """A body with a call, an own leaf, a table and a captured wire."""
    gain = Hand("gain")
    x = gain.input(real(*leaf_axes), "x")
    scale = gain.done(gain.point("mul", (x, gain.local("gain", real(D))), real(*leaf_axes)))
    h = Hand("expert")
    x, m = h.input(real(*leaf_axes), "x"), h.input(real(D), "m")
    (y,) = h.call(scale, x, site="scale")
    y = h.point("add", (y, m), real(*leaf_axes))
    y = relu(h, linear(h, y, ax("F", width), "up"))
    y = linear(h, y, D, "down", bias=False)
    place = h.point("real", (h.core("index", (), fin(4, D), size=4),), real(D))
    return h.done(h.point("add", (y, place), real(*leaf_axes)), h.local("bias", real(D)), place)


def test_each_stacks_the_weights_of_all_that_it_calls() -> None:
    body = Hand("body")
    x, m = body.input(real(D), "x"), body.input(real(D), "m")
    y, b, p = body.call(expert(), x, m, site="expert")
    inner = body.done(y, b, p)
    h = Hand("net")
    x, m = h.input(real(T, E, D), "x"), h.input(real(D), "m")
    step = Hand("step")
    sx, sm = step.input(real(E, D), "x"), step.input(real(D), "m")
    outs = step.box(Each(E, inner, 1), (sx, sm), *(real(E, D),) * 3, site="expert")
    d = step.done(*outs)
    assert keys(d) == ["expert.scale.gain", "expert.up.weight", "expert.up.bias", "expert.down.weight", "expert.bias"]
    agree(d)
    assert "vmap" not in source(d)
    assert "runtime" not in source(d)
    h.box(Map((T,), d, 1), (x, m), *(real(T, E, D),) * 3)
    agree(h.done(*h.boxes[-1].outputs), DIMS)


def test_each_inside_each_and_a_repeat_inside() -> None:
    B = ax("B", 3)
    body = Hand("body")
    layer = Hand("layer")
    single = layer.done(relu(layer, linear(layer, layer.input(real(T, D)), D)))
    (y,) = body.box(Repeat(2, single, "fresh", 0), (body.input(real(T, D), "x"),), real(T, D), site="layer")
    inner = body.done(y)
    row = Hand("row")
    (y,) = row.box(Each(B, inner, 0), (row.input(real(B, T, D), "x"),), real(B, T, D), site="column")
    h = Hand("net")
    (y,) = h.box(Each(E, row.done(y), 0), (h.input(real(E, B, T, D), "x"),), real(E, B, T, D), site="row")
    d = h.done(y)
    assert keys(d)[0] == "row.column.layer.0.linear.weight"
    agree(d, DIMS)


def test_each_over_what_cannot_be_stacked_runs_module_by_module() -> None:
    body = Hand("body")
    inner_map = Hand("row")
    row = inner_map.done(linear(inner_map, inner_map.input(real(D), "x"), A))
    (y,) = body.box(Map((T,), row, 0), (body.input(real(T, D), "x"),), real(T, A))
    h = Hand("net")
    (y,) = h.box(Each(E, body.done(y), 0), (h.input(real(E, T, D), "x"),), real(E, T, A), site="expert")
    d = h.done(y)
    assert "Each(" in source(d)
    agree(d, DIMS)
