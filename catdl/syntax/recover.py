"""Going on after a mistake.

Takes the place of a mistake; guarantees a token at which reading can go on, or a stub: a declaration of which only
the name is known, so that what refers to it is no further mistake. A stub's body, value or size is `Bad`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.brackets import STATEMENTS
from catdl.syntax.layout import Stream
from catdl.syntax.lexer import BRACKETS

RESUMABLE = ("statement", "entry", "where", "signature", "value")
"""The parts of a declaration that a mistake can be confined to."""

_MODIFIERS = frozenset({"EXTERN", "NATIVE", "CORE"})
_VALUES = frozenset({"NAME", "NUMBER", "RPAR"})  # what the size or the role of a dim may end with


def resume_at(stream: Stream, part: str, start: int, index: int, values: list[Any]) -> int | None:
    """The token at which to go on if the part that starts at `start` and fails at `index` is given up.

    `values` are those on the stack before the part; for a statement they end with the `{` of its block, or with the
    statements before it and their line end.
    """
    match part:
        case "statement" | "entry":
            opener = values[-1] if stream.kinds[values[-1]] == "LBRACE" else values[-3]
            closer = stream.closers.get(stream.starts[opener], -1)
            found = _scan(stream, start, index, frozenset({"NL"}), closer)
        case "where":
            found = _scan(stream, start, index, frozenset({"EQUAL"}), -1)
        case "signature":
            stops = frozenset({"EQUAL", "WHERE"})
            if stream.kinds[stream.chunks[bisect_right(stream.chunks, start) - 1]] == "LAW":
                stops = frozenset({"EQUAL"})  # a law without a type has no `where` that could be read
            found = _scan(stream, start, index, stops, -1)
        case _:
            return _scan(stream, start, index, frozenset(), -1)
    return None if stream.kinds[found] == "$END" else found


def _scan(stream: Stream, start: int, index: int, stops: frozenset[str], closer: int) -> int:
    """The first token from `index` on, outside the brackets opened since `start`, that is a stop or the closer."""
    kinds, starts = stream.kinds, stream.starts
    place = start
    while kinds[place] != "$END":
        offset = starts[place]
        if offset in stream.closers:
            partner = stream.closers[offset]
            while starts[place] < partner and kinds[place] != "$END":
                place += 1
        elif place >= index and (kinds[place] in stops or offset == closer):
            return place
        if kinds[place] != "$END":
            place += 1
    return place


def statement(stream: Stream, source: Source, start: int, bad: ast.Bad) -> ast.Statement:
    """What is left of a statement that starts at a token: the names it binds, so that what reads them stays silent."""
    worded = stream.kinds[start] in STATEMENTS or stream.kinds[start : start + 2] == ["NAME", "NAME"]  # `let h = …`
    place = start + 1 if worded else start
    names: list[ast.Name] = []
    while stream.kinds[place] == "NAME" and stream.ends[place] <= bad.end:
        at, end = stream.starts[place], stream.ends[place]
        names.append(ast.Name(source.text[at:end], at, end))
        place += 1
        if stream.kinds[place] == "STORE" and len(names) == 1:
            return ast.Store(names[0].id, bad, bad.start, bad.end)
        if stream.kinds[place] in ("EQUAL", "COLON"):
            whole = names[0].start, names[-1].end
            items = tuple(ast.Arg(None, "", name, name.start, name.end) for name in names)
            return ast.Bind(names[0] if len(names) == 1 else ast.Tuple(items, *whole), bad, bad.start, bad.end)
        if stream.kinds[place] != "COMMA":
            break
        place += 1
    return bad


def stub(stream: Stream, source: Source, begin: int) -> list[ast.Decl]:
    """What is left of the declaration that starts at a token: its name, if it has one."""
    kinds, starts, ends = stream.kinds, stream.starts, stream.ends
    end = begin
    while kinds[end] != "$END":
        end += 1
    bad = ast.Bad(starts[begin], ends[end - 1] if end > begin else starts[begin])
    place = begin
    while kinds[place] in _MODIFIERS:
        place += 1
    word = kinds[place]
    if word == "DIM":
        return [
            ast.Dim(source.text[starts[at] : ends[at]], bad, (), starts[at], ends[at])
            for at in _listed(stream, place, end)
        ]
    if word == "FROM":
        return _imports(stream, source, begin, end)
    if kinds[place + 1 : place + 2] != ["NAME"]:
        return []
    name_start, name_end = starts[place + 1], ends[place + 1]
    name = source.text[name_start:name_end]
    match word:
        case "OBJECT":
            return [ast.Object(name, bad, bad.start, bad.end)]
        case "FUNCTOR":
            return [ast.Functor(name, (), "", bad, bad.start, bad.end)]
        case "GROUP" | "MONOID":
            return [ast.Group(name, source.text[starts[begin] : ends[begin]], (), None, bad, bad.start, bad.end)]
        case "PARAM":
            return [ast.Param(name, bad, None, bad.start, bad.end)]
        case "LEARNER":
            return [ast.Learner(name, (), name_start, name_end, bad.start, bad.end)]
        case "KIND":
            return [ast.Kind(name, None, None, "", None, bad.start, bad.end)]
        case "MORPHISM" | "HOM" | "ALGEBRA" | "COALGEBRA":
            keyword = "extern" if kinds[begin] == "EXTERN" else source.text[starts[place] : ends[place]]
            modifiers = tuple(source.text[starts[at] : ends[at]] for at in range(begin, place) if kinds[at] != "EXTERN")
            return [
                ast.Morphism(
                    name, keyword, modifiers, (), None, None, None, bad, name_start, name_end, bad.start, bad.end
                )
            ]
        case _:
            return []


def unknown(stream: Stream, source: Source, begin: int) -> ast.Dim | None:
    """What is left of a declaration whose word is none: a name of no known sort. A dim without a size says nothing."""
    if stream.kinds[begin : begin + 2] != ["NAME", "NAME"]:
        return None
    start, end = stream.starts[begin + 1], stream.ends[begin + 1]
    return ast.Dim(source.text[start:end], ast.Bad(start, end), (), start, end)


def _listed(stream: Stream, place: int, end: int) -> list[int]:
    """The names right after the word at `place` and after the commas that follow, outside brackets.

    A name that is given something right after a value is one of them, too: only the comma before it is missing.
    """
    names: list[int] = []
    depth = 0
    for at in range(place, end - 1):
        kind = stream.kinds[at]
        if kind in BRACKETS:
            depth += 1
        elif kind in BRACKETS.values():
            depth = max(depth - 1, 0)
        parted = at == place or kind == "COMMA" or (kind in _VALUES and stream.kinds[at + 2] in ("EQUAL", "COLON"))
        if parted and depth == 0 and stream.kinds[at + 1] == "NAME":
            names.append(at + 1)
    return names


def _imports(stream: Stream, source: Source, begin: int, end: int) -> list[ast.Decl]:
    kinds, starts, ends = stream.kinds, stream.starts, stream.ends
    if "IMPORT" not in kinds[begin:end] or kinds[begin + 1] != "NAME":
        return []
    place = kinds.index("IMPORT", begin, end)
    names = tuple(
        ast.ImportName(word, word, starts[at], ends[at])
        for at in _listed(stream, place, end)
        for word in [source.text[starts[at] : ends[at]]]
    )
    module = source.text[starts[begin + 1] : ends[place - 1]]
    return [ast.Import(module, names, starts[begin + 1], ends[place - 1], starts[begin], ends[end - 1])]
