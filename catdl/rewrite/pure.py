"""Which boxes are functions: they may be run once for all steps, earlier or later, and change nothing else.

pure(box)      False for dropout, batch norm, what emits, modules of other packages
"""

from __future__ import annotations

from catdl.diagram.model import Box, Core, Emit, Extern, Local, Native, Store
from catdl.diagram.params import bodies, is_learned, post_order

_IMPURE = frozenset({"sample", "across", "training"})


def pure(box: Box) -> bool:
    """Whether a box and all that it holds are functions of its inputs and weights."""
    inner = bodies(box)
    if inner is None:
        return _simple(box)
    return all(_simple(below) for diagram in post_order(inner) for below in diagram.boxes if bodies(below) is None)


def _simple(box: Box) -> bool:
    """A box that holds no diagram; a native is what its definition says, whose depth is fixed."""
    match box.op:
        case Core(name=name):
            return name not in _IMPURE
        case Native(params=params, definition=definition, emits=emits):
            if emits or not all(map(is_learned, params)):
                return False
            return definition is None or all(pure(below) for below in definition.diagram().boxes)
        case Local(parameter) if parameter.state:
            return False
        case Extern() | Store() | Emit():
            return False
        case _:
            return True
