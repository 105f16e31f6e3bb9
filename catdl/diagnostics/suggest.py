"""Near names, for "did you mean".

Takes a name and the names in scope; guarantees a deterministic answer, nearest first, and work in proportion to the
number of candidates.

    near("linera", ["linear", "bilinear", "relu"])        # ("linear",)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from heapq import nsmallest

_LONGEST = 64
_TRIED = 64  # names of like letters whose distance is computed


def near(name: str, candidates: Iterable[str], most: int = 3, share: int = 3) -> tuple[str, ...]:
    """The candidates within a third of the name's length in edits, at least one: nearest first, then in their order.

    Where there are but a few words to choose from, half the length is near: `share` is 2.
    """
    if len(name) > _LONGEST:
        return ()
    limit = max(1, len(name) // share)
    mine = _letters(name)
    alike: list[tuple[int, int, int, str]] = []
    for place, candidate in enumerate(dict.fromkeys(candidates)):
        apart = abs(len(candidate) - len(name))
        if candidate == name or apart > limit:
            continue
        other = (mine ^ _letters(candidate)).bit_count()
        if other <= 2 * limit:  # one edit takes one letter away and brings one in
            alike.append((other, apart, place, candidate))
    found: list[tuple[int, int, str]] = []
    word = name.lower()
    for _, _, place, candidate in nsmallest(_TRIED, alike):
        cost = distance(word, candidate.lower(), limit)
        if cost <= limit and cost < max(len(name), len(candidate)):
            found.append((cost, place, candidate))
            limit = min(limit, cost + 1)  # what is further off than that is not told
    found.sort()
    # What differs in case alone is meant; otherwise what is one edit further off may be.
    return tuple(candidate for cost, _, candidate in found[:most] if cost <= found[0][0] + bool(found[0][0]))


@lru_cache(maxsize=4096)
def _letters(name: str) -> int:
    """The set of letters of a word, one bit for each of 64 classes of letters."""
    letters = 0
    for character in name.lower():
        letters |= 1 << ord(character) % 64
    return letters


def distance(left: str, right: str, limit: int) -> int:
    """The number of insertions, deletions, replacements and swaps of neighbours between two words, or `limit + 1`."""
    start, most = 0, min(len(left), len(right))
    while start < most and left[start] == right[start]:
        start += 1
    end = 0
    while end < most - start and left[-1 - end] == right[-1 - end]:
        end += 1
    left, right = left[start : len(left) - end], right[start : len(right) - end]
    if min(len(left), len(right)) == 0:
        return max(len(left), len(right))
    before: list[int] = []
    row = list(range(len(right) + 1))
    for index, character in enumerate(left, 1):
        older, before = before, row
        row = [index]
        for column, other in enumerate(right, 1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (character != other))
            if older and column > 1 and other == left[index - 2] and right[column - 2] == character:
                cost = min(cost, older[column - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
