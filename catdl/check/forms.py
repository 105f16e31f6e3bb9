"""The form of expressions: what can be said of them in a scope before they are elaborated.

Wires or a morphism, the name at the root with what was given to it, how many wires it takes, the type of a parameter.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.builder import BAD, Bundle, Closure
from catdl.check.context import Context, Head
from catdl.check.names import leaves, pattern_names
from catdl.check.scope import Env, MorphismDef, ParamDef, Shadow, Static
from catdl.check.signature import ChoicePart, FixedPart, ObjectPart, OpenPart
from catdl.check.static import Refused, Statics
from catdl.diagram.model import Box, Core, Native
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Poly, free_syms
from catdl.types.types import Axis, Leaf, show_object

OPERATORS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floordiv",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}


def written(box: Box) -> str:
    """What a box is called in a spec."""
    match box.op:
        case Native(entry):
            return entry
        case Core(name="pointwise"):
            fn = str(box.op["fn"])
            return next((sign for sign, name in OPERATORS.items() if name == fn), fn)
        case Core(name="sample"):
            return f"{box.op['dist']}_like"
        case Core(name="stop"):
            return "stop_gradient"
        case Core(name):
            return name
        case _:
            return ""


def is_wire(ctx: Context, expr: ast.Expr, env: Env) -> bool:
    """Whether an expression is wires by its form: it begins with a wire in scope, or is a constant over named axes."""
    while True:
        match expr:
            case ast.Name(id):
                return isinstance(env.find(id), (Bundle, ParamDef, Shadow))
            case ast.Seq(steps):
                expr = steps[0]
            case ast.Labelled(_, body) | ast.Tie(_, body):
                expr = body
            case ast.Field(base, _):
                expr = base
            case ast.Chain(operands, _):
                return any(is_wire(ctx, o, env) for o in operands)
            case ast.Negate(operand):
                expr = operand
            case ast.Power(base, exponent):
                return is_wire(ctx, base, env) or is_wire(ctx, exponent, env)
            case ast.Call(function, args):
                if any(a.sep != "=" and is_wire(ctx, a.value, env) for a in args):
                    return True
                expr = function
            case ast.Index(base) if is_wire(ctx, base, env):
                return True  # an element of a family: `bank[i]`
            case ast.Index():
                head = head_of(ctx, expr, env)  # a constant: `index[T]`, `eye[D, D']`
                return head is not None and head_width(ctx, head) == 0
            case ast.Tuple(items):
                return any(is_wire(ctx, i.value, env) for i in items)
            case ast.Tensor(legs) | ast.Fan(legs):
                return all(is_wire(ctx, leg, env) for leg in legs)
            case ast.Block(statements, result):
                inner = env.child()
                for statement in statements:
                    if isinstance(statement, ast.Bind):
                        for name in pattern_names(statement.pattern):
                            inner.names[name] = BAD
                    elif isinstance(statement, ast.LocalParam):
                        inner.names[statement.name] = BAD
                expr, env = result, inner
            case ast.If(condition, then, orelse):
                chosen = quiet_choice(ctx, condition, env)
                if chosen is None:
                    return False
                expr = then if chosen else orelse
            case _:
                return False


def head_of(ctx: Context, expr: ast.Expr, env: Env) -> Head | None:
    """A morphism expression taken apart down to its name; None when its root is no name."""
    args: list[ast.Arg] = []
    items: list[ast.Arg] | None = None
    plugs: list[ast.Arg] = []
    label: str | None = None
    node = expr
    while True:
        match node:
            case ast.Name(id):
                target = env.find(id)
                return Head(target, id, env, args, items, plugs, label, env.module.span(expr), node)
            case ast.Call(function, more):
                args = [*more, *args]
                node = function
            case ast.Index(base, more):
                items = [*more, *(items or ())]
                node = base
            case ast.Plug(base, more):
                plugs = [*more, *plugs]
                node = base
            case ast.Labelled(name, body):
                label = label or name
                node = body
            case ast.Tie(_, body):
                node = body
            case _:
                return None


def aliased(target: object) -> object:
    """What a name stands for, through declarations that only give another name: `morphism conv = conv2d`."""
    seen: set[int] = set()
    while (
        isinstance(target, MorphismDef)
        and target.head.signature is None
        and target.head.params is None
        and isinstance(target.head.body, ast.Name)
        and id(target) not in seen
    ):
        found = target.module.find(target.head.body.id)
        if not isinstance(found, MorphismDef):
            return target
        seen.add(id(target))
        target = found
    return target


def width(ctx: Context, expr: ast.Expr, env: Env) -> int | None:
    """How many wires a morphism expression takes, when its text says so."""
    while True:
        match expr:
            case ast.Seq(steps):
                expr = steps[0]
            case ast.Fan(legs):
                expr = legs[0]
            case ast.Tensor(legs):
                parts = [width(ctx, leg, env) for leg in legs]
                return None if None in parts else sum(p for p in parts if p is not None)
            case ast.Labelled(_, body) | ast.Tie(_, body):
                expr = body
            case ast.Lambda(pattern, _):
                return len(leaves(pattern)) if isinstance(pattern, ast.Tuple) else None
            case ast.If(condition, then, orelse):
                chosen = quiet_choice(ctx, condition, env)
                if chosen is None:
                    return None
                expr = then if chosen else orelse
            case ast.Block(_, result):
                expr = result
            case _:
                head = head_of(ctx, expr, env)
                if head is None:
                    return None
                return head_width(ctx, head)


def misfit(ctx: Context, leg: ast.Expr, env: Env, wires: int, groups: int) -> int | None:
    """How many wires a leg takes, if not those of its summand; a pattern may take them by groups, or in brackets."""
    takes = width(ctx, leg, env)
    by_groups = isinstance(leg, ast.Lambda) and isinstance(leg.pattern, ast.Tuple) and len(leg.pattern.items) == groups
    return None if by_groups or takes == wires else takes


def quiet_choice(ctx: Context, condition: ast.Expr, env: Env) -> bool | None:
    """A static condition, None where it cannot be read: it is told when the branch is elaborated."""
    try:
        return Statics(lambda _: None, ctx.facts, ctx.work).truth(condition, env)
    except Refused:
        return None


def arguments_scope(ctx: Context, target: MorphismDef, head: Head) -> Env:
    """The scope of a template's body as far as its static arguments can be read."""
    names: dict[str, object] = {}
    statics = Statics(lambda _: None, ctx.facts, ctx.work)
    params = [p.name for p in target.head.params or ()]
    place = 0
    for arg in head.args:
        name = arg.name if arg.sep == "=" else params[place] if place < len(params) else None
        place += arg.sep != "="
        if name is None or not statics.is_static(arg.value, head.env):
            continue
        try:
            names[name] = Static(statics.value(arg.value, head.env))
        except Refused:
            continue
    return Env(target.module, None, names)


