"""Parameters as wires, and how they start."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.builder import BAD, Builder, Bundle, Source_, Start, W
from catdl.check.context import Context
from catdl.check.forms import parameter_leaf
from catdl.check.initial import FORMS, written
from catdl.check.scope import Env, ParamDef
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Parameter
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Axis, AxisItem, Leaf


def global_param(ctx: Context, definition: ParamDef, b: Builder, span: Span) -> Bundle:
    """A declared parameter as a wire, or a record of them; one box for each diagram that uses it."""
    if definition.record is not None:
        home = definition.module.name
        leaves = [replace(p, path=f"{definition.name}.{p.path}", home=home) for p in definition.record]
        wires = [declared(b, leaf, span) for leaf in leaves]
        return Bundle(wires, tuple(p.path for p in definition.record))
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


def local_param(ctx: Context, node: ast.LocalParam, env: Env, b: Builder) -> Bundle:
    """A parameter of a morphism's own, or a record of them, as wires. Raises Refused."""
    span = env.module.span(node)
    record = ctx.types.weights(node.type, env)
    if record is None:
        one = parameter_leaf(ctx, node.type, env, node.name)
        wire = b.wire(one, True, span, node.name)
        b.emit(Source_(node.name, False, one, initialiser(ctx, node.init, env)), [], [wire], node.name, span)
        return Bundle([wire])
    wires: list[W] = []
    group = object()
    for leaf in started(ctx, record, node.init, env, span):
        path = f"{node.name}.{leaf.path}"
        wires.append(b.wire(twinned(leaf.type), True, span, path.replace(".", "_")))
        whole = replace(leaf, path=path)
        box = b.emit(Source_(path, False, leaf.type, whole), [], [wires[-1]], node.name, span)
        box.group = group, leaf.path
    return Bundle(wires, tuple(leaf.path for leaf in record))


def started(
    ctx: Context, record: tuple[Parameter, ...], node: ast.Expr | None, env: Env, span: Span
) -> tuple[Parameter, ...]:
    """A record whose leaves start as is written for all of them. Raises Refused.

    Of a file it is what stands there under the path of the leaf.
    """
    if node is None:
        return record
    start = initialiser(ctx, node, env)
    out: list[Parameter] = []
    for leaf in record:
        init = ctx.library.start(ctx, start, span, leaf.type)
        if init.name == "file" and len(init.args) == 1:
            init = replace(init, args=(init.args[0], leaf.path))
        lead = 0 if init.made is not None else leaf.init.lead
        out.append(replace(leaf, init=replace(init, lead=lead), told=True))
    return tuple(out)


def twinned(leaf: Leaf) -> Leaf:
    """The type of a weight as a wire: the second axis of a square map is the twin of the first."""
    seen: set[object] = set()
    axes: list[AxisItem] = []
    for axis in leaf.axes:
        while isinstance(axis, Axis) and isinstance(axis.label, str) and axis.label in seen:
            axis = Axis(f"{axis.label}'", axis.size)
        if isinstance(axis, Axis):
            seen.add(axis.label)
        axes.append(axis)
    return Leaf(leaf.kind, tuple(axes))


def declared(b: Builder, leaf: Parameter, span: Span) -> W:
    """One leaf of a declared record as a wire."""
    key = f"{leaf.home}::{leaf.path}"
    found = b.globals.get(key)
    if found is None:
        found = b.globals[key] = b.wire(twinned(leaf.type), True, span, leaf.path.replace(".", "_"))
        b.emit(Source_(leaf.path, True, leaf.type, leaf), [], [found], leaf.path, span)
    return found


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
        case _ if ctx.statics.is_static(node, env):
            return Start("constant", (node,), env, span)
        case ast.Name(id) | ast.Call(ast.Name(id)) if env.find(id) is None and id not in rules.TABLE:
            raise ctx.refuse(wrong.UnknownName(span, id, "initialiser", near(id, FORMS)))
        case _:
            return Start("formula", (), env, span, node)
