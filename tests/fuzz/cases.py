"""The cases of a run, by a seed: case i is always the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tests.fuzz.calls import called
from tests.fuzz.families import FAMILIES, largest
from tests.fuzz.grow import grown
from tests.fuzz.mutate import damaged, slipped
from tests.fuzz.pool import Case

GENERATORS: dict[str, Callable[[Random], bytes]] = {
    "slipped": slipped,
    "damaged": damaged,
    "grown": grown,
    "called": called,
}
ALL = ("check", "json", "show", "compile")
SIZES = (2, 20, 99, 1000)


def generated(seed: int, start: int, count: int) -> Iterator[Case]:
    """Generated texts; every eighth goes through all commands, the others through the check."""
    names = tuple(GENERATORS)
    for i in range(start, start + count):
        name = names[i % len(names)]
        text = GENERATORS[name](Random(f"{seed}:{i}"))
        yield Case(f"{name} {seed}:{i}", text, ALL if i // len(names) % 8 == 0 else ("check",))


def grown_families(
    sizes: tuple[int, ...] = SIZES, *, whole: bool = True, commands: tuple[str, ...] = ALL
) -> Iterator[Case]:
    """Every family at some sizes, and at the largest that 64 KiB hold."""
    for name, family in FAMILIES.items():
        most = largest(family) if whole else max(sizes)
        for size in sorted({*(size for size in sizes if size <= most), *((most,) if whole else ())}):
            yield Case(f"{name}, {size}", family(size).encode(), commands)
