"""Functors: from a declaration to the sum of products that it is, and the type of its trees.

Takes `functor` declarations and the arguments given to them; guarantees closed constants of fixed sizes, and of trees
that they can end.

    functor Expr(X) = Fin(10) + Fin(3) @ X @ X      Form("Expr", ((Fin(10),), (Fin(3), Child(), Child())))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from catdl import diagnostics as wrong
from catdl.check.scope import BadDef, Env, FunctorDef
from catdl.check.signature import sized
from catdl.check.static import Refused, alike
from catdl.check.values import as_number
from catdl.diagnostics.base import Diagnostic
from catdl.record import replace
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.types.ragged import row
from catdl.types.sizes import Size, free_syms
from catdl.types.types import (
    ANONYMOUS,
    Axis,
    Child,
    Form,
    Kind,
    Label,
    LabelVar,
    Leaf,
    label_of,
    plain,
    show_axis,
    show_form,
)

if TYPE_CHECKING:
    from catdl.check.objects import Types

Item: TypeAlias = "Leaf | Child"
Sum: TypeAlias = "list[tuple[Item, ...]]"

FUNCTOR = "functor"
SUMMANDS = 256
DEPTH = 64


def trees_kind(types: Types, node: ast.Call, env: Env) -> Kind:
    """The kind of a wire of trees: `mu(F)`, `mu(F[A])`. Raises Refused."""
    span = env.module.span(node)
    if len(node.args) != 1:
        raise types.statics.refuse(wrong.TooManyArguments(span, "mu", 1, len(node.args)) if node.args else
                                   wrong.MissingArgument(span, "F", "mu"))  # fmt: skip
    form, found = applied(types, node.args[0].value, env)
    declared = found.module.span(found.node)
    children = [[item for item in parts if isinstance(item, Child)] for parts in form.summands]
    endless = all(any(item.row is None for item in each) for each in children)
    if endless or not any(children):
        raise types.statics.refuse(wrong.EndlessTree(span, found.name, found.node.variable, endless, declared))
    rows = [item.row for each in children for item in each if item.row is not None]
    twice = next((axis for k, axis in enumerate(rows) if axis in rows[:k]), None)
    if twice is not None:
        message = f"two rows of children have the dim `{show_axis(twice)}`, and each has its own number of them"
        raise types.statics.refuse(wrong.FunctorForm(declared, message))
    return kind_of(form)


def kind_of(form: Form) -> Kind:
    """The kind of a wire of a functor's trees."""
    return Kind(f"mu({show_form(form)})", root="mu", form=form)


def applied(types: Types, node: ast.Expr, env: Env) -> tuple[Form, FunctorDef]:
    """A functor with its arguments, `F` or `F[A]`. Raises Refused."""
    found = functor(types, node, env)
    if found is None:
        span = env.module.span(node)
        if isinstance(node, ast.Name):
            raise types.statics.refuse(wrong.UnknownName(span, node.id, "functor", alike(node.id, env, FunctorDef)))
        raise types.statics.refuse(wrong.FunctorForm(span, "the name of a functor is needed here"))
    scope, shown = arguments(types, found, node, env)
    name = f"{plain(found.name)}[{', '.join(shown)}]" if shown else plain(found.name)
    return Form(name, tuple(summands(types, found, scope, [(Child(),)], 0))), found


def functor(types: Types, node: ast.Expr, env: Env) -> FunctorDef | None:
    """The functor that an expression names; None for anything else. Raises Refused for one refused before."""
    root = node.base if isinstance(node, ast.Index) else node
    found = env.find(root.id) if isinstance(root, ast.Name) else None
    if isinstance(found, BadDef):
        raise Refused
    if not isinstance(found, FunctorDef):
        return None
    env.module.used.add(found.name)
    return found


def arguments(types: Types, found: FunctorDef, node: ast.Expr, env: Env) -> tuple[Env, list[str]]:
    """The scope of a functor's text: its binders stand for axes. Raises Refused."""
    binders = found.node.binders
    items = node.items if isinstance(node, ast.Index) else ()
    if len(items) != len(binders):
        span = env.module.span(node)
        if len(items) > len(binders):
            raise types.statics.refuse(wrong.TooManyArguments(span, found.name, len(binders), len(items)))
        raise types.statics.refuse(wrong.MissingArgument(span, binders[len(items)].name, found.name))
    names: dict[str, object] = {}
    shown: list[str] = []
    for binder, item in zip(binders, items, strict=True):
        names[binder.name] = axis = types.single(item, env)
        shown.append(show_axis(axis))
    return Env(found.module, None, names), shown


