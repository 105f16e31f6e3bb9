"""Blocks: statements that name wires, morphisms and parameters, in order, and the result they lead to.

Guarantees that every name is read, and that a statement which was refused leaves a name that stays silent.
"""

from __future__ import annotations

from collections.abc import Callable

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Closure
from catdl.check.closures import check_tie
from catdl.check.context import Context
from catdl.check.forms import is_wire
from catdl.check.names import leaves, mentioned, pattern_names
from catdl.check.scope import Env, Module, Shadow, Static
from catdl.check.scores import written
from catdl.check.sources import local_param
from catdl.check.states import Cells
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Emit
from catdl.source import Span
from catdl.syntax import ast

_STRANGE = 64  # names of nothing that are compared with the wires that nothing reads


def bind_pattern(
    ctx: Context, pattern: ast.Expr, value: Bundle, scope: Env, env: Env
) -> list[tuple[str, Bundle, Span]]:
    """Bind the names of a pattern to wires; gives them for the check that each is used. Raises Refused."""
    span = env.module.span(pattern)
    match pattern:
        case ast.Name(id):
            bundle = BAD if value.bad else Bundle(value.wires, value.names)
            bundle.groups = value.groups if not value.bad else None
            static = env.find(id)
            scope.names[id] = Shadow(bundle, static) if isinstance(static, Static) else bundle
            for wire in value.wires:
                if len(value.wires) == 1 and wire.name is None:
                    wire.name = id
            return [(id, bundle, span)]
        case ast.Tuple(items):
            bound = pattern_names(pattern)
            twice = next((name for name in bound if name != "_" and bound.count(name) > 1), None)
            if twice is not None:
                first, second, *_ = places_of(env, pattern, twice)
                raise ctx.refuse(wrong.DuplicateName(second, twice, first))
            named = [name for name, _ in value.groups] if not value.bad and value.groups else list(value.names or ())
            if bound != named and sorted(bound) == sorted(name or "" for name in named):
                ports = ", ".join(name or "_" for name in named)
                raise ctx.refuse(wrong.BadValue(span, f"a pattern goes by position, and the ports here are ({ports})"))
            grouped = not value.bad and value.groups is not None and len(items) == len(value.groups)
            if not value.bad and not grouped and len(items) != len(value.wires):
                items = leaves(pattern)  # a product has no brackets: `(a, (b, c))` are three wires
                if len(items) != len(value.wires):
                    ctx.report(wrong.ArityMismatch(span, len(items), len(value.wires), "this pattern"))
                    value = BAD
            out: list[tuple[str, Bundle, Span]] = []
            if grouped:
                place = 0
                for item, (port, count) in zip(items, value.groups or (), strict=True):
                    inner = value.names[place : place + count] if value.names is not None else None
                    part = Bundle(value.wires[place : place + count], (port,) if count == 1 and port else inner)
                    place += count
                    out += bind_pattern(ctx, item.value, part, scope, env)
                return out
            for i, item in enumerate(items):
                names = (value.names[i],) if value.names is not None and not value.bad else None
                part = BAD if value.bad else Bundle([value.wires[i]], names)
                out += bind_pattern(ctx, item.value, part, scope, env)
            return out
        case ast.Bad():  # told where it was parsed
            return []
        case _:
            raise ctx.refuse(wrong.NotAWire(span, "this pattern"))


def unused(
    ctx: Context,
    env: Env,
    bound: list[tuple[str, Bundle, Span]],
    broken: list[object],
    mistake: Callable[[Span, str], Diagnostic],
) -> None:
    """Report names that nothing reads; what `broken` mentions, be it misspelt, might have been read but for a mistake.

    Where parts of a declaration could not be read, a name that stands in it once more may have been read there.
    """
    loose = [
        (name, span)
        for name, bundle, span in bound
        if not bundle.used and not bundle.bad and not name.startswith("_") and bundle.wires
    ]
    excused = mentioned(broken) if loose and broken else set()
    if excused:
        known = {name for name, _, _ in bound}
        strange = sorted(word for word in excused if word not in known and env.find(word) is None)
        for word in strange[:_STRANGE]:
            excused.update(near(word, [name for name, _ in loose]))
    for name, span in loose:
        if name not in excused and not env.module.perhaps_read(name, span.start):
            ctx.report(mistake(span, name))