def head_width(ctx: Context, head: Head) -> int | None:
    """How many wires a named morphism takes."""
    target = aliased(head.target)
    if isinstance(target, MorphismDef) and "core" not in target.modifiers:
        try:
            scheme = ctx.library.scheme(target)
        except Refused:
            return None
        if scheme is None:
            body = target.head.body
            return None if body is None else width(ctx, body, arguments_scope(ctx, target, head))
        total = 0
        for part in scheme.domain:
            if isinstance(part, FixedPart):
                total += len(part.value.leaves)
            elif isinstance(part, (ObjectPart, OpenPart, ChoicePart)):
                return None
            else:
                total += 1
        return total
    if isinstance(target, Closure):
        if target.arrow is not None:
            return len(target.arrow[0].leaves)
        return width(ctx, target.expr, target.env)
    return rules.WIDTHS.get(head.name)


def join(bundles: list[Bundle]) -> Bundle:
    """Bundles side by side."""
    if any(bundle.bad for bundle in bundles):
        return BAD
    if not bundles:
        return Bundle([])
    if len(bundles) == 1:
        return bundles[0]
    all_wires = [w for bundle in bundles for w in bundle.wires]
    if not any(bundle.names for bundle in bundles):
        return Bundle(all_wires)
    names = [n for bundle in bundles for n in (bundle.names or (None,) * len(bundle.wires))]
    return Bundle(all_wires, tuple(names))


