"""Coalgebras: a functor on an object, and the morphism that a `coalgebra` is.

Takes `coalgebra` declarations, and functors applied to objects in types. Guarantees for a sum a tag in front, which
says how wide each summand is, and for a functor of machines, `In -> G(X)` or `Out @ (In -> X)`, that the input comes
beside the state.

    functor Stream(X) = Real[A] @ X       Stream(State) is Real[A] @ State
    functor Mealy(X) = (In -> Out @ X)    a coalgebra on State is State @ In -> Out @ State
    functor Moore(X) = Out @ (In -> X)    the same, and Out is told by the state alone
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

MACHINE = "machine"
INPUT = "in"
"""`F.in`: what a machine of the functor F reads. The word is a keyword, so no text says it."""


def coalgebra(node: ast.Morphism, source: Source) -> ast.Morphism | None:
    """A `coalgebra` as the morphism that it is, its input beside the state; None where its type is not `C -> F(C)`.

    One that is written factor by factor, `(out, next)`, is `moore((out, next), carrier = C, machine = F)`.
    """
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
    body = node.body
    if (pair := factor_by_factor(body)) is not None:
        said = (("carrier", signature.domain), (MACHINE, made.function))
        args = [ast.Arg(name, "=", value, body.start, body.end) for name, value in said]
        legs = ast.Arg(None, "", pair, body.start, body.end)
        body = ast.Call(ast.Name("moore", body.start, body.end), (legs, *args), body.start, body.end)
    whole = replace(signature, domain=ast.Tensor((signature.domain, read), start, end))
    return replace(node, signature=whole, body=body)


def factor_by_factor(body: ast.Expr) -> ast.Tuple | None:
    """A body that gives each factor of a product by a morphism of its own; one that gives a morphism, as it does.

    `s => (out(s), x => next(s, x))` is `(s => out(s), (s, x) => next(s, x))`.
    """
    match body:
        case ast.Tuple(items) if len(items) > 1:
            return body
        case ast.Lambda(state, ast.Tuple(items) as pair) if any(isinstance(i.value, ast.Lambda) for i in items):
            legs = []
            for item in items:
                pattern, value = state, item.value
                if isinstance(value, ast.Lambda):
                    given = tuple(ast.Arg(None, "", p, p.start, p.end) for p in (state, value.pattern))
                    pattern, value = ast.Tuple(given, value.start, value.end), value.body
                leg = ast.Lambda(pattern, value, item.start, item.end)
                legs.append(ast.Arg(None, "", leg, item.start, item.end))
            return ast.Tuple(tuple(legs), pair.start, pair.end)
    return None


def functor_of(definition: MorphismDef) -> ast.Call | None:
    """The functor of a declared coalgebra on its state, as its type names it; None if it is of another type."""
    match definition.head:
        case ast.Morphism(
            keyword="coalgebra",
            signature=ast.Arrow(ast.Tensor((_, ast.Field(_, word))), ast.Call() as made),
        ) if word == INPUT:
            return made
    return None


def functor_named(definition: MorphismDef) -> FunctorDef | None:
    """The functor of a declared coalgebra."""
    made = functor_of(definition)
    node = made.function if made is not None else None
    root = node.base if isinstance(node, ast.Index) else node
    found = definition.module.find(root.id) if isinstance(root, ast.Name) else None
    return found if isinstance(found, FunctorDef) else None


def factors(found: FunctorDef) -> tuple[ast.Expr, ...]:
    """The factors of a functor, as it is written."""
    match found.node.value:
        case ast.Tensor(legs):
            return legs
        case ast.Tuple(items) if items:
            return tuple(item.value for item in items)
        case value:
            return (value,)


def hears(found: FunctorDef, factor: ast.Expr) -> bool:
    """Whether a factor is the state after an input, `In -> X`; at every index of a finite object it is a table."""
    match factor:
        case ast.Arrow(ast.Name("Bool") | ast.Call(ast.Name("Fin")), _):
            return False
        case ast.Arrow(_, ast.Name(id), False):
            return id == found.node.variable
        case _:
            return False


def is_moore(found: FunctorDef) -> bool:
    """Whether a functor is that of machines whose output is told by the state alone, `Out @ (In -> X)`."""
    parts = factors(found)
    return len(parts) > 1 and any(hears(found, part) for part in parts)


def read_at_each(found: FunctorDef) -> ast.Expr | None:
    """The type of what a machine of a functor reads at every step; None for one that reads nothing."""
    value = found.node.value
    if isinstance(value, ast.Arrow):
        return value.domain
    heard = (part.domain for part in factors(found) if isinstance(part, ast.Arrow) and hears(found, part))
    return next(heard, None) if is_moore(found) else None


def reads(definition: MorphismDef) -> bool:
    """Whether a declared coalgebra reads an input at every step."""
    found = functor_named(definition)
    return found is not None and read_at_each(found) is not None


def undivided(definition: MorphismDef) -> ast.Expr | None:
    """The body of a coalgebra of Moore machines that is not written factor by factor; None for any other."""
    found, body = functor_named(definition), definition.head.body
    divided = isinstance(body, ast.Call) and any(arg.name == MACHINE for arg in body.args)
    return body if found is not None and is_moore(found) and not divided else None


def declared(types: Types, found: FunctorDef) -> None:
    """Read a functor where it is declared. Raises Refused."""
    env, given = Env(found.module), read_at_each(found)
    if given is not None:
        types.object(given, env)
    summands(types, after_input(found), env, [(Child(),)], 0)


def after_input(found: FunctorDef) -> FunctorDef:
    """A functor without what a machine of it reads."""
    value = found.node.value
    if isinstance(value, ast.Arrow):
        value = value.codomain
    elif is_moore(found):
        parts = factors(found)
        heard = next(k for k, part in enumerate(parts) if hears(found, part))
        after = parts[heard]
        assert isinstance(after, ast.Arrow)
        value = ast.Tensor((*parts[:heard], after.codomain, *parts[heard + 1 :]), value.start, value.end)
    return with_value(found, value)


def with_value(found: FunctorDef, value: ast.Expr) -> FunctorDef:
    """A functor that is another expression of its variable."""
    return FunctorDef(found.name, replace(found.node, value=value), found.module, found.span)


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
    given = read_at_each(found)
    if given is None:
        return UNIT
    scope, _ = arguments(types, found, node.base, env)
    return types.object(given, scope)
