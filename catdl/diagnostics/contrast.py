"""Two types under each other, with only what differs marked.

Takes types as shown; guarantees marks inside the texts, in order and apart.

    contrast("Real[T, D: 768]", "Real[T, D: 64]").found_marks     # ((11, 13),), the 64
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from catdl.diagnostics.base import Contrast

_LONGEST = 400  # characters in all: past that marks help nobody
_OPEN, _CLOSE = "([", ")]"
UNKNOWN = "_"  # a size that nothing has said yet differs from none

_Piece = tuple[int, int]


def contrast(expected: str, found: str) -> Contrast | None:
    """Both sides and their marks; None where they are equal or have no axes and so nothing to look for."""
    if expected == found or "[" not in expected or "[" not in found or len(expected) + len(found) > _LONGEST:
        return None
    left, right = _parts(expected), _parts(found)
    marks: tuple[list[_Piece], list[_Piece]] = ([], [])
    if expected[slice(*left[0])] != found[slice(*right[0])]:
        _pair(expected, left[0], found, right[0], marks)
    texts = [expected[start:end] for start, end in left[1:]], [found[start:end] for start, end in right[1:]]
    for tag, start, end, other, other_end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        mine, theirs = left[1 + start : 1 + end], right[1 + other : 1 + other_end]
        if tag == "equal":
            continue
        if len(mine) == len(theirs):
            for one, two in zip(mine, theirs, strict=True):
                _pair(expected, one, found, two, marks)
            continue
        for pieces, side in zip((mine, theirs), marks, strict=True):
            if pieces:
                side.append((pieces[0][0], pieces[-1][1]))
    return Contrast(expected, found, tuple(marks[0]), tuple(marks[1]))


def axes(text: str) -> tuple[str, ...]:
    """The axes of a type as shown, each as a text: `T` and `C: 3` of `Probs(C)[T, C: 3]`."""
    return tuple(text[start:end] for start, end in _parts(text)[1:])


def _parts(text: str) -> list[_Piece]:
    """The kind, then the axes: `Probs(C)[T, C: 3]` is `Probs(C)`, `T`, `C: 3`; a product is one part for each type."""
    opened = _bracket(text)
    if not text.endswith("]") or opened is None:
        return [(0, len(text))]
    return [(0, opened), *_split(text, opened + 1, len(text) - 1)]


def _bracket(text: str) -> int | None:
    """Where the bracket that the last character closes is opened, if the whole text is one type."""
    depth = place = 0
    while place < len(text) and (text[place] != "[" or depth):
        depth += (text[place] in _OPEN) - (text[place] in _CLOSE)
        place += 1
    depth = 0
    for at in range(place, len(text)):
        depth += (text[at] in _OPEN) - (text[at] in _CLOSE)
        if depth == 0:
            return place if at == len(text) - 1 else None
    return None


def _split(text: str, start: int, end: int) -> Iterator[_Piece]:
    """The stretches between the commas outside of brackets."""
    depth = 0
    begin = start
    for place in range(start, end):
        depth += (text[place] in _OPEN) - (text[place] in _CLOSE)
        if text[place] == "," and depth == 0:
            yield begin, place
            begin = place + 2
    if begin < end:
        yield begin, end


def _pair(left: str, one: _Piece, right: str, two: _Piece, marks: tuple[list[_Piece], list[_Piece]]) -> None:
    """Mark two axes in each other's place: the label, the size or both, whichever differs."""
    if UNKNOWN in (left[slice(*one)], right[slice(*two)]):
        return
    cuts = _cut(left, one), _cut(right, two)
    if cuts[0] is None or cuts[1] is None:
        # `H` is short for `H: H`: beside `H: 14` the labels agree.
        for text, whole, cut, other, side in (
            (left, one, cuts[0], right[slice(*two)], 0),
            (right, two, cuts[1], left[slice(*one)], 1),
        ):
            marks[side].append(cut[1] if cut is not None and text[slice(*cut[0])] == other else whole)
        return
    for mine, theirs in zip(cuts[0], cuts[1], strict=True):
        if left[slice(*mine)] != right[slice(*theirs)] and left[slice(*mine)] != UNKNOWN != right[slice(*theirs)]:
            marks[0].append(mine)
            marks[1].append(theirs)


def _cut(text: str, piece: _Piece) -> tuple[_Piece, _Piece] | None:
    """An axis `label: size` as its label and its size."""
    at = text.rfind(": ", *piece)
    return None if at < 0 else ((piece[0], at), (at + 2, piece[1]))
