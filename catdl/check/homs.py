"""What a `hom` promises: that it goes with every group that acts on the axes of its input and of its result.

Takes the finished Diagram of a hom. Guarantees that one with a mistake is refused, by the first box at which a symmetry
is lost on the way to the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Diagram
from catdl.diagram.params import NOWHERE
from catdl.equivariance.kept import named, symmetries
from catdl.symmetry.actions import said

if TYPE_CHECKING:
    from catdl.check.program import Program
    from catdl.check.scope import MorphismDef


def broken(program: Program, definition: MorphismDef, diagram: Diagram) -> Iterator[Diagnostic]:
    """The symmetries that a hom does not keep."""

    found = symmetries(diagram, program.role)
    if not found and not any(dim is not None and dim.untold for dim in map(program.dim, named(diagram))):
        yield wrong.NothingActs(definition.span, definition.name)
    for symmetry in found:
        loss = symmetry.loss
        if loss is None:
            continue
        at = definition.span if loss.span is NOWHERE else loss.span
        dim = program.dim(symmetry.dim)
        yield wrong.SymmetryLost(
            at,
            definition.name,
            said(symmetry.group),
            f"`{loss.name}`" if loss.name else "this",
            loss.rule.how,
            loss.rule.instead,
            dim.span if dim is not None else None,
            symmetry.said if symmetry.kept is not None else None,
        )
