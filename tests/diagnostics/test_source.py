"""Lines, columns and decoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdl.diagnostics.limit_errors import not_text
from catdl.source import Source, Span, decode, from_text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b", ""]),
        ("a\rb", ["a", "b"]),
        ("\n\r\n\r", ["", "", "", ""]),
        ("a\x0bb\u2028c", ["a\x0bb\u2028c"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    source = Source("m.cat", text)
    assert [source.line_text(line) for line in range(1, source.line_count + 1)] == lines


def test_positions_count_from_one() -> None:
    source = Source("m.cat", "ab\r\n\tc\n")
    assert [source.position(offset) for offset in range(8)] == [
        (1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1),
    ]  # fmt: skip
    assert source.position(99) == (3, 1)
    assert source.position(-1) == (1, 1)


@given(st.text(alphabet="ab\r\n\t宽\u0301", max_size=30))
def test_offset_and_position_are_inverse(text: str) -> None:
    source = Source("m.cat", text)
    for offset in range(len(text) + 1):
        line, column = source.position(offset)
        start, end = source.line_bounds(line)
        assert start <= end
        assert source.offset(line, column) == min(offset, end)


def test_span() -> None:
    source = Source("-", "dim T\ndim D = 8\n")
    span = Span(source, 10, 11)
    assert (span.text, span.line, span.column, span.where) == ("D", 2, 5, "<stdin>:2:5")
    assert span.to(Span(source, 4, 5)) == Span(source, 4, 11)
    assert hash(span) == hash(Span(Source("-", "dim T\ndim D = 8\n"), 10, 11))


def test_bom_is_dropped() -> None:
    assert decode("m.cat", b"\xef\xbb\xbfdim D = 8").source.text == "dim D = 8"
    assert from_text("m.cat", "\ufeffdim D = 8").source.text == "dim D = 8"


def test_clean_text_has_no_fault() -> None:
    decoded = decode("m.cat", "dim 宽 = 8 # \ufffd".encode())
    assert decoded.faults == () and not_text(decoded) == ()


@pytest.mark.parametrize(
    ("data", "what", "text"),
    [
        (b"a\x00b", "a NUL byte", "a\ufffdb"),
        (b"a\xffb", "the byte 0xff", "a\ufffdb"),
        (b"a\xed\xa0\x80b", "the byte 0xed", "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, what: str, text: str) -> None:
    decoded = decode("m.cat", data)
    (mistake,) = not_text(decoded)
    assert decoded.source.text == text
    assert what in mistake.parts().message
    assert mistake.span.start == 1
    assert mistake.more == len(decoded.faults) - 1


def test_strings_that_are_no_text() -> None:
    (mistake,) = not_text(from_text("m.cat", "a\ud800b"))
    assert "surrogate" in mistake.what


@given(st.binary(max_size=40))
def test_any_bytes_decode(data: bytes) -> None:
    decoded = decode("m.cat", data)
    decoded.source.text.encode("utf-8")
    assert "\x00" not in decoded.source.text
    assert all(decoded.source.text[fault.offset] == "\ufffd" for fault in decoded.faults)
