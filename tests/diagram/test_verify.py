"""The verifier: good diagrams pass, each broken guarantee is named."""

from __future__ import annotations

import pytest

from catdl.diagram.model import Box, Call, Core, Diagram, Repeat, Wire
from catdl.diagram.verify import BrokenDiagram, verify
from catdl.types.sizes import SizeVar, sym
from catdl.types.sizes import var as unknown
from catdl.types.types import Axis, RowVar
from tests.diagram.by_hand import REAL, SPAN, Hand, ax, linear, real, relu
from tests.diagram.test_params import chain

D, T = ax("D", 4), ax("T")


def good() -> Hand:
    h = Hand("net")
    x = h.input(real(T, D), "x")
    relu(h, linear(h, x, D))
    return h


def test_good_diagrams_pass() -> None:
    h = good()
    verify(h.done(2))
    verify(chain(20_000, parametric=False))


def broken(h: Hand, *boxes: Box, outputs: tuple[int, ...] = ()) -> Diagram:
    h.boxes += boxes
    return h.done(*outputs)


def relu_box(inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Box:
    return Box(Core("pointwise", (("fn", "neg"), ("align", ((0, 1),)))), inputs, outputs, None, (), SPAN)


def test_wires() -> None:
    h = good()
    h.wires.append(Wire(real(T, D), False, None))
    with pytest.raises(BrokenDiagram, match="before it is made"):
        verify(broken(h, relu_box((3,), (3,))))
    with pytest.raises(BrokenDiagram, match="two sources"):
        verify(broken(good(), relu_box((0,), (2,))))
    h = good()
    h.wires.append(Wire(real(T, D), False, None))
    with pytest.raises(BrokenDiagram, match="no source"):
        verify(h.done(2))
    with pytest.raises(BrokenDiagram, match="never made"):
        verify(h.done(3))


@pytest.mark.parametrize(
    "axes", [(RowVar(0),), (Axis("A", unknown(SizeVar(0))),)], ids=["an unknown row", "an unknown size"]
)
def test_types_are_closed(axes: tuple[Axis | RowVar, ...]) -> None:
    from catdl.types.types import Leaf

    h = Hand("net")
    x = h.input(Leaf(REAL, axes))
    with pytest.raises(BrokenDiagram, match="unknowns"):
        verify(h.done(x))


def test_boxes() -> None:
    h = Hand("net")
    x = h.input(real(T, D))
    with pytest.raises(BrokenDiagram, match="no core operation"):
        verify(broken(h, Box(Core("nonsense"), (x,), (), None, (), SPAN)))
    h = Hand("net")
    x = h.input(real(T, D))
    y = h.core("permute", (x,), real(D, T), perm=(0, 0))
    with pytest.raises(BrokenDiagram, match="do not fit"):
        verify(h.done(y))
    h = Hand("net")
    x = h.input(real(T, D))
    (y,) = h.box(Repeat(2, good().done(2), "fresh", 1), (x,), real(T, D), site="s")
    with pytest.raises(BrokenDiagram, match="carried and captured"):
        verify(h.done(y))


def test_sites_and_parameters() -> None:
    h = Hand("net")
    x = h.input(real(T, D))
    (y,) = h.box(Call(good().done(2), False), (x,), real(T, D))
    with pytest.raises(BrokenDiagram, match="no site"):
        verify(h.done(y))
    h = Hand("net")
    x = h.input(real(T, D))
    (x,) = h.call(good().done(2), x, site="same")
    (x,) = h.call(good().done(2), x, site="same")
    verify(h.done(x))  # a tied expression is made at each use: other diagrams, the same weights
    other = Hand("net")
    (x,) = h.call(other.done(linear(other, other.input(real(T, D)), D, "other")), x, site="same")
    with pytest.raises(BrokenDiagram, match="share the site"):
        verify(h.done(x))
    h = Hand("net")
    w = h.local("w", real(Axis("T", sym("T"))))
    with pytest.raises(BrokenDiagram, match="free dim"):
        verify(h.done(w))