def block(ctx: Context, node: ast.Block, env: Env, b: Builder, inp: Bundle | None) -> Bundle:
    """Statements, then the result: applied to `inp`, or wires when there is none."""
    scope = env.child()
    bound: list[tuple[str, Bundle, Span]] = []
    owned: list[tuple[str, Bundle, Span]] = []
    boxes: list[Closure] = []
    cells = Cells()
    failed = False
    for statement in node.statements:
        try:
            match statement:
                case ast.Bind(pattern, value):
                    if (
                        isinstance(pattern, ast.Name)
                        and ctx.statics.is_static(value, scope)
                        and not is_wire(ctx, value, scope)
                    ):
                        number = ctx.statics.value(value, scope)
                        how = written(value, scope) if isinstance(number, float) else None
                        scope.names[pattern.id] = Static(number, how)
                        continue
                    bundle = ctx.wires(value, scope, b)
                    failed = failed or bundle.bad
                    bound += bind_pattern(ctx, pattern, bundle, scope, env)
                case ast.Box(name, tie, value):
                    closure = Closure(value, scope.snapshot(), name, tie, binder_span(env.module, statement))
                    closure.over = ctx.over
                    scope.names[name] = closure
                    boxes.append(closure)
                case ast.LocalParam(state=True):
                    cells.declare(ctx, statement, scope, b)
                case ast.Store():
                    cells.store(ctx, statement, scope, b)
                case ast.LocalParam():
                    owned += own_param(ctx, statement, scope, b)
                case ast.Emit(name, value):
                    out = ctx.wires(value, scope, b)
                    failed = failed or out.bad
                    if not out.bad:
                        emitted(ctx, name, out, env.module.span(statement), b)
                case _:
                    out = ctx.wires(statement, scope, b)
                    if not out.bad and out.wires:
                        span = env.module.span(statement)
                        ctx.report(wrong.UnusedWire(span, span.text))
        except Refused:
            failed = True
            for name in pattern_names(statement.pattern) if isinstance(statement, ast.Bind) else ():
                scope.names[name] = BAD
            if isinstance(statement, ast.LocalParam):
                scope.names[statement.name] = BAD
    if inp is not None and (inp.wires or not is_wire(ctx, node.result, scope)):  # a wire takes nothing, which is told
        out = ctx.apply(node.result, scope, b, inp)
    else:
        out = ctx.wires(node.result, scope, b)
    if isinstance(node.result, ast.Bad) and node.statements and isinstance(node.statements[-1], ast.Bind):
        last = pattern_names(node.statements[-1].pattern)  # a block that ends without a result was about to give these
        bound = [(name, bundle, span) for name, bundle, span in bound if name not in last]
    broken: list[object] = [*node.statements, node.result] if failed or out.bad else []
    unused(ctx, env, bound, broken, wrong.UnusedWire)
    unused(ctx, env, owned, broken, wrong.ParamUnused)
    for closure in boxes:
        check_tie(ctx, closure)
    cells.close(ctx, broken)
    return out


def emitted(ctx: Context, name: str, value: Bundle, span: Span, b: Builder) -> None:
    """A value that leaves beside the result. Raises Refused."""
    if len(value.wires) != 1:
        raise ctx.refuse(wrong.ArityMismatch(span, 1, len(value.wires), f"what is emitted as `{name}`"))
    if name in b.emitted:
        raise ctx.refuse(wrong.DuplicateName(span, name, b.emitted[name]))
    b.emitted[name] = span
    b.emit(Emit(name), [b.take(value.wires[0])], [], name, span)


def own_param(ctx: Context, node: ast.LocalParam, scope: Env, b: Builder) -> list[tuple[str, Bundle, Span]]:
    """A parameter of the morphism's own, if it has it, for the check that it is used. Raises Refused."""
    if node.condition is not None and not ctx.statics.truth(node.condition, scope):
        return []
    bundle = local_param(ctx, node, scope, b)
    scope.names[node.name] = Shadow(bundle, scope.find(node.name))
    return [(node.name, bundle, scope.module.span(node))]


def binder_span(module: Module, node: ast.Box) -> Span:
    """The name of a `box`, before which the word that shares it or not is written."""
    text = module.source.text
    start = node.start + len("box")
    while text[start].isspace():
        start += 1
    return Span(module.source, start, node.end)


def places_of(env: Env, pattern: ast.Expr, name: str) -> list[Span]:
    """Where a name stands in a pattern, in text order."""
    found: list[Span] = []
    stack = [pattern]
    while stack:
        match stack.pop():
            case ast.Name(id) as node if id == name:
                found.append(env.module.span(node))
            case ast.Tuple(items):
                stack += [item.value for item in reversed(items)]
            case _:
                pass
    return found
