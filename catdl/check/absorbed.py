"""A use whose input is already wrong: what is wrong with it whatever comes in.

An error absorbs what follows from it, which is every type further on. What does not depend on types is told all the
same: names that stand for nothing, arguments that are not there or of another sort, patterns that cannot be read.

    linera >> repeat(3, tahn)      both names are told
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.arguments import bind_arguments
from catdl.check.builder import BAD, Builder, Closure
from catdl.check.context import Context, Head
from catdl.check.forms import is_wire
from catdl.check.plugs import stands_for_nothing, told
from catdl.check.scope import Env, MorphismDef
from catdl.check.signature import sized
from catdl.check.static import Refused, alike
from catdl.check.steps import OPTIONS, said, unknown
from catdl.check.templates import without
from catdl.diagnostics.suggest import near
from catdl.record import replace
from catdl.syntax import ast

HIGHER = frozenset("annotate chain each fold iterate map mealy moore moore0 repeat scan scan0 unfold".split())  # noqa: SIM905
"""Operations that take morphisms."""

NO_MORPHISMS = (ast.Text, ast.List, ast.Comprehension, ast.Labelled, ast.Chain, ast.Negate, ast.Power)
"""Arguments that are none by their form."""


def absorbed(ctx: Context, head: Head, b: Builder) -> None:
    """Report what is wrong with the arguments of a use."""
    target = head.target
    params = {p.name: p for p in (target.head.params or ())} if isinstance(target, MorphismDef) else {}
    slots = list(params)
    core = target is None or (isinstance(target, MorphismDef) and "core" in target.modifiers)
    plain: list[ast.Arg] = []
    taken: set[str | None] = set()
    place = 0
    for arg in head.args:
        name = arg.name
        if arg.sep != "=":
            name = slots[place] if place < len(slots) else None
            place += 1
        param = params.get(name)
        value = arg.value.body if isinstance(arg.value, ast.Tie) else arg.value
        if is_wire(ctx, value, head.env):
            ctx.wires(value, head.env, b)
        elif core and head.name in OPTIONS and arg.sep == "=" and arg.name != "until":
            option(ctx, head, arg)
        elif takes_morphism(ctx, value, param, head, core):
            taken.add(name)
            ctx.apply(value, head.env, b, BAD)
        else:
            plain.append(arg)
    for plug in head.plugs:
        told(ctx, plug, head.env, b)
    if isinstance(target, MorphismDef) and not core and head.span is not None:
        try:
            bind_arguments(ctx, without(target, taken), replace(head, args=plain), head.span)
        except Refused:
            return


def strangers(ctx: Context, head: Head, b: Builder) -> None:
    """Report the arguments and plugs of a use of nothing that stand for nothing themselves."""
    for arg in (*head.args, *head.plugs):
        if stands_for_nothing(arg.value, head.env):
            ctx.wires(arg.value, head.env, b)


def untaken(ctx: Context, branch: ast.Expr, env: Env) -> None:
    """Report what stands for nothing among the morphisms of a branch that is not taken, less their arguments."""
    stack = [branch]
    while stack:
        match stack.pop():
            case ast.Seq(steps):
                stack += reversed(steps)
            case ast.Tensor(legs) | ast.Fan(legs):
                stack += reversed(legs)
            case ast.If(_, then, orelse):
                stack += (orelse, then)
            case ast.Call(ast.Name("either")):
                pass
            case ast.Call(base) | ast.Index(base) | ast.Plug(base) | ast.Labelled(_, base) | ast.Tie(_, base):
                stack.append(base)
            case ast.Name(name) as node if stands_for_nothing(node, env):
                close = alike(name, env, MorphismDef, Closure) or near(name, rules.TABLE)
                ctx.report(wrong.UnknownName(env.module.span(node), name, "morphism", close))
            case _:
                pass


def option(ctx: Context, head: Head, arg: ast.Arg) -> None:
    """Report what is wrong with what a recursion is told by name."""
    if arg.name not in OPTIONS[head.name]:
        ctx.report(unknown(head.name, arg.name or "", head.env.module.span(arg)))
        return
    try:
        said(ctx, arg, head.env)
    except Refused:
        return


def takes_morphism(ctx: Context, value: ast.Expr, param: ast.StaticParam | None, head: Head, core: bool) -> bool:
    """Whether an argument is meant for a morphism."""
    if param is not None and isinstance(param.sort, ast.Arrow):
        return True
    if isinstance(value, NO_MORPHISMS) or (param is not None and sized(param)):
        return False
    if core:
        found = head.env.find(value.id) if isinstance(value, ast.Name) else None
        named = isinstance(value, ast.Name) and (found is None or isinstance(found, (MorphismDef, Closure)))
        higher = head.name in HIGHER
        return higher and (named or not ctx.statics.is_static(value, head.env))
    return param is not None and param.sort is None and not ctx.statics.is_static(value, head.env)
