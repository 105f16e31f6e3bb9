"""The pattern of a `rearrange`: its letters grouped or ordered in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Any

from catdl.repair.case import Case, Group, one
from catdl.syntax import ast

_MOST = 4  # letters in one pair of parentheses, or on one side, of which all orders are tried


def regrouped(case: Case) -> Iterator[Group]:
    """Another grouping on either side of the pattern at the mistake, or of the one just before it."""
    for text in (case.node, before(case)):
        text = pattern_of(text)
        if text is None:
            continue
        left, arrow, right = text.value.partition("->")
        if not arrow:
            continue
        for new_left in groupings(left):
            yield one("group the letters in another way", case.swap(text, f'"{new_left.strip()} -> {right.strip()}"'))
        for new_right in groupings(right):
            yield one("group the letters in another way", case.swap(text, f'"{left.strip()} -> {new_right.strip()}"'))


def before(case: Case) -> Any:
    """The step before the one at fault."""
    seq = case.parent(case.node)
    if not isinstance(seq, ast.Seq):
        return None
    place = next((i for i, step in enumerate(seq.steps) if step is case.node), 0)
    return seq.steps[place - 1] if place else None


def pattern_of(node: Any) -> ast.Text | None:
    """The pattern of a call."""
    while isinstance(node, ast.Labelled):
        node = node.body
    if isinstance(node, ast.Text):
        return node
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0].value, ast.Text):
        return node.args[0].value
    return None


def groupings(side: str) -> Iterator[str]:
    """One side with the letters of its parentheses in another order, or with another letter in them."""
    match = re.search(r"\(([^()]*)\)", side)
    if match is None:
        return
    letters = match[1].split()
    if 1 < len(letters) <= _MOST:
        for order in permutations(letters):
            if list(order) != letters:
                yield side[: match.start()] + f"({' '.join(order)})" + side[match.end() :]
    if len(letters) != 2:
        return
    flat = [*side[: match.start()].split(), *letters, *side[match.end() :].split()]
    held, other = letters
    for letter in (a for a in flat if a not in letters):
        # `(h t) d` becomes `t (h d)`: the letter that was held goes with another one.
        rest = [other if a == letter else a for a in flat if a not in letters or a == other]
        rest = [a for a in flat if a not in (held, letter)]
        at = flat.index(letter) - sum(1 for a in flat[: flat.index(letter)] if a == held)
        rest.insert(min(at, len(rest)), f"({held} {letter})")
        yield " ".join(rest)


def relettered(case: Case) -> Iterator[Group]:
    """E0310: two letters of one operand, of which one meets an axis that it does not stand for, change places."""
    text = pattern_of(case.node)
    letter = case.mistake.message.split("`")[1] if case.mistake.message.startswith("`") else ""
    if text is None or "two different axes" not in case.mistake.message:
        return
    left, arrow, right = text.value.partition("->")
    operands = left.split(",")
    for place in reversed(range(len(operands))):
        letters = operands[place].split()
        for other in letters if letter in letters else ():
            if other != letter and other.isidentifier():
                moved = {letter: other, other: letter}
                new = " ".join(moved.get(x, x) for x in letters)
                parts = [part.strip() for part in operands]
                parts[place] = new
                yield one(
                    f"the axes of operand {place + 1} stand in the other order",
                    case.swap(text, f'"{", ".join(parts)} {arrow} {right.strip()}"'),
                )


def too_many(case: Case) -> Iterator[Group]:
    """E0310: the pattern reads an axis more than there is; a spec speaks of one sample, so it may be the batch."""
    text = pattern_of(case.node)
    if text is None or "axes" not in case.mistake.message:
        return
    left, arrow, right = text.value.partition("->")
    for letter in left.split() if arrow else ():
        sides = [" ".join(a for a in side.split() if a != letter) for side in (left, right)]
        yield one(f"a spec speaks of one sample: leave `{letter}` out", case.swap(text, f'"{sides[0]} -> {sides[1]}"'))
