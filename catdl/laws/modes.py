"""What trials of a law can show: whether its sides draw, call modules of other packages, or differ in training.

Takes a Diagram. Guarantees that the definitions of layers are looked into, so a dropout draws, and attention without
one does not.

    means(net)      {"pointwise", "training", "sample"}
"""

from __future__ import annotations

from catdl.diagram.model import VARIABLE, Core, Diagram, Extern, Native
from catdl.diagram.params import post_order


def means(side: Diagram) -> frozenset[str]:
    """The core operations that a diagram comes down to."""
    found: set[str] = set()
    todo, seen = [side], {id(side)}
    while todo:
        for diagram in post_order(todo.pop()):
            for box in diagram.boxes:
                if isinstance(box.op, Core):
                    found.add(box.op.name)
                elif isinstance(box.op, Native) and box.op.definition is not None:
                    inner = box.op.definition.diagram()
                    if id(inner) not in seen:
                        seen.add(id(inner))
                        todo.append(inner)
    return frozenset(found)


def draws(side: Diagram) -> bool:
    """Whether a side draws in evaluation, too."""
    for op in (box.op for diagram in post_order(side) for box in diagram.boxes):
        if (isinstance(op, Core) and op.name == "sample") or (isinstance(op, Extern) and op.target.endswith("~")):
            return True
    return "rand" in side.effects


def foreign(side: Diagram) -> str | None:
    """A module of another package that a side calls; None without one."""
    for op in (box.op for diagram in post_order(side) for box in diagram.boxes):
        if isinstance(op, Extern) and not op.target.startswith(VARIABLE):
            return op.target
    return None
