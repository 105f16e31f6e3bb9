"""Signatures taken apart: what a call fits its wires to, leg by leg.

Takes declarations and a reader of types; guarantees that both sides are read even where one is wrong, and that what
depends on no binder is read once.

    f[..S]{A} : Real[..S, A] -> X     a leaf by its form, and an object by its name
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from catdl import diagnostics as wrong
from catdl.check.functors import functor
from catdl.check.names import mentioned
from catdl.check.objects import Types
from catdl.check.scope import Env, KindDef, Module, MorphismDef
from catdl.check.signature import ChoicePart, FixedPart, LeafPart, ObjectPart, Part, Scheme, binder_sorts
from catdl.check.static import Refused
from catdl.diagnostics.base import Help
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
            case ast.Call() | ast.Power() | ast.Index() if types.weights(expr, env) is not None:
                out.append(FixedPart(expr, types.object(expr, env), name))
            case ast.Index(base, items) if not isinstance(base, ast.Index):
                out.append(LeafPart(expr, base, items, name))
            case ast.Call() | ast.Field() if (applied := on_functor(types, expr, sorts, env)) is not None:
                if applied.leaves:
                    out.append(FixedPart(expr, applied, name))
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


def on_functor(types: Types, node: ast.Call | ast.Field, sorts: dict[str, str], env: Env) -> Object | None:
    """A functor on an object in a signature with arguments; None for another type. Raises Refused.

    What a functor makes of an object is wires side by side, known when the signature is read: it has no binders.
    """
    root = node.base if isinstance(node, ast.Field) else node.function
    if functor(types, root, env) is None:
        return None
    chosen = sorted(mentioned([node]) & sorts.keys())
    if chosen and isinstance(node, ast.Field):
        raise Refused  # told where the result is read
    if chosen:
        words = " and ".join(f"`{name}`" for name in chosen)
        message = f"what a functor makes of an object is of fixed dims, and {words} would be the caller's to choose"
        help_ = Help("let a `dim` of the file say it, and give other numbers as arguments")
        raise types.statics.refuse(wrong.BadValue(env.module.span(node), message, "", (help_,)))
    return types.object(node, env)
