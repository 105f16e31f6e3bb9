"""What a `hom` promises: that it goes with every group that acts on the axes of its input and of its result, and that
along a time no step of its result depends on later ones.

Takes the finished Diagram of a hom. Guarantees that one with a mistake is refused, by the first box at which a symmetry
is lost on the way to the result, or later steps are read. Of morphisms among its arguments it is asked whether it goes
with all that acts whenever they do; what each use makes of it is asked of the homs in which it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.causal.kept import causality
from catdl.causal.targets import seen
from catdl.check.context import Context
from catdl.check.scope import DimDef, Env, MorphismDef, ObjectDef
from catdl.check.signature import Scheme
from catdl.check.stand_ins import side
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic, has_errors
from catdl.diagram.model import Diagram
from catdl.diagram.params import NOWHERE
from catdl.equivariance.kept import named, symmetries
from catdl.record import replace
from catdl.symmetry.actions import said
from catdl.syntax import ast
from catdl.types.types import Object, plain

if TYPE_CHECKING:
    from catdl.check.program import Program


def read_hom(program: Program, found: MorphismDef) -> None:
    """Tell what a hom with morphisms among its arguments does not keep, for all that do."""
    from catdl.check.generic import generic  # late: it is above this file, which few programs ask for

    told: list[Diagnostic] = []

    def ends(ctx: Context, scheme: Scheme | None, env: Env) -> tuple[Object, Object | None]:
        assert scheme is not None, "a hom has a signature"
        return side(ctx, scheme.domain, env), side(ctx, scheme.codomain, env)

    node = replace(found.head, keyword="morphism")
    try:
        diagram = generic(program, MorphismDef(found.name, found.module, [node], found.span), ends, told.append)
    except Refused:
        diagram = None
    if diagram is not None and not has_errors(told):
        told += broken(program, found, diagram)
    for diagnostic in told:
        program.report(diagnostic)


def broken(program: Program, definition: MorphismDef, diagram: Diagram) -> Iterator[Diagnostic]:
    """The symmetries that a hom does not keep."""

    found = symmetries(diagram, program.role, naming(program, definition, diagram))
    ordered = causality(diagram, program.time)
    untold = any(dim is not None and dim.untold for dim in map(program.dim, named(diagram)))
    if not found and not ordered and not untold:
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
    for time in ordered:
        reads = time.loss
        if reads is None:
            continue
        dim = program.dim(time.dim)
        yield wrong.ReadsAhead(
            definition.span if reads.span is NOWHERE else reads.span,
            definition.name,
            plain(time.dim),
            f"`{reads.name}`" if reads.name else "this",
            reads.rule.how,
            reads.rule.instead,
            dim.span if dim is not None else None,
        )


def naming(program: Program, definition: MorphismDef, diagram: Diagram) -> dict[int, str]:
    """The inputs and outputs that are written as indices of a dim of fixed size, `Fin(N)`, with its label."""
    signature = definition.head.signature
    found: dict[int, str] = {}
    if isinstance(signature, ast.Arrow):
        for node, wires in ((signature.domain, diagram.inputs), (signature.codomain, diagram.outputs)):
            dims = indexed(node, Env(definition.module))
            if dims is not None and len(dims) == len(wires):
                found |= {wire: dim for wire, dim in zip(wires, dims, strict=True) if dim is not None}
    return found


def indexed(node: ast.Expr, env: Env) -> list[str | None] | None:
    """For each tensor of a type the dim whose indices it holds; None where the type cannot be taken apart."""
    found: list[str | None] = []
    stack: list[tuple[ast.Expr, Env]] = [(node, env)]
    while stack:
        here, scope = stack.pop()
        match here:
            case ast.Tensor(legs):
                stack += [(leg, scope) for leg in reversed(legs)]
            case ast.Tuple(items):
                stack += [(item.value, scope) for item in reversed(items)]
            case ast.Labelled(_, only):
                stack.append((only, scope))
            case ast.Index(ast.Call(ast.Name("Fin"), (ast.Arg(value=ast.Name(name)),))):
                dim = scope.find(name)
                found.append(str(dim.axis.label) if isinstance(dim, DimDef) else None)
            case ast.Index(_, _):
                found.append(None)
            case ast.Name(name) if isinstance(known := scope.find(name), ObjectDef):
                stack.append((known.node.value, Env(known.module)))
            case _:
                return None
    return found


def unlearned(program: Program, diagram: Diagram) -> Iterator[Diagnostic]:
    """The losses whose prediction has read its target."""
    for box, name in seen(diagram, program.time):
        dim = program.dim(name)
        yield wrong.TargetSeen(box.span, plain(name), dim.span if dim is not None else None)
