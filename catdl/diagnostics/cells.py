"""How wide text is on a terminal, and what of it may be shown there.

Takes any string; guarantees that what it returns holds no control character and that nothing in it can reorder or
hide what stands around it.

    width("宽 x")                       # 4
    lay("\\tx = y", 1, 2, 80).text      # "    x = y"
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

TAB = 4
_SLACK = 4  # characters looked at per cell: text without width (combining marks) must not make a line cost more


def glyph(character: str) -> str:
    """The character as it may be shown: controls as pictures, invisible formatting as U+FFFD."""
    if " " <= character <= "~":
        return character
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    category = unicodedata.category(character)
    return "\ufffd" if category in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


def clean(text: str) -> str:
    """One line of text with nothing in it that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(glyph, text.expandtabs(TAB)))


def width(text: str) -> int:
    """The number of terminal cells that shown text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0  # marks, and the vowels and finals that join a Hangul letter
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@dataclass(frozen=True, slots=True)
class Laid:
    """A source line as shown: `positions[i]` is the cell of character `first + i`; the last one is the end."""

    text: str
    first: int
    positions: list[int]

    def cell(self, column: int) -> int:
        """The cell of a column (from 0), or the nearest one shown."""
        return self.positions[min(max(column - self.first, 0), len(self.positions) - 1)]


def lay(raw: str, start: int, end: int, room: int) -> Laid:
    """Show a line in `room` cells; of a longer one the window that holds the columns `start` to `end`, if it can."""
    first = 0
    if end > room - 2 or width(clean(raw[:end])) > room - 2:
        first = max(0, start - room // 4)
    text, positions = ("…", [1]) if first else ("", [0])
    pieces = [text]
    at = positions[0]
    last = min(len(raw), first + _SLACK * room)
    for index in range(first, last):
        character = raw[index]
        piece = " " * (TAB - at % TAB) if character == "\t" else glyph(character)
        step = len(piece) if character == "\t" else _cells(piece)
        if at + step > room - 1 and not _fits(raw, index, at, room):
            last = index
            break
        pieces.append(piece)
        at += step
        positions.append(at)
    if last < len(raw):
        pieces.append("…")
    return Laid("".join(pieces).rstrip(), first, positions)


def _fits(raw: str, index: int, at: int, room: int) -> bool:
    """Whether the rest of a line from `index` fits, so that the last cell need not be kept for the ellipsis."""
    rest = raw[index:]
    return len(rest) <= room and at + width(clean(rest)) <= room


_LONG = re.compile(r"(`[^`]{120})[^`]{200,}([^`]{60}`)")  # code of which the middle is more than two lines


def brief(text: str) -> str:
    """A text in which code that would fill the screen is without its middle."""
    return _LONG.sub(r"\1…\2", text)


def wrap(text: str, room: int) -> list[str]:
    """The words of a text in lines of at most `room` cells, two at least; code in ticks is broken only if it must be.

    A word that is longer than a line is cut, and of code that would fill the screen the middle is left out.
    """
    lines: list[str] = []
    line = ""
    used = 0
    for whole in _words(clean(brief(text)), room):
        word = whole
        if line and used + 1 + width(word) <= room:
            line, used = f"{line} {word}", used + 1 + width(word)
            continue
        if line:
            lines.append(line)
        while width(word) > room:
            size = fitting(word, room)
            lines.append(word[:size])
            word = word[size:]
        line, used = word, width(word)
    lines.append(line)
    return lines


def _words(text: str, room: int) -> list[str]:
    """What is between the blanks of a text, except that a piece of code in ticks is one word where it fits."""
    words: list[str] = []
    parts = text.split(" ")
    start = 0
    while start < len(parts):
        end = start + 1
        if parts[start].count("`") % 2:
            closed = next((at for at in range(end, len(parts)) if parts[at].count("`") % 2), start)
            if width(" ".join(parts[start : closed + 1])) <= room:
                end = closed + 1
        words.append(" ".join(parts[start:end]))
        start = end
    return words


def wrap_laid(text: str, room: int) -> list[str]:
    """A line that is laid out already, as it is if it fits; else broken, with its indentation kept."""
    line = clean(text)
    if width(line) <= room:
        return [line]
    words = line.lstrip(" ")
    indent = min(len(line) - len(words), room // 2)
    first, *more = wrap(words, room - indent - 2)
    return [" " * indent + first, *(" " * (indent + 2) + rest for rest in more)]


def fitting(text: str, room: int) -> int:
    """How many characters of a text go into a room, one at least."""
    used = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > room:
            return max(index, 1)
    return len(text)
