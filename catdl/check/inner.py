"""Boxes that hold a diagram: their inputs, what they capture from outside, and the box around them."""

from __future__ import annotations

from collections.abc import Callable

from catdl.check.builder import BAD, Builder, Bundle, Inner, LateCore, PBox, Use, W
from catdl.check.context import Context
from catdl.check.scope import Env
from catdl.diagram.model import Call, Core
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Leaf


def inner_diagram(
    ctx: Context,
    b: Builder,
    name: str,
    inputs: list[Leaf],
    wires: list[W],
    body: Callable[[Builder, Bundle], Bundle],
    *,
    mapped: int = 0,
    folded: bool = False,
    sampled: frozenset[int] = frozenset(),
) -> tuple[Builder, Bundle]:
    """A diagram inside a box: its inputs have the given types, those of the wires without `mapped` leading axes.

    `folded`: it runs many times with the same weights. `sampled`: inputs that differ from sample to sample in any case.
    """
    inner = Builder(name, b, folded=folded)
    inner.entered = (tuple(wires), mapped)
    entered = [
        inner.input(leaf, wire.name, wire.constant and k not in sampled, wire.where)
        for k, (leaf, wire) in enumerate(zip(inputs, wires, strict=True))
    ]
    for mine, outer in zip(entered, wires, strict=True):
        mine.origin = outer.origin
    out = body(inner, Bundle(entered))
    if not out.bad:
        inner.outputs = [inner.take(w) for w in out.wires]
        inner.out_names = out.names or (None,) * len(out.wires)
        settle(ctx, inner)
    return inner, out


def settle(ctx: Context, builder: Builder) -> None:
    """What is drawn under `if_training` only is random in training, not in evaluation."""
    if "rand" in builder.effects and drawing(ctx, builder) is None:
        builder.effects.discard("rand")
        builder.effects.add("rand_train")


def drawing(ctx: Context, builder: Builder) -> PBox | None:
    """A box that draws in evaluation, on the way to a result."""
    made = {wire: box for box in builder.boxes for wire in box.outputs}
    stack = list(builder.outputs)
    seen: set[PBox] = set()
    while stack:
        box = made.get(stack.pop())
        if box is None or box in seen:
            continue
        seen.add(box)
        if any(plug.random for plug in box.pending):
            return box
        op = box.op
        name = op.name if isinstance(op, (Core, LateCore)) else ""
        if name == "sample":
            return box
        if isinstance(op, Inner) and "rand" in op.builder.effects:
            return box
        if isinstance(op, Call) and "rand" in op.callee.effects:
            return box
        if isinstance(op, Use) and "rand" in ctx.library.traits(op.definition)[1]:
            return box
        stack += box.inputs[1:] if name == "training" else box.inputs
        stack += [wire for _, wire in box.plugs]
        stack += [wire for plug in box.pending if plug.value is not None for wire in plug.value.wires]
    return None


def emit_inner(
    b: Builder,
    op: Inner,
    wires: list[W],
    leaves: list[Leaf],
    names: tuple[str | None, ...] | None,
    segment: str,
    span: Span,
    label: str | None,
) -> Bundle:
    """The box that holds an inner diagram; captured wires follow its own inputs."""
    outer = [b.take(w) for w in wires] + [b.take(w) for w in op.builder.captured]
    constant = all(w.constant for w in outer) and "rand" not in op.builder.effects
    outputs = [W(b, leaf, constant, None, span) for leaf in leaves]
    for wire in outputs:
        wire.origin = segment
    b.emit(op, outer, outputs, segment, span, label)
    b.effects |= op.builder.effects
    return Bundle(outputs, names if names and any(names) else None)


def named(ctx: Context, body: ast.Expr, env: Env, b: Builder, inp: Bundle, name: str, span: Span) -> Bundle:
    """An occurrence with a name: its parameters live under that segment."""
    if inp.bad:
        return BAD
    leaves = [w.leaf for w in inp.wires]
    inner, out = inner_diagram(ctx, b, name, leaves, inp.wires, lambda i, x: ctx.apply(body, env, i, x))
    if out.bad:
        return BAD
    return emit_inner(
        b, Inner("call", inner, name), inp.wires, [w.leaf for w in inner.outputs], out.names, name, span, name
    )
