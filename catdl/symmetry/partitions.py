"""The maps that commute with all permutations of a set, by hand: set partitions of the axes of result and input.

Two entries of such a map are equal if the same of their indices agree (Maron, Ben-Hamu, Shamir, Lipman, "Invariant and
equivariant graph networks", 2019, arXiv 1812.09902). So there is a map for each partition of the axes: 2 for vectors,
15 for matrices. A block with axes of both sides is kept, one of the input's alone reduced, one of the result's spread.

    readings(2, 1)     a matrix as a vector: its diagonal, and what is left when either axis is reduced
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations

from catdl.record import record

Blocks = tuple[tuple[int, ...], ...]


@lru_cache(maxsize=64)
def partitions(count: int) -> tuple[Blocks, ...]:
    """The partitions of 0, 1, …, each with its blocks in the order of their first elements; finest ones first."""
    found: list[Blocks] = [()]
    for element in range(count):
        grown: list[Blocks] = []
        for blocks in found:
            grown += [(*blocks[:k], (*block, element), *blocks[k + 1 :]) for k, block in enumerate(blocks)]
            grown.append((*blocks, (element,)))
        found = grown
    return tuple(sorted(found, key=lambda blocks: -len(blocks)))


@record
class Reading:
    """How a map reads its input, or writes its result: `kept` blocks have an index on the other side, others none."""

    kept: Blocks
    rest: Blocks


def readings(count: int, kept: int) -> tuple[Reading, ...]:
    """The ways to read so many axes of an input as so many axes, in every order."""
    return tuple(
        Reading(chosen, tuple(b for b in blocks if b not in chosen))
        for blocks in partitions(count)
        for chosen in permutations(blocks, kept)
    )


def writings(count: int, kept: int) -> tuple[Reading, ...]:
    """The ways to write so many axes of a result from so many axes, in the order in which they come."""
    return tuple(
        Reading(chosen, tuple(b for b in blocks if b not in chosen))
        for blocks in partitions(count)
        for chosen in combinations(blocks, kept)
    )
