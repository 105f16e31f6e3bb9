"""Layers that torch has no module for, as classes of their own: learned positions, a batch norm given its weight.

Takes a flattened unit. Guarantees: a native step that owns its leaves and never has a module form, or keeps statistics
beside leaves that are plugged, is a call of a unit that is nothing but this native, so that what it holds stands in a
class, next to how it starts and how it is used.

    x = x + self.positions["weight"]       becomes      x = self.positions(x)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from catdl.diagram.model import Box, Diagram, Native, Wire
from catdl.source import Source, Span
from catdl.torch.natives import find
from catdl.torch.steps import Flat, Invoke, Step

_NOWHERE = Span(Source("-", ""), 0, 0)


def with_layers(flat: Flat) -> Flat:
    """The unit with such steps as calls; steps that share a site, and so their weights, stay as they are."""
    sites = Counter(step.site for step in flat.steps)
    kept: dict[str, Invoke] = {}
    for k, step in enumerate(flat.steps):
        if not isinstance(step.op, Native) or not step.site:
            continue
        lowering = find(step.op.entry)
        if lowering is None:
            continue
        if step.plugs and lowering.state:
            call = kept.setdefault(step.site, Invoke(_alone(flat, step, step.op), bare=True))
            flat.steps[k] = replace(step, op=call)
        elif step.op.params and not step.plugs and lowering.module is None and sites[step.site] == 1:
            flat.steps[k] = replace(step, op=Invoke(_alone(flat, step, step.op), bare=True))
    return flat


def _alone(flat: Flat, step: Step, native: Native) -> Diagram:
    """The diagram that is one native."""
    wires = tuple(Wire(flat.wires[w].type, flat.wires[w].constant, None) for w in (*step.inputs, *step.outputs))
    inputs, outputs = tuple(range(len(step.inputs))), tuple(range(len(step.inputs), len(wires)))
    box = Box(native, inputs, outputs, native.entry, (), _NOWHERE)
    nameless = (None,) * len(inputs), (None,) * len(outputs)
    return Diagram(native.entry, wires, inputs, outputs, (box,), frozenset(), *nameless, (), arguments=native.args)
