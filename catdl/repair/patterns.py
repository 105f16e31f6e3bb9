"""The pattern of a `rearrange`: its letters grouped or ordered in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, permutations
from typing import Any

from catdl.repair.case import Case, Group, one
from catdl.repair.shown import read
from catdl.repair.tree import bare, walk
from catdl.syntax import ast

TOP = re.compile(r"\([^()]*\)|[^\s()]+")  # what stands between blanks: a letter, or several in parentheses
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


def twice(case: Case) -> Iterator[Group]:
    """E0310: one of two equal letters of an operand is another axis, which may stand in the result in its place."""
    text = pattern_of(case.node)
    letter = case.mistake.message.split("`")[1] if case.mistake.message.startswith("`") else ""
    if text is None or "stands twice" not in case.mistake.message or not letter.isidentifier():
        return
    left, _, right = text.value.partition("->")
    free = next(a for a in "kmnpqrs" if a not in re.findall(r"\w+", text.value))
    twins = sorted(set(re.findall(r"\b\w+'+", case.module.source.text)))
    names = ["", *(f" >> rename[{twin} -> {twin.rstrip(chr(39))}]" for twin in twins[:2])]
    call = case.around(ast.Call)
    end = call.end if call is not None else case.node.end
    said = f"two axes are two letters: `{free}` beside `{letter}`"
    for out in dict.fromkeys((re.sub(rf"\b{letter}\b", free, right), right)):
        for name in names:
            for match in islice(re.finditer(rf"\b{letter}\b", left), 2):
                renamed = f"{left[: match.start()]}{free}{left[match.end() :]}".strip()
                edits = [case.swap(text, f'"{renamed} -> {out.strip()}"')]
                edits += [case.put(end, end, name)] if name else []
                yield one(said, *edits)


def reflattened(case: Case) -> Iterator[Group]:
    """E0301: axes are merged that were to stay apart, or in another order than they are needed in."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    body = getattr(case.decl, "body", None)
    words = [label for label in expected.labels if label.startswith("(") and label not in found.labels]
    made = [label for label in found.labels if label.startswith("(") and label not in expected.labels]
    for node in walk(body) if body is not None and words else ():
        if not isinstance(node, ast.Index) or case.text(node.base) != "flatten":
            continue
        letters = [case.text(item) for item in node.items]
        for have in made if f"({' '.join(letters)})" in made else ():
            for want in (word[1:-1].split() for word in words):
                step = f"flatten[{', '.join(want)}]"
                if len(want) < len(letters) and set(want) < set(letters):
                    yield one("merge these axes alone", case.swap(node, step))
                elif sorted(want) == sorted(letters):
                    apart = ", ".join(", ".join(want) if label == have else label for label in found.labels)
                    yield one("merge the axes in the other order", case.swap(node, f"permute[{apart}] >> {step}"))


def too_many(case: Case) -> Iterator[Group]:
    """E0310: the pattern reads an axis more than there is; a spec speaks of one sample, so it may be the batch."""
    text = pattern_of(case.node)
    if text is None or "axes" not in case.mistake.message:
        return
    left, arrow, right = text.value.partition("->")
    for letter in left.split() if arrow else ():
        sides = [" ".join(a for a in side.split() if a != letter) for side in (left, right)]
        yield one(f"a spec speaks of one sample: leave `{letter}` out", case.swap(text, f'"{sides[0]} -> {sides[1]}"'))


def unmerged(case: Case) -> Iterator[Group]:
    """E0312: all axes are merged and cut again in another order, where they are to be moved."""
    node, merging = case.node, before(case)
    names = case.mistake.expected.partition(")")[0].removeprefix("(").split()
    cut = bare(node)
    cuts = isinstance(cut, ast.Index) and case.text(cut.base) == "unflatten"
    if cuts and isinstance(merging, ast.Name) and merging.id == "flatten" and all(map(str.isidentifier, names)):
        step = f"permute[{', '.join(names)}]"
        yield one("to move axes, leave the merging out", case.put(merging.start, node.end, step))


def reordered(case: Case) -> Iterator[Group]:
    """E0308: the letters of a pattern of this declaration, and of the one that undoes it, in another order."""
    said = next((h.message for h in case.mistake.helps if h.message.startswith("move ")), None)
    if said is None:
        return
    found = [n for n in walk(case.decl) if isinstance(n, ast.Text) and "->" in n.value]
    for text in found:
        left, _, right = text.value.partition("->")
        items = TOP.findall(right)
        for place in range(len(items) - 1):
            moved = turned(items, place)
            edits = [case.swap(text, f'"{left.strip()} -> {" ".join(moved)}"')]
            for other in found:
                begin, _, end = other.value.partition("->")
                if other.start > text.start and TOP.findall(begin) == items:
                    edits.append(case.swap(other, f'"{" ".join(moved)} -> {end.strip()}"'))
            yield one(said, *edits)


def turned(items: list[str], place: int) -> list[str]:
    """A list with two neighbours turned round."""
    return [*items[:place], items[place + 1], items[place], *items[place + 2 :]]
