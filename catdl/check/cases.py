"""Cases: `either(p, a, b)` makes a value of a sum, the copairing `[ f | g ]` takes one apart.

Takes wires. Guarantees that a leg reads a 1 where the value is of another summand, or the index 0, so that nothing that
it computes in vain spoils a gradient.

    either(p, a, b) >> [ f | g ]      f(a) where p holds, g(b) elsewhere
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, W
from catdl.check.coalgebras import tag as tag_kind
from catdl.check.context import Context
from catdl.check.emit import core
from catdl.check.forms import misfit
from catdl.check.ports import in_order
from catdl.check.rules.common import BOOL
from catdl.check.scope import Env
from catdl.check.static import Refused
from catdl.check.summands import chosen, holds, number, parts_of, show_product, show_sum, types
from catdl.syntax import ast
from catdl.types.types import Leaf, Object

ARGUMENTS = ("p", "a", "b")


def either(ctx: Context, expr: ast.Call, env: Env, b: Builder) -> Bundle:
    """`either(p, a, b)`: of the first summand where p holds, of the second elsewhere. Sums inside are flat."""
    span = env.module.span(expr)
    given: dict[str, ast.Expr] = {}
    for arg in expr.args:
        name = arg.name if arg.sep == "=" else next((n for n in ARGUMENTS if n not in given), None)
        if name is None:
            ctx.report(wrong.TooManyArguments(env.module.span(arg), "either", 3, len(expr.args)))
            return BAD
        if name not in ARGUMENTS:
            ctx.report(wrong.UnknownArgument(env.module.span(arg), name, "either", (), ARGUMENTS))
            return BAD
        given[name] = arg.value
    missing = next((name for name in ARGUMENTS if name not in given), None)
    if missing is not None:
        ctx.report(wrong.MissingArgument(span, missing, "either"))
        return BAD
    condition, first, second = (ctx.wires(given[name], env, b) for name in ARGUMENTS)
    if condition.bad or first.bad or second.bad:
        return BAD
    where = env.module.span(given["p"])
    if not ctx.ports(condition, Object((Leaf(BOOL, ()),), (None,)), where, "the condition of `either`"):
        return BAD
    left, right = parts_of(first) or [first], parts_of(second) or [second]
    kind = tag_kind(tuple(_widths(part) for part in (*left, *right)))
    one = first.wires[0] if len(left) > 1 else number(ctx, b, kind, 0, span)
    other = number(ctx, b, kind, len(left), span)
    if len(right) > 1:
        other = core(
            ctx, b, "pointwise", [second.wires[0], other], [Leaf(kind, ())], span, fn="add", align=((), ())
        ).wires[0]
    tag = core(
        ctx, b, "pointwise", [condition.wires[0], one, other], [Leaf(kind, ())], span, fn="where", align=((), (), ())
    ).wires[0]
    wires = [w for part in (*left, *right) for w in part.wires]
    names = [n for part in (*left, *right) for n in (part.names or (None,) * len(part.wires))]
    return Bundle([tag, *wires], (None, *names) if any(names) else None)


def _widths(part: Bundle) -> tuple[int, ...]:
    return tuple(count for _, count in part.groups) if part.groups is not None else (1,) * len(part.wires)


def copair(ctx: Context, expr: ast.Copair, env: Env, b: Builder, inp: Bundle) -> Bundle:
    """`[ f | g ]`: each leg on its summand; what comes out is that of the summand that the value is of."""
    if inp.bad:
        for leg in expr.legs:
            ctx.apply(leg, env, b, BAD)
        return BAD
    span = env.module.span(expr)
    parts = parts_of(inp)
    if parts is None:
        found = f"`{show_product(types(inp))}`"
        folds = "`fold([ f | g ])` takes trees apart, node by node, and `fold[T]` the elements along an axis"
        ctx.report(wrong.NotThatSum(span, "A + B", found, 0, "the input of `[ f | g ]`", None, folds))
        return BAD
    if len(parts) != len(expr.legs):
        ctx.report(wrong.LegMismatch(span, show_sum(types(inp)), 0, "", len(parts), len(expr.legs)))
        return BAD
    tag = b.take(inp.wires[0])
    try:
        return _cases(ctx, expr, env, b, tag, parts, show_sum(types(inp)))
    except Refused:
        return BAD


def _cases(ctx: Context, expr: ast.Copair, env: Env, b: Builder, tag: W, parts: list[Bundle], whole: str) -> Bundle:
    result: Bundle | None = None
    for place, (leg, part) in enumerate(zip(expr.legs, parts, strict=True)):
        span = env.module.span(leg)
        takes = misfit(ctx, leg, env, len(part.wires), len(part.groups or part.wires))
        shown = show_product(types(part))
        if takes is not None:
            ctx.report(wrong.LegMismatch(span, whole, place + 1, shown, len(part.wires), takes))
            return BAD
        condition = holds(ctx, b, tag, place, span)
        entering: list[W] = []
        for wire in part.wires:
            other = number(ctx, b, wire.leaf.kind, 0 if wire.leaf.kind.size is not None else 1, span)
            entering.append(chosen(ctx, b, condition, b.take(wire), other, span))
        given = Bundle(entering, part.names)
        given.groups = part.groups
        out = ctx.apply(leg, env, b, given)
        if out.bad:
            return BAD
        if result is None:
            result = out
            continue
        out = in_order(out, result.names)
        expected = Object(tuple(w.leaf for w in result.wires), (None,) * len(result.wires))
        context = f"what leg {place + 1} gives, for `{shown}`"
        if not ctx.ports(out, expected, span, context, way=out.way):
            return BAD
        picked = [chosen(ctx, b, condition, w, old, span) for w, old in zip(out.wires, result.wires, strict=True)]
        result = Bundle(picked, result.names)
    assert result is not None
    return result
