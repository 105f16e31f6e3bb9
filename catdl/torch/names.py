"""Python names for what the spec names.

ident("T'")        "T_"
camel("down_block")  "DownBlock"
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from catdl.diagram.taken import TAKEN

_SELF = re.compile(r"\bself\.(\w+)")
_NOT_IDENT = re.compile(r"[^0-9A-Za-z_]")


def ident(name: str) -> str:
    """A name that Python takes for a variable."""
    text = _NOT_IDENT.sub("_", name.rpartition("::")[2])
    if not text or text[0].isdigit():
        text = f"_{text}"
    return f"{text}_" if keyword.iskeyword(text) else text


def camel(name: str) -> str:
    """A class name."""
    parts = [part for part in ident(name).split("_") if part]
    text = "".join(part[0].upper() + part[1:] for part in parts)
    return text if text and not text[0].isdigit() and not keyword.iskeyword(text) else f"M{text}"


def attribute(name: str, table: str, of: str = "self") -> str:
    """How a class reaches `name`, its own or that `of` a module, whose key is fixed.

    `table` is `_modules` or `_parameters`.
    """
    plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")
    return f"{of}.{name}" if plain and name not in TAKEN else f'{of}.{table}["{name}"]'


def attributes(texts: Iterable[str]) -> frozenset[str]:
    """The attributes of an object that statements speak of, and those that every module has."""
    return TAKEN.union(name for text in texts for name in _SELF.findall(text))


class Namer:
    """Hands out names that differ from all it gave before and from those in the sets `used`, numbered from 2."""

    __slots__ = ("_given", "_next", "_used")

    def __init__(self, *used: frozenset[str]) -> None:
        self._given: set[str] = set()
        self._used = (self._given, *used)
        self._next: dict[str, int] = {}

    def fresh(self, base: str) -> str:
        """`base`, or `base2`, `base3` …"""
        name = base
        number = self._next.get(base, 2)
        while any(name in names for names in self._used):
            name = f"{base}{number}"
            number += 1
        self._next[base] = number
        self._given.add(name)
        return name
