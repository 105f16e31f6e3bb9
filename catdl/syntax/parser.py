"""The parser: text to tree.

Takes a `Source`; guarantees a `Module` whose nodes have the spans of what they were read from, and one diagnostic for
each stretch that could not be read, in text order. What could be read is in the tree in spite of them: a broken
statement is a `Bad`, a broken declaration a stub with its name, even if its first word is misspelt. Time is linear in
the text.

    module, found = parse(Source("m.cat", "dim T : time"))
    module.decls[0].name                     # "T"
"""

from __future__ import annotations

from bisect import bisect_left

from catdl.diagnostics.base import Diagnostic, in_order
from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.driver import Driver
from catdl.syntax.layout import Stream, lay_out
from catdl.syntax.lexer import lex
from catdl.syntax.recover import stub, unknown
from catdl.syntax.tables import load


def parse(source: Source) -> tuple[ast.Module, list[Diagnostic]]:
    """Parse a whole file."""
    return parse_fragment(source, 0, len(source.text))


def parse_fragment(source: Source, start: int, end: int) -> tuple[ast.Module, list[Diagnostic]]:
    """Parse the declarations in `source.text[start:end]`; spans count from the start of the source.

    Doc comments above `start` still belong to the first declaration.
    """
    found: list[Diagnostic] = []
    stream = lay_out(lex(load(), source, start, end, found), found)
    driver = Driver(source, stream, found)
    decls: list[ast.Decl] = []
    guessed: list[ast.Dim] = []
    for begin in stream.chunks:
        read = stub(stream, source, begin) if _refused(stream, begin) else driver.parse(begin)
        if not read and (guess := unknown(stream, source, begin)) is not None:
            guessed.append(guess)
            read = [guess]
        decls += read
    if guessed:
        decls = _without_doubles(decls, guessed)
    return ast.Module(tuple(decls)), in_order(_consequent(found)) if found else found


def _consequent(found: list[Diagnostic]) -> list[Diagnostic]:
    """The mistakes, less what is only read as one because a bracket before it on the line is not closed."""
    opened: dict[int, int] = {}
    for each in found:
        if each.code == "E0004" and each.span is not None:
            opened.setdefault(each.span.line, each.span.start)
    if not opened:
        return found
    loose = [d for d in found if d.code == "E0010" and d.span is not None]
    after = {id(d) for d in loose if d.span is not None and opened.get(d.span.line, d.span.start) < d.span.start}
    return [d for d in found if id(d) not in after]


def _without_doubles(decls: list[ast.Decl], guessed: list[ast.Dim]) -> list[ast.Decl]:
    """The declarations, less the guesses whose name is declared elsewhere: only that is known of them."""
    offsets = {guess.start for guess in guessed}
    names: set[str] = set()
    for node in decls:
        if isinstance(node, ast.Import):
            names.update(name.alias for name in node.names)
        elif not isinstance(node, ast.Where | ast.Overload) and node.start not in offsets:
            names.add(node.name)
    kept: list[ast.Decl] = []
    for node in decls:
        if isinstance(node, ast.Dim) and node.start in offsets:
            if node.name in names:
                continue
            names.add(node.name)
        kept.append(node)
    return kept


def _refused(stream: Stream, begin: int) -> bool:
    """Does the declaration hold a bracket that nests too deep."""
    refused = stream.refused
    first = bisect_left(refused, stream.starts[begin]) if refused else 0
    if first == len(refused):
        return False
    end = bisect_left(stream.chunks, begin + 1)
    return end == len(stream.chunks) or refused[first] < stream.starts[stream.chunks[end]]
