"""Key maps as text: one line for each tensor or pattern of tensors of the morphism, and where it comes from.

    wte                          <- transformer.wte.weight             # a star stands for a number,
    block.*.attention.qkv.weight <- transformer.h.*.attn.c_attn.weight^T    # the same on both sides; ^T transposes
    attention.qkv.bias           <- self.query.bias & self.key.bias & self.value.bias    # one after the other
    attention.query.bias         <- self.qkv.bias[0:64]                # a stretch of the first axis
    discard                      <- lm_head.weight                     # is not needed

Takes a Source. Guarantees: what `written` writes `read` reads as the same lines; every line that cannot be read is
told, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.source import Source, Span

DISCARD = "discard"
ARROW = "<-"
_SOURCE = re.compile(r"(?P<pattern>[^\s&#^\[\]]+)(?P<transposed>\^T)?(?:\[(?P<start>\d+):(?P<stop>\d+)\])?")
_NAME = re.compile(r"[^\s&#^\[\]]+")
_DIGITS = 18  # of a bound: more than any axis has


@record
class Piece:
    """A tensor of the file, as it is or transposed, then a stretch of its first axis."""

    pattern: str
    transposed: bool = False
    cut: tuple[int, int] | None = None

    def __str__(self) -> str:
        cut = f"[{self.cut[0]}:{self.cut[1]}]" if self.cut else ""
        return f"{self.pattern}{'^T' if self.transposed else ''}{cut}"


@record
class Line:
    """What a tensor of the morphism is made of; without one (`discard`) what is left out. `why` is a comment.

    `left` and `right` are the places of the two sides, where the line stands in a file.
    """

    ours: str | None
    pieces: tuple[Piece, ...]
    why: str = ""
    left: Span | None = None
    right: Span | None = None

    def __str__(self) -> str:
        return f"{self.ours or DISCARD} {ARROW} {shown(self.pieces)}"


def shown(pieces: Iterable[Piece]) -> str:
    """The right side of a line."""
    return " & ".join(map(str, pieces))


def written(lines: Iterable[Line]) -> str:
    """Lines as text, their arrows and comments under each other."""
    rows = [(line.ours or DISCARD, shown(line.pieces), line.why) for line in lines]
    first = max((len(left) for left, _, _ in rows), default=0)
    second = max((len(right) for _, right, _ in rows), default=0)
    return "".join(
        f"{left:<{first}} {ARROW} {right:<{second}}  # {why}".rstrip(" #") + "\n" for left, right, why in rows
    )


def read(source: Source) -> tuple[list[Line], list[Diagnostic]]:
    """The lines of a map, and what cannot be read as one."""
    lines: list[Line] = []
    mistakes: list[Diagnostic] = []
    for number in range(1, source.line_count + 1):
        start, end = source.line_bounds(number)
        text = source.text[start:end].partition("#")[0]
        if not text.strip():
            continue
        found = _line(source, start, text)
        if isinstance(found, Line):
            lines.append(found)
        else:
            mistakes.append(found)
    return lines, mistakes


def _line(source: Source, start: int, text: str) -> Line | Diagnostic:
    left, arrow, right = text.partition(ARROW)
    if not arrow:
        return wrong.KeyMapUnreadable(_span(source, start, text), f"there is no `{ARROW}` in it")
    name = left.strip()
    here = _span(source, start, left) if name else _span(source, start, text)
    if not _NAME.fullmatch(name):
        return wrong.KeyMapUnreadable(here, f"one key of the morphism, or `{DISCARD}`, must stand before the `{ARROW}`")
    pieces: list[Piece] = []
    at = start + len(left) + len(arrow)
    there = _span(source, at, right)
    for part in right.split("&"):
        match = _SOURCE.fullmatch(part.strip())
        bounds = (match["start"], match["stop"]) if match and match["start"] else None
        if match is None or (bounds and max(map(len, bounds)) > _DIGITS):
            reason = f"a key of the file, `key^T` or `key[0:8]` must stand {'between' if pieces else 'after'} the "
            return wrong.KeyMapUnreadable(
                _span(source, at, part) if part.strip() else here, reason + ("`&`" if pieces else f"`{ARROW}`")
            )
        cut = (int(bounds[0]), int(bounds[1])) if bounds else None
        pieces.append(Piece(match["pattern"], match["transposed"] is not None, cut))
        at += len(part) + 1
    return Line(None if name == DISCARD else name, tuple(pieces), "", here, there)


def _span(source: Source, start: int, text: str) -> Span:
    """The place of a text without the spaces around it."""
    return Span(source, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
