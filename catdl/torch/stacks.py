"""Tensors that are put side by side along a new axis, as one statement.

Takes a flattened unit. Guarantees: where each part of a `concat` is given the axis of the result alone, for it alone,
the parts are the inputs of a `stack`, which is no core operation: only the text knows it.

    torch.cat((a.unsqueeze(-2), b.unsqueeze(-2)), dim=-2)     becomes     torch.stack((a, b), dim=-2)
"""

from __future__ import annotations

from dataclasses import replace

from catdl.diagram.model import Core
from catdl.torch.steps import Flat, Step


def with_stacks(flat: Flat) -> Flat:
    """The unit with its stacks told; a number, which has no axes, is made a tensor by itself."""
    uses = flat.reads(flat.steps, flat.outputs)
    lifted: dict[int, Step] = {}
    told: dict[int, Step] = {}
    for step in flat.steps:
        if not isinstance(step.op, Core):
            continue
        if step.op.name == "expand" and step.op["size"] == 1 and flat.wires[step.inputs[0]].type.axes:
            lifted[step.outputs[0]] = step
        elif step.op.name == "concat" and len(step.inputs) > 1:
            parts = [lifted.get(wire) for wire in step.inputs]
            if all(part is not None and uses[part.outputs[0]] == 1 for part in parts):
                axes = {part.op["position"] for part in parts if part is not None and isinstance(part.op, Core)}
                if axes == {step.op["axis"]}:
                    told |= {part.outputs[0]: part for part in parts if part is not None}
                    told[step.outputs[0]] = step
    if not told:
        return flat
    steps: list[Step] = []
    for step in flat.steps:
        mine = told.get(step.outputs[0]) if step.outputs else None
        if mine is not step:
            steps.append(step)
        elif isinstance(step.op, Core) and step.op.name == "concat":
            whole = tuple(lifted[wire].inputs[0] for wire in step.inputs)
            steps.append(replace(step, op=Core("stack", step.op.attrs), inputs=whole))
    flat.steps = steps
    return flat