def summands(types: Types, found: FunctorDef, env: Env, inner: Sum, depth: int) -> Sum:
    """The sum of products of a functor whose variable stands for another one. Raises Refused."""
    if depth > DEPTH:
        raise types.statics.refuse(wrong.LimitExceeded(found.module.span(found.node), "the nesting of functors", DEPTH))
    types.statics.spend(1 + len(inner), found.node.value, env)
    return _sum(_Reading(types, found, env, inner, depth), found.node.value)


class _Reading:
    """One functor while it is read: what its variable stands for."""

    def __init__(self, types: Types, found: FunctorDef, env: Env, inner: Sum, depth: int) -> None:
        self.types, self.found, self.env, self.inner, self.depth = types, found, env, inner, depth

    def refuse(self, mistake: Diagnostic) -> Refused:
        """Report a mistake."""
        return self.types.statics.refuse(mistake)

    def wrong(self, node: ast.Expr, message: str) -> Refused:
        """Something that no functor is made of."""
        return self.refuse(wrong.FunctorForm(self.env.module.span(node), message))


def _sum(r: _Reading, node: ast.Expr) -> Sum:
    match node:
        case ast.Chain(operands, operators):
            bad = next((k for k, op in enumerate(operators) if op != "+"), None)
            if bad is not None:
                raise r.wrong(node, f"`{operators[bad]}` stands in no functor")
            out = [parts for operand in operands for parts in _sum(r, operand)]
            return _few(r, node, out)
        case ast.Tensor(legs):
            return _product(r, node, list(legs))
        case ast.Tuple(items):
            return _product(r, node, [item.value for item in items])
        case ast.Power(base, exponent):
            count = as_number(r.types.statics.value(exponent, r.env))
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= SUMMANDS:
                raise r.wrong(exponent, f"a power is a whole number up to {SUMMANDS}")
            return _product(r, node, [base] * count)
        case ast.Arrow(domain, codomain, False):
            return _exponent(r, domain, codomain)
        case ast.Name(id) if id == r.found.node.variable:
            return list(r.inner)
        case ast.Index(ast.Name(id) as base, (item,)) if id == r.found.node.variable:
            axis = r.types.single(item, r.env)
            return _along(r, node, Axis(_label(r, axis.label), axis.size), list(r.inner), base)
        case ast.Call(function, args) if (other := functor(r.types, function, r.env)) is not None:
            if len(args) != 1:
                raise r.wrong(node, f"a functor is applied to one thing: `{other.name}({r.found.node.variable})`")
            scope, _ = arguments(r.types, other, function, r.env)
            return summands(r.types, other, scope, _sum(r, args[0].value), r.depth + 1)
        case _:
            value = r.types.object(node, r.env)
            return [tuple(_constant(r, node, leaf) for leaf in value.leaves)]


def _product(r: _Reading, node: ast.Expr, factors: list[ast.Expr]) -> Sum:
    out: Sum = [()]
    for factor in factors:
        terms = _sum(r, factor)
        out = _few(r, node, [(*left, *right) for left in out for right in terms])
    return out


def _few(r: _Reading, node: ast.Expr, found: Sum) -> Sum:
    r.types.statics.spend(1 + len(found), node, r.env)
    if len(found) > SUMMANDS or sum(map(len, found)) > SUMMANDS * SUMMANDS:
        raise r.refuse(wrong.LimitExceeded(r.env.module.span(node), "the number of summands of a functor", SUMMANDS))
    return found


def _exponent(r: _Reading, domain: ast.Expr, codomain: ast.Expr) -> Sum:
    """`Fin(n) -> F`: F at every index, with a leading axis."""
    axis = _index(r, domain)
    return _along(r, codomain, axis, _sum(r, codomain), codomain)


def _along(r: _Reading, node: ast.Expr, axis: Axis, terms: Sum, inner: ast.Expr) -> Sum:
    """Something at every index of an axis; along a var dim `X[K]`, so many children as a node has."""
    if not closed(axis.size):
        if row(axis.size) is None:
            message = f"a row of children has a var dim, and every node would have the same number `{show_axis(axis)}`"
            raise r.wrong(node, message)
        if terms != [(Child(),)]:
            raise r.wrong(node, "a row of children is of the variable alone")
        return [(Child((axis,)),)]
    if len(terms) != 1:
        raise r.wrong(inner, "at every index there is one product; a sum there is another functor")
    (parts,) = terms
    if any(isinstance(item, Child) and item.row is not None for item in parts):
        raise r.wrong(inner, "a row of children stands at no index: every node has one number of them")
    return [
        tuple(
            Leaf(item.kind, (axis, *item.axes)) if isinstance(item, Leaf) else Child((axis, *item.axes))
            for item in parts
        )
    ]


