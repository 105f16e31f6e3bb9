"""Equivariant layers closed: their types and what acts on their axes become weights and a meaning.

Takes closed types. Guarantees that every axis is one of channels, of fixed size, or one on which a group acts, and that
there are maps into every leaf of the result.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check.static import Refused
from catdl.check.zonk import zonk_leaf
from catdl.diagram.bilinear import Factors, bilinear, named
from catdl.diagram.equivariant import NOTHING, Plan, Space, convolves, equivariant, plan
from catdl.record import replace
from catdl.symmetry.actions import REGULAR, Act, Cyclic, Declared, Group, Sides, Takes, said, size_of
from catdl.symmetry.declared import partnered
from catdl.symmetry.partitions import partitions
from catdl.symmetry.ranks import rank
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
AXES = 6  # of one group, in result and input together: there are 203 ways to match six
LEAVES = 1_000  # pairs of one of the result and one of the input
MAPS = 10_000  # of the sets of one such pair
ORBITS = 1 << 18  # pairs of entries that a declared group's generators permute
UNKNOWNS = 1 << 10  # or mix
PLACES = 1 << 24  # pairs of entries that a matrix is made for


def close_equilinear(ctx: Context, box: PBox, op: LateEquilinear) -> Native:
    """The layer as one box. Raises Refused after a report."""
    ins, outs = (tuple(_space(ctx, zonk_leaf(ctx, w.leaf), op) for w in side) for side in (box.inputs, box.outputs))
    if op.name != "equilinear":
        return _product(ctx, op, ins, outs)
    how = plan(ins, outs)
    _bounded(ctx, how, ins, outs, op)
    for y in outs:
        if not any(how.count(x, y) for x in ins):
            raise _none(ctx, op, ins, y)
    return equivariant(ins, outs, op.bias)


def _product(ctx: Context, op: LateEquilinear, ins: tuple[Space, ...], outs: tuple[Space, ...]) -> Native:
    """A product of two tensors. Raises Refused."""
    x, y = ins
    weighed = op.name == "equibilinear"
    for z in outs:
        both = Factors(x, y, z, weighed)
        for axis in both.apart():
            raise ctx.refuse(wrong.PlacesApart(op.span, op.name, show_axis(axis), named(axis)))
        _bounded(ctx, both.plan, (both.pair,), (both.result,), op)
        count = both.count()
        if not count:
            raise _none(ctx, op, ins, z)
        if count > 1 and not weighed:
            raise ctx.refuse(wrong.CoupledInManyWays(op.span, show_leaf(z.leaf), count))
    return bilinear(x, y, outs, weighed)


def _none(ctx: Context, op: LateEquilinear, ins: tuple[Space, ...], y: Space) -> Refused:
    """That only zero commutes with what acts."""
    groups = tuple(dict.fromkeys(said(g) for g in (*y.groups(), *(g for x in ins for g in x.groups()))))
    source = " @ ".join(show_leaf(x.leaf) for x in ins)
    sort = "linear map" if op.name == "equilinear" else "product"
    return ctx.refuse(wrong.NoEquivariantMap(op.span, sort, source, show_leaf(y.leaf), groups))


def _bounded(ctx: Context, how: Plan, ins: tuple[Space, ...], outs: tuple[Space, ...], op: LateEquilinear) -> None:
    """Bounds on what is counted and made, each asked before what it bounds is done. Raises Refused."""

    def bound(count: int, limit: int, what: str) -> None:
        if count > limit:
            raise ctx.refuse(wrong.LimitExceeded(op.span, f"{what} of `{op.name}`", limit))

    bound(len(ins) * len(outs), LEAVES, "the number of pairs of wires")
    for x, y in product((*ins, NOTHING), outs):
        for group in {**x.groups(), **y.groups()}:
            bound(len(x.places(group)) + len(y.places(group)), AXES, "the number of axes with one group")
        if not convolves(how, x, y):
            bound(how.places(x, y), PLACES, "the number of pairs of entries")
        bound(prod(len(partitions(i + o)) for (_, i), (_, o) in zip(how.along(x), how.along(y), strict=True)), MAPS,
              "the number of maps")  # fmt: skip
        for group in how.others:
            sizes = prod(size for act in (*x.under(group), *y.under(group)) if isinstance(size := size_of(act), int))
            if isinstance(group, Declared):
                moves = all(isinstance(move, Takes | Sides) for _, move in group.generators)
                bound(sizes, ORBITS if moves else UNKNOWNS, "the number of pairs of entries")
            if not isinstance(group, Cyclic):
                bound(sizes * rank(group, y.under(group), x.under(group)), PLACES, "the table of the maps")


def _space(ctx: Context, leaf: Leaf, op: LateEquilinear) -> Space:
    """A leaf with what acts on its axes. Raises Refused."""
    acts: list[Act | None] = []
    for axis in leaf.axes:
        assert isinstance(axis, Axis)
        acts.append(_act(ctx, axis, op))
    space = Space(leaf, tuple(acts))
    for group in space.groups():
        if isinstance(group, Declared) and not partnered(group, space.under(group)):
            what = f"on which {said(group)} acts together with others"
            axis = leaf.axes[space.places(group)[0]]
            assert isinstance(axis, Axis)
            why = "give it all axes that change places, of one size"
            raise ctx.refuse(wrong.NotAlongRole(op.span, op.name, show_axis(axis), what, why))
    return space


def _whole(group: Group) -> bool:
    """Whether a group moves axes as wholes, so that it acts on those of any size."""
    return isinstance(group, Declared) and all(isinstance(move, Sides) for _, move in group.generators)


def _act(ctx: Context, axis: Axis, op: LateEquilinear) -> Act | None:
    """What acts on an axis; None on channels. Raises Refused."""
    label = label_of(axis.label)
    if isinstance(label, Word):
        if any(_act(ctx, part, op) is not None for part in label.axes):
            words = "several axes in one"
            raise ctx.refuse(
                wrong.NotAlongRole(op.span, op.name, show_axis(axis), words, "split it first, with `rearrange`")
            )
        dim = None
    else:
        dim = ctx.library.dim(label.rstrip("'")) if isinstance(label, str) else None
    if dim is not None and dim.act is not None and dim.act.point:
        why = "subtract a point, `x - mean[N](x)`, and rename the axis to one of vectors"
        raise ctx.refuse(wrong.NotAlongRole(op.span, op.name, show_axis(axis), "along which points stand", why))
    if dim is not None and dim.act is not None and dim.act.place is not None:
        assert isinstance(label, str)
        place = replace(dim.act.place, size=axis.size, twin=len(label) - len(label.rstrip("'")))
        if not isinstance(axis.size, int):
            raise ctx.refuse(wrong.ParamFreeDim(op.span, f"{op.name}.weight", plain(dim.name)))
        if axis.size == dim.axis.size or (place.block != REGULAR and _whole(dim.act.group)):
            return replace(dim.act, place=place)
    elif dim is not None and dim.act is not None and dim.other is None and axis.size == dim.axis.size:
        if isinstance(dim.act.group, Cyclic) and op.name == "equilinear" and not isinstance(axis.size, int):
            raise ctx.refuse(wrong.ParamFreeDim(op.span, f"{op.name}.weight", plain(dim.name)))
        return dim.act
    if dim is not None and (dim.act is not None or dim.other is not None):
        role = dim.other or "another size than its dim"
        what = f"whose role is `{role}`" if dim.other else f"which has {role}"
        why = ELSEWHERE.get(role, "what acts on a dim acts on the whole of it: make it another axis with `rename`")
        raise ctx.refuse(wrong.NotAlongRole(op.span, op.name, show_axis(axis), what, why))
    if not isinstance(axis.size, int) and op.name != "couple":
        name = sorted(free_syms(axis.size))[0]
        raise ctx.refuse(wrong.ParamFreeDim(op.span, f"{op.name}.weight", plain(name)))
    return None
