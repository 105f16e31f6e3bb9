"""Axes that stand for one another as a whole: one for several of its size, several for one, one more than is asked for.

Takes the two types of a mismatch. `Real[784]` is as many numbers as `Real[H: 28, W: 28]`, and a sequence before a head
of classes has to be told which of its steps counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from catdl.repair.axes import placed
from catdl.repair.case import Case, Group
from catdl.repair.shown import Part, Shown, is_name, read

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def counted(case: Case) -> Iterator[Group]:
    """E0301: an axis of as many elements as several others have together."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    start, have, want = between(found, expected)
    if min(len(have), len(want)) != 1 or len(have) == len(want) or count(have) != count(want) or not count(have):
        return
    said = "it has as many elements: cut the axis" if len(have) == 1 else "it has as many elements: merge the axes"
    for step in recut(found, start, have, want):
        yield from placed(case, step, said)


def spare(case: Case) -> Iterator[Group]:
    """E0301: an axis is left that nobody asks for."""
    expected, found = read(case.mistake.expected), read(case.mistake.found)
    _, have, want = between(found, expected)
    if want or len(have) != 1 or not is_name(axis := have[0].label):
        return
    steps = {
        f"mean[{axis}]": f"if all along `{axis}` counts, take the mean",
        f"slice[{axis}](-1, {axis}) >> squeeze[{axis}]": f"if the last along `{axis}` counts, take that",
    }
    ways = zip(*(placed(case, step, said) for step, said in steps.items()), strict=False)
    for group in ways:
        yield tuple(help_ for alternative in group for help_ in alternative)


def between(found: Shown, expected: Shown) -> tuple[int, tuple[Part, ...], tuple[Part, ...]]:
    """Where two types first differ, and the axes of each up to where they agree again."""
    have, want = found.axes, expected.axes
    start = 0
    while start < min(len(have), len(want)) and have[start] == want[start]:
        start += 1
    end = 0
    while end < min(len(have), len(want)) - start and have[len(have) - 1 - end] == want[len(want) - 1 - end]:
        end += 1
    return start, have[start : len(have) - end], want[start : len(want) - end]


def count(axes: tuple[Part, ...]) -> int:
    """How many elements axes have together, 0 where a size is not known."""
    return prod(int(a.size) if a.size.isdecimal() else 0 for a in axes)


def recut(found: Shown, start: int, have: tuple[Part, ...], want: tuple[Part, ...]) -> Iterator[str]:
    """The steps that cut an axis into others or merge several into it."""
    if all(is_name(a.label) for a in (*have, *want)):
        names = ", ".join(a.label for a in want)
        if len(have) == 1:
            yield f"unflatten[{have[0].label}]({names})"
        else:
            run = ", ".join(a.label for a in have)
            yield f"flatten[{run}] >> rename[({run}) -> {names}]"
    if len(have) == len(found.axes) > 1 and not want[0].label:
        yield "flatten"
    around = [*found.axes[:start], *max(have, want, key=len), *found.axes[start + len(have) :]]
    letters = lettered(around)
    apart = letters[start : start + max(len(have), len(want))]
    left = [*letters[:start], f"({' '.join(apart)})", *letters[start + len(apart) :]]
    if len(have) == 1:
        sizes = [f"{letter} = {a.label or a.size}" for letter, a in zip(apart[:-1], want, strict=False)]
        yield f'rearrange("{" ".join(left)} -> {" ".join(letters)}", {", ".join(sizes)})'
    elif not want[0].label:
        yield f'rearrange("{" ".join(letters)} -> {" ".join(left)}")'


def lettered(axes: list[Part]) -> list[str]:
    """A name for each axis in a pattern: its own in small letters, or one that no other has."""
    own = [a.label.lower() if is_name(a.label) and a.label.isidentifier() else "" for a in axes]
    free = iter([letter for letter in LETTERS if letter not in own])
    return [name if name and own.count(name) == 1 else next(free, "") for name in own]
