"""Syntax: a sign that is missing or another one, a character by which the language says the same in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl.diagnostics.syntax_errors import QUOTES, SPELLINGS
from catdl.repair.case import Case, Group, one
from catdl.repair.wires import indent
from catdl.source import Span

_BEFORE = re.compile(r"\s*(?:>>|->|~>|=>|=|[&@|,)\]}#]|$)")
"""What a bracket may be closed before."""

_COMPOSED = re.compile(r"\|>|->|=>|>|[|,.]")
"""What other languages write between one step and the next."""

_MISSING = {"`,`": ",", "`:`": " :", "`=`": " =", "`->`": " ->"}
"""Signs that are easily left out or taken for another, as they are put after what stands before them."""


def mistaken(case: Case) -> Iterator[Group]:
    """E0001: a sign that may stand here in the place of another, or before a word; `>>` between two steps."""
    source, span = case.module.source, case.span
    head = source.text[: span.start].rstrip(" \t")
    before = source.line_bounds(span.line)[0]
    if len(head) <= before:
        return  # what came before stands on another line
    sign = span.text == "and" or not (span.text[:1].isalnum() or span.text[:1] in '_([{"')
    for phrase, put in _MISSING.items():
        if phrase in case.mistake.expected and span.text:
            if sign:
                yield one(f"write {phrase} here", case.put(len(head), span.end, put))
            else:
                yield one(f"{phrase.replace('`,`', 'a comma')} is missing", case.put(len(head), len(head), put))
    if head.endswith(">>") and span.text.startswith(">"):
        yield one("steps are composed by `>>`", case.put(len(head), span.end, ""))
    elif getattr(case.decl, "signature", None) and (composed := _COMPOSED.match(source.text, span.start)):
        yield one("steps are composed by `>>`", case.put(len(head), composed.end(), " >>"))


def unclosed(case: Case) -> Iterator[Group]:
    """E0004: closed at the end of its line, or before a sign on it, from the right."""
    source, opener = case.module.source, case.span
    end = source.line_bounds(opener.line)[1]
    places = [opener.end + m.start() for m in _BEFORE.finditer(Span(source, opener.end, end).text)]
    for at in dict.fromkeys(reversed(places)):
        yield one("close it", case.put(at, at, case.mistake.closer))


def unexpected(case: Case) -> Iterator[Group]:
    """E0002: the sign as the language spells it; a semicolon is a line end."""
    sign = case.span.text
    source = case.module.source
    if sign == ";":
        text = source.text
        if not source.text[case.span.end : source.line_bounds(case.span.line)[1]].partition("#")[0].strip():
            yield one("leave it out: a line end is enough", case.put(case.span.start, case.span.end, ""))
        end = case.span.end + (len(text[case.span.end :]) - len(text[case.span.end :].lstrip(" ")))
        yield one("between brackets a comma parts what is listed", case.put(case.span.start, case.span.end, ","))
        yield one("a line end parts statements", case.put(case.span.start, end, f"\n{indent(case, case.span)}"))
    for spelling in SPELLINGS.get(sign, ()):
        said = f"write `{spelling.strip()}`" if spelling.strip() else "write an ordinary blank"
        yield one(said, case.put(case.span.start, case.span.end, spelling))
    if sign and sign[0] in QUOTES:
        start, end = source.line_bounds(case.span.line)
        line = source.text[start:end].partition("#")[0]
        marks = [start + place for place, letter in enumerate(line) if letter in QUOTES]
        yield one("a text stands in double quotes", *(case.put(at, at + 1, '"') for at in marks))
