"""What a kind is stored as: the one table that both the interpreter and the generated code follow.

storage(Kind("Keep"))   "bool"
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from catdl.types.types import Kind, plain

Storage: TypeAlias = Literal["float", "int", "bool", "complex", "tree"]

_STORED: dict[str, Storage] = {
    "Fin": "int",
    "Int": "int",
    "Bool": "bool",
    "Keep": "bool",
    "Drop": "bool",
    "Complex": "complex",
    "mu": "tree",
}


def storage(kind: Kind) -> Storage:
    """`Real` and what lies over it is the module's floating dtype, `Fin` int64, `Bool` bool, `mu` a batch of trees."""
    if kind.size is not None:
        return "int"
    return _STORED.get(kind.root or plain(kind.name), "float")
