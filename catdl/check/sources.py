"""Parameters as wires, and how they start."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Source_, Start
from catdl.check.context import Context
from catdl.check.initial import FORMS, written
from catdl.check.scope import Env, ParamDef
from catdl.diagnostics.suggest import near
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Leaf


def global_param(ctx: Context, definition: ParamDef, b: Builder, span: Span) -> Bundle:
    """A declared parameter as a wire; one box for each diagram that uses it."""
    key = f"{definition.module.name}::{definition.name}"
    found = b.globals.get(key)
    if found is None:
        leaf = definition.leaf
        if not isinstance(leaf, Leaf):
            return BAD
        found = b.wire(leaf, True, span, definition.name)
        scope = Env(definition.module)
        b.emit(
            Source_(definition.name, True, leaf, initialiser(ctx, definition.node.init, scope)),
            [],
            [found],
            definition.name,
            span,
        )
        b.globals[key] = found
    return Bundle([found])


def initialiser(ctx: Context, node: ast.Expr | None, env: Env) -> Start:
    """An initialiser: its name, and its arguments to be read when sizes are known. Raises Refused."""
    if node is None:
        return Start("normal", (ast.Number(0, "0", 0, 0), ast.Number(1, "1", 0, 0)), env)
    span = env.module.span(node)
    match node:
        case ast.Name(id) if id in FORMS:
            return written(ctx, id, (), env, span)
        case ast.Call(ast.Name(id), args) if id in FORMS:
            return written(ctx, id, args, env, span)
        case ast.Name(id) | ast.Call(ast.Name(id)):
            if isinstance(node, ast.Name) and ctx.statics.is_static(node, env):
                return Start("constant", (node,), env, span)
            raise ctx.refuse(wrong.UnknownName(span, id, "initialiser", near(id, FORMS)))
        case _:
            return Start("constant", (node,), env, span)
