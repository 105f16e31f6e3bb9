"""Scores and what they are scaled by: the root of what is summed, and of nothing else.

A sum of n products of unit variance has the variance n, so the scores of attention are divided by the root of n. A
number that is written with dims and is the root of another width is a mistake; one in digits is taken as it is.

    contract[Dh](q, k) / sqrt(D)       D = Head * Dh: refused, the heads are not summed
    contract[Dh](q / sqrt(D), k)       the same, scaled before
"""

from __future__ import annotations

from itertools import combinations
from math import isclose, prod

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding
from catdl.check.builder import Builder, Bundle, W, Written
from catdl.check.context import Context, Head
from catdl.check.names import mentioned
from catdl.check.scope import DimDef, Env, MorphismDef, Static
from catdl.check.signature import Row
from catdl.check.values import as_number
from catdl.diagnostics.base import Edit, Help
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import normal
from catdl.types.types import Axis, label_of, show_axis, show_label, walk_axes

MOST_AXES = 8  # more have too many products


def written(expr: ast.Expr, env: Env) -> Written | None:
    """How a number is written, if it is with dims; a name in a block stands for what was written there."""
    dims: list[Axis] = []
    if isinstance(expr, ast.Name) and isinstance(named := env.find(expr.id), Static):
        return named.written if isinstance(named.written, Written) else None
    for name in sorted(mentioned([expr])):
        found = env.find(name)
        axis = found.axis if isinstance(found, DimDef) else found
        if isinstance(axis, Axis):
            dims.append(axis)
        elif isinstance(axis, Static) and isinstance(axis.written, Written):
            dims += axis.written.dims
    return Written(expr, env, tuple(dims)) if dims else None


def check_product(ctx: Context, b: Builder, fn: str, wires: list[W]) -> None:
    """Check scores that are multiplied or divided by a number written with dims."""
    if fn not in ("mul", "div"):
        return
    for scores, number in (wires, wires[::-1]) if fn == "mul" else (wires,):
        if scores.summed and number.written is not None:
            rest = tuple(a for a in walk_axes(scores.leaf.axes) if isinstance(a, Axis))
            check(ctx, b, number.written, number.literal, fn == "div", scores.summed, rest, scores.where, ())


def scale(fn: str, wires: list[W], made: Bundle) -> Bundle:
    """A product or quotient of a wire and a number written with dims: it keeps the number."""
    if fn in ("mul", "div") and made.wires:
        for wire, number in (wires, wires[::-1]) if fn == "mul" else (wires,):
            value = number.literal
            if number.written is not None and wire.written is None and isinstance(value, float) and value:
                made.wires[0].scaled = (number.written, value if fn == "mul" else 1 / value)
    return made


def score(ctx: Context, b: Builder, made: Bundle, wires: list[W], summed: tuple[Axis, ...]) -> Bundle:
    """Sums of products, with the axes summed over where both factors come from the inputs: then they are scores."""
    if sum(not w.constant for w in wires) > 1:
        out = made.wires[0]
        out.summed = summed
        given = [w.scaled for w in wires if w.scaled is not None]
        if given:
            rest = tuple(a for a in walk_axes(out.leaf.axes) if isinstance(a, Axis))
            value = prod(factor for _, factor in given)
            check(ctx, b, given[0][0], value, False, summed, rest, out.where, ())
    return made


def sums(definition: MorphismDef) -> tuple[str, ...]:
    """The binders of the axes that a definition sums over, if it is one sum of products of its inputs: `matmul`."""
    if definition.sums is None:
        found: tuple[str, ...] = ()
        match definition.head.body:
            case ast.Lambda(_, ast.Call(ast.Index(ast.Name("contract"), items), _)):
                found = tuple(item.value.id for item in items if isinstance(item.value, ast.Name))
            case _:
                pass
        definition.sums = found
    return definition.sums


def scales(definition: MorphismDef, head: Head) -> list[tuple[ast.Arg, Written, str]]:
    """The arguments of sort `scale(D)` that are written with dims, and the name of D."""
    out: list[tuple[ast.Arg, Written, str]] = []
    if head.args:
        sorts = {p.name: p.sort for p in definition.head.params or () if isinstance(p.sort, ast.Call)}
        for arg in head.args:
            match sorts.get(arg.name):
                case ast.Call(ast.Name("scale"), (ast.Arg(value=ast.Name(summed)),)):
                    if (number := written(arg.value, head.env)) is not None:
                        out.append((arg, number, summed))
                case _:
                    pass
    return out


