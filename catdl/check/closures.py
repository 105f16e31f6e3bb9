"""Morphism arguments and `box`es: used in the scope they were written in, tied or fresh where they own weights."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Closure, Inner, LateEquilinear, PBox, Source_, Use, W
from catdl.check.context import Context, Head
from catdl.check.inner import named
from catdl.check.names import local_params
from catdl.check.plugs import attach, read_plugs
from catdl.check.scope import Env
from catdl.check.states import stateful
from catdl.check.traits import WEIGHTED
from catdl.diagram.model import VARIABLE, Extern
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Leaf


def use_closure(ctx: Context, closure: Closure, head: Head, b: Builder, inp: Bundle) -> Bundle:
    """A morphism argument or a `box` applied to wires."""
    span = head.span
    assert span is not None
    if head.args or head.items is not None:
        expr = closure.expr
        if head.args:
            expr = ast.Call(expr, tuple(head.args), expr.start, expr.end)
        if head.items is not None:
            expr = ast.Index(expr, tuple(head.items), expr.start, expr.end)
    else:
        expr = closure.expr
    if closure.arrow is not None and not ctx.ports(
        inp, closure.arrow[0], span, f"the input of `{head.name}`", port=lambda i: head.port(i, len(inp.wires))
    ):
        return BAD
    if closure.opaque:
        assert closure.arrow is not None
        leaves = list(closure.arrow[1].leaves)
        return variable(closure, leaves, b, inp, span)
    plugs = read_plugs(ctx, head, b)
    start = len(b.boxes)
    ctx.way = None
    label = head.label or closure.name
    if label is not None and not isinstance(expr, (ast.Name, ast.Call, ast.Index, ast.Plug, ast.Labelled)):
        out = named(ctx, expr, closure.env, b, inp, label, span)
    else:
        out = ctx.apply(expr, closure.env, b, inp, label)
    made = b.boxes[start:]
    if plugs and not out.bad:
        attach(ctx, made, plugs, span, head.name)
    if closure.tie == "tied":
        share(ctx, closure, made, b, span)
    elif len(closure.uses) == 1:
        closure.parametric = any(parametric(ctx, box) for box in made)
    if closure.arrow is None or out.bad:
        return out
    said = f"the result of `{head.name}`"
    declared = "declared so" if closure.wanted is not None else ""
    fits = ctx.ports(out, closure.arrow[1], closure.span, said, closure.wanted, declared, way=out.way)
    return out if fits else BAD


def variable(closure: Closure, leaves: list[Leaf], b: Builder, inp: Bundle, span: Span) -> Bundle:
    """Any morphism of a type: a box that nothing looks into."""
    outputs = [W(b, leaf, False, None, span) for leaf in leaves]
    random = closure.arrow is not None and closure.arrow[2]
    if random:
        b.effects.add("rand")
    op = Extern(f"{VARIABLE}{closure.param}{'~' if random else ''}", ())
    b.emit(op, [b.take(w) for w in inp.wires], outputs, closure.param or "", span)
    return Bundle(outputs)


def share(ctx: Context, closure: Closure, made: list[PBox], b: Builder, span: Span) -> None:
    """Give the boxes of a tied morphism the sites of its first use."""
    if closure.builder is None:
        closure.builder = b
    elif closure.builder is not b and any(parametric(ctx, box) for box in made):
        ctx.report(
            wrong.BadValue(
                span, "a tied morphism is used inside another box than before; declare a `param` and plug it in"
            )
        )
    # A declared parameter is one box for all that use it, so only the first use makes it.
    own = (box for box in made if not (isinstance(box.op, Source_) and box.op.declared))
    for place, box in enumerate(own):
        if place == len(closure.share):
            closure.share.append(object() if box.token is None else box.token)
        box.token = closure.share[place]
    first = closure.uses[0]
    if span != first and stateful(ctx, made):
        ctx.report(wrong.StateCopied(span, closure.name or closure.param or "f", first))


def parametric(ctx: Context, box: PBox) -> bool:
    """Whether a box under construction owns parameters."""
    stack = [box]
    while stack:
        match stack.pop():
            case PBox(op=Inner(builder=builder)):
                stack += builder.boxes
            case PBox(op=Source_(declared=declared)):
                if not declared:
                    return True
            case PBox(op=LateEquilinear(name=name)):
                if name in WEIGHTED:
                    return True
            case PBox(op=Use() as use, plugs=plugs):
                if owns_now(ctx, use, {name for name, _ in plugs}):
                    return True
            case _:
                pass
    return False


def owns_now(ctx: Context, use: Use, plugged: set[str]) -> bool:
    """Whether a call owns parameters under its arguments."""
    definition = use.definition
    own = local_params(definition.head.body)
    if not own:
        return ctx.library.traits(definition)[0]
    names: dict[str, object] = {k: v for k, v in {**use.args, **use.binds}.items() if v is not None}
    env = Env(definition.module, None, names)
    for param in own:
        if param.name in plugged:
            continue
        if param.condition is None or ctx.statics.truth(param.condition, env):
            return True
    return False


def check_tie(ctx: Context, closure: Closure) -> None:
    """A parametric morphism used more than once must say which is meant."""
    if closure.tie is None and len(closure.uses) > 1 and closure.parametric:
        name = closure.name or closure.param or "f"
        ctx.report(wrong.NeedsTie(closure.uses[1], name, closure.uses[0], closure.uses[1], closure.span))