def parameter_leaf(
    ctx: Context, node: ast.Expr, env: Env, name: str, at: Span | None = None, state: bool = False
) -> Leaf:
    """The type of a parameter or a state: fixed sizes; `at` is what to blame, if not the type. Raises Refused."""
    span = at or env.module.span(node)
    if isinstance(node, ast.Index) and (kind := ctx.types.kind(node.base, env)) is not None:
        leaf: object = Leaf(kind, ctx.types.axes(node.items, env))
    else:
        value = ctx.types.object(node, env)
        if len(value.leaves) != 1:
            raise ctx.refuse(
                wrong.BadValue(span, f"a {'state' if state else 'parameter'} is one tensor, not {show_object(value)}")
            )
        leaf = value.leaves[0]
    assert isinstance(leaf, Leaf)
    for axis in leaf.axes:
        if isinstance(axis, Axis) and isinstance(axis.size, Poly) and (free := named_syms(axis.size)):
            raise ctx.refuse((wrong.StateFreeDim if state else wrong.ParamFreeDim)(span, name, free[0]))
    return leaf


def named_syms(size: Poly) -> list[str]:
    """The free dims of a size, without those that stand for binders in a definition checked by itself."""
    return sorted(name.rpartition("::")[2] for name in free_syms(size) if not name.startswith("~"))


def is_over(expr: ast.Call) -> bool:
    """Whether a call is `over[…](e)`, whose argument is read under it."""
    return (
        isinstance(expr.function, ast.Index)
        and isinstance(expr.function.base, ast.Name)
        and expr.function.base.id == "over"
    )


def takes_literals(expr: ast.Call, env: Env) -> bool:
    """Whether a number in a call stands for a wire, for its function has no arguments, or has them: `f(n)(0, x)`."""
    function = expr.function.base if isinstance(expr.function, ast.Index) else expr.function
    if not isinstance(function, ast.Name):
        return isinstance(function, ast.Call)
    if function.id in rules.POINTWISE and env.local(function.id) is None:
        return True
    found = env.find(function.id)
    return isinstance(found, MorphismDef) and bool(found.module.name) and not found.head.params


def from_unit(expr: ast.Expr, env: Env) -> bool:
    """Whether an expression is a named morphism out of the unit: `causal_mask[T, T']`, `linspace[T](0, 1)`."""
    while isinstance(expr, (ast.Call, ast.Index, ast.Plug)):
        expr = expr.function if isinstance(expr, ast.Call) else expr.base
    if not isinstance(expr, ast.Name):
        return False
    found = env.find(expr.id)
    return (
        isinstance(found, MorphismDef)
        and isinstance(found.head.signature, ast.Arrow)
        and found.head.signature.domain.__class__ is ast.Tuple
        and not found.head.signature.domain.items
    )


def inputs_of(expr: ast.Call, env: Env) -> list[ast.Arg]:
    """The arguments of a call that may be wires: those given by place where no morphism is taken: `masked(lower)`."""
    head = expr.function.base if isinstance(expr.function, ast.Index) else expr.function
    found = env.find(head.id) if isinstance(head, ast.Name) else None
    params = (found.head.params if isinstance(found, MorphismDef) else None) or ()
    given = [a for a in expr.args if a.sep != "="]
    return [a for k, a in enumerate(given) if k >= len(params) or not isinstance(params[k].sort, ast.Arrow)]


def nested_wire(ctx: Context, expr: ast.Expr, env: Env) -> bool:
    """Whether an argument is wires though its leftmost part is a morphism: `f(g(x))`, `add(zeros[T], x)`."""
    if from_unit(expr, env):
        return True
    if isinstance(expr, ast.Call):
        return any(is_wire(ctx, a.value, env) or nested_wire(ctx, a.value, env) for a in inputs_of(expr, env))
    if isinstance(expr, ast.Chain):
        return any(nested_wire(ctx, o, env) for o in expr.operands)
    if isinstance(expr, ast.Index) and isinstance(expr.base, ast.Name):
        return expr.base.id in rules.CONSTANTS
    return False
