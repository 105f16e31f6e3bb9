"""Losses that compare predictions with tokens, told at a glance: what `targets.py` has to look at."""

from __future__ import annotations

from collections.abc import Callable

from catdl.diagram.model import Box, Call, Diagram, Native
from catdl.diagram.params import post_order
from catdl.types.types import Axis

LOSSES = ("cross_entropy", "weighted_cross_entropy", "nll_loss")


def compares(diagram: Diagram, times: Callable[[str], object | None]) -> bool:
    """Whether a diagram compares predictions with tokens along a time, or calls what may."""
    return holds(diagram) and any(
        isinstance(axis, Axis) and isinstance(axis.label, str) and times(axis.label.rstrip("'")) is not None
        for box in diagram.boxes
        if isinstance(box.op, Call | Native)
        for wire in box.inputs[1:]
        for axis in diagram.wires[wire].type.axes
    )


def holds(diagram: Diagram) -> bool:
    """Whether a loss stands in a diagram, or in one that it calls."""
    if diagram.memo_losses is None:
        for inner in post_order(diagram, lambda d: d.memo_losses is not None):
            inner.memo_losses = any(map(_is_loss, inner.boxes))
    return bool(diagram.memo_losses)


def _is_loss(box: Box) -> bool:
    match box.op:
        case Native(entry=entry):
            return entry in LOSSES
        case Call(callee):
            return bool(callee.memo_losses)
        case _:
            return False
