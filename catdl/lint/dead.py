"""Weights that nothing comes of: W0302. DistributedDataParallel stops at such, and everyone else pays for them."""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Call, Diagram, Extern, Native


def warnings(diagram: Diagram) -> Iterator[Diagnostic]:
    """The last layer with weights on every way that leads nowhere."""
    alive = set(diagram.outputs)
    told: set[int] = set()  # wires of which something comes that is told already
    for box in reversed(diagram.boxes):
        reads = (*box.inputs, *(wire for _, wire in box.plugs))
        if not alive.isdisjoint(box.outputs):
            alive.update(reads)
        elif not told.isdisjoint(box.outputs):
            told.update(reads)
        elif box.site is not None:
            told.update(reads)
            match box.op:
                case Native(entry=name) | Extern(target=name):
                    pass
                case Call(callee=callee):
                    name = callee.name
                case _:
                    name = box.site
            yield wrong.DeadWeights(box.span, name, diagram.name)
