"""What could have stood where something else does, in the words of the language.

Takes the parser's stack and the token it fails at; guarantees one diagnostic with at most a few alternatives.
"""

from __future__ import annotations

import re

from catdl.diagnostics.base import Diagnostic, Edit
from catdl.diagnostics.suggest import near
from catdl.diagnostics.syntax_errors import NotADeclaration, UnexpectedToken
from catdl.source import Source, Span
from catdl.syntax.layout import Stream
from catdl.syntax.lexer import kinds_of
from catdl.syntax.tables import Tables

_DECLARING = (
    *("dim", "where", "kind", "object", "functor", "param", "morphism", "hom", "algebra", "coalgebra"),
    *("group", "monoid", "law", "learner", "extern", "overload", "from"),
)
_MOST = 4
_PLAIN = {
    "THEN": "`then`",
    "ELSE": "`else`",
    "FOR": "`for`",
    "IN": "`in`",
    "IMPORT": "`import`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "LSQB": "`[`",
    "COLON": "`:`",
    "TO": "`->`",
    "EQUAL": "`=`",
    "TILDE": "`~`",
    "VBAR": "`|`",
    "EQ": "`==`",
    "GE": "`>=`",
    "LE": "`<=`",
    "MORPHISM": "`morphism`",
    "TEXT": "a text",
    "NL": "the end of the line",
    "$END": "the end of the declaration",
}
_AFTER_OPERAND = ("THEN", "ELSE", "FOR", "IN", "COMMA", "RPAR", "RSQB", "RBRACE", "NL")
_HINTS = {"STARS": "a power is written `^`"}
_COMPARED = frozenset({"THEN", "VBAR"})  # what else may come where a condition or a fact is read
_BINDING = frozenset({"let", "var", "val", "const", "auto"})  # words for it in other languages
_LAMBDA = re.compile(r"lambda\s+(\w+(?:\s*,\s*\w+)*)\s*:\s*")
_UPDATING = kinds_of("PLUS MINUS STAR SLASH TENSOR FLOORDIV CIRCUMFLEX STARS")


def unexpected(tables: Tables, source: Source, stream: Stream, states: list[int], begin: int, index: int) -> Diagnostic:
    """The mistake at a token of the declaration that starts at `begin`."""
    span = Span(source, stream.starts[index], stream.ends[index])
    kind, word = stream.kinds[index], span.text
    if index == begin:
        alike = near(word, _DECLARING, 1) if kind == "NAME" else ()
        return NotADeclaration(span, f"`{word}`", _DECLARING, alike)
    last = stream.kinds[index - 1]
    allowed = _allowed(tables, states)
    before = source.text[stream.starts[index - 1] : stream.ends[index - 1]]
    after = before if last != "NL" and len(before) <= 30 and "\n" not in before else ""
    found = _found(source, kind, word, span.end)
    glued = last if stream.ends[index - 1] == span.start else ""
    law = stream.kinds[begin] == "LAW"
    gap = Span(source, stream.starts[index - 1], span.start)
    if kind == "EQUAL":
        hint, edits = _equals(allowed, glued, before, law), _as_equals(span, glued, gap)
    elif kind == "NL" and "EQUAL" in allowed and _statement(source, span).startswith("state "):
        hint = "a state starts at something, as in `= zeros`"
        edits = (Edit(Span(source, gap.end, gap.end), " = zeros"),)
    else:
        hint, edits = _elsewhere(before, gap) if kind == "NAME" else ("", ())
        hint = hint or _hint(kind, word)
    return UnexpectedToken(span, found, _phrases(allowed, last), after, hint, edits)


def _statement(source: Source, span: Span) -> str:
    """The line of a token from its first word on."""
    return source.line_text(span.line).lstrip()


