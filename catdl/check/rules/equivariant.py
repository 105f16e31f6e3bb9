"""The rules of equivariant layers: what they give is told by a type, or is the first input with other channels."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle, LateEquilinear, W
from catdl.check.rules.common import REAL, Rule
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf, Object, label_of


def equilinear(rule: Rule) -> Bundle:
    """`equilinear`, `equilinear(64)`, `equilinear[Real[N, 64]]`, each with `bias = false` or without."""
    ctx = rule.ctx
    wires = rule.all_wires()
    if not wires:
        raise ctx.refuse(wrong.ArityMismatch(rule.span, 1, 0, "the input of `equilinear`"))
    given = [arg for arg in rule.head.args if arg.sep != "="]
    bias = _bias(rule, len(given))
    if not rule.items() and len(wires) != 1:
        raise ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, "equilinear[Real[N, 8]]"))
    return _layer(rule, wires, given, bias)


def product(rule: Rule) -> Bundle:
    """`equibilinear[Real[N, 64]]`, `equibilinear(64)`, `equibilinear`; `couple[Real[N, L]]`, which has no channels."""
    ctx = rule.ctx
    wires = rule.wires(2)
    for arg in rule.head.args:
        if arg.sep == "=":
            raise ctx.refuse(wrong.UnknownArgument(rule.head.env.module.span(arg), arg.name or "", rule.name, (), ()))
    if rule.name == "couple" and not rule.items():
        raise ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, "couple[Real[N, L]]"))
    return _layer(rule, wires, list(rule.head.args), False)


def _layer(rule: Rule, wires: list[W], given: list[ast.Arg], bias: bool) -> Bundle:
    """The box, closed when its types are known."""
    ctx, b = rule.ctx, rule.b
    for wire in wires:
        ctx.coerce_kind(wire, Leaf(REAL, tuple(rule.axes(wire))), rule.span, f"the input of `{rule.name}`")
    if rule.items():
        result = _told(rule, given)
    else:
        result = Object((_like(rule, wires[0], given),), (None,))
    outputs = [W(b, leaf, all(w.constant for w in wires), None, rule.span) for leaf in result.leaves]
    for wire in outputs:
        wire.origin = rule.name
    b.emit(LateEquilinear(rule.name, bias, rule.span), wires, outputs, rule.name, rule.span, rule.head.label)
    return Bundle(outputs, result.names if any(result.names) else None)


def _bias(rule: Rule, places: int) -> bool:
    """Whether it adds the invariants of its result. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    if places > 1:
        raise ctx.refuse(wrong.TooManyArguments(rule.span, rule.name, 1, places))
    found: object = True
    for arg in rule.head.args:
        if arg.sep == "=":
            if arg.name != "bias":
                raise ctx.refuse(wrong.UnknownArgument(env.module.span(arg), arg.name or "", rule.name, (), ("bias",)))
            found = ctx.statics.value(arg.value, env)
            if not isinstance(found, bool):
                where = env.module.span(arg.value)
                raise ctx.refuse(wrong.BadArgument(where, "bias", "true or false", where.text, rule.name))
    return bool(found)


def _told(rule: Rule, given: list[ast.Arg]) -> Object:
    """The result as the type in brackets says it. Raises Refused."""
    ctx, items = rule.ctx, rule.items()
    if given or len(items) > 1:
        where = rule.head.env.module.span(given[0] if given else items[1])
        raise ctx.refuse(wrong.TooManyArguments(where, rule.name, 1, len(items) + len(given)))
    result = ctx.types.object(items[0].value, rule.head.env)
    made = Bundle([W(rule.b, Leaf(REAL, leaf.axes), False, None, rule.span) for leaf in result.leaves])
    ctx.ports(made, result, rule.span, f"what `{rule.name}` gives")
    return result


def _like(rule: Rule, wire: W, given: list[ast.Arg]) -> Leaf:
    """The input with other channels, which stand last: as many as are given, or as what follows needs."""
    ctx = rule.ctx
    axes = rule.axes(wire)
    label = label_of(axes[-1].label) if axes else None
    dim = ctx.library.dim(label.rstrip("'")) if isinstance(label, str) else None
    kept = axes[:-1] if axes and (dim is None or not (dim.roles or dim.act)) else axes
    if given:
        channels = ctx.types.single(given[0], rule.head.env)
        if not isinstance(label_of(channels.label), str):
            channels = Axis(ctx.solver.label(), channels.size)
    elif len(kept) == len(axes):
        return Leaf(REAL, tuple(axes))
    else:
        channels = Axis(ctx.solver.label(), ctx.solver.size(rule.span, f"the channels of `{rule.name}`"))
    return Leaf(REAL, (*kept, channels))
