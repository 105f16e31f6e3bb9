"""Written statements taken apart: the numbers that could come from a parameter, and the text around them.

Two units whose skeletons agree are one class, whose parameters are the numbers in which they differ. A position (an
axis counted from the end, an index in brackets) and the numbers inside the size of a free axis are no such numbers.

    dissect("self.linear = nn.Linear(64, 10)", frozenset())
        texts ("self.linear = nn.Linear(", ", ", ")")      slots (Slot(NUMBER, "64"), Slot(NUMBER, "10"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from catdl.torch.marks import DEFAULT, END, MAKER, MORE, NAME, STOP, UNIT

NUMBER = "number"
SECTION, LINE = "\x1e", "\x1f"  # between methods, and between statements

_TOKEN = re.compile(
    rf"""(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<unit>[{NAME}{MORE}{MAKER}]\d+{STOP})
    |(?P<default>{DEFAULT}[^{END}]*{END})
    |(?P<word>[A-Za-z_]\w*)
    |(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)""",
    re.VERBOSE,
)
_BEFORE = re.compile(r"(\w+|\))\s*(//|\*\*|[-+*/%])\s*[-(]?$")
_AFTER = re.compile(r"\)?\s*(//|\*\*|[-+*/%])\s*\(?(\w*)")


class Slot(NamedTuple):
    """A number, or the mark of another unit (`kind` is then `NAME`, `MORE` or `MAKER`)."""

    kind: str
    text: str  # the number, or the unit's own

    @property
    def unit(self) -> int:
        """The unit that is meant."""
        return int(self.text)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The text before each slot and after the last, and the slots."""

    texts: tuple[str, ...]
    slots: tuple[Slot, ...]


def marks_of(text: str) -> Skeleton:
    """The marks of other units alone: all that has to be known of a unit that no other is like."""
    texts, slots = [], []
    for k, part in enumerate(UNIT.split(text)):
        if k % 2:
            slots.append(_mark(part))
        else:
            texts.append(part)
    return Skeleton(tuple(texts), tuple(slots))


def dissect(text: str, dims: frozenset[str]) -> Skeleton:
    """The numbers too; `dims` are the variables that hold the sizes of free axes."""
    texts: list[str] = []
    slots: list[Slot] = []
    start = 0
    for found, slot in _slots(text, dims):
        texts.append(text[start : found.start()])
        slots.append(slot)
        start = found.end()
    return Skeleton((*texts, text[start:]), tuple(slots))


def _slots(text: str, dims: frozenset[str]) -> Iterator[tuple[re.Match[str], Slot]]:
    for found in _TOKEN.finditer(text):
        match found.lastgroup:
            case "unit":
                yield found, _mark(found[0])
            case "number" if not _structural(text, found, dims):
                yield found, Slot(NUMBER, found[0])
            case "word" if found[0] in ("True", "False") and text[found.start() - 1] == "=":
                yield found, Slot(NUMBER, found[0])
            case _:
                pass


def _mark(text: str) -> Slot:
    return Slot(text[0], text[1:-1])


def _structural(text: str, found: re.Match[str], dims: frozenset[str]) -> bool:
    start, end = found.span()
    before, after = text[max(0, start - 40) : start], text[end : end + 40]
    whole = found[0].isdigit()
    if whole and before[-1:] == "-" and before[-2:-1] in "([,= ":
        return True  # an axis
    if before[-1:] == "[" and after[:1] == "]":
        return True  # an index
    left, right = _BEFORE.search(before), _AFTER.match(after)
    if left is not None and (left[1] in dims or left[2] in ("//", "%", "**")):
        return True
    return right is not None and (right[2] in dims or right[1] in ("//", "%"))
