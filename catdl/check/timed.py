"""`step[T](f, max = n)`: its arguments, read.

Guarantees one morphism, one axis with a name, and a number of steps where one is given.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle
from catdl.check.context import Pieces
from catdl.check.rules.common import Rule
from catdl.check.values import as_number
from catdl.types.types import Axis


def step(rule: Rule) -> Bundle:
    """`step[T](f, max = n)`: f of a sequence that comes in pieces along T; attention sees n steps before at most."""
    head, ctx = rule.head, rule.ctx
    items, plain = rule.items(), [arg for arg in head.args if arg.sep != "="]
    axis = ctx.types.axis(items[0], head.env) if len(items) == 1 else None
    if not isinstance(axis, Axis) or not isinstance(axis.label, str):
        raise ctx.refuse(wrong.NeedsAxes(rule.span, "step", "step[T](f)"))
    if not plain:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "f", "step"))
    if len(plain) > 1:
        raise ctx.refuse(wrong.TooManyArguments(head.env.module.span(plain[1]), "step", 1, len(plain)))
    most: int | None = None
    for arg in head.args:
        span = head.env.module.span(arg)
        if arg.sep == "=" and arg.name != "max":
            raise ctx.refuse(wrong.UnknownArgument(span, arg.name or "", "step", (), ("max",)))
        if arg.sep == "=":
            value = as_number(ctx.statics.value(arg.value, head.env))
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ctx.refuse(wrong.BadValue(span, "`max` is a number of steps, 1 or more"))
            most = value
    owner = rule.b.owner
    alone = owner is not None and rule.b.parent is None and owner.head.body is rule.expr
    pieces = Pieces(axis, head.env.module.span(items[0].value), most, alone, head.label)
    return ctx.library.stepping(ctx, plain[0].value, head.env, rule.b, rule.all_wires(), pieces)
