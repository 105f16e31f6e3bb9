"""Laws: both sides of an equation as diagrams with the same ends, for every meaning of its variables.

Takes the declaration of a law; guarantees that both sides compose, take and give the same types, and own no weights:
what they share is declared or an argument (`generic.py`).

    law pool_then_map(f : Real -> Real) : map[N](f) >> max[N] == max[N] >> f
"""

from __future__ import annotations

from collections.abc import Callable

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Closure
from catdl.check.context import Context
from catdl.check.generic import generic
from catdl.check.program import Program
from catdl.check.scope import Env, LawDef, MorphismDef
from catdl.check.signature import FixedPart, Scheme
from catdl.check.stand_ins import side
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic, has_errors
from catdl.diagram.model import Diagram
from catdl.diagram.params import parameters
from catdl.record import replace
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf, Object, show_object


def read_law(program: Program, law: LawDef) -> None:
    """Elaborate both sides of a law; what is wrong is told, and then it has none."""
    found: list[Diagnostic] = []

    def note(diagnostic: Diagnostic) -> None:
        found.append(diagnostic)
        program.report(diagnostic)

    node, module = law.node, law.module
    sides = equation(node.body)
    if sides is None:
        body = node.body
        assert body is not None
        if not module.half_read(node.start):  # else an equation may stand in what could not be read
            note(wrong.LawNoEquation(module.span(body)))
        return
    made: list[Diagram] = []
    for each in sides:
        try:
            made.append(elaborated(program, law, each, sides, note))
        except Refused:
            continue
    if len(made) != len(sides) and not has_errors(program.diagnostics) and not module.half_read(node.start):
        words = "a law is about any argument, and what any morphism emits cannot be collected"
        note(wrong.BadValue(law.span, words))
    if has_errors(found) or len(made) != len(sides):
        return
    left, right = made
    ends = [Object(tuple(d.wires[w].type for w in d.outputs), d.codomain_names) for d in (left, right)]
    if [x.leaves for x in ends[:1]] != [x.leaves for x in ends[1:]]:
        spans = [module.span(each) for each in sides]
        note(wrong.LawSidesDiffer(spans[1], show_object(ends[0]), show_object(ends[1]), spans[0]))
        return
    for diagram, each in zip((left, right), sides, strict=True):
        if owned := parameters(diagram):
            note(wrong.LawOwnsWeights(module.span(each), owned[0].path))
            return
    law.sides = left, right


def equation(body: ast.Expr | None) -> tuple[ast.Expr, ast.Expr] | None:
    """The two sides of `f >> g == h`: `==` binds tighter than `>>` in the tree, but parts the whole here."""
    match body:
        case ast.Chain((left, right), ("==",)):
            return left, right
        case ast.Fan(legs):
            return parted(legs, lambda parts: ast.Fan(parts, parts[0].start, parts[-1].end))
        case ast.Seq(steps):
            return parted(steps, lambda parts: ast.Seq(parts, parts[0].start, parts[-1].end))
        case _:
            return None


def parted(
    parts: tuple[ast.Expr, ...], whole: Callable[[tuple[ast.Expr, ...]], ast.Expr]
) -> tuple[ast.Expr, ast.Expr] | None:
    """The parts before and after the one that is an equation."""
    at = [(k, found) for k, part in enumerate(parts) if (found := equation(part)) is not None]
    if len(at) != 1:
        return None
    (place, (left, right)) = at[0]
    before, after = (*parts[:place], left), (right, *parts[place + 1 :])
    return before[0] if len(before) == 1 else whole(before), after[0] if len(after) == 1 else whole(after)


def elaborated(
    program: Program, law: LawDef, body: ast.Expr, sides: tuple[ast.Expr, ast.Expr], note: Callable[[Diagnostic], None]
) -> Diagram:
    """One side as a diagram. Raises Refused."""
    node = replace(law.node, keyword="morphism", body=body)

    def ends(ctx: Context, scheme: Scheme | None, env: Env) -> tuple[Object, Object | None]:
        return types_of(program, ctx, law, scheme, sides, env)

    return generic(program, MorphismDef(law.name, law.module, [node], law.span), ends, note)