def _elsewhere(before: str, gap: Span) -> tuple[str, tuple[Edit, ...]]:
    """What other languages have before a name, what is said here instead, and the edit."""
    if before == "return":
        return "the last line of a block is its result, without a word", (Edit(gap, ""),)
    if before in _BINDING:
        return "a name is given to a value by `=` alone", (Edit(gap, ""),)
    taken = _LAMBDA.match(gap.source.text, gap.start)
    if taken is not None:
        names = taken[1].strip()
        pattern = f"({names})" if "," in names else names
        at = Span(gap.source, gap.start, taken.end())
        return "a morphism of a named input is `x => …`", (Edit(at, f"{pattern} => "),)
    return "", ()


def _as_equals(span: Span, glued: str, gap: Span) -> tuple[Edit, ...]:
    """The edit for an `=` that cannot stand where it does: `==`, or `=` for `:=`."""
    if glued == "COLON":
        return (Edit(Span(span.source, gap.start, span.end), "="),)
    return () if glued in _UPDATING else (Edit(span, "=="),)


def _allowed(tables: Tables, states: list[int]) -> set[str]:
    """The tokens that the parser would take, tried one by one: a row of the table alone says too much."""
    return {kind for kind in tables.actions[states[-1]] if _takes(tables, states, kind)}


def _takes(tables: Tables, states: list[int], kind: str) -> bool:
    stack = list(states)
    while True:
        action = tables.actions[stack[-1]].get(kind)
        if action is None:
            return False
        if action >= 0:
            return True
        rule = tables.rules[~action]
        del stack[-rule.size :]
        stack.append(tables.gotos[stack[-1]][rule.origin])


def _phrases(allowed: set[str], last: str) -> tuple[str, ...]:
    if allowed == {"LBRACE"}:
        return ("`{`",)
    if "BOX" in allowed:
        return ("a statement",)
    if "NAME" in allowed and "LPAR" in allowed and "NUMBER" in allowed:
        noun = "a type" if "IF" not in allowed and last in ("COLON", "TO", "RANDOM", "TILDE") else "an expression"
        closers = [_PLAIN[kind] for kind in ("RPAR", "RSQB", "RBRACE") if kind in allowed]
        return (noun, *closers)
    if "NAME" in allowed and "CIRCUMFLEX" not in allowed:
        rest = [_PLAIN[kind] for kind in ("RPAR", "RSQB", "RBRACE") if kind in allowed]
        return ("a name", *rest)
    if "SEQ" in allowed:
        return (*[_PLAIN[kind] for kind in _AFTER_OPERAND if kind in allowed], "an operator")[:_MOST]
    if "CIRCUMFLEX" in allowed and not {"TO", "VBAR", "THEN"} & allowed:
        kinds = ("EQUAL", "COLON", *_AFTER_OPERAND)
        return (*[_PLAIN[kind] for kind in kinds if kind in allowed], "an operator")[:_MOST]
    phrases = [phrase for kind, phrase in _PLAIN.items() if kind in allowed]
    if "CIRCUMFLEX" in allowed:  # what an operand may be followed by is not what is missing
        phrases = [phrase for phrase in phrases if phrase not in ("`(`", "`[`")]
    return tuple(phrases[:_MOST])


def _found(source: Source, kind: str, word: str, end: int) -> str:
    if kind == "NL":
        return "the end of the line"
    if kind == "$END":
        return "the end of the declaration" if source.text[end:].strip() else "the end of the file"
    return f"`{word}`" if len(word) <= 30 else "a long text"


def _equals(allowed: set[str], glued: str, before: str, law: bool) -> str:
    """What is meant by an `=` that cannot stand where it does; `glued` is the kind of the sign right before it."""
    if law and "COLON" not in allowed:
        return "a law says that two morphisms are equal by `==`"
    if _COMPARED & allowed:
        return "to compare two numbers write `==`"
    if glued == "COLON":
        return "a name is given to a value by `=` alone"
    if glued in _UPDATING:
        return f"a name stands for one value: write `y = x {before} …`, with a name of its own for the result"
    return ""


def _hint(kind: str, word: str) -> str:
    if kind in _HINTS:
        return _HINTS[kind]
    if word.isalpha() and kind != "NAME":
        return f"`{word}` is a word of the language"
    return ""
