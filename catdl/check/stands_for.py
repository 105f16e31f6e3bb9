"""What a name stands for, in the words of a message.

sort_of(env.find("D"))      "a dim"
"""

from __future__ import annotations

from catdl.check.scope import (
    DimDef,
    FunctorDef,
    GroupDef,
    KindDef,
    LawDef,
    LearnerDef,
    Module,
    MorphismDef,
    ObjectDef,
    ParamDef,
    Shadow,
    Static,
)
from catdl.check.signature import Row
from catdl.types.types import Axis, Kind, Object, RowVar


def sort_of(found: object) -> str:
    """What a name stands for, in words."""
    match found:
        case DimDef() | Axis():
            return "a dim"
        case KindDef() | Kind():
            return "a kind"
        case ObjectDef() | Object():
            return "an object"
        case FunctorDef():
            return "a functor"
        case GroupDef():
            return "a group"
        case MorphismDef():
            return "a morphism"
        case LawDef():
            return "a law"
        case LearnerDef():
            return "a learner"
        case ParamDef():
            return "a parameter"
        case Static():
            return "a value"
        case Module():
            return "a module"
        case Shadow():
            return "a wire"
        case Row() | RowVar():
            return "a row of axes"
        case _:
            return "something else"
