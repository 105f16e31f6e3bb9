"""Declarations checked by themselves, before any use: a generic one under stand-ins, one without a right signature.

Takes the program and a morphism; guarantees that what is wrong in the body is told where it is written, once.

    morphism f{A} : Real[A] -> Real[A] = relu >> softmax(B)   tells of B though nothing uses f
"""

from __future__ import annotations

from catdl.check.builder import BAD, Builder, Bundle, Closure
from catdl.check.context import Context
from catdl.check.forms import is_wire
from catdl.check.functors import applied, kind_of
from catdl.check.legs import functor_of
from catdl.check.program import Program
from catdl.check.scope import BadDef, Env, Module, MorphismDef, Static
from catdl.check.stand_ins import side, stand_in
from catdl.check.static import Refused
from catdl.syntax import ast
from catdl.types.sizes import sym
from catdl.types.types import Leaf


def glance(program: Program, definition: MorphismDef) -> None:
    """Tell what is wrong with a definition whatever its types and its arguments are."""
    ctx = program.context(program.report)
    for equation in definition.equations:
        if isinstance(equation.signature, ast.Arrow):
            for node in (equation.signature.domain, equation.signature.codomain):
                try:
                    ctx.types.object(node, unknown(definition.module, equation))
                except Refused:
                    continue
    glance_inside(program, definition)


def glance_inside(program: Program, definition: MorphismDef) -> None:
    """Tell what is wrong with a body whatever its types and its arguments are."""
    ctx = program.context(program.report)
    for equation in definition.equations if definition.head.keyword != "extern" else ():
        if equation.body is not None:
            glimpse(ctx, definition.module, equation, equation.body)


def glimpse(ctx: Context, module: Module, node: ast.Morphism, body: ast.Expr) -> None:
    """Tell what is wrong with an expression whatever comes in, and whatever the names of a signature stand for."""
    if node.signature is None and isinstance(body, ast.Chain | ast.Negate | ast.Power | ast.Number):
        return  # a function of numbers
    env, b = unknown(module, node), Builder(node.name)
    if is_wire(ctx, body, env):
        ctx.wires(body, env, b)
    else:
        ctx.apply(body, env, b, BAD)


def unknown(module: Module, node: ast.Morphism) -> Env:
    """The scope of a definition of whose binders and arguments nothing is known."""
    names = [*(b.name for b in node.binders), *(p.name for p in node.params or () if p.name is not None)]
    return Env(module, None, {name: BadDef(name) for name in names})


def sample(program: Program, definition: MorphismDef) -> None:
    """Check a generic definition by itself: its binders stand for objects and sizes of their own."""
    head = definition.head
    if (
        any(p.literal is not None for e in definition.equations for p in e.params or ())
        or len(definition.equations) > 1
    ):
        glance(program, definition)
        return
    ctx = program.context(program.report)
    names: dict[str, object] = {}
    begun = False
    try:
        scheme = program.scheme(definition)
        functor = functor_of(definition)
        if scheme is None and functor is None:
            glance(program, definition)
            return
        for name, sort in (definition.sorts or {}).items():
            names[name] = stand_in(name, sort)
        env = Env(definition.module, None, names)
        ctx = program.context(program.report, program.assumed(definition, env))
        for param in head.params or ():
            if param.name is None or param.name in names:
                continue
            if isinstance(param.sort, ast.Arrow):
                closure = Closure(
                    ast.Bad(param.start, param.end), env, None, "fresh", definition.module.span(param), True
                )
                names[param.name] = closure
            elif param.default is not None:
                names[param.name] = Static(ctx.statics.value(param.default, env))
            elif isinstance(param.sort, ast.Name) and param.sort.id == "size":
                names[param.name] = Static(sym(f"~::{param.name}"))
            else:
                glance(program, definition)
                return
        for param in head.params or ():
            closure_ = names.get(param.name or "")
            if isinstance(param.sort, ast.Arrow) and isinstance(closure_, Closure):
                closure_.arrow = (
                    ctx.types.object(param.sort.domain, env),
                    ctx.types.object(param.sort.codomain, env),
                    param.sort.random,
                )
                closure_.param = param.name
        if scheme is None:
            assert functor is not None and head.body is not None
            b = Builder(definition.name)
            trees = kind_of(applied(ctx.types, functor, env)[0])
            ctx.apply(head.body, env, b, Bundle([b.input(Leaf(trees, ()), None, False)]))
            return
        domain, codomain = side(ctx, scheme.domain, env), side(ctx, scheme.codomain, env)
        begun = True
        program.body(ctx, definition, head, env, domain, codomain, scheme)
    except Refused:
        if not begun:
            glance(program, definition)
