"""Core boxes as elaboration emits them: outputs typed, labels distinct, attributes closed where they can be."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, LateCore, W
from catdl.check.context import Context
from catdl.check.objects import AXIS_LIMIT, too_long
from catdl.diagram.model import Core
from catdl.source import Span
from catdl.types.ragged import mentioned, of_leaves
from catdl.types.sizes import Poly, free_vars
from catdl.types.types import (
    Axis,
    LabelVar,
    Leaf,
    label_of,
    plain,
    show_leaf,
)


def core(ctx: Context, b: Builder, op: str, inputs: list[W], leaves: list[Leaf], span: Span, **attrs: object) -> Bundle:
    """Emit a core box; its attributes are closed at the end where sizes are still unknown."""
    inputs = [b.take(w) for w in inputs]
    # What depends on a size that differs between samples is not the same for the whole batch.
    sampled = bool(ctx.facts.may_be_zero) and bool(mentioned(tuple(attrs.values())) or of_leaves(leaves))
    constant = not sampled and all(w.constant for w in inputs)
    outputs: list[W] = []
    for leaf in leaves:
        for axis in leaf.axes:
            if isinstance(axis, Axis) and isinstance(axis.size, int) and axis.size < 0:
                raise ctx.refuse(wrong.NegativeSize(span, f"this gives `{show_leaf(leaf)}`"))
        distinct(ctx, leaf, span)
        made = ctx.canon(leaf) if closed_leaf(leaf) else leaf
        wire = W(b, made, constant, None, span)
        wire.origin = op
        outputs.append(wire)
    packed = tuple(attrs.items())
    closed = all(_closed(value) for _, value in packed)
    b.emit(Core(op, packed) if closed else LateCore(op, packed), inputs, outputs, op, span)  # type: ignore[arg-type]
    return Bundle(outputs)


def distinct(ctx: Context, leaf: Leaf, span: Span) -> None:
    """Labels of one list are distinct, and not too many. Raises Refused."""
    if too_long(leaf.axes):
        raise ctx.refuse(wrong.LimitExceeded(span, "the number of axes of a tensor", AXIS_LIMIT))
    if len(leaf.axes) < 2:
        return
    seen: set[object] = set()
    for axis in leaf.axes:
        if isinstance(axis, Axis):
            label = label_of(axis.label)
            if isinstance(label, str):
                if label in seen:
                    raise ctx.refuse(wrong.LabelRepeated(span, plain(label), f"in {show_leaf(leaf)}"))
                seen.add(label)


def _closed(value: object) -> bool:
    if isinstance(value, Poly):
        return False
    return not isinstance(value, tuple) or all(_closed(v) for v in value)


def closed_leaf(leaf: Leaf) -> bool:
    """Whether no unknown is left in a type."""
    for axis in leaf.axes:
        if not isinstance(axis, Axis) or isinstance(label_of(axis.label), LabelVar):
            return False
        if axis.size.__class__ is not int and free_vars(axis.size):
            return False
    return leaf.kind.size is None or leaf.kind.size.__class__ is int or not free_vars(leaf.kind.size)
