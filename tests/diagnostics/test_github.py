"""Workflow commands for GitHub Actions."""

from __future__ import annotations

import re

import pytest

import catdl.diagnostics as wrong
from catdl.diagnostics import Diagnostic
from catdl.diagnostics.github import command, render
from catdl.source import Source, Span
from tests.diagnostics.samples import samples

COMMAND = re.compile(r"::(error|warning) ((?:\w+=[^,:\r\n]*,?)+)::(.+)")


@pytest.mark.parametrize("mistake", list(samples()), ids=lambda mistake: type(mistake).__name__)
def test_every_mistake_is_one_command(mistake: Diagnostic) -> None:
    (line,) = render([mistake]).splitlines()
    found = COMMAND.fullmatch(line)
    assert found and found[1] == mistake.severity
    assert found[3].replace("%0A", "\n").replace("%25", "%").startswith(mistake.parts().message)


def test_a_place_within_a_line() -> None:
    source = Source("a,b:c%.cat", "dim D\r\ndim T, D\n")
    mistake = wrong.DuplicateName(Span(source, 14, 15), "D", Span(source, 4, 5))
    assert command(mistake) == (
        "::error file=a%2Cb%3Ac%25.cat,line=2,col=8,endLine=2,endColumn=9,title=E0102%3A a name declared twice"
        "::`D` is declared twice%0Aa,b:c%25.cat:1:5: first declared here"
    )


def test_a_place_of_several_lines_has_no_columns() -> None:
    source = Source("m.cat", "f {\n\n}")
    fields = command(wrong.LimitExceeded(Span(source, 0, 6), "100% of it", 3)).split("::")
    assert fields[1] == "error file=m.cat,line=1,endLine=3,title=E0806%3A a limit is exceeded"
    assert fields[2] == "100%25 of it is over the limit of 3"


def test_no_place_and_no_file() -> None:
    assert command(wrong.FileUnreadable("m.cat", "gone")).startswith("::error title=E0801%3A a file")
    assert command(wrong.LimitExceeded(Span(Source("-", "x"), 0, 1), "it", 3)).startswith(
        "::error line=1,col=1,endLine"
    )
    assert render([]) == ""
