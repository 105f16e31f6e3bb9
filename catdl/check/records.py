"""Records of weights as types: `weights(f)`, its powers, its leaves over further axes.

Takes a type expression; guarantees the leaves in the order and with the keys that the compiled morphism has, each with
how it starts (CDL, section 3: the parameter object of a parametric map).

    param bank : weights(expert)[Expert]
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.scope import Env
from catdl.check.values import as_number
from catdl.diagram.model import Init, Parameter
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf

RECORD_LIMIT = 100_000


def record_of(ctx: Context, node: ast.Expr, env: Env) -> tuple[Parameter, ...]:
    """The leaves of a type that is a record of weights, by path. Raises Refused."""
    outer: list[ast.Power | ast.Index] = []
    while isinstance(node, ast.Power | ast.Index):
        outer.append(node)
        node = node.base
    assert isinstance(node, ast.Call)
    span = env.module.span(node)
    if len(node.args) != 1 or node.args[0].sep:
        raise ctx.refuse(wrong.BadValue(span, "`weights` takes one morphism"))
    leaves = ctx.library.record(ctx, node.args[0].value, env)
    if not leaves:
        raise ctx.refuse(wrong.BadValue(span, f"`{env.module.span(node.args[0]).text}` has no parameters"))
    for part in reversed(outer):
        if isinstance(part, ast.Power):
            leaves = power(ctx, leaves, part, env)
        else:
            leaves = over(ctx, leaves, part, env)
    return leaves


def power(ctx: Context, leaves: tuple[Parameter, ...], node: ast.Power, env: Env) -> tuple[Parameter, ...]:
    """The record so many times, with an index before each path. Raises Refused."""
    count = as_number(ctx.statics.value(node.exponent, env))
    if isinstance(count, Axis):
        count = count.size
    span = env.module.span(node)
    if not isinstance(count, int) or count < 0:
        raise ctx.refuse(wrong.BadValue(span, "the power of a record is a fixed whole number"))
    if count * len(leaves) > RECORD_LIMIT:
        raise ctx.refuse(wrong.LimitExceeded(span, "the power of an object", RECORD_LIMIT))
    return tuple(replace(leaf, path=f"{k}.{leaf.path}") for k in range(count) for leaf in leaves)


def over(ctx: Context, leaves: tuple[Parameter, ...], node: ast.Index, env: Env) -> tuple[Parameter, ...]:
    """The record with further axes before those of each leaf. Raises Refused."""
    axes = tuple(a for a in ctx.types.axes(node.items, env) if isinstance(a, Axis))
    fixed(ctx, axes, env.module.span(node))
    return tuple(
        replace(leaf, type=Leaf(leaf.type.kind, (*axes, *leaf.type.axes)), init=deeper(leaf.init, len(axes)))
        for leaf in leaves
    )


def deeper(init: Init, count: int) -> Init:
    """An initialiser that is used for every index of further leading axes."""
    return replace(init, lead=init.lead + count)


def fixed(ctx: Context, axes: tuple[Axis, ...], span: Span) -> None:
    """A parameter has one shape for good. Raises Refused."""
    for axis in axes:
        if not isinstance(axis.size, int):
            raise ctx.refuse(wrong.ParamFreeDim(span, span.text, str(axis)))
