"""Every core operation: the interpreter and the generated code agree, for any number of batch axes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from catdl.diagram.model import Core, Diagram
from catdl.types.sizes import sym
from catdl.types.types import Axis, Leaf
from tests.diagram.by_hand import Hand, ax, bool_, fin, real
from tests.torch.agree import agree

A, B, C = ax("A", 3), ax("B", 4), ax("C", 5)
T = ax("T")
DIMS = {"T": 6}


def one(core: str, leaf: Leaf, out: Leaf, **attrs: object) -> Diagram:
    h = Hand("f")
    x = h.input(leaf, "x")
    return h.done(h.core(core, (x,), out, **attrs))


@pytest.mark.parametrize("fn", ["sum", "prod", "max", "min", "mean", "logsumexp"])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (0, 1, 2), ()])
def test_reduce(fn: Any, axes: Any) -> None:
    kept = tuple(a for k, a in enumerate((A, B, C)) if k not in axes)
    agree(one("reduce", real(A, B, C), real(*kept), fn=fn, axes=axes))


@pytest.mark.parametrize("fn", ["any", "all"])
def test_reduce_bool(fn: Any) -> None:
    agree(one("reduce", bool_(A, B), bool_(B), fn=fn, axes=(0,)))


@pytest.mark.parametrize("fn", ["argmax", "argmin"])
def test_argmax(fn: Any) -> None:
    agree(one("argmax", real(A, B), fin(3, B), fn=fn, axis=0))


@pytest.mark.parametrize("perm", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1)])
def test_permute(perm: Any) -> None:
    axes = (A, B, C)
    agree(one("permute", real(*axes), real(*(axes[p] for p in perm)), perm=perm))


def test_permute_long() -> None:
    axes = tuple(ax(f"X{k}", k + 1) for k in range(5))
    perm = (3, 1, 4, 0, 2)
    agree(one("permute", real(*axes), real(*(axes[p] for p in perm)), perm=perm))


def test_split_and_merge() -> None:
    agree(one("split_axis", real(ax("D", 12), B), real(A, B, B), axis=0, sizes=(3, 4)))
    agree(one("merge_axes", real(A, B, C), real(ax("D", 12), C), axis=0, count=2))
    agree(one("merge_axes", real(A, B, C), real(A, ax("D", 20)), axis=1, count=2))
    agree(one("merge_axes", real(A), real(A, ax("D", 1)), axis=1, count=0))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_expand(position: Any) -> None:
    axes = [A, B]
    axes.insert(position, T)
    h = Hand("f")
    x, t = h.input(real(A, B), "x"), h.input(real(T), "t")
    agree(h.done(h.core("expand", (x,), real(*axes), position=position, size=sym("T")), t), DIMS)


def test_drop() -> None:
    agree(one("drop", real(A, ax("one", 1), B), real(A, B), axis=1))


@pytest.mark.parametrize(("start", "step", "size"), [(0, 1, 6), (1, 2, 2), (2, 1, 3), (5, -1, 6), (4, -2, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_slice(start: Any, step: Any, size: Any, axis: Any) -> None:
    big, small = ax("T", 6), ax("T", size)
    ins, outs = [A, A], [A, A]
    ins[axis], outs[axis] = big, small
    agree(one("slice", real(*ins), real(*outs), axis=axis, start=start, step=step, size=size))


def test_slice_of_a_free_axis() -> None:
    size = sym("T")
    agree(one("slice", real(T, A), real(Axis("T", size), A), axis=0, start=0, step=1, size=size), DIMS)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("axis", [0, 1])
def test_pad(mode: Any, axis: Any) -> None:
    axes = [C, C]
    axes[axis] = ax("C", 8)
    agree(one("pad", real(C, C), real(*axes), axis=axis, before=1, after=2, mode=mode, value=0))


def test_pad_with_a_value() -> None:
    agree(one("pad", real(C), real(ax("C", 8)), axis=0, before=3, after=0, mode="constant", value=-7))


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "count"), [(2, 1, 1, 7), (3, 2, 1, 3), (2, 3, 2, 2), (8, 1, 1, 1)]
)
@pytest.mark.parametrize("axis", [0, 1])
def test_window(size: Any, stride: Any, dilation: Any, count: Any, axis: Any) -> None:
    ins, outs = [A, A], [A, A]
    ins[axis] = ax("L", 8)
    outs[axis : axis + 1] = [ax("L", count), ax("K", size)]
    attrs = {"size": size, "stride": stride, "dilation": dilation, "count": count}
    agree(one("window", real(*ins), real(*outs), axis=axis, **attrs))


@pytest.mark.parametrize("axis", [0, 1])
def test_concat(axis: Any) -> None:
    h = Hand("f")
    other = [A, B]
    other[axis] = ax("x", 2)
    out = [A, B]
    out[axis] = ax("x", (5, 6)[axis])
    x, y = h.input(real(A, B)), h.input(real(*other))
    agree(h.done(h.core("concat", (x, y), real(*out), axis=axis)))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("places", [(), (ax("I", 2),), (ax("I", 2), ax("J", 3))])
@pytest.mark.parametrize("constant", [(False, False), (True, False), (False, True), (True, True)])
def test_gather(axis: Any, places: Any, constant: Any) -> None:
    h = Hand("f")
    axes = [A, B, C]
    x = h.input(real(*axes), "x", constant[0])
    i = h.input(fin(axes[axis].size, *places), "i", constant[1])
    z = h.input(real(), "z")
    axes[axis : axis + 1] = places
    agree(h.done(h.core("gather", (x, i), real(*axes), axis=axis), z))


@pytest.mark.parametrize("axis", [0, 1])
def test_pick(axis: Any) -> None:
    h = Hand("f")
    x = h.input(real(A, B), "x")
    rest = (B, A)[axis]
    i = h.input(fin((A, B)[axis].size, rest), "i")
    agree(h.done(h.core("pick", (x, i), real(rest), axis=axis)))


@pytest.mark.parametrize("fn", ["sum", "prod", "max", "min", "mean"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("constant", [False, True])
def test_scatter(fn: Any, axis: Any, constant: Any) -> None:
    h = Hand("f")
    axes = [A, B]
    x = h.input(real(A, B), "x")
    i = h.input(fin(3, axes[axis]), "i", constant)
    out = list(axes)
    out[axis] = ax("N", 3)
    agree(h.done(h.core("scatter", (x, i), real(*out), axis=axis, size=3, fn=fn)))


@pytest.mark.parametrize("fn", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan(fn: Any, reverse: Any) -> None:
    agree(one("scan", real(A, B), real(A, B), fn=fn, axis=0, reverse=reverse))


def test_index_and_casts() -> None:
    h = Hand("f")
    x = h.input(real(T), "x")
    i = h.core("index", (), fin(sym("T"), T), size=sym("T"))
    r = h.point("real", (i,), real(T))
    y = h.point("mul", (x, r), real(T))
    k = h.point("floor", (y,), real(T))
    agree(h.done(y, h.point("fin", (k,), fin(100, T)), h.point("bool", (i,), bool_(T))), DIMS)


@pytest.mark.parametrize("fn", ["add", "sub", "mul", "div", "maximum", "minimum", "atan2", "lt", "eq"])
def test_pointwise_broadcasts(fn: Any) -> None:
    kind = bool_ if fn in ("lt", "eq") else real
    for left, right in (((A, B, C), (B,)), ((C,), (A, B, C)), ((A, C), (B,)), ((), (A, B, C)), ((B, A), (C, A))):
        h = Hand("f")
        for constant in (False, True):
            x, y = h.input(real(*left)), h.input(real(*right), constant=constant)
            h.point(fn, (x, y), kind(A, B, C))
        agree(h.done(*(b.outputs[0] for b in h.boxes)))


def test_one_of_two_numbers_has_the_dtype_of_the_module() -> None:
    d = Hand("net")
    x = d.input(real(ax("A", 3)), "x")
    test = d.point("gt", (x, d.literal(0)), bool_(ax("A", 3)))
    chosen = d.point("where", (test, d.literal(1), d.literal(0)), real(ax("A", 3)))
    agree(d.done(d.point("mul", (chosen, d.literal(Fraction(1, 3))), real(ax("A", 3)))))


def test_numbers_are_folded() -> None:
    h = Hand("f")
    x = h.input(real(T), "x")
    size = h.literal(sym("T"))
    root = h.point("sqrt", (size,), real())
    third = h.point("div", (h.literal(1), h.literal(3)), real())
    y = h.point("div", (x, root), real(T), ((0,), ()))
    y = h.point("mul", (h.literal(Fraction(1, 2)), y), real(T), ((), (0,)))
    y = h.point("maximum", (y, third), real(T), ((0,), ()))
    agree(h.done(y, root, third), DIMS)


@pytest.mark.parametrize(
    ("ins", "out"),
    [
        (((0, 1), (2, 1)), (0, 2)),
        (((0, 1), (1, 2)), (0, 2)),
        (((0, 1), (1,)), (0,)),
        (((0, 1, 2), (0, 3, 2)), (0, 1, 3)),
        (((0, 1, 2), (0, 2, 3)), (0, 1, 3)),
        (((0,), (1,)), (1, 0)),
        (((0, 0),), (0,)),
        (((0, 0),), ()),
        (((0, 1), (1, 2), (2, 3)), (0, 3)),
        (((0, 1),), (0,)),
    ],
)
@pytest.mark.parametrize("constant", [False, True])
def test_contract(ins: Any, out: Any, constant: Any) -> None:
    sizes = (A, B, C, ax("D", 2))
    h = Hand("f")
    wires = [h.input(real(*(sizes[i] for i in term)), constant=constant and k > 0) for k, term in enumerate(ins)]
    agree(h.done(h.core("contract", tuple(wires), real(*(sizes[i] for i in out)), ins=ins, out=out)))


def test_stop_and_straight() -> None:
    h = Hand("f")
    x = h.input(real(A), "x")
    s = h.core("stop", (x,), real(A))
    y = h.point("mul", (x, s), real(A))
    agree(h.done(h.core("straight", (x, y), real(A))))


@pytest.mark.parametrize("training", [False, True])
def test_training(training: Any) -> None:
    h = Hand("f")
    x, y = h.input(real(A), "x"), h.input(real(A), "y")
    agree(h.done(h.core("training", (x, y), real(A))), training=training)


@pytest.mark.parametrize("fn", ["mean", "var", "sum"])
def test_across(fn: Any) -> None:
    h = Hand("f")
    x = h.input(real(A, B), "x")
    (m,) = h.box(
        Core("across", (("fn", fn), ("keep", (0,)))),
        (x,),
        real(A),
        constant=True,
    )
    y = h.point("sub", (x, m), real(A, B))
    agree(h.done(y, m))
