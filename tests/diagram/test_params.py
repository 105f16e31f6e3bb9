"""Keys of parameters: sites, indices, leading axes, sharing, plugs; and at depth."""

from __future__ import annotations

from catdl.diagram.model import Diagram, Each, Map, Repeat
from catdl.diagram.params import globals_of, owns, parameters, sole_box
from tests.diagram.by_hand import Hand, ax, linear, real, relu

D, E, T = ax("D", 4), ax("E", 2), ax("T")


def keys(diagram: Diagram) -> list[str]:
    return [parameter.path for parameter in parameters(diagram)]


def layer(name: str = "layer", site: str = "linear") -> Diagram:
    h = Hand(name)
    return h.done(relu(h, linear(h, h.input(real(D), "x"), D, site, bias=False)))


def test_sites_indices_and_leading_axes() -> None:
    h = Hand("net")
    x = h.input(real(D), "x")
    (x,) = h.call(layer(), x, site="first")
    (x,) = h.call(layer("inner", "own"), x, inline=True)
    (x,) = h.box(Repeat(2, layer(), "fresh", 0), (x,), real(D), site="deep")
    (x,) = h.box(Repeat(2, layer(), "tied", 0), (x,), real(D), site="tied")
    wide = h.core("expand", (x,), real(E, D), position=0, size=2)
    (wide,) = h.box(Each(E, layer(), 0), (wide,), real(E, D), site="each")
    (wide,) = h.box(Map((E,), layer("mapped", "inside"), 0), (wide,), real(E, D))
    d = h.done(wide)
    assert keys(d) == [
        "first.linear.weight",
        "own.weight",
        "deep.0.linear.weight",
        "deep.1.linear.weight",
        "tied.linear.weight",
        "each.linear.weight",
        "inside.weight",
    ]
    assert [len(p.type.axes) for p in parameters(d)] == [2, 2, 2, 2, 2, 3, 2]
    assert parameters(d) is parameters(d)


def test_a_shared_site_is_listed_once_and_a_plugged_leaf_not_at_all() -> None:
    h = Hand("net")
    x = h.input(real(D), "x")
    w = h.declared("w", real(D, D))
    callee = layer()
    for _ in range(2):
        (x,) = h.call(callee, x, site="same")
    (x,) = h.call(callee, x, site="plugged", plugs=(("linear.weight", w),))
    d = h.done(x)
    assert keys(d) == ["same.linear.weight"]
    assert [p.path for p in globals_of(d)] == ["w"]


def test_a_body_that_is_one_box_adds_no_segment() -> None:
    inner = Hand("body")
    (y,) = inner.call(layer(), inner.input(real(D)), site="layer")
    body = inner.done(y)
    assert sole_box(body) is body.boxes[0]
    h = Hand("net")
    (x,) = h.box(Repeat(2, body, "fresh", 0), (h.input(real(D)),), real(D), site="layer")
    assert keys(h.done(x)) == ["layer.0.linear.weight", "layer.1.linear.weight"]
    assert sole_box(layer()) is None


def chain(depth: int, parametric: bool) -> Diagram:
    previous = None
    for k in range(depth):
        h = Hand(f"f{k}")
        x = h.input(real(D), "x")
        if previous is not None:
            (x,) = h.call(previous, x, inline=parametric)
        previous = h.done(linear(h, x, D, f"linear_{k}", bias=False) if parametric else relu(h, x))
    assert previous is not None
    return previous


def test_depth_costs_no_recursion() -> None:
    flat = chain(20_000, parametric=False)
    assert not owns(flat)
    assert parameters(flat) == ()
    assert globals_of(flat) == ()
    assert len(parameters(chain(5_000, parametric=True))) == 5_000
