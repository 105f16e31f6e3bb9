"""Unknowns read: labels, axes, kinds, types and static values as the solver has found them.

Takes what may hold unknowns that are solved; guarantees closed values, in which a label that stayed unknown is none.

    zonk_leaf(ctx, leaf)      Real[T, D: 768]
"""

from __future__ import annotations

from typing import Any

from catdl.check.context import Context
from catdl.check.scope import Static
from catdl.check.signature import LabelOf, Row
from catdl.types.sizes import Poly, normal
from catdl.types.types import ANONYMOUS, Axis, Kind, Label, LabelVar, Leaf, Object, Word, label_of, walk_axes


def zonk_label(label: Label) -> Label:
    """A label with unknowns read; one that stays unknown is no label."""
    label = label_of(label)
    match label:
        case LabelVar():
            return ANONYMOUS
        case Word(axes):
            return Word(tuple(zonk_axis(a) for a in axes))
        case _:
            return label


def zonk_axis(axis: Axis) -> Axis:
    """An axis with unknowns read."""
    size = axis.size if axis.size.__class__ is int else normal(axis.size)
    return Axis(zonk_label(axis.label), size)


def zonk_kind(kind: Kind) -> Kind:
    """A kind with unknowns read."""
    if kind.size is None and kind.axis is None:
        return kind
    size = kind.size if kind.size is None or kind.size.__class__ is int else normal(kind.size)
    return Kind(kind.name, size, None if kind.axis is None else zonk_label(kind.axis), kind.root, cases=kind.cases)


def zonk_leaf(ctx: Context, leaf: Leaf) -> Leaf:
    """A type with unknowns read."""
    own = "::" in leaf.kind.name and leaf.kind.root is None
    if (
        not own
        and id(leaf) in ctx.canon_ids
        and not any(isinstance(a, Axis) and isinstance(a.label, LabelVar) for a in leaf.axes)
    ):
        return leaf
    axes = tuple(zonk_axis(a) for a in walk_axes(leaf.axes) if isinstance(a, Axis))
    kind = zonk_kind(leaf.kind)
    if own:
        kind = Kind(kind.name, kind.size, kind.axis, ctx.kinds.root(kind.name))
    return ctx.canon(Leaf(kind, axes))


def zonk_value(value: object) -> Any:
    """A static value with unknowns read."""
    match value:
        case Static(inner):
            return zonk_value(inner)
        case Poly():
            return normal(value)
        case Axis():
            return zonk_axis(value)
        case LabelOf(label):
            return LabelOf(zonk_label(label))
        case Row(axes):
            return tuple(zonk_axis(a) for a in walk_axes(axes) if isinstance(a, Axis))
        case Object(leaves, names):
            closed = tuple(
                Leaf(zonk_kind(leaf.kind), tuple(zonk_axis(a) for a in walk_axes(leaf.axes) if isinstance(a, Axis)))
                for leaf in leaves
                if isinstance(leaf, Leaf)
            )
            return Object(closed, names, value.groups)
        case Kind():
            return zonk_kind(value)
        case tuple():
            return tuple(zonk_value(v) for v in value)
        case _:
            return value
