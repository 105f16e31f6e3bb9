"""A diagram of boxes that another one lends its name: wires that nothing makes are left out, the rest numbered anew.

compact(net, wires, boxes, inputs, outputs)
"""

from __future__ import annotations

from catdl.diagram.model import Box, Choice, Diagram, Wire
from catdl.types.facts import Bound


def compact(
    base: Diagram,
    wires: list[Wire],
    boxes: list[Box],
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    choices: tuple[Choice, ...] | None = None,
    bounds: tuple[Bound, ...] | None = None,
) -> Diagram:
    """A diagram of these boxes, without the wires that nothing makes."""
    made = dict.fromkeys((*inputs, *(w for box in boxes for w in box.outputs)))
    at = {old: new for new, old in enumerate(made)}
    return Diagram(
        base.name,
        tuple(wires[old] for old in made),
        tuple(at[w] for w in inputs),
        tuple(at[w] for w in outputs),
        tuple(box.moved(at) for box in boxes),
        base.effects,
        (*base.domain_names, *(None,) * (len(inputs) - len(base.domain_names))),
        base.codomain_names,
        base.facts,
        base.bounds if bounds is None else bounds,
        base.arguments,
        base.choices if choices is None else choices,
    )
