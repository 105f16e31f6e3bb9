"""Learners whose model does not go with what acts on their data: W0304.

Takes the checked learners of a program; guarantees that what is told is lost as a whole, none of it kept. Of a set
whose order is told already (W0301) nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catdl import diagnostics as wrong
from catdl.check.program import Program
from catdl.check.scope import LearnerDef
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.learner import Learner
from catdl.diagram.params import NOWHERE
from catdl.equivariance.kept import symmetries
from catdl.symmetry.actions import Symmetric, said
from catdl.syntax import ast


def ignored(program: Program, told: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The structure of the data that the model of a learner breaks."""
    ordered = {warning.dim for warning in told if isinstance(warning, wrong.SetOrdered)}
    for found in program.main.defs.values():
        if not isinstance(found, LearnerDef) or not isinstance(found.plan, Learner):
            continue
        fields = (f for f in found.node.fields if isinstance(f, ast.Bind) and isinstance(f.pattern, ast.Name))
        field = next((f for f in fields if isinstance(f.pattern, ast.Name) and f.pattern.id == "model"), None)
        if field is None or found.plan.model is None:
            continue
        for symmetry in symmetries(found.plan.model, program.role):
            loss, dim = symmetry.loss, program.dim(symmetry.dim)
            name = symmetry.dim.rpartition("::")[2]
            if loss is None or symmetry.kept is not None or dim is None:
                continue
            if isinstance(symmetry.group, Symmetric) and name in ordered:
                continue
            yield wrong.StructureBroken(
                found.module.span(field.value),
                found.module.span(field.value).text,
                said(symmetry.group),
                None if loss.span is NOWHERE else loss.span,
                f"`{loss.name}`" if loss.name else "this",
                loss.rule.how,
                loss.rule.instead,
                dim.span,
            )
