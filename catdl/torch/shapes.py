"""Shapes and signatures in the spec's words, for comments and docstrings.

shape(Real[T, D: 768])     "[..., T, D=768]"
"""

from __future__ import annotations

from catdl.diagram.model import Diagram
from catdl.types.sizes import show
from catdl.types.types import Axis, Leaf, Object, show_label, show_leaf, show_object, walk_axes

MANY = 4


def shape(leaf: Leaf, batched: bool = True) -> str:
    """The axes of a tensor as a comment shows them."""
    items = ["..."] if batched else []
    for axis in walk_axes(leaf.axes):
        assert isinstance(axis, Axis)
        name, size = show_label(axis.label), show(axis.size)
        items.append(size if not name else name if name == size else f"{name}={size}")
    return f"[{', '.join(items)}]"


def signature(diagram: Diagram, named: bool = True) -> str:
    """`mlp : Real[H: 8, W: 8] -> Logits[Class: 10]`; `named`: with the names of inputs and outputs."""
    arrow = "~>" if "rand" in diagram.effects else "->"
    ins = _object(diagram, diagram.inputs, diagram.domain_names if named else ())
    outs = _object(diagram, diagram.outputs, diagram.codomain_names if named else ())
    return f"{diagram.name.rpartition('::')[2]} : {ins} {arrow} {outs}"


def _object(diagram: Diagram, wires: tuple[int, ...], names: tuple[str | None, ...]) -> str:
    leaves = [diagram.wires[wire].type for wire in wires]
    if len(leaves) > MANY * MANY:
        return f"{show_leaf(leaves[0])} @ … ({len(leaves)} in all)"
    if len(names) != len(leaves):
        names = (None,) * len(leaves)
    return show_object(Object(tuple(leaves), names))
