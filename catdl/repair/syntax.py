"""Syntax: a character that is not part of the language, where the language says the same in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl.diagnostics.syntax_errors import QUOTES, SPELLINGS
from catdl.repair.case import Case, Group, one
from catdl.repair.wires import indent
from catdl.source import Span

_BEFORE = re.compile(r"\s*(?:>>|->|~>|=>|=|[&@|,)\]}#]|$)")
"""What a bracket may be closed before."""


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
        end = case.span.end + (len(text[case.span.end :]) - len(text[case.span.end :].lstrip(" ")))
        yield one("a line end parts statements", case.put(case.span.start, end, f"\n{indent(case, case.span)}"))
    for spelling in SPELLINGS.get(sign, ()):
        said = f"write `{spelling.strip()}`" if spelling.strip() else "write an ordinary blank"
        yield one(said, case.put(case.span.start, case.span.end, spelling))
    if sign and sign[0] in QUOTES:
        start, end = source.line_bounds(case.span.line)
        line = source.text[start:end].partition("#")[0]
        marks = [start + place for place, letter in enumerate(line) if letter in QUOTES]
        yield one("a text stands in double quotes", *(case.put(at, at + 1, '"') for at in marks))
