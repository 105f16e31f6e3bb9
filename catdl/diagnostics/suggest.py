"""Near names, for "did you mean".

Takes a name and the names in scope; guarantees a deterministic answer, nearest first, and work in proportion to the
number of candidates.

    near("linera", ["linear", "bilinear", "relu"])        # ("linear",)
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 64


def near(name: str, candidates: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The candidates within a third of the name's length in edits, at least one: nearest first, then in their order."""
    if len(name) > _LONGEST:
        return ()
    limit = max(1, len(name) // 3)
    found: list[tuple[int, int, str]] = []
    for place, candidate in enumerate(dict.fromkeys(candidates)):
        if candidate == name or abs(len(candidate) - len(name)) > limit:
            continue
        cost = distance(name.lower(), candidate.lower(), limit)
        if cost <= limit and cost < max(len(name), len(candidate)):
            found.append((cost, place, candidate))
    found.sort()
    return tuple(candidate for cost, _, candidate in found[:most] if cost <= found[0][0] + 1)


def distance(left: str, right: str, limit: int) -> int:
    """The number of insertions, deletions, replacements and swaps of neighbours between two words, or `limit + 1`."""
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
