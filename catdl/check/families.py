"""An element of a family of wires: `bank[i]`, where i is a wire or a number.

Takes wires whose first axis is that of the family, or a record to a power (`weights(f)^8`). Guarantees the same wires
without that axis, or without the number before their names; an index that differs from sample to sample gives wires
that do: the projections of a finite power of a parameter object.

    param bank : weights(expert)[Expert]
    morphism chosen : Fin(Expert) @ X -> X = (i, x) => x >> expert{bank[i]}
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, W
from catdl.check.context import Context
from catdl.check.emit import core
from catdl.check.scope import Env
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.check.values import as_number
from catdl.diagnostics.base import Edit, Help
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Size
from catdl.types.types import ANONYMOUS, Axis, Kind, Leaf, show_axis, show_leaf, walk_axes


def element(ctx: Context, expr: ast.Index, env: Env, b: Builder) -> Bundle:
    """`base[i]`: one element of a family of wires."""
    family = ctx.wires(expr.base, env, b)
    if family.bad:
        return BAD
    span = env.module.span(expr)
    try:
        if len(expr.items) != 1 or expr.items[0].sep:
            raise ctx.refuse(wrong.BadValue(span, "an element of a family has one index: `bank[i]`"))
        at = expr.items[0].value
        if ctx.statics.is_static(at, env):
            number = as_number(ctx.statics.value(at, env))
            if not isinstance(number, int) or number < 0:
                raise ctx.refuse(wrong.BadValue(env.module.span(at), "an index is a whole number, from 0"))
            return numbered(ctx, b, family, number, span)
        index = ctx.wires(at, env, b)
        if index.bad:
            return BAD
        return picked(ctx, b, family, index, env.module.span(at), span)
    except Refused:
        return BAD


def rounds(family: Bundle) -> dict[str, dict[str, W]]:
    """The records of a power by their number; empty where it is none."""
    found: dict[str, dict[str, W]] = {}
    for name, wire in zip(family.names or (), family.wires, strict=False):
        number, dot, rest = (name or "").partition(".")
        if not dot or not number.isdecimal():
            return {}
        found.setdefault(number, {})[rest] = wire
    return found


def numbered(ctx: Context, b: Builder, family: Bundle, number: int, span: Span) -> Bundle:
    """The element of a number. Raises Refused."""
    powers = rounds(family)
    if powers:
        found = powers.get(str(number))
        if found is None:
            raise ctx.refuse(wrong.BadValue(span, f"there is no element {number} among {len(powers)}"))
        return Bundle(list(found.values()), tuple(found))
    out: list[W] = []
    for wire in family.wires:
        first, rest = leading(ctx, wire, span)
        if isinstance(first.size, int) and number >= first.size:
            raise ctx.refuse(wrong.BadValue(span, f"there is no element {number} in {show_leaf(wire.leaf)}"))
        one = Leaf(wire.leaf.kind, (Axis(first.label, 1), *rest))
        cut = core(ctx, b, "slice", [wire], [one], span, axis=0, start=number, step=1, size=1)
        out += core(ctx, b, "drop", cut.wires, [Leaf(wire.leaf.kind, rest)], span, axis=0).wires
    return Bundle(out, family.names)


def many(ctx: Context, family: Bundle, which: W, at: Span, span: Span) -> tuple[Help, ...]:
    """How many elements are taken at once: of a tensor they are gathered along the axis that the indices range over."""
    axes = walk_axes(family.wires[0].leaf.axes) if len(family.wires) == 1 else []
    fit = [show_axis(a) for a in axes if isinstance(a, Axis) and a.size == which.leaf.kind.size]
    label = fit[0].partition(":")[0] if fit else ""
    if not label.rstrip("'").isidentifier():
        return (Help("along an axis of indices, `map` what takes one"),)
    text = f"gather[{label}]({span.source.text[span.start : at.start].rstrip().removesuffix('[')}, {at.text})"
    return (Help(f"take many at once: `{text}`", (Edit(span, text),)),)


def picked(ctx: Context, b: Builder, family: Bundle, index: Bundle, at: Span, span: Span) -> Bundle:
    """The element that a wire says. Raises Refused."""
    if len(index.wires) != 1:
        raise ctx.refuse(wrong.ArityMismatch(at, 1, len(index.wires), "the index of a family"))
    which = b.take(index.wires[0])
    if which.leaf.kind.name != "Fin" or which.leaf.kind.size is None:
        raise ctx.refuse(wrong.KindMismatch(at, "Fin", show_leaf(which.leaf), which.where, which.origin))
    if walk_axes(which.leaf.axes):
        words = f"`x[i]` is one element for each sample, and this is many indices, `{show_leaf(which.leaf)}`"
        raise ctx.refuse(wrong.BadValue(at, words, "", many(ctx, family, which, at, span)))
    powers = rounds(family)
    names = family.names
    if powers:
        first = next(iter(powers.values()))
        names = tuple(first)
        wires = [stacked(ctx, b, [record[name] for record in powers.values()], span) for name in first]
    else:
        wires = family.wires
    out: list[W] = []
    for wire in wires:
        axis, rest = leading(ctx, wire, span)
        same(ctx, which, axis.size, at, wire)
        leaf = Leaf(wire.leaf.kind, rest)
        out += core(ctx, b, "gather", [wire, which], [leaf], span, axis=0).wires
    return Bundle(out, names)


def same(ctx: Context, index: W, size: Size, at: Span, wire: W) -> None:
    """An index runs over the axis that it picks from. Raises Refused."""
    assert index.leaf.kind.size is not None
    wanted = Leaf(Kind("Fin", size), ())
    blame = Blame(at, wanted, index.leaf, "the index of a family", wire.where, f"the family, {show_leaf(wire.leaf)}")
    if not ctx.solver.same_size(index.leaf.kind.size, size, blame):
        raise Refused


def leading(ctx: Context, wire: W, span: Span) -> tuple[Axis, tuple[Axis, ...]]:
    """The axis of a family, and those of its elements. Raises Refused."""
    axes = tuple(a for a in walk_axes(wire.leaf.axes) if isinstance(a, Axis))
    if not axes:
        raise ctx.refuse(wrong.BadValue(span, f"{show_leaf(wire.leaf)} has no axis to take an element of"))
    return axes[0], axes[1:]


def stacked(ctx: Context, b: Builder, wires: list[W], span: Span) -> W:
    """Wires of one type along a new first axis."""
    leaf = wires[0].leaf
    lifted: list[W] = []
    for wire in wires:
        one = Leaf(leaf.kind, (Axis(ANONYMOUS, 1), *walk_axes(leaf.axes)))
        lifted += core(ctx, b, "expand", [wire], [one], span, position=0, size=1).wires
    whole = Leaf(leaf.kind, (Axis(ANONYMOUS, len(wires)), *walk_axes(leaf.axes)))
    return core(ctx, b, "concat", lifted, [whole], span, axis=0).wires[0]
