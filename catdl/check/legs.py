"""What folds over lists and trees share: how a declared algebra is taken apart, and a leg that is all zeros or ones."""

from __future__ import annotations

from catdl.check.builder import Builder, Bundle, W
from catdl.check.emit import core
from catdl.check.functors import FUNCTOR
from catdl.check.rules.common import Rule
from catdl.check.scope import MorphismDef
from catdl.check.summands import number
from catdl.record import replace
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf, Object

AXIS = "axis"
REVERSE = "reverse"


def functor_of(algebra: MorphismDef) -> ast.Expr | None:
    """The functor of a declared algebra, as its type names it; None if it is of another type."""
    body = algebra.head.body
    if algebra.head.keyword != "algebra" or not isinstance(body, ast.Call):
        return None
    return next((arg.value for arg in body.args if arg.name == FUNCTOR and arg.sep == "="), None)


def open_dims(algebra: MorphismDef) -> bool:
    """Whether a declared algebra leaves dims to its use."""
    return algebra.head.signature is None


def along_axis(found: MorphismDef, rule: str, reverse: bool, legs: tuple[ast.Expr, ...]) -> MorphismDef:
    """`fold[axis](legs)` for an `algebra`, or what else a rule makes of the legs of a declaration.

    It is a template that takes the axis: that is the caller's and the legs are the declaration's, and both are known in
    the template's scope.
    """
    head, body = found.head, found.head.body
    assert isinstance(body, ast.Call)
    start, end = body.start, body.end

    def name(text: str) -> ast.Name:
        return ast.Name(text, start, end)

    named = [arg for arg in body.args if arg.sep == "="]
    params = [ast.StaticParam(AXIS, None, None, name("axis"), None, start, end)]
    if reverse:
        named.append(ast.Arg(REVERSE, "=", name(REVERSE), start, end))
        params.append(ast.StaticParam(REVERSE, None, None, name("bool"), None, start, end))
    given = [ast.Arg(None, "", leg, leg.start, leg.end) for leg in legs]
    axis = ast.Arg(None, "", name(AXIS), start, end)
    along = ast.Call(ast.Index(name(rule), (axis,), start, end), (*given, *named), start, end)
    made = replace(head, keyword="morphism", signature=None, params=(*(head.params or ()), *params), body=along)
    return MorphismDef(found.name, found.module, [made], found.span, (), found.sorts)


def constant(rule: Rule, leg: ast.Expr) -> int | None:
    """The number that all of a carrier is, for a leg that says so: `zeros`, `ones`; None for any other leg."""
    if not isinstance(leg, ast.Name) or rule.head.env.local(leg.id):
        return None
    return {"zeros": 0, "ones": 1}.get(leg.id)


def filled(rule: Rule, b: Builder, carrier: Object, value: int) -> Bundle:
    """The carrier, all of one number."""
    wires: list[W] = []
    for leaf in carrier.leaves:
        wire = number(rule.ctx, b, leaf.kind, value, rule.span)
        for place in range(len(leaf.axes) - 1, -1, -1):
            axis = leaf.axes[place]
            assert isinstance(axis, Axis)
            grown = Leaf(leaf.kind, leaf.axes[place:])
            wire = core(rule.ctx, b, "expand", [wire], [grown], rule.span, position=0, size=axis.size).wires[0]
        wires.append(wire)
    return Bundle(wires, carrier.names if any(carrier.names) else None)
