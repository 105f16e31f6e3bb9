"""What nothing uses: W0101 to W0103.

Judged in the file that is checked, and only if it has a morphism that stands alone: a file of dims, objects and parts
is there for others. A name that begins with `_` is left in peace; a parameter that nothing uses is a mistake (E0609).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.names import mentioned
from catdl.check.program import Program
from catdl.check.scope import Module, MorphismDef
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.lint.places import back
from catdl.source import Span
from catdl.syntax import ast

WORD = re.compile(r"\w+\s+")
COMMA = re.compile(r"\s*,[ \t]*")
REST = re.compile(r"[ \t]*(#[^\r\n]*)?(\r\n|\n|\r|\Z)")

SORTS = {ast.Dim: "dim", ast.Kind: "kind", ast.Object: "object", ast.Functor: "functor"}


def warnings(program: Program) -> Iterator[Diagnostic]:
    """The names of the main file that nothing uses."""
    module = program.main
    own = [d for d in module.defs.values() if isinstance(d, MorphismDef) and d.module is module]
    if not any(program.closed(definition) is not None for definition in own):
        return
    tree = module.tree.decls
    others: list[object] = [n for n in tree if isinstance(n, ast.Where)]
    for node in tree:
        if isinstance(node, ast.Overload):
            others += [node.domain, node.codomain, node.target]
    used = module.parts | mentioned(others)
    for node in tree:
        if isinstance(node, ast.Import):
            for item in node.names:
                if item.alias not in used:
                    span = module.span(item)
                    yield wrong.UnusedImport(span, item.alias, without(module, span, node.start, node.end, "import"))
        elif isinstance(node, ast.Dim | ast.Kind | ast.Object | ast.Functor):
            if node.name in used or node.name.startswith("_"):
                continue
            span = module.span(node)
            fix = without(module, span, node.start, node.end, "dim") if isinstance(node, ast.Dim) else None
            yield wrong.UnusedDeclaration(named(module, node), SORTS[type(node)], node.name, fix)
    for definition in own:
        name = definition.name
        if program.closed(definition) is None and name not in used and not name.startswith("_"):
            yield wrong.UnusedMorphism(definition.span, name, why(definition))


def named(module: Module, node: ast.Dim | ast.Kind | ast.Object | ast.Functor) -> Span:
    """Where the name of a declaration stands."""
    word = None if isinstance(node, ast.Dim) else WORD.match(module.source.text, node.start)
    start = node.start if word is None else word.end()
    return Span(module.source, start, start + len(node.name))


def why(definition: MorphismDef) -> str:
    """Why a morphism cannot stand alone."""
    if definition.head.params or definition.head.binders:
        return "it asks its uses for arguments"
    return "without a signature, nothing says what its input is"


def without(module: Module, item: Span, start: int, end: int, word: str) -> Edit | None:
    """An item of a list taken away with its comma, or the whole line of a list of one."""
    source, text = module.source, module.source.text
    before = back(text, item.start, " \t\r\n")
    if text[before - 1 : before] == ",":
        return Edit(Span(source, before - 1, item.end), "")
    if not text.endswith(word, 0, before):
        return None
    if comma := COMMA.match(text, item.end):
        return Edit(Span(source, item.start, comma.end()), "")
    begin = min(start, before - len(word))
    line = REST.match(text, end)
    if line is None or text[source.starts[source.position(begin)[0] - 1] : begin].strip():
        return None
    return Edit(Span(source, begin, line.end()), "")
