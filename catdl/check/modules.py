"""Files: parsing one with all it imports, and the names that imports bring.

Guarantees imported files before those that import them; a cycle is told once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TypeAlias

from catdl import diagnostics as wrong
from catdl.check.names import ordered, unknotted
from catdl.check.program import Program
from catdl.check.scope import (
    BadDef,
    Module,
)
from catdl.check.work import TEXT_LIMIT
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.record import record
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.syntax.parser import parse


@record
class NotFound:
    """A module without a file: the paths that were tried, and the modules that are there instead."""

    searched: tuple[str, ...] = ()
    present: tuple[str, ...] = ()


Find: TypeAlias = Callable[[str, Source], Source | NotFound]


def load_modules(program: Program, source: Source, find: Find) -> list[tuple[Module, ast.Module]]:
    """Parse the file and what it imports, imported ones first."""
    name = stem(source.path)
    main = Module(name, source, program.prelude)
    program.main = main
    trees: dict[str, ast.Module] = {}
    needs: dict[str, set[str]] = {}
    queue = [main]
    program.modules[name] = main
    places: dict[tuple[str, str], Span] = {}
    while queue:
        module = queue.pop()
        if len(module.source.text) > TEXT_LIMIT:
            program.report(wrong.LimitExceeded(Span(module.source, 0, 0), "the length of a text", TEXT_LIMIT))
            module.source = Source(module.source.path, "")
        tree, found = parse(module.source)
        module.tree = tree
        program.work.grant(len(module.source.text))
        for mistake in found:
            program.report(mistake)
        module.broken = half_read(tree, found, len(module.source.text))
        trees[module.name] = tree
        needs[module.name] = set()
        for node in tree.decls:
            if not isinstance(node, ast.Import):
                continue
            span = Span(module.source, node.module_start, node.module_end)
            if node.module not in program.modules:
                text = find(node.module, module.source)
                if isinstance(text, NotFound):
                    found_near = near(node.module, text.present)
                    program.report(wrong.ImportNotFound(span, node.module, text.searched, found_near))
                    continue
                program.modules[node.module] = Module(node.module, text, program.prelude)
                queue.append(program.modules[node.module])
            needs[module.name].add(node.module)
            places.setdefault((module.name, node.module), span)
    for cycle in ordered(needs)[1]:
        program.report(wrong.ImportCycle(places[(cycle[0], cycle[1])], cycle))
    order = unknotted(needs)
    program.knotted |= needs.keys() - set(order)
    order += [n for n in needs if n not in order]
    return [(program.modules[n], trees[n]) for n in order]


def half_read(tree: ast.Module, found: list[Diagnostic], end: int) -> tuple[tuple[int, int], ...]:
    """The stretches in which the parser found mistakes: a declaration, or what stands after one, up to the next."""
    starts = [0, *(node.start for node in tree.decls), end + 1]
    ends = [0, *(node.end for node in tree.decls)]
    stretches: dict[tuple[int, int], None] = {}
    for at in sorted(d.span.start for d in found if d.span is not None):
        place = min(bisect_right(starts, at), len(ends)) - 1
        stretches[ends[place] if at > ends[place] else starts[place], starts[place + 1]] = None
    return tuple(stretches)


def stem(path: str) -> str:
    """The name of the module in a file."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.removesuffix(".cat") or "main"


def take_imports(program: Program, module: Module, tree: ast.Module) -> None:
    """Enter imported names."""
    for node in tree.decls:
        if not isinstance(node, ast.Import):
            continue
        other = program.modules.get(node.module)
        for name in node.names:
            if other is None:
                module.defs[name.alias] = BadDef(name.alias)
                continue
            found = other.defs.get(name.name)
            span = Span(module.source, name.start, name.end)
            if found is None:
                if node.module not in program.knotted:
                    program.report(wrong.ImportMissing(span, node.module, name.name, near(name.name, other.defs)))
                found = BadDef(name.alias)
            module.defs[name.alias] = found
            other.used.add(name.name)
            other.parts.add(name.name)