def check_scales(binding: Binding, head: Head, b: Builder, given: list[tuple[ast.Arg, Written, str]]) -> None:
    """Check arguments of sort `scale(D)` once D is known."""
    for arg, number, name in given:
        summed = binding.names.get(name)
        rows = (found for found in binding.names.values() if isinstance(found, Row))
        rest = tuple(a for row in rows for a in walk_axes(row.axes) if isinstance(a, Axis))
        if isinstance(summed, Axis):
            value = as_number(binding.ctx.statics.value(arg.value, head.env))
            left_out = Help(f"leave `{arg.name}` out: then it is the root of what is summed", (without(arg, head),))
            check(binding.ctx, b, number, value, False, (summed,), rest, None, (left_out,))


def without(arg: ast.Arg, head: Head) -> Edit:
    """The edit that takes an argument out of its list."""
    source = head.env.module.source
    place = head.args.index(arg)
    if place + 1 < len(head.args):
        return Edit(Span(source, arg.start, head.args[place + 1].start), "")
    if place:
        return Edit(Span(source, head.args[place - 1].end, arg.end), "")
    opening = source.text.rindex("(", 0, arg.start)
    return Edit(Span(source, opening, source.text.index(")", arg.end) + 1), "")


def check(
    ctx: Context,
    b: Builder,
    number: Written,
    value: object,
    inverse: bool,
    summed: tuple[Axis, ...],
    rest: tuple[Axis, ...],
    origin: Span | None,
    helps: tuple[Help, ...],
) -> None:
    """Report a scale that is the root of another width than the summed one; `inverse` where it divides."""
    sizes = [normal(a.size) for a in summed]
    if not isinstance(value, (int, float)) and not hasattr(value, "denominator"):
        return
    try:
        square = float(value) ** (2 if inverse else -2) if value else 0.0  # type: ignore[arg-type]
    except OverflowError:
        return  # the root of no width
    width = round(square)
    own = prod(s for s in sizes if isinstance(s, int))
    if (
        width < 2
        or width == own
        or not isclose(square, width, rel_tol=1e-6)
        or not all(isinstance(s, int) for s in sizes)
    ):
        return
    shown = " and ".join(show_axis(a) for a in summed)
    extra = beside(width, own, rest)
    if extra:
        why = f"{width} = {own} * " + " * ".join(str(a.size) for a in extra)
        why += f": {' and '.join(f'`{show_axis(a)}`' for a in extra)} is not summed"
    elif came_in(b, number, width, summed):
        why = f"`{show_axis(number.dims[0])}` is a width before the products; `{shown}` is summed"
    else:
        return
    place = number.env.module.span(number.expr)
    label = show_label(summed[0].label)
    if len(summed) == 1 and isinstance(number.env.find(label), (DimDef, Axis)) and len(number.dims) == 1:
        names = [n for n in words(number.expr) if n.id == show_label(number.dims[0].label)]
        if len(names) == 1:
            helps = (Help("use the axis that is summed", (Edit(number.env.module.span(names[0]), label),)), *helps)
    ctx.report(wrong.ScaleMismatch(place, str(width), shown, why, origin, helps))


def beside(width: int, own: int, rest: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes of the scores that the width counts though they are not summed."""
    if own == 0 or width % own:
        return ()
    known = [a for a in rest if isinstance(normal(a.size), int) and normal(a.size) != 1][:MOST_AXES]
    for count in range(1, len(known) + 1):
        for some in combinations(known, count):
            if prod(normal(a.size) for a in some) == width // own:  # type: ignore[misc]
                return some
    return ()


def came_in(b: Builder, number: Written, width: int, summed: tuple[Axis, ...]) -> bool:
    """Whether the number is the root of one dim that the inputs have, and what is summed was made on the way."""
    outer = b
    while outer.parent is not None:
        outer = outer.parent
    labels = {label_of(a.label) for w in outer.inputs for a in walk_axes(w.leaf.axes) if isinstance(a, Axis)}
    if len(number.dims) != 1 or normal(number.dims[0].size) != width:
        return False
    return label_of(number.dims[0].label) in labels and not any(label_of(a.label) in labels for a in summed)


def words(expr: ast.Expr) -> list[ast.Name]:
    """The names in an expression of numbers."""
    out: list[ast.Name] = []
    stack = [expr]
    while stack:
        match stack.pop():
            case ast.Name() as name:
                out.append(name)
            case ast.Chain(operands, _):
                stack += operands
            case ast.Power(base, exponent):
                stack += [base, exponent]
            case ast.Negate(operand):
                stack.append(operand)
            case ast.Call(_, args):
                stack += [a.value for a in args]
            case ast.Tuple(items):
                stack += [i.value for i in items]
            case _:
                pass
    return out
