"""Losses that compare predictions with tokens, told at a glance: what `targets.py` has to look at."""

from __future__ import annotations

from collections.abc import Callable

from catdl.diagram.model import Diagram, Native
from catdl.types.types import Axis

LOSSES = ("cross_entropy", "weighted_cross_entropy", "nll_loss")


def compares(diagram: Diagram, times: Callable[[str], object | None]) -> bool:
    """Whether a diagram compares predictions with tokens along a time."""
    return any(
        isinstance(axis, Axis) and isinstance(axis.label, str) and times(axis.label.rstrip("'")) is not None
        for box in diagram.boxes
        if isinstance(box.op, Native) and box.op.entry in LOSSES
        for axis in diagram.wires[box.inputs[1]].type.axes
    )
