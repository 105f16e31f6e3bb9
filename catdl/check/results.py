"""What is checked around a body: the demands of signatures, and bodies that are not in the language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeGuard

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Inner
from catdl.check.context import Context
from catdl.check.scope import Env, Module, MorphismDef
from catdl.check.signature import FixedPart, LeafPart, Scheme
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.diagram.model import Choice, Extern, Static
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import SizeVar, free_vars
from catdl.types.types import Axis, Leaf, Object, walk_axes


def result_span(module: Module, body: ast.Expr, choices: Iterable[Choice] = ()) -> Span:
    """The part of a body that its result comes from: of an `if`, in the branch that was taken."""
    held = {choice.condition: choice.held for choice in choices}
    while True:
        match body:
            case ast.Lambda(_, inner) | ast.Block(_, inner):
                body = inner
            case ast.Seq(steps):
                body = steps[-1]
            case ast.If(condition, then, orelse) if (at := module.span(condition)) in held:
                body = then if held[at] else orelse
            case _:
                return module.span(body)


def nothing_read(module: Module, signature: ast.Expr, body: ast.Expr) -> Diagnostic:
    """What to say of a body that is wires of its own, where the morphism takes some."""
    taken = module.span(signature.domain if isinstance(signature, ast.Arrow) else signature)
    start = Edit(Span(module.source, body.start, body.start), "_ => ")
    return wrong.UnusedWire(taken, taken.text, start, nameless=True)


def written_at(definition: MorphismDef, scheme: Scheme | None, domain: Object) -> list[Span]:
    """Where the type of each input is written; the morphism's name where a signature does not say it leg by leg."""
    parts = scheme.domain if scheme is not None and isinstance(definition.head.signature, ast.Arrow) else ()
    spans: list[Span] = []
    for part in parts:
        match part:
            case FixedPart(node, value):
                spans += [definition.module.span(leg) for leg in legs_of(node, len(value.leaves))]
            case LeafPart(node):
                spans.append(definition.module.span(node))
            case _:
                break
    return spans if len(spans) == len(domain.leaves) else [definition.span] * len(domain.leaves)


def legs_of(node: ast.Expr, count: int) -> list[ast.Expr]:
    """The legs of a type as it is written, if there are so many; else the whole of it for each."""
    match node:
        case ast.Tensor(legs) if len(legs) == count:
            return list(legs)
        case ast.Tuple(items) if len(items) == count:
            return [item.value for item in items]
        case _:
            return [node] * count


def settled_apart(b: Builder) -> frozenset[SizeVar]:
    """The unknown sizes that an error in the rest of a body cannot be hiding: every wire that has them is read.

    A wire that nothing reads is where the error cut the diagram off; what it would have met is not known.
    """
    held: set[SizeVar] = set()
    hanging: set[SizeVar] = set()
    builders = [b]
    for builder in builders:  # grows on the way
        read = {w for box in builder.boxes for w in (*box.inputs, *(wire for _, wire in box.plugs))}
        read |= set(builder.outputs) if builder is not b else set()
        for box in builder.boxes:
            if isinstance(box.op, Inner):
                builders.append(box.op.builder)
            for wire in box.outputs:
                found = {v for a in walk_axes(wire.leaf.axes) if isinstance(a, Axis) for v in free_vars(a.size)}
                held |= found
                if wire not in read:
                    hanging |= found
    return frozenset(held - hanging)


def arrow_span(definition: MorphismDef) -> Span | None:
    """The `->` of a signature."""
    node = definition.head.signature
    if not isinstance(node, ast.Arrow):
        return None
    source = definition.module.source
    found = re.compile("->|→").search(source.text, node.domain.end, node.codomain.start)
    return Span(source, *found.span()) if found else None


def extern(
    ctx: Context, b: Builder, definition: MorphismDef, body: ast.Expr, env: Env, codomain: Object | None
) -> Builder:
    """`= python("pkg.module:Class", arg = 1)`. Raises Refused."""
    span = definition.module.span(body)
    if not foreign(body) or codomain is None:
        raise ctx.refuse(
            wrong.BadValue(span, 'an extern morphism is `python("package.module:Class", …)` and has a signature')
        )
    target, args = called(ctx, body, env, "an extern morphism")
    outputs = [b.wire(leaf, False, span) for leaf in codomain.leaves if isinstance(leaf, Leaf)]
    b.emit(Extern(target, args), list(b.inputs), outputs, definition.name, span)
    b.outputs = outputs
    b.out_names = codomain.names
    return b


def foreign(node: ast.Expr) -> TypeGuard[ast.Call]:
    """Whether an expression is `python(…)`."""
    return isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and node.function.id == "python"


def called(ctx: Context, node: ast.Call, env: Env, what: str) -> tuple[str, tuple[tuple[str, Static], ...]]:
    """The target of `python("pkg.module:Class", arg = 1)`, and its arguments by name. Raises Refused."""
    target: object = None
    args: list[tuple[str, object]] = []
    for place, arg in enumerate(node.args):
        value = ctx.statics.value(arg.value, env)
        if place == 0 and arg.name is None:
            target = value
        elif arg.name is None:
            raise ctx.refuse(wrong.BadValue(env.module.span(arg), f"arguments of {what} are named"))
        else:
            args.append((arg.name, value.size if isinstance(value, Axis) else value))
    parts = target.split(":") if isinstance(target, str) else []
    if len(parts) != 2 or not all(p and all(w.isidentifier() for w in p.split(".")) for p in parts):
        raise ctx.refuse(wrong.BadValue(env.module.span(node), 'the target is a text `"package.module:Class"`'))
    return str(target), tuple(args)  # type: ignore[arg-type]
