"""Declared algebras along an axis, `fold[T](elman)`, `annotate[N](treelstm)`: their legs, in their own scope.

Takes a rule and the name that stands in it; guarantees that it is an algebra with legs of its own.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle
from catdl.check.context import Head
from catdl.check.folds import no_algebra
from catdl.check.legs import AXIS, along_axis, functor_of
from catdl.check.rules.common import Rule
from catdl.check.scope import MorphismDef
from catdl.syntax import ast


def declared(rule: Rule, node: ast.Expr, options: tuple[str, ...]) -> tuple[Head, MorphismDef]:
    """The algebra that is named, as it is used, and as a template that takes the axis. Raises Refused.

    `options` may be said of the rule, beside the algebra.
    """
    from catdl.check.forms import head_of  # late: it reads the table of rules, in which these stand

    env = rule.head.env
    head = head_of(rule.ctx, node, env)
    target = head.target if head is not None else None
    said = [arg for arg in rule.head.args if arg.sep == "="]
    found = None
    if isinstance(target, MorphismDef) and functor_of(target) is not None:
        body = target.head.body
        assert isinstance(body, ast.Call)
        found = along_axis(target, rule.name, any(arg.name in options for arg in said), (body.args[0].value,))
    if head is None or found is None:
        raise no_algebra(rule, node)
    unknown = next((arg for arg in said if arg.name not in options), None)
    if unknown is not None:
        span = env.module.span(unknown)
        raise rule.ctx.refuse(wrong.UnknownArgument(span, unknown.name or "", rule.name, (), options))
    return head, found


def over_axis(rule: Rule, node: ast.Expr, head: Head, found: MorphismDef) -> Bundle:
    """What it makes of the input, with its name as the segment. Raises Refused."""
    from catdl.check.elaborate import template  # late: elaboration asks the table of rules

    item = rule.items()[0]
    axis = item.value if item.sep != ":" or item.name is None else ast.Name(item.name, item.start, item.end)
    said = [arg for arg in rule.head.args if arg.sep == "="]
    args = [*head.args, ast.Arg(AXIS, "=", axis, node.start, node.end), *said]
    plugs = [*head.plugs, *rule.head.plugs]
    label = rule.head.label or head.label
    whole = Head(found, head.name, head.env, args, head.items, plugs, label, rule.span, head.root, rule.head.way)
    return template(rule.ctx, found, whole, rule.b, rule.inp)
