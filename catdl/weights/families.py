"""Keys folded into patterns: the modules that differ in the number of their round only.

Takes something by key. Guarantees: every key is in one family; the members of a family hold the same leaves with the
same beside them; a star of its pattern stands where the numbers of its members differ, and no key outside it fits the
pattern.

    families({"block.0.up.weight": Form((64, 8)), "block.1.up.weight": Form((64, 8))})
        [Family(("block", "*", "up"), (("0",), ("1",)), (("weight", Form((64, 8))),))]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

STAR = "*"
_NUMBER = re.compile(r"_?\d+")


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """Modules under one pattern: its segments, the numbers that its stars stand for, what each leaf is.

    A key of one segment is a module of its own, with one leaf without a name.
    """

    pattern: tuple[str, ...]
    numbers: tuple[tuple[str, ...], ...]
    leaves: tuple[tuple[str, T], ...]

    def key(self, leaf: str) -> str:
        """The pattern of a leaf's key."""
        return ".".join((*self.pattern, leaf) if leaf else self.pattern)

    def keys(self, leaf: str) -> list[str]:
        """The keys of a leaf, one for each member."""
        return [filled(self.key(leaf), numbers) for numbers in self.numbers]

    def members(self) -> list[Family[T]]:
        """Each module as a family of its own."""
        return [
            replace(self, pattern=tuple(filled(".".join(self.pattern), numbers).split(".")), numbers=((),))
            for numbers in self.numbers
        ]

    def parts(self) -> list[Family[T]]:
        """Each leaf as a family of its own."""
        return [Family(tuple(self.key(name).split(".")), self.numbers, (("", form),)) for name, form in self.leaves]

    @property
    def stem(self) -> tuple[str, ...]:
        """The pattern without its numbers: modules that are numbered one after the other have the same."""
        return tuple([_NUMBER.sub("", segment) for segment in self.pattern])

    @property
    def series(self) -> tuple[int, ...]:
        """The numbers of the pattern; a segment without one is the first: `layernorm`, `layernorm_2`."""
        found = (re.search(r"\d+", segment) for segment in self.pattern)
        return tuple([int(match[0]) if match else 1 for match in found])


def filled(pattern: str, numbers: Iterable[str]) -> str:
    """A pattern with numbers for its stars."""
    left = iter(numbers)
    return ".".join([next(left) if segment == STAR else segment for segment in pattern.split(".")])


def skeleton(key: str) -> str:
    """A key with a star for every number."""
    return ".".join([STAR if segment.isdecimal() else segment for segment in key.split(".")])


def families(found: Mapping[str, T], among: Iterable[str] = ()) -> list[Family[T]]:
    """The families of some keys, in the order of their first keys; `among` are all keys that a pattern may meet."""
    modules: dict[str, dict[str, T]] = {}
    for key, form in found.items():
        path, leaf = _split(key)
        modules.setdefault(path, {})[leaf] = form
    alike: dict[str, list[str]] = {}
    for path in modules:
        alike.setdefault(skeleton(path), []).append(path)
    others = Counter(map(skeleton, {_split(key)[0] for key in among}.difference(modules)))
    place = {path: i for i, path in enumerate(modules)}
    out: list[tuple[int, Family[T]]] = []
    for pattern, paths in alike.items():
        held = [modules[path] for path in paths]
        if held.count(held[0]) == len(held) and not others[pattern]:
            out.append((place[paths[0]], _family(paths, held[0])))
        else:
            out.extend((place[path], _family([path], of)) for path, of in zip(paths, held, strict=True))
    return [family for _, family in sorted(out, key=lambda item: item[0])]


def _split(key: str) -> tuple[str, str]:
    """The module of a key, and its leaf."""
    path, dot, leaf = key.rpartition(".")
    return (path, leaf) if dot else (key, "")


def _family(paths: list[str], leaves: dict[str, T]) -> Family[T]:
    split = [path.split(".") for path in paths]
    varying = [i for i, segment in enumerate(split[0]) if any(other[i] != segment for other in split)]
    pattern = tuple([STAR if i in varying else segment for i, segment in enumerate(split[0])])
    return Family(
        pattern, tuple(sorted([tuple([path[i] for i in varying]) for path in split], key=_order)), tuple(leaves.items())
    )


def _order(numbers: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(map(int, numbers))