def types_of(
    program: Program, ctx: Context, law: LawDef, scheme: Scheme | None, sides: tuple[ast.Expr, ast.Expr], env: Env
) -> tuple[Object, Object | None]:
    """What both sides take, and what they give if it is said. Raises Refused."""
    if scheme is not None:
        return side(ctx, scheme.domain, env), side(ctx, scheme.codomain, env)
    found = domain_of(program, ctx, sides[0], env) or domain_of(program, ctx, sides[1], env)
    if found is None:
        raise untold(program, ctx, law, sides, env)
    return found, None


def untold(program: Program, ctx: Context, law: LawDef, sides: tuple[ast.Expr, ast.Expr], env: Env) -> Refused:
    """Neither side says what it takes; if a name in one stands for nothing, that is told instead, by `glimpse`."""
    told: list[Diagnostic] = []
    trial = program.context(told.append)
    for each in sides:
        trial.apply(each, env, Builder(law.name), BAD)
    return Refused() if told else ctx.refuse(wrong.LawDomainUntold(law.span, law.name))


def apart(ctx: Context, law: LawDef, b: Builder, inp: Bundle) -> tuple[Bundle, Bundle]:
    """Both sides of a law on the same wires, where its arguments and binders leave nothing open. Raises Refused."""
    node = law.node
    sides = equation(node.body)
    if sides is None:
        raise Refused  # told where the law is
    if node.binders or node.params:
        name = (*(x.name for x in node.binders), *(p.name for p in node.params or ()))[0]
        raise ctx.refuse(wrong.BadValue(law.span, f"`{law.name}` is about any `{name}`, so it is no penalty by itself"))
    env = Env(law.module)
    left, right = ctx.apply(sides[0], env, b, inp), ctx.apply(sides[1], env, b, inp)
    if left.bad or right.bad or len(left.wires) != len(right.wires):
        raise Refused
    return left, right


def domain_of(program: Program, ctx: Context, expr: ast.Expr, env: Env) -> Object | None:
    """What a side takes, where its first step says so."""
    match expr:
        case ast.Seq(steps):
            return domain_of(program, ctx, steps[0], env)
        case ast.Fan(legs):
            return next((found for leg in legs if (found := domain_of(program, ctx, leg, env)) is not None), None)
        case ast.Tensor(legs):
            ends = [domain_of(program, ctx, leg, env) for leg in legs]
            known = [end for end in ends if end is not None]
            leaves = tuple(leaf for end in known for leaf in end.leaves)
            return Object(leaves, (None,) * len(leaves)) if len(known) == len(ends) else None
        case ast.Tuple((ast.Arg(None, _, only),)):
            return domain_of(program, ctx, only, env)
        case ast.Labelled(_, body) | ast.Tie(_, body) | ast.Plug(body, _):
            return domain_of(program, ctx, body, env)
        case ast.Call(ast.Name("repeat" | "iterate"), (_, ast.Arg(None, _, body))):
            return domain_of(program, ctx, body, env)
        case ast.Call(ast.Index(ast.Name("map" | "each"), items), args) if args:
            inner = domain_of(program, ctx, args[0].value, env)
            axes = [ctx.types.axis(item, env) for item in items]
            if inner is None or not all(isinstance(axis, Axis) for axis in axes):
                return None
            leaves = tuple(Leaf(leaf.kind, (*axes, *leaf.axes)) for leaf in inner.leaves)  # type: ignore[arg-type]
            return Object(leaves, inner.names)
        case ast.Name(id):
            return ends_of(program, env.find(id))
        case _:
            return None


def ends_of(program: Program, found: object) -> Object | None:
    """What a named morphism takes, if that depends on nothing."""
    match found:
        case Closure(arrow=arrow) if arrow is not None:
            return arrow[0]
        case MorphismDef():
            match program.scheme(found):
                case Scheme(domain=(FixedPart(_, value),)):
                    return value
    return None
