"""`equilinear` closed: its types and what acts on their axes become weights and a meaning.

Takes closed types. Guarantees that every axis is one of channels, of fixed size, or one on which a group acts, and that
there are maps into every leaf of the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check.zonk import zonk_leaf
from catdl.diagram.equivariant import NOTHING, Space, equivariant, plan
from catdl.source import Span
from catdl.symmetry.actions import Act, Cyclic, Group, Matrices, Symmetric
from catdl.types.sizes import free_syms
from catdl.types.types import Axis, Leaf, Word, label_of, plain, show_axis, show_leaf

if TYPE_CHECKING:
    from catdl.check.builder import LateEquilinear, PBox
    from catdl.check.context import Context
    from catdl.diagram.model import Native

ELSEWHERE = {
    "grid": "a shift moves what is at the border out of a grid; a convolution, `conv2d`, goes as far as one can",
    "time": "apply it at every step, `map[T](tied equilinear(64))`",
    "batch": "leave it out: a layer sees one sample",
}
LIMIT = 1 << 22  # the most numbers in a table of maps


def close_equilinear(ctx: Context, box: PBox, op: LateEquilinear) -> Native:
    """The layer as one box. Raises Refused after a report."""
    ins, outs = (
        tuple(_space(ctx, zonk_leaf(ctx, w.leaf), op.span) for w in side) for side in (box.inputs, box.outputs)
    )
    how = plan(ins, outs)
    for y in outs:
        if any(how.count(x, y) for x in ins):
            continue
        groups = tuple(dict.fromkeys(_said(g) for g in (*y.groups(), *(g for x in ins for g in x.groups()))))
        source = " @ ".join(show_leaf(x.leaf) for x in ins)
        raise ctx.refuse(wrong.NoEquivariantMap(op.span, source, show_leaf(y.leaf), groups))
    for x in (*ins, NOTHING):
        for y in outs:
            if how.table(x, y) > LIMIT:
                raise ctx.refuse(wrong.LimitExceeded(op.span, "the table of the maps of `equilinear`", LIMIT))
    return equivariant(ins, outs, op.bias)


def _space(ctx: Context, leaf: Leaf, span: Span) -> Space:
    """A leaf with what acts on its axes. Raises Refused."""
    acts: list[Act | None] = []
    for axis in leaf.axes:
        assert isinstance(axis, Axis)
        acts.append(_act(ctx, axis, span))
    return Space(leaf, tuple(acts))


def _act(ctx: Context, axis: Axis, span: Span) -> Act | None:
    """What acts on an axis; None on channels. Raises Refused."""
    label = label_of(axis.label)
    if isinstance(label, Word):
        if any(_act(ctx, part, span) is not None for part in label.axes):
            words = "several axes in one"
            raise ctx.refuse(wrong.NotAlongRole(span, show_axis(axis), words, "split it first, with `rearrange`"))
        dim = None
    else:
        dim = ctx.library.dim(label.rstrip("'")) if isinstance(label, str) else None
    if dim is not None and dim.act is not None and axis.size == dim.axis.size:
        if isinstance(dim.act.group, Cyclic) and not isinstance(axis.size, int):
            raise ctx.refuse(wrong.ParamFreeDim(span, "equilinear.weight", plain(dim.name)))
        return dim.act
    if dim is not None and (dim.act is not None or dim.other is not None):
        role = dim.other or "another size than its dim"
        what = f"whose role is `{role}`" if dim.other else f"which has {role}"
        why = ELSEWHERE.get(role, "what acts on a dim acts on the whole of it: make it another axis with `rename`")
        raise ctx.refuse(wrong.NotAlongRole(span, show_axis(axis), what, why))
    if not isinstance(axis.size, int):
        name = sorted(free_syms(axis.size))[0]
        raise ctx.refuse(wrong.ParamFreeDim(span, "equilinear.weight", plain(name)))
    return None


def _said(group: Group) -> str:
    match group:
        case Symmetric(dim):
            return f"the permutations of `{plain(dim)}`"
        case Cyclic(dim):
            return f"the shifts of `{plain(dim)}`"
        case Matrices(family, size):
            return f"`{family}` in {size} dimensions"
