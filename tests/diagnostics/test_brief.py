"""A name or a type that would fill the screen is without its middle in every form; an edit writes it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from catdl.diagnostics import Edit, Help, Parts, github, sarif, text
from catdl.diagnostics import json as as_json
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.notes import shortened
from catdl.driver import loads
from catdl.source import Source, Span

NAME = "a" * 30_000
SPEC = f"""\
dim D = 4
morphism {NAME}b : Real[D] -> Real[D] = linear(5)
morphism f : Real[D] -> Real[D] = relu >> {NAME}b >> {NAME}c >> linear(6)
morphism g : Real[{NAME}: 4] -> Real[D] = {NAME}b >> linear(8)
"""
FORMS = {"text": text.render, "json": as_json.render, "sarif": sarif.render, "github": github.render}


@pytest.mark.parametrize("form", FORMS)
def test_no_name_fills_a_report(form: str) -> None:
    render: Callable[[Iterable[Diagnostic]], str] = FORMS[form]
    found = loads(SPEC, path="m.cat").diagnostics
    assert [d.code for d in found] == ["E0301", "E0101", "E0301"]
    assert max(map(len, render(found).splitlines())) < 4_000


def test_an_edit_is_whole() -> None:
    edit = Edit(Span(Source("m.cat", NAME), 0, 1), NAME)
    parts = shortened(Parts(f"no `{NAME}`", edit.span, helps=(Help(f"write `{NAME}`", (edit,)),)))
    assert len(parts.message) < 200 > len(parts.helps[0].message)
    assert parts.helps[0].edits == (edit,)
