"""Signatures taken apart: what a call fits its wires to, leg by leg.

Takes declarations and a reader of types; guarantees that both sides are read even where one is wrong, and that what
depends on no binder is read once.

    f[..S]{A} : Real[..S, A] -> X     a leaf by its form, and an object by its name
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from catdl.check.coalgebras import read_at_each
from catdl.check.functors import functor
from catdl.check.names import mentioned
from catdl.check.object_families import written_out
from catdl.check.objects import Types
from catdl.check.scope import Env, KindDef, Module, MorphismDef
from catdl.check.signature import (
    ChoicePart,
    FixedPart,
    LeafPart,
    ObjectPart,
    OpenPart,
    Part,
    Scheme,
    Whole,
    binder_sorts,
    named_part,
)
from catdl.check.static import Refused
from catdl.record import replace
from catdl.syntax import ast
from catdl.types.types import Axis, LabelVar, Object

T = TypeVar("T")


def scheme(types: Types, definition: MorphismDef) -> Scheme | None:
    """A morphism's signature taken apart; None without one. Raises Refused."""
    node = definition.head
    if not isinstance(node.signature, ast.Arrow):
        return None
    generic = bool(node.binders) or bool(node.params)
    if definition.sorts is None:
        definition.sorts = binder_sorts(node) if generic else {}
    sorts = definition.sorts
    if not generic:
        # Nothing to bind: both sides are objects, read once.
        arrow, module = node.signature, definition.module
        domain_, codomain_ = both(arrow, lambda side: whole(types, side, module))
        sides = FixedPart(arrow.domain, domain_), FixedPart(arrow.codomain, codomain_)
        return Scheme((), sides[:1], sides[1:], arrow.random, False)
    env = Env(definition.module)
    binders = tuple((b.name, sorts[b.name]) for b in node.binders)
    domain, codomain = both(node.signature, lambda side: parts(types, side, sorts, env))
    return Scheme(binders, domain, codomain, node.signature.random, generic)


def both(arrow: ast.Arrow, read: Callable[[ast.Expr], T]) -> tuple[T, T]:
    """Both sides of a signature; what is wrong is told of each. Raises Refused."""
    try:
        domain = read(arrow.domain)
    except Refused:
        read(arrow.codomain)
        raise
    return domain, read(arrow.codomain)


def whole(types: Types, node: ast.Expr, module: Module) -> Object:
    """A side of a signature without binders; what many declarations write alike is read once. Raises Refused."""
    text = module.source.text[node.start : node.end]
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name):
        text = f"{node.function.id} of {text}"  # an algebra's `F(C)` is `mu(F)`, a coalgebra's is itself
    found = module.types.get(text)
    if found is None:
        found = types.object(node, Env(module))
        if not any(isinstance(a, Axis) and isinstance(a.label, LabelVar) for x in found.leaves for a in x.axes):
            module.types[text] = found
    return found


def parts(types: Types, node: ast.Expr, sorts: dict[str, str], env: Env) -> tuple[Part, ...]:
    """The legs of one side of a signature. Raises Refused."""
    out: list[Part] = []
    stack: list[tuple[ast.Expr, str | None]] = [(node, None)]
    while stack:
        expr, name = stack.pop()
        match expr:
            case ast.Tensor(legs):
                stack += [(leg, None) for leg in reversed(legs)]
            case ast.Tuple(items) if items:
                stack += [(i.value, i.name) for i in reversed(items)]
            case ast.Labelled(port, only):
                stack.append((only, port))
            case ast.Call() | ast.Power() | ast.Index() if types.weights(expr, env) is not None:
                out.append(FixedPart(expr, types.object(expr, env), name))
            case ast.Index() | ast.Name() if (whole := written_out(types.statics, expr, env)) is not None:
                ports = parts(types, whole, sorts, env)
                if len(ports) == 1:
                    out.append(named_part(ports[0], name or ports[0].name))
                else:
                    together = Whole(name, len(ports))
                    out += [replace(part, whole=together) if isinstance(part, LeafPart) else part for part in ports]
            case ast.Index(base, items) if not isinstance(base, ast.Index):
                out.append(LeafPart(expr, base, items, name))
            case ast.Call() | ast.Field() if (on := on_functor(types, expr, env)) is not None:
                if mentioned([on]) & sorts.keys():
                    out.append(OpenPart(on, name))
                elif (value := types.object(on, env)).leaves:
                    out.append(FixedPart(on, value, name))
            case ast.Call():
                out.append(LeafPart(expr, expr, (), name))
            case ast.If(condition, then, orelse):
                out.append(
                    ChoicePart(condition, parts(types, then, sorts, env), parts(types, orelse, sorts, env), name)
                )
            case ast.Name(id) if sorts.get(id) == "object":
                out.append(ObjectPart(id, name))
            case ast.Name(id) if sorts.get(id) == "kind" or isinstance(env.find(id), KindDef):
                out.append(LeafPart(expr, expr, (), name))
            case ast.Tuple(()):
                pass
            case _:
                value = types.object(expr, env)
                if name and len(value.leaves) == 1:
                    value = Object(value.leaves, (name,))
                out.append(FixedPart(expr, value, name))
    return tuple(out)


def on_functor(types: Types, node: ast.Call | ast.Field, env: Env) -> ast.Expr | None:
    """A functor on an object, or what a machine of it reads, which may be nothing; None for another type.

    Raises Refused.
    """
    found = functor(types, node.base if isinstance(node, ast.Field) else node.function, env)
    if found is None:
        return None
    reads = not isinstance(node, ast.Field) or read_at_each(found) is not None
    return node if reads else ast.Tuple((), node.start, node.end)
