"""What a morphism needs to stand alone, as a network that runs: every free dim that it reads is told by an input.

Takes a program whose declarations are read. A morphism that others use is a part, and what it leaves open they may
tell; one that nothing else names is a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.program import Program
from catdl.check.scope import DimDef, MorphismDef
from catdl.diagnostics.base import Diagnostic, Help
from catdl.diagnostics.words import listed
from catdl.diagram.model import Diagram
from catdl.diagram.told import untold
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Poly, show
from catdl.types.types import axis_sizes, plain


def refuse_untold(program: Program) -> None:
    """Report the free dims that the wholes of a program need and no input of theirs tells."""
    modules = [m for m in program.modules.values() if not m.broken]
    if not any(isinstance(d, DimDef) and d.free for m in modules for d in m.defs.values()):
        return
    for module in modules:
        for name, found in module.defs.items():
            if isinstance(found, MorphismDef) and found.module is module and name not in module.parts:
                for diagnostic in untold_dims(program, found):
                    program.report(diagnostic)


def untold_dims(program: Program, definition: MorphismDef) -> Iterator[Diagnostic]:
    """The dims that a morphism needs and no input tells: why it cannot stand alone."""
    diagram = program.closed(definition)
    if diagram is None:
        return
    for dim, box in untold(diagram, program.needs).items():
        yield wrong.DimUntold(
            place(definition, plain(dim)) or box,
            definition.name,
            plain(dim),
            declaration(program, dim),
            nearly(diagram, dim),
        )


def why_not_alone(program: Program, definition: MorphismDef) -> list[Diagnostic]:
    """Why a morphism of a sound program cannot stand alone; empty where it can."""
    if program.closed(definition) is not None:
        return list(untold_dims(program, definition))
    head = definition.head
    asks = [*(p.name for p in head.params or () if p.name), *(b.name for b in head.binders)]
    if asks:
        reason = f"it asks its uses for {listed(asks)}"
        how = Help("declare a morphism that gives them, and compile that one")
    elif head.params is not None:
        reason = "its equations ask for numbers"
        how = Help("declare a morphism that gives them, and compile that one")
    else:
        reason = "without a signature nothing says what its input is"
        how = Help(f"give it one: `morphism {definition.name} : Real[…] -> Real[…] = …`")
    return [wrong.NotCompilable(definition.name, reason, definition.span, (how,))]


def place(definition: MorphismDef, dim: str) -> Span | None:
    """Where a dim is written in what a morphism gives back."""
    arrow = definition.head.signature
    if not isinstance(arrow, ast.Arrow):
        return None
    stack: list[ast.Expr] = [arrow.codomain]
    while stack:
        node = stack.pop()
        match node:
            case ast.Name(id) if id == dim:
                return definition.module.span(node)
            case ast.Tensor(legs):
                stack += reversed(legs)
            case ast.Tuple(items) | ast.Index(_, items) | ast.Call(_, items):
                stack += [item.value for item in reversed(items)]
            case ast.Chain(operands, _):
                stack += reversed(operands)
            case _:
                pass
    return None


def declaration(program: Program, dim: str) -> Span | None:
    """Where a dim is declared."""
    module = program.modules.get(dim.rpartition("::")[0])
    found = module.defs.get(plain(dim)) if module is not None else None
    return found.span if isinstance(found, DimDef) else None


def nearly(diagram: Diagram, dim: str) -> str:
    """A size of an input that is made of the dim and does not tell it."""
    for i in diagram.inputs:
        for size in axis_sizes(diagram.wires[i].type):
            if isinstance(size, Poly) and dim in size.syms:
                return show(size)
    return ""
