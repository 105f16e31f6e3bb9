"""Text and places in it: the first stage, which takes bytes or a string and knows nothing of the language.

It guarantees that the text of a `Source` made by `decode` or `from_text` holds no byte order mark, no NUL and no
half of a surrogate pair, and that every offset has a line and a column. Offsets count code points and are half open;
lines end at LF, CRLF or CR; lines and columns start at 1.

    source = Source("m.cat", "dim T\\ndim D = 8\\n")
    Span(source, 10, 11).text             # "D"
    source.position(10)                   # (2, 5)
"""

from __future__ import annotations

import re
from bisect import bisect_right

from catdl.record import field, record

_LINE_END = re.compile(r"\r\n|\n|\r")
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


@record
class Source:
    """A file's text. `path` is what is shown to the reader; "-" is standard input."""

    path: str
    text: str
    _starts: list[int] = field(default_factory=list, init=False)

    @property
    def shown(self) -> str:
        """The path as a message names it."""
        return "<stdin>" if self.path == "-" else self.path

    @property
    def starts(self) -> list[int]:
        """The offset of the first character of every line; there is always a first line."""
        if not self._starts:  # filled on first use: a clean check never asks for a line
            self._starts[:] = [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        return self._starts

    @property
    def line_count(self) -> int:
        """The number of lines; the empty line after a final newline counts."""
        return len(self.starts)

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset, from 1."""
        clamped = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, clamped)
        return line, clamped - self.starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset at a line and a column, the nearest one when there is no such place."""
        row = min(max(line, 1), self.line_count)
        start, end = self.line_bounds(row)
        return min(start + max(column, 1) - 1, end)

    def line_bounds(self, line: int) -> tuple[int, int]:
        """The offsets at which a line starts and at which its text ends, before the line end."""
        start = self.starts[line - 1]
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return start, end

    def line_text(self, line: int) -> str:
        """The text of a line, without its line end."""
        start, end = self.line_bounds(line)
        return self.text[start:end]

    def __hash__(self) -> int:
        """By path and length: a hash of the text would cost as much as the text is long."""
        return hash((self.path, len(self.text)))


@record
class Span:
    """A stretch of a source, half open: `end` is the first offset after it. An empty span is a place."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """What is written there."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line it starts on, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column it starts at, from 1."""
        return self.source.position(self.start)[1]

    @property
    def where(self) -> str:
        """`path:line:column`, as editors read it."""
        line, column = self.source.position(self.start)
        return f"{self.source.shown}:{line}:{column}"

    def to(self, other: Span) -> Span:
        """The stretch from the start of this span to the end of another one of the same source."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))


@record
class Fault:
    """Something in the bytes that is no text: an offset in the cleaned text, and which fault it is."""

    offset: int
    what: str  # "utf8", "nul" or "surrogate"
    byte: int | None = None


@record
class Decoded:
    """A source that is safe to parse, and what had to be replaced (by U+FFFD) to make it so."""

    source: Source
    faults: tuple[Fault, ...]


def decode(path: str, data: bytes) -> Decoded:
    """Read bytes as UTF-8. A byte order mark is dropped; what is no UTF-8 is a fault at its place."""
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return from_text(path, body.decode("utf-8"))
    except UnicodeDecodeError:
        # An undecodable byte b becomes U+DC00 + b, which valid UTF-8 never yields: one lone surrogate, one fault.
        return from_text(path, body.decode("utf-8", "surrogateescape"))


def from_text(path: str, text: str) -> Decoded:
    """Take a string as it came, from a program or from `decode`, and replace what no later stage should meet."""
    body = text.removeprefix("\ufeff")
    faults = tuple(_fault(match.start(), match.group()) for match in _BAD_TEXT.finditer(body))
    return Decoded(Source(path, _BAD_TEXT.sub(_REPLACEMENT, body) if faults else body), faults)


def _fault(offset: int, character: str) -> Fault:
    code = ord(character)
    if code == 0:
        return Fault(offset, "nul")
    if 0xDC80 <= code <= 0xDCFF:
        return Fault(offset, "utf8", code - 0xDC00)
    return Fault(offset, "surrogate")
