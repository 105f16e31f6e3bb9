"""Losses that look across the batch: `dim B : batch` in the signature of a loss or of a metric.

Takes such a morphism; guarantees that the axis of the batch is in front of all that it takes, so that what a model
gives for one sample, with the axis in front, is what the loss is applied to, and that the targets of one sample are
known.

    morphism infonce : Real[B, Z] @ Real[B, Z] -> Nats      of a model Image -> Real[Z] @ Real[Z]
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.forms import aliased
from catdl.check.program import Program
from catdl.check.scope import DimDef, Env, MorphismDef
from catdl.check.signature import FixedPart, LeafPart
from catdl.check.static import Refused
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Axis, Leaf, Object, show_leaf, walk_axes


def batch_axis(program: Program, node: ast.Expr, env: Env) -> Axis | None:
    """The axis of the batch that a morphism takes by its signature."""
    while isinstance(node, ast.Seq):
        node = node.steps[0]
    root = node.function if isinstance(node, ast.Call) else node
    target = aliased(env.find(root.id)) if isinstance(root, ast.Name) else None
    if not isinstance(target, MorphismDef):
        return None
    try:
        scheme = program.scheme(target)
    except Refused:
        return None
    for part in scheme.domain if scheme is not None else ():
        match part:
            case FixedPart(_, value):
                found = next((axis for leaf in value.leaves if (axis := batch_in(program, leaf)) is not None), None)
            case LeafPart(items=items):
                names = [item.value.id for item in items if isinstance(item.value, ast.Name)]
                dims = (aliased(target.module.defs.get(name)) for name in names)
                found = next((dim.axis for dim in dims if isinstance(dim, DimDef) and dim.other == "batch"), None)
            case _:
                found = None
        if found is not None:
            return found
    return None


def batch_in(program: Program, leaf: Leaf) -> Axis | None:
    """The axis of the batch in a type."""
    for axis in walk_axes(leaf.axes):
        if isinstance(axis, Axis) and isinstance(axis.label, str):
            dim = program.dim(axis.label)
            if dim is not None and dim.other == "batch":
                return axis
    return None


def lifted(of_each: Object, batch: Axis) -> Object:
    """What a whole batch has of what each sample has."""
    return Object(tuple(Leaf(leaf.kind, (batch, *leaf.axes)) for leaf in of_each.leaves), of_each.names)


def of_one(ctx: Context, whole: Object, batch: Axis, span: Span) -> Object:
    """What one sample has of what a loss takes of the whole batch. Raises Refused."""
    for leaf in whole.leaves:
        if not leaf.axes or leaf.axes[0] != batch:
            raise ctx.refuse(wrong.BatchMisplaced(span, "", show_leaf(leaf)))
    return Object(tuple(Leaf(leaf.kind, leaf.axes[1:]) for leaf in whole.leaves), whole.names)
