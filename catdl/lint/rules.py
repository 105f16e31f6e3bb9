"""Which warning looks at which box of a diagram."""

from __future__ import annotations

from collections.abc import Iterator

from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Box, Core, Diagram
from catdl.lint import affine, norms, values
from catdl.lint.view import LINEAR, View, native


def warnings(diagram: Diagram, boxes: list[Box]) -> Iterator[Diagnostic]:
    """The warnings about some boxes of a diagram."""
    view = View(diagram)
    for box in boxes:
        if isinstance(box.op, Core):
            yield from values.itself(box)
            continue
        entry = native(box).entry
        if entry in LINEAR:
            yield from affine.warnings(view, box)
        if entry in norms.CENTRED:
            yield from norms.lost(view, box)
        if entry in norms.OVER:
            yield from norms.single(box)
        if entry in values.CHANCES:
            yield from values.everything(box)
