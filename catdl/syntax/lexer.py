"""Text to tokens.

Takes a stretch of a source; guarantees tokens in text order whose kinds are the grammar's terminals, without blanks,
comments and line ends (`breaks` tells which tokens begin a line). What is no token is reported and left out; a word
with letters that no name may have is reported and a name all the same, for what stands around it is as good as before.

    lex(tables, Source("m.cat", "dim T"), 0, 5, found).kinds       # ["DIM", "NAME"]
"""

from __future__ import annotations

from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.source import Source, Span
from catdl.syntax.tables import Tables


def kinds_of(names: str) -> frozenset[str]:
    """A set of terminals, written as one text."""
    return frozenset(names.split())


BRACKETS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
IN_PLACE = kinds_of(
    "DIM WHERE KIND OBJECT FUNCTOR PARAM GROUP MONOID MORPHISM HOM ALGEBRA COALGEBRA EXTERN NATIVE CORE LAW OVERLOAD "
    "LEARNER FROM IMPORT AS BOX EMIT STATE"
)
"""Words that are keywords only where they can start something; layout turns them into names elsewhere."""

_NOTED = IN_PLACE | set(BRACKETS) | set(BRACKETS.values()) | {"EQUAL", "STORE"}


@record
class Tokens:
    """Tokens side by side: the kind of each, and where it starts and ends in the text of `source`.

    `noted` holds, in order, the indices of the tokens that layout has to look at: brackets, words that are keywords
    only in place, `=`, `<-`, and whatever begins a line; `breaks` the last of these. `unread` holds the offsets of what
    could not be read.
    """

    source: Source
    kinds: list[str]
    starts: list[int]
    ends: list[int]
    noted: list[int]
    breaks: set[int]
    unread: list[int]

    def text(self, index: int) -> str:
        """What a token is written as."""
        return self.source.text[self.starts[index] : self.ends[index]]


def lex(tables: Tables, source: Source, start: int, end: int, found: list[Diagnostic]) -> Tokens:
    """Cut `source.text[start:end]` into tokens; what cannot be read goes to `found`."""
    text, words, noted_kinds = source.text, tables.words, _NOTED
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    noted: list[int] = []
    breaks: set[int] = set()
    fresh_line = True
    unreadable: list[tuple[int, int, str]] = []
    foreign = -1  # where the last token ends, if it is a name with a letter that no name may have
    for match in tables.pattern.finditer(text, start, end):
        kind = match.lastgroup
        assert kind is not None
        if kind == "NL":
            fresh_line = True
            continue
        if kind == "STOP":
            break
        begin, stop = match.span(kind)
        if kind == "NAME":
            if begin == foreign:
                foreign = ends[-1] = stop
                continue
            kind = words.get(text[begin:stop], "NAME")
        elif kind == "UNREADABLE" or kind == "UNCLOSED":
            if kind == "UNREADABLE" and unreadable and unreadable[-1][1:] == (begin, kind):
                unreadable[-1] = (unreadable[-1][0], stop, kind)
            else:
                unreadable.append((begin, stop, kind))
            if kind == "UNCLOSED":
                kind = "TEXT"
            elif not text[begin].isalpha():
                continue
            else:
                kind = "NAME"
                foreign = stop
                if ends and ends[-1] == begin and text[starts[-1]].isidentifier():
                    kinds[-1] = "NAME"
                    ends[-1] = stop
                    continue
        if fresh_line:
            fresh_line = False
            breaks.add(len(kinds))
            noted.append(len(kinds))
        elif kind in noted_kinds:
            noted.append(len(kinds))
        kinds.append(kind)
        starts.append(begin)
        ends.append(stop)
    if unreadable:
        _report(source, unreadable, found)
    return Tokens(source, kinds, starts, ends, noted, breaks, [begin for begin, _, _ in unreadable])


def _report(source: Source, unreadable: list[tuple[int, int, str]], found: list[Diagnostic]) -> None:
    from catdl.diagnostics import syntax_errors as wrong

    opened = -1  # where a text in other quotes begins: the quote at its end is the same mistake
    for begin, stop, kind in unreadable:
        span = Span(source, begin, stop)
        if source.text[begin] in wrong.QUOTES:
            if opened >= 0 and "\n" not in source.text[opened:begin]:
                opened = -1
                continue
            opened = begin
        if kind == "UNCLOSED":
            found.append(wrong.UnclosedText(span))
        else:
            found.append(wrong.UnknownCharacter(span, source.text[begin:stop]))
