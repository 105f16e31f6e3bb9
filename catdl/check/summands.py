"""Values of a sum: a tag, which says which summand the value is of, then the wires of all summands.

Takes wires and types; guarantees of a value that is let through that it fits its sum, summand by summand. Where a
summand is not the one, its wires hold anything.

    () + Real[A] @ State      Case, Real[A], Real[H]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, W
from catdl.check.context import Context
from catdl.check.emit import core
from catdl.check.rules.common import BOOL, known_axes
from catdl.source import Span
from catdl.types.dtypes import storage
from catdl.types.types import Kind, Leaf, Object, show_leaf


def slices(leaves: Sequence[Leaf]) -> list[slice] | None:
    """Where the summands stand among the types of a sum's wires; None for types that are of no sum."""
    if not leaves or not (cases := leaves[0].kind.cases) or leaves[0].axes:
        return None
    ends = list(accumulate(map(sum, cases), initial=1))
    return [slice(*pair) for pair in pairwise(ends)] if ends[-1] == len(leaves) else None


def parts_of(bundle: Bundle) -> list[Bundle] | None:
    """The summands of a value of a sum; None for one that is of none."""
    places = None if bundle.bad else slices(types(bundle))
    if places is None:
        return None
    parts = []
    for place, widths in zip(places, bundle.wires[0].leaf.kind.cases, strict=True):
        names = bundle.names[place] if bundle.names is not None else ()
        part = Bundle(bundle.wires[place], names if any(names) else None)
        if any(width != 1 for width in widths):
            part.groups = tuple((None, width) for width in widths)
        parts.append(part)
    return parts


def types(bundle: Bundle) -> list[Leaf]:
    """The types of wires."""
    return [w.leaf for w in bundle.wires]


def show_sum(leaves: Sequence[Leaf]) -> str:
    """`() + Real[A] @ Real[H]`."""
    places = slices(leaves)
    return " + ".join(show_product(leaves[place]) for place in places) if places else show_product(leaves)


def show_product(leaves: Sequence[Leaf]) -> str:
    """`Real[A] @ Real[H]`."""
    return " @ ".join(map(show_leaf, leaves)) or "()"


def holds(ctx: Context, b: Builder, tag: W, summand: int, span: Span) -> W:
    """Whether a value is of a summand."""
    wanted = number(ctx, b, tag.leaf.kind, summand, span)
    return core(ctx, b, "pointwise", [tag, wanted], [Leaf(BOOL, ())], span, fn="eq", align=((), ())).wires[0]


def number(ctx: Context, b: Builder, kind: Kind, value: int, span: Span) -> W:
    """A number, an index or a truth, of a kind."""
    held: object = bool(value) if storage(Kind(ctx.kinds.root(kind.name), kind.size)) == "bool" else value
    leaf = Leaf(Kind(kind.name, kind.size, root=kind.root, cases=kind.cases), ())
    return core(ctx, b, "literal", [], [leaf], span, value=held).wires[0]


def chosen(ctx: Context, b: Builder, condition: W, yes: W, no: W, span: Span) -> W:
    """One wire or another, which may be a number for all of it. Raises Refused."""
    places = tuple(range(len(known_axes(ctx, yes, span, "[ f | g ]"))))
    align = ((), places, places if no.leaf.axes else ())
    return core(ctx, b, "pointwise", [condition, yes, no], [yes.leaf], span, fn="where", align=align).wires[0]


def fits_sum(ctx: Context, found: Bundle, expected: Object, span: Span, context: str, origin: Span) -> bool:
    """Whether a value is of a sum, summand by summand; told where it is not."""
    mine, theirs = slices(types(found)), slices(expected.leaves)
    assert theirs is not None
    if mine is None or len(mine) != len(theirs):
        ctx.report(wrong.NotThatSum(span, show_sum(expected.leaves), f"`{show_sum(types(found))}`", 0, context, origin))
        return False
    fits = True
    for number, (here, there) in enumerate(zip(mine, theirs, strict=True), 1):
        part, wanted = Bundle(found.wires[here]), expected.leaves[there]
        if len(part.wires) != len(wanted):
            shown = show_product(wanted), show_product(types(part))
            ctx.report(wrong.NotThatSum(span, *shown, number, context, origin))
            fits = False
            continue
        words = f"summand {number} of {context}"
        fits = ctx.ports(part, Object(wanted, (None,) * len(wanted)), span, words, origin, "declared here") and fits
    return fits
