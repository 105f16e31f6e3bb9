"""Patterns of `rearrange`, `reduce` and `einsum`: letters for axes, local to the pattern.

"t (h d) -> h t d"     Pattern(left=((t,), (h, d)), right=((h,), (t,), (d,)))
"""

from __future__ import annotations

import re
from collections import Counter

from catdl.record import field, record

_DIGITS = 18
_TOKEN = re.compile(r"\s*(->|\.\.\.|…|[A-Za-z_][A-Za-z_0-9]*'*|[0-9]+|[(),])")


class PatternError(Exception):
    """A pattern that cannot be read; the text says why."""


@record
class Pattern:
    """Groups of letters per axis: a group of one letter is a plain axis, of several a merged one, "…" the rest."""

    inputs: tuple[tuple[tuple[str, ...], ...], ...]
    output: tuple[tuple[str, ...], ...]
    numbers: dict[str, int] = field(default_factory=dict)  # letters that stand for a written number


def parse_pattern(text: str) -> Pattern:
    """Read a pattern. Raises PatternError."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if not text[place:].strip():
                break
            raise PatternError(f"`{text[place:].strip()[0]}` has no meaning in a pattern")
        tokens.append(match[1])
        place = match.end()
    if tokens.count("->") != 1:
        raise PatternError("a pattern has one `->`")
    arrow = tokens.index("->")
    numbers: dict[str, int] = {}
    sides: list[list[list[tuple[str, ...]]]] = []
    for run in (tokens[:arrow], tokens[arrow + 1 :]):
        operands: list[list[tuple[str, ...]]] = [[]]
        group: list[str] | None = None
        for token in run:
            if token == "(":
                if group is not None:
                    raise PatternError("parentheses in a pattern do not nest")
                group = []
            elif token == ")":
                if group is None:
                    raise PatternError("`)` closes nothing")
                operands[-1].append(tuple(group))
                group = None
            elif token == ",":
                if group is not None:
                    raise PatternError("`,` stands between operands")
                operands.append([])
            else:
                letter = "…" if token == "..." else token
                if letter.isdigit():
                    if len(letter) > _DIGITS:
                        raise PatternError(f"a number has at most {_DIGITS} digits")
                    number = int(letter)
                    letter = f"#{len(numbers)}"
                    numbers[letter] = number
                if group is not None:
                    group.append(letter)
                else:
                    operands[-1].append((letter,))
        if group is not None:
            raise PatternError("`(` is not closed")
        sides.append(operands)
    if len(sides[1]) != 1:
        raise PatternError("there is one result")
    for operand in (*sides[0], sides[1][0]):
        letters = [letter for group in operand for letter in group]
        counts = Counter(letters)
        twice = next((x for x in letters if counts[x] > 1), None)
        if twice is not None:
            raise PatternError(f"`{twice}` stands twice among the axes of one tensor, and one letter is one axis")
    return Pattern(tuple(tuple(o) for o in sides[0]), tuple(sides[1][0]), numbers)
