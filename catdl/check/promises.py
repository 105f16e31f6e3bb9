"""What is asked of a finished Diagram beside its types: that a hom keeps what acts, that no loss is told its answer.

What it takes to judge is loaded only where there is something to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl.causal.losses import compares
from catdl.check.scope import MorphismDef
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Diagram

if TYPE_CHECKING:
    from catdl.check.program import Program


def unkept(program: Program, definition: MorphismDef, diagram: Diagram) -> list[Diagnostic]:
    """The mistakes of a morphism of closed types."""
    found: list[Diagnostic] = []
    if definition.head.keyword == "hom":
        from catdl.check.homs import broken  # late: few specs have homs

        found += broken(program, definition, diagram)
    if definition.module.name and compares(diagram, program.time):
        from catdl.check.homs import unlearned  # late: few specs have losses along a time

        found += unlearned(program, diagram)
    if definition.module.name and any(diagram.wires[wire].type.kind.name == "Nats" for wire in diagram.outputs):
        from catdl.check.informations import unlike_terms  # late: few morphisms are losses

        found += unlike_terms(diagram)
    return found
