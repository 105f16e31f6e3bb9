"""Folds whose body is written as a morphism: carried wires, elements, captured wires -> carried wires, outputs."""

from __future__ import annotations

from catdl.diagram.model import Diagram, Fold
from catdl.driver import loads
from catdl.types.types import Axis, Leaf
from tests.diagram.by_hand import Hand, ax

T = ax("T")
DIMS = "dim A = 3, H = 4\n"


def body(text: str, name: str = "cell") -> Diagram:
    """The diagram of a morphism over dims A and H."""
    return loads(DIMS + text)[name].diagram()


def folded(
    inside: Diagram, carried: int = 1, captured: int = 0, reverse: bool = False, axis: Axis = T, zeros: bool = False
) -> Diagram:
    """A fold with that body; starts (unless they are `zeros`), elements and captured wires are its inputs."""
    d = Hand("net")
    leaves = [inside.wires[wire].type for wire in inside.inputs]
    last = len(leaves) - captured
    starts = []
    for k, leaf in enumerate(leaves[:carried]):
        if zeros:
            size = leaf.axes[0].size if isinstance(leaf.axes[0], Axis) else 0
            starts.append(d.core("expand", (d.literal(0),), leaf, position=0, size=size))
        else:
            starts.append(d.input(leaf, f"s{k}"))
    elements = [d.input(Leaf(leaf.kind, (axis, *leaf.axes)), f"x{k}") for k, leaf in enumerate(leaves[carried:last])]
    around = [d.input(leaf, f"c{k}") for k, leaf in enumerate(leaves[last:])]
    outs = [inside.wires[wire].type for wire in inside.outputs]
    types = [*outs[:carried], *(Leaf(leaf.kind, (axis, *leaf.axes)) for leaf in outs[carried:])]
    op = Fold(axis, inside, carried, captured, reverse)
    return d.done(*d.box(op, (*starts, *elements, *around), *types, constant=False))


def fold(text: str, carried: int = 1, captured: int = 0, reverse: bool = False, **more: bool) -> Diagram:
    """A fold of the morphism `cell` of a text."""
    return folded(body(text), carried, captured, reverse, **more)  # type: ignore[arg-type]
