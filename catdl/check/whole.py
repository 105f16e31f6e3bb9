"""What a morphism needs to stand alone and run: inputs that tell its free dims, and a key for each parameter.

Takes a program whose declarations are read. A morphism that others use is a part, and what it leaves open they may
tell; one that nothing else names is a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.program import Program
from catdl.check.scope import DimDef, MorphismDef, ParamDef
from catdl.diagnostics.base import Diagnostic, Help
from catdl.diagnostics.words import listed
from catdl.diagram.model import Diagram, Global, Local, Parameter
from catdl.diagram.params import bodies, globals_of
from catdl.diagram.told import untold
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Poly, show
from catdl.types.types import axis_sizes, plain


def refuse_untold(program: Program) -> None:
    """Report the free dims that the wholes of a program need and no input of theirs tells."""
    modules = list(program.modules.values())
    if not any(isinstance(d, DimDef) and d.free for m in modules for d in m.defs.values()):
        return
    unread = set().union(*(module.unread() for module in modules))
    for module in modules:
        for name, found in module.defs.items():
            part = name in module.parts or name in unread
            if isinstance(found, MorphismDef) and found.module is module and not part:
                for diagnostic in untold_dims(program, found):
                    program.report(diagnostic)


def refuse_clashes(program: Program) -> None:
    """Report the declared parameters of a morphism under whose keys others of it lie."""
    declared = {
        (module.name, name): found
        for module in program.modules.values()
        for name, found in module.defs.items()
        if isinstance(found, ParamDef)
    }
    if not declared:
        return
    for module in program.modules.values():
        for found in module.defs.values():
            if isinstance(found, MorphismDef) and found.module is module:
                diagram = program.closed(found)
                if diagram is not None:
                    for diagnostic in clashes(found, diagram, declared):
                        program.report(diagnostic)


def clashes(
    definition: MorphismDef, diagram: Diagram, declared: dict[tuple[str, str], ParamDef]
) -> Iterator[Diagnostic]:
    """Where one key would have to hold two parameters."""
    shared: dict[str, Parameter] = {}
    for parameter in globals_of(diagram):
        first = shared.setdefault(parameter.path, parameter)
        if first is not parameter and not inside(diagram, {first, parameter}):
            names = [f"the parameter `{p.path}` of `{p.home}`" for p in (first, parameter)]
            at = [d.span if (d := declared.get((p.home, p.path))) is not None else None for p in (first, parameter)]
            how = Help("call one of them something else where it is declared")
            yield wrong.KeyTaken(definition.span, parameter.path, names[0], names[1], at[0], at[1], helps=(how,))
    if not shared:
        return
    told: set[str] = set()
    for box in diagram.boxes:
        if box.site is None or isinstance(box.op, Global):
            continue
        key = box.site.partition(".")[0]
        if key in shared and key not in told:
            told.add(key)
            param = declared.get((shared[key].home, key))
            own = isinstance(box.op, Local)
            what = f"a parameter of `{definition.name}` alone" if own else "the weights of this occurrence"
            way = "" if own else ": `name: …` says what an occurrence is called"
            at_param = param.span if param is not None else None
            both = (what, f"the declared parameter `{key}`", None, at_param, "would lie under it, too")
            yield wrong.KeyTaken(box.span, key, *both, (Help(f"give one of them another name{way}"),))


def inside(diagram: Diagram, parameters: set[Parameter]) -> bool:
    """Whether one of the diagrams in it reaches these declared parameters: then it is told there."""
    below = (body for box in diagram.boxes if (body := bodies(box)) is not None)
    return any(parameters <= set(globals_of(body)) for body in below)


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
