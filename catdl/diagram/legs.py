"""The legs of a fold over trees: which inputs and outputs of its body are whose, and each as a diagram of its own.

leg(op, 0)      the algebra at the first summand: its constants and carriers, captured wires -> carriers
"""

from __future__ import annotations

from catdl.diagram.model import Diagram, TreeFold
from catdl.types.types import Form, Leaf


def carriers(op: TreeFold) -> int:
    """How many wires the carrier has."""
    return len(op.body.outputs) // len(op.form.summands)


def widths(form: Form, carried: int) -> tuple[int, ...]:
    """How many inputs each leg has, captured wires not counted."""
    return tuple(sum(1 if isinstance(item, Leaf) else carried for item in parts) for parts in form.summands)


def leg(op: TreeFold, summand: int) -> Diagram:
    """The part of the body that a summand's leg is: what its outputs are made of."""
    body, carried = op.body, carriers(op)
    counts = widths(op.form, carried)
    start = sum(counts[:summand])
    inputs = (*body.inputs[start : start + counts[summand]], *body.inputs[len(body.inputs) - op.captured :])
    outputs = body.outputs[summand * carried : (summand + 1) * carried]
    wanted = set(outputs)
    boxes = []
    for box in reversed(body.boxes):
        if wanted.intersection(box.outputs):
            boxes.append(box)
            wanted.update(box.inputs, (wire for _, wire in box.plugs))
    boxes.reverse()
    kept = dict.fromkeys((*inputs, *(wire for box in boxes for wire in box.outputs)))
    at = {old: new for new, old in enumerate(kept)}
    return Diagram(
        body.name,
        tuple(body.wires[wire] for wire in kept),
        tuple(at[wire] for wire in inputs),
        tuple(at[wire] for wire in outputs),
        tuple([box.moved(at) for box in boxes]),
        body.effects,
        (None,) * len(inputs),
        (None,) * len(outputs),
        body.facts,
        body.bounds,
        body.arguments,
        body.choices,
    )
