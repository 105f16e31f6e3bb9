"""Syntax: a character that is not part of the language, where the language says the same in another way."""

from __future__ import annotations

from collections.abc import Iterator

from catdl.repair.case import Case, Group, one
from catdl.repair.wires import indent


def unexpected(case: Case) -> Iterator[Group]:
    """E0002: a semicolon is a line end."""
    if case.span.text == ";":
        text = case.module.source.text
        end = case.span.end + (len(text[case.span.end :]) - len(text[case.span.end :].lstrip(" ")))
        yield one("a line end parts statements", case.put(case.span.start, end, f"\n{indent(case, case.span)}"))
