"""Families of texts that grow: each is a shape with one number, for which something could grow too fast or too deep."""

from __future__ import annotations

from tests.fuzz.families_many import MANY
from tests.fuzz.families_sizes import NUMBERS
from tests.fuzz.families_syntax import BRACKETS, CHAINS
from tests.fuzz.families_unfold import TIMES
from tests.fuzz.shapes import SIZE, Family

FAMILIES: dict[str, Family] = BRACKETS | CHAINS | NUMBERS | TIMES | MANY


def largest(family: Family, limit: int = SIZE) -> int:
    """The largest number whose text is within the limit, for families whose text grows; else a number that is large."""
    low, high = 1, 1
    while high < limit and len(family(high).encode()) <= limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(family(middle).encode()) <= limit else (low, middle)
    return low
