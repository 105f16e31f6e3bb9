"""Every kind of mistake by its code, for `explain` and for the tests. Loads all of them: not for the way of a check.

For example, `mistakes()["E0101"].title` is "a name that stands for nothing".
"""

from __future__ import annotations

from importlib import import_module

from catdl.diagnostics import GROUPS
from catdl.diagnostics.base import Mistake


def mistakes() -> dict[str, type[Mistake]]:
    """The classes by code, in the order of the codes."""
    found: dict[str, type[Mistake]] = {}
    for module_name, _ in GROUPS:
        module = import_module(module_name)
        for value in vars(module).values():
            if not isinstance(value, type) or not issubclass(value, Mistake) or value.__module__ != module_name:
                continue
            other = found.setdefault(value.code, value)
            if other is not value:
                raise TypeError(f"{value.code} is the code of both {other.__name__} and {value.__name__}")
    return {code: found[code] for code in sorted(found)}


def groups() -> list[tuple[str, list[type[Mistake]]]]:
    """What each group of codes is about, and its mistakes, in the order of the codes."""
    kinds = list(mistakes().values())
    return [(about, [kind for kind in kinds if kind.__module__ == module]) for module, about in GROUPS]
