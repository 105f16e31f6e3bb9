"""Boxes whose value is known before anything runs: dropout of everything (W0205), a wire less itself (W0206)."""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Box, Core
from catdl.lint.view import native

CHANCES = {
    **dict.fromkeys(("dropout", "channel_dropout", "drop_path"), "p"),
    **dict.fromkeys(("attend", "grouped_attend"), "dropout_p"),
}

ITSELF = {"sub": 0, "div": 1}


def everything(box: Box) -> Iterator[Diagnostic]:
    """What to say of a layer that drops out."""
    op = native(box)
    if op.arg(CHANCES[op.entry]) == 1:
        yield wrong.DropsEverything(box.span, op.entry, CHANCES[op.entry])


def itself(box: Box) -> Iterator[Diagnostic]:
    """What to say of a difference or a quotient."""
    assert isinstance(box.op, Core)
    align = box.op["align"]
    if len(set(box.inputs)) == 1 and isinstance(align, tuple) and len(set(align)) == 1:
        yield wrong.WithItself(box.span, ITSELF[str(box.op["fn"])])
