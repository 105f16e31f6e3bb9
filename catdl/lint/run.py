"""All the warnings of a program.

Takes a checked program without mistakes; gives its warnings in source order, without those that comments allow.
Time is linear in the boxes, and prelude entries are looked into only where a set is among their inputs. A layer that a
template or a generic morphism has in many networks is warned of only if it is wrong in each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.program import Program
from catdl.check.scope import DimDef, LearnerDef, MorphismDef
from catdl.diagnostics.base import Diagnostic, Edit, in_order
from catdl.diagram.model import Box, Core, Diagram, Native
from catdl.diagram.params import post_order
from catdl.lint import names
from catdl.lint.places import back
from catdl.source import Span
from catdl.syntax import ast


def lint(program: Program) -> list[Diagnostic]:
    """The warnings of a program that has no mistakes."""
    diagrams = own_diagrams(program)
    sources = {id(module.source) for module in program.modules.values()}
    found = [*names.warnings(program), *neighbours(diagrams), *unordered(program, diagrams), *dead(diagrams)]
    found += fruitless(program)
    declared = [d for module in program.modules.values() for d in module.defs.values()]
    if any(isinstance(d, LearnerDef) for d in declared) and any(isinstance(d, DimDef) and d.roles for d in declared):
        from catdl.lint.structure import ignored  # late: few files have learners of data on which something acts

        found += ignored(program, found)
    found = [w for w in found if w.span is not None and id(w.span.source) in sources]
    modules = list(program.modules.values())
    if found or any("catdl:" in module.source.text for module in modules):
        from catdl.lint.allow import allowed

        found = allowed(modules, program.main, found)
    return in_order(found)


def own_diagrams(program: Program) -> list[Diagram]:
    """Every diagram that is made of the program's own text, each once."""
    out: dict[int, Diagram] = {}
    for instance, diagram in program.diagrams.items():
        if diagram is not None and instance.definition.module.name:
            for inner in post_order(diagram, lambda d: id(d) in out):
                out[id(inner)] = inner
    return list(out.values())


def neighbours(diagrams: list[Diagram]) -> Iterator[Diagnostic]:
    """Warnings about single boxes and those beside them."""
    found: dict[tuple[str, Span], Diagnostic] = {}
    hits: Counter[tuple[str, Span]] = Counter()
    for diagram in diagrams:
        boxes = [box for box in diagram.boxes if watched(box)]
        if not boxes:
            continue
        from catdl.lint.rules import warnings

        for warning in warnings(diagram, boxes):
            assert warning.span is not None
            key = (warning.code, warning.span)
            found.setdefault(key, warning)
            hits[key] += 1
    if found:
        spans = {span for _, span in found}
        places = Counter(box.span for d in diagrams for box in d.boxes if watched(box) and box.span in spans)
        yield from (warning for key, warning in found.items() if hits[key] == places[key[1]])


WATCHED = frozenset(
    {"linear", "linear_onto", "linear_from", "batchnorm", "instancenorm", "layernorm", "layernorm_over", "softmax"}
    | {"log_softmax", "softmin", "sparsemax", "gumbel_softmax", "dropout", "channel_dropout", "drop_path", "attend"}
    | {"grouped_attend", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
    | {"depthwise_conv1d", "depthwise_conv2d"}
)


def watched(box: Box) -> bool:
    """Whether a warning may be about it."""
    op = box.op
    if op.__class__ is Native:
        return op.entry in WATCHED
    return op.__class__ is Core and op.name == "pointwise" and op["fn"] in ("sub", "div")


def dead(diagrams: list[Diagram]) -> Iterator[Diagnostic]:
    """Weights that nothing comes of."""
    for diagram in diagrams:
        if any(box.site is not None for box in diagram.boxes):
            from catdl.lint.dead import warnings

            yield from warnings(diagram)


def fruitless(program: Program) -> Iterator[Diagnostic]:
    """Networks that stand alone and cannot learn."""
    main = program.main
    if "stop_gradient" not in main.used and not any("stop_gradient" in m.used for m in program.modules.values()):
        return
    from catdl.lint.learning import Flow, warnings

    known: dict[int, Flow] = {}
    for name, definition in main.defs.items():
        if isinstance(definition, MorphismDef) and definition.module is main and name not in main.parts:
            diagram = program.closed(definition)
            if diagram is not None:
                yield from warnings(diagram, known)


def unordered(program: Program, diagrams: list[Diagram]) -> Iterator[Diagnostic]:
    """What goes by the order of a set."""
    sets = {
        f"{module.name}::{name}": found
        for module in program.modules.values()
        for name, found in module.defs.items()
        if isinstance(found, DimDef) and found.roles and any(is_set(role) for role in found.roles)
    }
    if not sets:
        return
    from catdl.lint.sets import Budget, clashes

    budget = Budget()
    told: set[Span] = set()
    for diagram in diagrams:
        for clash in clashes(diagram, program.role, budget):
            if clash.box.span in told:
                continue
            told.add(clash.box.span)
            dim = sets[clash.dim]
            yield wrong.SetOrdered(clash.box.span, shown(clash.box), clash.how, dim.name, dim.span, no_role(dim))


def is_set(role: ast.Expr) -> bool:
    """Whether a role says that a dim is a set."""
    return isinstance(role, ast.Name) and role.id == "set"


def no_role(dim: DimDef) -> Edit | None:
    """A dim without its role, where it has no other."""
    if len(dim.roles) != 1:
        return None
    source, role = dim.span.source, dim.roles[0]
    colon = source.text.rfind(":", dim.span.start, role.start)
    begin = back(source.text, colon, " \t")
    return Edit(Span(source, begin, role.end), "") if colon > dim.span.start else None


def shown(box: Box) -> str:
    """What to call a box."""
    if isinstance(box.op, Native):
        return f"`{box.op.entry}`"
    head = box.span.text.partition("(")[0].partition("[")[0].strip()
    return f"`{head}`" if head.isidentifier() else "this"
