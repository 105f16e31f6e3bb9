"""The parser: text to tree.

Takes a `Source`; guarantees a `Module` whose nodes have the spans of what they were read from, and one diagnostic for
each stretch that could not be read, in text order. What could be read is in the tree in spite of them: a broken
statement is a `Bad`, a broken declaration a stub with its name. Time is linear in the text.

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
from catdl.syntax.recover import stub
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
    for begin in stream.chunks:
        decls += stub(stream, source, begin) if _refused(stream, begin) else driver.parse(begin)
    return ast.Module(tuple(decls)), in_order(found) if found else found


def _refused(stream: Stream, begin: int) -> bool:
    """Does the declaration hold a bracket that nests too deep."""
    refused = stream.refused
    first = bisect_left(refused, stream.starts[begin]) if refused else 0
    if first == len(refused):
        return False
    end = bisect_left(stream.chunks, begin + 1)
    return end == len(stream.chunks) or refused[first] < stream.starts[stream.chunks[end]]
