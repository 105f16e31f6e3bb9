"""Elaboration of expressions that are wires (generalised elements), the second of the two judgements (`elaborate.py`).

Takes the AST and scopes; guarantees boxes in topological order; a refused expression yields a bundle that absorbs what
follows. Chains of operators are walked in a loop; only nesting recurses, and the parser bounds nesting.

    (x >> relu) + 1   in a scope with x emits relu and add
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.absorbed import untaken
from catdl.check.blocks import block
from catdl.check.builder import BAD, Builder, Bundle, Closure, W
from catdl.check.context import Context
from catdl.check.elaborate import along, apply, described, spare
from catdl.check.families import element
from catdl.check.forms import (
    OPERATORS,
    head_of,
    head_width,
    inputs_of,
    is_over,
    is_wire,
    join,
    nested_wire,
    takes_literals,
)
from catdl.check.rules.common import literal, pointwise
from catdl.check.scope import BadDef, DimDef, Env, KindDef, MorphismDef, ObjectDef, ParamDef, Shadow, Static
from catdl.check.scores import check_product, scale, written
from catdl.check.signature import Row
from catdl.check.sources import global_param
from catdl.check.stands_for import sort_of
from catdl.check.static import Refused, alike, is_told
from catdl.check.ways import Step, as_given
from catdl.check.work import STEPS_PER_USE, WIRES_PER_STEP
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Choice
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import SizeTooLarge
from catdl.types.types import Axis, Object


def wires(ctx: Context, expr: ast.Expr, env: Env, b: Builder) -> Bundle:
    """An expression that is wires."""
    if not ctx.work.spend(STEPS_PER_USE, env.module.span(expr)):
        return BAD
    match expr:
        case ast.Name(id):
            return name_wires(ctx, expr, id, env, b)
        case ast.Seq(steps):
            way = Step(steps, env, None)
            out = wires(ctx, steps[0], env, b)
            way.passed(out)
            return along(ctx, steps[1:], env, b, out, way)
        case ast.Number(value):
            return literal(ctx, b, value, env.module.span(expr))
        case ast.Chain(operands, operators):
            if ctx.statics.is_static(expr, env):
                return static_wires(ctx, expr, env, b)
            total = wires(ctx, operands[0], env, b)
            for operator, operand in zip(operators, operands[1:], strict=True):
                right = wires(ctx, operand, env, b)
                span = Span(env.module.source, operands[0].start, operand.end)
                total = operate(ctx, b, OPERATORS[operator], [total, right], span)
            return total
        case ast.Negate(operand):
            if ctx.statics.is_static(expr, env):
                return static_wires(ctx, expr, env, b)
            return operate(ctx, b, "neg", [wires(ctx, operand, env, b)], env.module.span(expr))
        case ast.Power(base, exponent):
            if ctx.statics.is_static(expr, env):
                return static_wires(ctx, expr, env, b)
            both = [wires(ctx, base, env, b), wires(ctx, exponent, env, b)]
            return operate(ctx, b, "pow", both, env.module.span(expr))
        case ast.Tuple(items):
            parts: list[Bundle] = []
            groups: list[tuple[str | None, int]] = []
            for item in items:
                part = wires(ctx, item.value, env, b)
                groups.append((item.name, len(part.wires)))
                if item.name is not None and not part.bad and len(part.wires) == 1:
                    part = Bundle(part.wires, (item.name,))
                parts.append(part)
            whole = (
                Bundle(list(joined.wires), joined.names) if parts and not (joined := join(parts)).bad else join(parts)
            )
            if not whole.bad:
                whole.groups = tuple(groups)
                whole.places = {i.name: named_at(env, i) for i in items if i.name is not None} or None
            return whole
        case ast.Tensor(legs):
            return join([wires(ctx, leg, env, b) for leg in legs])
        case ast.Fan(legs):
            return join([wires(ctx, leg, env, b) for leg in legs])
        case ast.Block():
            return block(ctx, expr, env, b, None)
        case ast.If(condition, then, orelse):
            try:
                held = ctx.statics.truth(condition, env)
            except Refused:
                return BAD
            chosen, other = (then, orelse) if held else (orelse, then)
            b.choices[Choice(env.module.span(condition), held)] = None
            spare(other, env)
            untaken(ctx, other, env)
            return wires(ctx, chosen, env, b)
        case ast.Bad() | ast.Field() if is_told(expr):
            return BAD
        case ast.Index(base) if is_wire(ctx, base, env):
            return element(ctx, expr, env, b)
        case ast.Call(ast.Name("either")) if env.find("either") is None:
            from catdl.check.cases import either  # late: few specs make cases

            return either(ctx, expr, env, b)
        case ast.Field(base, name):
            return field(ctx, expr, base, name, env, b)
        case ast.Lambda() | ast.Arrow() | ast.List() | ast.Copair() | ast.Comprehension() | ast.Text() | ast.Splice():
            ctx.report(wrong.NotAWire(env.module.span(expr), described(expr)))
            return BAD
        case _:
            if ctx.statics.is_static(expr, env):
                return static_wires(ctx, expr, env, b)
            return nullary(ctx, expr, env, b)


def nullary(ctx: Context, expr: ast.Expr, env: Env, b: Builder) -> Bundle:
    """A morphism expression in the place of a wire: with wire arguments, or from the unit."""
    if isinstance(expr, ast.Call) and not is_over(expr):
        given = [a for a in expr.args if a.sep != "="]
        inputs = [a for a in inputs_of(expr, env) if is_wire(ctx, a.value, env) or nested_wire(ctx, a.value, env)]
        if inputs:
            rest = tuple(a for a in expr.args if a not in inputs)
            if len(given) != len(inputs) and takes_literals(expr, env):
                inputs, rest = given, tuple(a for a in expr.args if a.sep == "=")
            parts = [wires(ctx, a.value, env, b) for a in inputs]
            inp = join(parts)
            ctx.way = as_given(env, inputs, parts, None)
            function = ast.Call(expr.function, rest, expr.start, expr.end) if rest else expr.function
            return apply(ctx, function, env, b, inp)
    ctx.way = None
    return apply(ctx, expr, env, b, Bundle([]))


def named_at(env: Env, item: ast.Arg) -> Span:
    """Where a named item of a record is named."""
    return Span(env.module.source, item.start, item.start + len(item.name or ""))


def static_wires(ctx: Context, expr: ast.Expr, env: Env, b: Builder) -> Bundle:
    """A static number as a constant wire."""
    try:
        value = ctx.statics.value(expr, env)
    except Refused:
        return BAD
    bundle = literal(ctx, b, value, env.module.span(expr))
    if isinstance(value, float) and not bundle.bad:
        bundle.wires[0].written = written(expr, env)
    return bundle


def name_wires(ctx: Context, expr: ast.Name, id: str, env: Env, b: Builder) -> Bundle:
    """A name in the place of a wire."""
    found = env.find(id)
    match found:
        case Bundle():
            found.used = True
            if found.bad:
                return BAD
            ctx.work.left -= len(found.wires) // WIRES_PER_STEP
            taken = Bundle([b.take(w) for w in found.wires], found.names)
            taken.groups = found.groups
            return taken
        case Shadow(bundle=bundle):
            assert isinstance(bundle, Bundle)
            bundle.used = True
            return Bundle([b.take(w) for w in bundle.wires])
        case ParamDef():
            env.module.used.add(id)
            return global_param(ctx, found, b, env.module.span(expr))
        case Static() | Axis() | DimDef():
            return static_wires(ctx, expr, env, b)
        case KindDef() | ObjectDef() | Object() | Row():
            ctx.report(wrong.NotAWire(env.module.span(expr), f"`{id}`, {sort_of(found)}"))
            return BAD
        case BadDef():
            return BAD
        case None if id in ("true", "false"):
            return literal(ctx, b, id == "true", env.module.span(expr))
        case None if id not in rules.TABLE:
            close = alike(id, env, Bundle, Shadow, Static, Axis, DimDef, ParamDef, MorphismDef, Closure)
            ctx.report(wrong.UnknownName(env.module.span(expr), id, "name", close))
            return BAD
        case _:
            head = head_of(ctx, expr, env)
            if head is not None and head_width(ctx, head):
                ctx.report(wrong.NotAWire(env.module.span(expr), f"`{id}`, a morphism"))
                return BAD
            return apply(ctx, expr, env, b, Bundle([]))


def field(ctx: Context, expr: ast.Expr, base: ast.Expr, name: str, env: Env, b: Builder) -> Bundle:
    """A port of a record; of a record in scope that port alone enters the diagram."""
    known = env.find(base.id) if isinstance(base, ast.Name) else None
    bundle = known if isinstance(known, Bundle) else wires(ctx, base, env, b)
    bundle.used = True
    if bundle.bad:
        return BAD
    names = bundle.names or ()
    place = 0
    for port, count in bundle.groups or ():
        if port == name and count != 1:
            inner = [b.take(w) for w in bundle.wires[place : place + count]]
            return Bundle(inner, names[place : place + count] or None)
        place += count
    if name in names:
        return Bundle([b.take(bundle.wires[names.index(name)])])
    start = f"{name}."
    below = [(n, w) for n, w in zip(names, bundle.wires, strict=False) if n is not None and n.startswith(start)]
    if below:
        return Bundle([b.take(w) for _, w in below], tuple(n.removeprefix(start) for n, _ in below))
    available = tuple(dict.fromkeys([n for n, _ in bundle.groups or () if n] + [n for n in names if n]))
    ctx.report(wrong.NoSuchPort(env.module.span(expr), name, available, near(name, available)))
    return BAD


def operate(ctx: Context, b: Builder, fn: str, operands: list[Bundle], span: Span) -> Bundle:
    """Arithmetic between wires."""
    if any(o.bad for o in operands):
        return BAD
    all_wires: list[W] = []
    for operand in operands:
        if len(operand.wires) != 1:
            ctx.report(wrong.ArityMismatch(span, 1, len(operand.wires), "an operand"))
            return BAD
        all_wires.append(operand.wires[0])
    if any(w.bad for w in all_wires):
        return BAD
    check_product(ctx, b, fn, all_wires)
    try:
        return scale(fn, all_wires, pointwise(ctx, b, fn, all_wires, span))
    except SizeTooLarge as error:
        ctx.report(wrong.LimitExceeded(span, error.what, error.limit))
        return BAD
    except Refused:
        return BAD
