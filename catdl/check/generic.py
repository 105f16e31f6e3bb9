"""A morphism with morphisms among its arguments as one diagram, for every meaning of them.

Takes a declaration with one body. A morphism among its arguments stands for any of its type, and is a box that nothing
looks into (`variable`); an object or a dim stands for one of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from catdl.check.builder import Builder, Closure
from catdl.check.closing import Missing
from catdl.check.context import Context
from catdl.check.finish import finish
from catdl.check.program import Program
from catdl.check.samples import glimpse
from catdl.check.scope import Env, MorphismDef, Static
from catdl.check.signature import Scheme, binder_sorts
from catdl.check.stand_ins import stand_in
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Diagram
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import sym
from catdl.types.types import Object

Ends: TypeAlias = Callable[[Context, Scheme | None, Env], "tuple[Object, Object | None]"]
"""What it takes, and what it gives if that is said, by its signature."""


def generic(program: Program, definition: MorphismDef, ends: Ends, note: Callable[[Diagnostic], None]) -> Diagram:
    """The diagram, with all that it calls. Raises Refused."""
    node = definition.head
    quiet = program.context(note)
    definition.sorts = binder_sorts(node) if node.binders or node.params else {}
    names: dict[str, object] = {name: stand_in(name, sort) for name, sort in definition.sorts.items()}
    env = Env(definition.module, None, names)
    try:
        variables(quiet, node, env)
        scheme = program.scheme(definition)
        ctx = program.context(note, program.assumed(definition, env))
        domain, codomain = ends(ctx, scheme, env)
    except Refused:
        assert node.body is not None
        glimpse(quiet, definition.module, node, node.body)
        raise
    builder = program.body(ctx, definition, node, env, domain, codomain, scheme)
    if ctx.failed:
        raise Refused
    return finished(program, ctx, builder, definition.span)


def variables(ctx: Context, node: ast.Morphism, env: Env) -> None:
    """Its arguments: any morphism of a type, any number. Raises Refused."""
    for param in node.params or ():
        if param.name is None or param.name in env.names:
            continue
        if isinstance(param.sort, ast.Arrow):
            span = env.module.span(param)
            closure = Closure(ast.Bad(param.start, param.end), env, None, "tied", span, True)
            closure.param = param.name
            closure.arrow = (
                ctx.types.object(param.sort.domain, env),
                ctx.types.object(param.sort.codomain, env),
                param.sort.random,
            )
            env.names[param.name] = closure
        elif param.default is not None:
            env.names[param.name] = Static(ctx.statics.value(param.default, env))
        else:
            env.names[param.name] = Static(sym(f"~::{param.name}"))


def finished(program: Program, ctx: Context, builder: Builder, span: Span) -> Diagram:
    """The diagram, with all that it calls. Raises Refused."""
    while True:
        try:
            return finish(ctx, builder, tuple(ctx.facts.divides), program)
        except Missing as missing:
            if any(program.make(other, place, ctx.report) is None for other, place in missing.instances.items()):
                raise Refused from None
