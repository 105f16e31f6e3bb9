"""Whatever the text and however narrow the terminal: no line is too wide, and marks stand under what they mean."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdl.diagnostics import Edit, Help, Label, Parts
from catdl.diagnostics.base import Derivation, Steps
from catdl.diagnostics.base import Step as Row
from catdl.diagnostics.cells import TAB, fitting, glyph, width, wrap, wrap_laid
from catdl.diagnostics.contrast import contrast
from catdl.diagnostics.text import NARROWEST, render
from catdl.source import Source, Span, decode
from tests.diagnostics.samples import samples
from tests.diagnostics.test_text import Say

ALPHABET = "ab >[]:=\t宽한é\u0301\u200d\ufe0f😀⊗→𝔽\x1b\u202e"
LINES = st.text(alphabet=ALPHABET + "\r\n", max_size=150)
WORDS = st.text(alphabet=ALPHABET, max_size=90)
WIDTHS = st.integers(1, 130)


def sources(text: str) -> Source:
    """The text as a file with a byte order mark."""
    return decode("m.cat", b"\xef\xbb\xbf" + text.encode("utf-8")).source


@st.composite
def spans(draw: st.DrawFn, source: Source) -> Span:
    start = draw(st.integers(0, len(source.text)))
    return Span(source, start, draw(st.integers(start, len(source.text))))


@st.composite
def reports(draw: st.DrawFn) -> Say:
    source = sources(draw(LINES))
    labels = [Label(draw(spans(source)), draw(WORDS)) for _ in range(draw(st.integers(0, 3)))]
    edit = draw(spans(source))
    types = [f"Real[{draw(WORDS)}]" for _ in range(2)]
    derived = Derivation("1568", draw(WORDS), "flatten", draw(st.none() | spans(source)))
    steps = Steps(tuple(Row(draw(WORDS), draw(WORDS)) for _ in range(draw(st.integers(1, 3)))), (), 2)
    parts = Parts(
        draw(WORDS),
        draw(spans(source)),
        draw(WORDS),
        tuple(labels),
        (draw(WORDS), f"head\n  {draw(WORDS)}\n{draw(WORDS)}"),
        (Help(draw(WORDS), (Edit(edit, draw(LINES)),)), Help(draw(WORDS))),
        contrast(*types),
        (derived,),
        draw(st.none() | st.just(steps)),
    )
    return Say.of(parts)


def too_wide(text: str, columns: int) -> list[str]:
    """The lines that are wider than they may be; a path may."""
    room = max(columns, NARROWEST)
    return [line for line in text.split("\n") if width(line) > room and not re.match(r" *(-->|:::) ", line)]


@given(reports(), WIDTHS)
def test_no_line_is_too_wide(report: Say, columns: int) -> None:
    text = render([report], width=columns)
    assert not too_wide(text, columns), text
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"]
    colored = re.sub(r"\x1b\[[\d;]*m", "", render([report], width=columns, color=True))
    assert [line.rstrip() for line in colored.split("\n")] == text.split("\n")


@pytest.mark.parametrize("columns", [0, 40, 60, 80, 300])
def test_no_report_is_too_wide(columns: int) -> None:
    for mistake in samples():
        text = render([mistake], width=columns)
        assert not too_wide(text, columns), text


def cut(row: str, start: int, end: int) -> str:
    """What stands in the cells from `start` to `end` of a row."""
    found, at = "", 0
    for character in row:
        size = width(character)
        if start <= at < end or (size == 0 and start < at <= end):
            found += character
        at += size
    return found


def shown(text: str) -> str:
    """A pattern for a text as it is shown: a tab is some blanks."""
    return "".join(rf" {{1,{TAB}}}" if c == "\t" else re.escape(glyph(c)) for c in text)


@given(st.text(alphabet=sorted({*ALPHABET} - {*"\u0301\ufe0f"}), max_size=150), st.data(), WIDTHS)
def test_marks_stand_under_what_they_mean(text: str, data: st.DataObject, columns: int) -> None:
    source = sources(text)
    span = data.draw(spans(source))
    line, under = render([Say(span)], width=columns).splitlines()[3:5]
    marks = re.fullmatch(r"  \|\s*(\^+)", under)
    assert marks
    found = cut(line.ljust(marks.end(1)), *marks.span(1))
    if span.text and not found.endswith("…"):
        assert re.fullmatch(shown(span.text), found), (line, under)


def test_a_mark_under_wide_text_at_every_width() -> None:
    source = sources("morphism 注意力 : Real[T, D] -> Real[T, D] = layernorm >> 注意力2 >> linera >> gelu >> linear\n")
    at = source.text.index("linera")
    for columns in range(NARROWEST, 120):
        line, under = render([Say(Span(source, at, at + 6))], width=columns).splitlines()[3:5]
        start = under.index("^")
        assert cut(line, start, start + 6) == "linera" and under.count("^") == 6


def test_a_label_without_room_beside_its_mark_hangs_below() -> None:
    source = sources("morphism f : Real[D] -> Real[D] = linear >> rleu\n")
    report = render([Say(Span(source, 44, 48), "this one is neither declared here nor imported")], width=60)
    assert report.splitlines()[3:] == [
        "1 | morphism f : Real[D] -> Real[D] = linear >> rleu",
        "  |                                             ^^^^",
        "  |                                             |",
        "  |           this one is neither declared here nor imported",
    ]


def test_a_message_goes_on_below_its_start() -> None:
    parts = Parts("a message of several words that is too long", None)
    assert render([Say.of(parts)], width=40).splitlines() == [
        "error[E9999]: a message of several words",
        "              that is too long",
    ]


def test_types_that_are_too_long_go_on_below_with_their_marks() -> None:
    sides = contrast("Real[Batch, Time, Head: 12, Width: 64]", "Real[Batch, Time, Head: 12, Width: 65]")
    report = render([Say.of(Parts("no", None, contrast=sides))], width=40)
    assert report.splitlines()[1:] == [
        " = note: expected Real[Batch, Time,",
        "                  Head: 12, Width: 64]",
        "                                   ~~",
        "         found    Real[Batch, Time,",
        "                  Head: 12, Width: 65]",
        "                                   ~~",
    ]


@given(st.text(alphabet=ALPHABET, max_size=80), st.integers(2, 40))
def test_wrapped_text_loses_nothing(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert all(width(line) <= room for line in lines)
    clean = "".join(map(glyph, text.expandtabs(TAB)))
    assert "".join(lines).replace(" ", "") == clean.replace(" ", "")
    for line in wrap_laid(text, room + 8):
        assert width(line) <= room + 8


def test_what_fits() -> None:
    assert [fitting("宽宽x", room) for room in range(1, 6)] == [1, 1, 1, 2, 3]
