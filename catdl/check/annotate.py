"""`annotate[N](algebra)`: what an algebra makes of every subtree, along a var dim of the nodes.

Takes trees; guarantees a result with the axis N in front, whose samples are as long as their trees have nodes.

    tree >> annotate[N](treelstm)      State[N], a tree's nodes breadth first
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle
from catdl.check.declared import declared, over_axis
from catdl.check.folds import fits, legs_of, over_trees
from catdl.check.legs import functor_of, open_dims
from catdl.check.rules.common import Rule
from catdl.check.scope import Env, MorphismDef
from catdl.syntax import ast
from catdl.types.ragged import row
from catdl.types.types import show_axis


def annotate(rule: Rule) -> Bundle:
    """`annotate[N](alg)`: the carrier at every node. Raises Refused."""
    ctx, env, items = rule.ctx, rule.head.env, rule.items()
    if not items:
        raise ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, f"{rule.name}[N]"))
    if len(items) > 1:
        raise ctx.refuse(wrong.TooManyArguments(env.module.span(items[1]), rule.name, 1, len(items)))
    axis = ctx.types.single(items[0], env)
    if row(axis.size) is None:
        found = f"`{show_axis(axis)}`, which every sample has the same of"
        wanted = "a var dim, for every tree has nodes of its own number"
        raise ctx.refuse(wrong.BadArgument(env.module.span(items[0]), "N", wanted, found, rule.name))
    plain = [arg.value for arg in rule.head.args if arg.sep != "="]
    if len(plain) != 1 or legs_of(rule, plain[0]) is not None:
        return over_trees(rule, axis)
    node = plain[0].body if isinstance(plain[0], ast.Tie) else plain[0]
    head, made = declared(rule, node, ())
    algebra = head.target
    if isinstance(algebra, MorphismDef) and not head.args and not open_dims(algebra):  # told where it is used
        functor = functor_of(algebra)
        assert functor is not None, "an algebra without a functor has no legs to run"
        fits(rule, functor, Env(algebra.module))
    return over_axis(rule, node, head, made)
