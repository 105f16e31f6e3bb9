"""Coalgebras: a functor on an object, and the morphism that a `coalgebra` is.

Takes `coalgebra` declarations, and functors applied to objects in types. Guarantees for a sum a tag in front, which
says how wide each summand is, and for a machine's functor, `In -> G(X)`, that its input comes beside the state.

    functor Stream(X) = Real[A] @ X       Stream(State) is Real[A] @ State
    functor Machine(X) = (In -> Out @ X)  a coalgebra on State is State @ In -> Out @ State
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check.functors import Sum, arguments, functor, summands
from catdl.check.scope import Env, FunctorDef, MorphismDef
from catdl.check.static import Refused
from catdl.record import replace
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.types.types import UNIT, Child, Kind, Leaf, Object

if TYPE_CHECKING:
    from catdl.check.objects import Types

INPUT = "in"
"""`F.in`: what a machine of the functor F reads. The word is a keyword, so no text says it."""


def coalgebra(node: ast.Morphism, source: Source) -> ast.Morphism | None:
    """A `coalgebra` as the morphism that it is, its input beside the state; None where its type is not `C -> F(C)`."""
    signature = node.signature
    if not isinstance(signature, ast.Arrow) or node.body is None:
        return None
    made = signature.codomain
    if not isinstance(made, ast.Call) or len(made.args) != 1:
        return None
    texts = {"".join(Span(source, e.start, e.end).text.split()) for e in (made.args[0].value, signature.domain)}
    if len(texts) > 1:
        return None
    start, end = signature.domain.start, made.function.end
    read = ast.Field(made.function, INPUT, start, end)
    return replace(node, signature=replace(signature, domain=ast.Tensor((signature.domain, read), start, end)))


def functor_of(definition: MorphismDef) -> ast.Call | None:
    """The functor of a declared coalgebra on its state, as its type names it; None if it is of another type."""
    match definition.head:
        case ast.Morphism(
            keyword="coalgebra",
            signature=ast.Arrow(ast.Tensor((_, ast.Field(_, word))), ast.Call() as made),
        ) if word == INPUT:
            return made
    return None


def reads(definition: MorphismDef) -> bool:
    """Whether a declared coalgebra reads an input at every step."""
    made = functor_of(definition)
    node = made.function if made is not None else None
    root = node.base if isinstance(node, ast.Index) else node
    found = definition.module.find(root.id) if isinstance(root, ast.Name) else None
    return isinstance(found, FunctorDef) and isinstance(found.node.value, ast.Arrow)


def declared(types: Types, found: FunctorDef) -> None:
    """Read a functor where it is declared. Raises Refused."""
    env, value = Env(found.module), found.node.value
    if isinstance(value, ast.Arrow):
        types.object(value.domain, env)
    summands(types, after_input(found), env, [(Child(),)], 0)


def after_input(found: FunctorDef) -> FunctorDef:
    """A functor without what a machine of it reads."""
    value = found.node.value
    if not isinstance(value, ast.Arrow):
        return found
    return FunctorDef(found.name, replace(found.node, value=value.codomain), found.module, found.span)


def applied(types: Types, node: ast.Call, env: Env) -> Object | None:
    """A functor on an object, `F(C)`; None where the call is of no functor. Raises Refused."""
    found = functor(types, node.function, env)
    if found is None:
        return None
    if len(node.args) != 1:
        message = f"a functor is applied to one object: `{found.name}(State)`"
        raise types.statics.refuse(wrong.FunctorForm(env.module.span(node), message))
    scope, _ = arguments(types, found, node.function, env)
    state = types.object(node.args[0].value, env)
    return on(state, summands(types, after_input(found), scope, [(Child(),)], 0))


def on(state: Object, terms: Sum) -> Object:
    """A sum of products with the variable read as an object."""
    if len(terms) == 1:
        return product(state, terms[0])
    made = [product(state, parts) for parts in terms]
    widths = tuple(tuple(count for _, count in part.groups or ()) for part in made)
    leaves = (Leaf(tag(widths), ()), *(leaf for part in made for leaf in part.leaves))
    return Object(leaves, (None, *(name for part in made for name in part.names)))


def product(state: Object, parts: tuple[Leaf | Child, ...]) -> Object:
    """A summand with the variable read as an object."""
    leaves: list[Leaf] = []
    names: list[str | None] = []
    groups: list[tuple[str | None, int]] = []
    for part in parts:
        if isinstance(part, Leaf):
            kind = part.kind
            leaves.append(Leaf(Kind(kind.name, kind.size, kind.axis), part.axes))
            names.append(None)
            groups.append((None, 1))
        else:
            leaves += [Leaf(leaf.kind, (*part.axes, *leaf.axes)) for leaf in state.leaves]
            names += state.names
            groups.append((None, len(state.leaves)))
    return Object(tuple(leaves), tuple(names), tuple(groups)) if leaves else UNIT


def tag(widths: tuple[tuple[int, ...], ...]) -> Kind:
    """What says which summand a value is of."""
    return Kind("Case", len(widths), root="Fin", cases=widths)


def input_of(types: Types, node: ast.Field, env: Env) -> Object:
    """What a machine of a functor reads at every step. Raises Refused."""
    found = functor(types, node.base, env)
    if found is None:
        raise Refused  # told where the result is read
    if not isinstance(found.node.value, ast.Arrow):
        return UNIT
    scope, _ = arguments(types, found, node.base, env)
    return types.object(found.node.value.domain, scope)