def _index(r: _Reading, domain: ast.Expr) -> Axis:
    match domain:
        case ast.Name("Bool"):
            return Axis(ANONYMOUS, 2)
        case ast.Call(ast.Name("Fin"), (arg,)):
            found = r.types.axis(arg, r.env)
            if isinstance(found, Axis) and closed(found.size):
                return Axis(_label(r, found.label), found.size)
    words = "children are numbered by a finite object, `(Fin(3) -> X)`; what a machine reads stands around it all"
    raise r.wrong(domain, f"{words}, `(In -> Out @ X)`, or around its next state alone, `Out @ (In -> X)`")


def _constant(r: _Reading, node: ast.Expr, leaf: Leaf) -> Leaf:
    axes = []
    if leaf.kind.form is not None:
        raise r.wrong(node, "trees stand in no node: use the variable of the functor")
    for axis in leaf.axes:
        if not isinstance(axis, Axis) or not closed(axis.size):
            raise r.wrong(node, f"what stands in a node has fixed sizes, and {show_axis(axis)} has none")
        axes.append(Axis(_label(r, axis.label), axis.size))
    if leaf.kind.size is not None and not closed(leaf.kind.size):
        raise r.wrong(node, "what stands in a node has fixed sizes")
    kind = Kind(leaf.kind.name, leaf.kind.size, leaf.kind.axis, r.types.kinds.root(leaf.kind.name))
    return Leaf(kind if kind.root != kind.name else leaf.kind, tuple(axes))


def _label(r: _Reading, label: Label) -> Label:
    """A label of a node; what is unknown is no label, unless it is a binder's, which is to be found."""
    label = label_of(label)
    if not isinstance(label, LabelVar):
        return label
    binders = (axis.label for axis in r.env.names.values() if isinstance(axis, Axis))
    return label if any(label_of(other) is label for other in binders) else ANONYMOUS


def closed(size: Size) -> bool:
    """Whether a size is fixed, or will be once a binder is known."""
    return isinstance(size, int) or all(name.startswith("~") for name in free_syms(size))


def carried(signature: ast.Expr | None) -> ast.Expr | None:
    """The carrier that the left side of an algebra's type tells, C of `F(C) -> …`; None where it has another form."""
    domain = signature.domain if isinstance(signature, ast.Arrow) else None
    return domain.args[0].value if isinstance(domain, ast.Call) and len(domain.args) == 1 else None


def side_by_side(node: ast.Morphism) -> ast.Morphism:
    """An algebra or a coalgebra typed by functor and carrier alone: where a binder stands in them says its sort."""
    match node.signature:
        case ast.Arrow(ast.Call(function), carrier) | ast.Arrow(carrier, ast.Call(function)):
            return replace(node, signature=replace(node.signature, domain=function, codomain=carrier))
    return node


def algebra(node: ast.Morphism, source: Source) -> ast.Morphism | None:
    """An `algebra` as the morphism that it makes of trees; None where its type is not `F(C) -> C`.

    `algebra f : F(C) -> C = [ … ]` is `f : mu(F) -> C = fold([ … ], carrier = C, functor = F)`. One that leaves dims to
    its use has no signature then: they are what the trees say, or the elements along an axis.
    """
    signature = node.signature
    if not isinstance(signature, ast.Arrow) or node.body is None:
        return None
    domain, carrier = signature.domain, carried(signature)
    if carrier is None or not isinstance(domain, ast.Call):
        return None
    texts = {"".join(Span(source, e.start, e.end).text.split()) for e in (carrier, signature.codomain)}
    if len(texts) > 1:
        return None
    start, end = domain.function.start, domain.end
    functor_ = ast.Arg(None, "", domain.function, start, domain.function.end)
    trees = ast.Call(ast.Name("mu", start, domain.function.end), (functor_,), start, end)
    body = node.body
    args = (
        ast.Arg(None, "", body, body.start, body.end),
        ast.Arg("carrier", "=", signature.codomain, body.start, body.end),
        ast.Arg(FUNCTOR, "=", domain.function, body.start, body.end),
    )
    folded = ast.Call(ast.Name("fold", body.start, body.end), args, body.start, body.end)
    chooses = bool(node.binders) or any(sized(param) for param in node.params or ())
    return replace(node, signature=None if chooses else replace(signature, domain=trees), body=folded)
