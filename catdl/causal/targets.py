"""Losses whose prediction has read what it is to predict: a causal model that is trained on its own input.

The target has to be some input of tokens, moved along the time at most, and the prediction causal in that input: then
both have a lag, and a prediction with a lag that is no more than its target's has seen it. Where the prediction reads
all steps or later ones nothing is said, for an encoder may be meant; neither where tokens are chosen or drawn, for some
may be masked.

    cross_entropy(gpt2(ids), ids)              seen: the prediction at t has read ids[t]
    cross_entropy(gpt2(ids[:-1]), ids[1:])     not seen
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl.causal.core import Time
from catdl.causal.kept import Times
from catdl.causal.losses import LOSSES, holds
from catdl.causal.states import STILL, Reach, State, Steps
from catdl.causal.walk import Walk
from catdl.diagram.compact import compact
from catdl.diagram.model import Box, Call, Core, Diagram, Native
from catdl.diagram.splice import spliced
from catdl.types.types import Axis

MOVES = ("slice", "pad", "permute")


def seen(diagram: Diagram, times: Times) -> Iterator[tuple[Box, str]]:
    """The losses whose prediction has read its target, each with the time."""
    if any(isinstance(box.op, Call) and holds(box.op.callee) for box in diagram.boxes):
        wires, boxes, outputs = spliced(diagram, holds)
        diagram = compact(diagram, wires, boxes, diagram.inputs, outputs)
    made = {wire: box for box in diagram.boxes for wire in box.outputs}
    if "rand" in diagram.effects or any(_chosen(diagram, box) for box in diagram.boxes):
        return
    for box in diagram.boxes:
        if not isinstance(box.op, Native) or box.op.entry not in LOSSES:
            continue
        prediction, target = box.inputs[:2]
        source = target
        while (maker := made.get(source)) is not None and isinstance(maker.op, Core) and maker.op.name in MOVES:
            source = maker.inputs[0]
        if source not in diagram.inputs:
            continue
        for name in dict.fromkeys(_names(diagram, target)):
            size = times(name)
            if size is None:
                continue
            inputs = [_begun(diagram, wire, name, wire == source) for wire in diagram.inputs]
            part = compact(diagram, list(diagram.wires), list(diagram.boxes), diagram.inputs, (prediction, target))
            states = Walk(Time(size)).run(part, inputs)
            read, told = (_lag(diagram, w, s, name) for w, s in zip((prediction, target), states, strict=True))
            if read is not None and told is not None and min(0, told) <= read <= told:
                yield box, name


def _chosen(diagram: Diagram, box: Box) -> bool:
    """Whether tokens are chosen, as where some are masked."""
    chooses = isinstance(box.op, Core) and box.op.name == "pointwise" and box.op["fn"] == "where"
    return chooses and diagram.wires[box.outputs[0]].type.kind.name == "Fin"


def _names(diagram: Diagram, wire: int) -> list[str]:
    axes = diagram.wires[wire].type.axes
    return [a.label.rstrip("'") if isinstance(a, Axis) and isinstance(a.label, str) else "" for a in axes]


def _begun(diagram: Diagram, wire: int, name: str, source: bool) -> State:
    """What is known of an input: only the one that the target is taken from is looked at."""
    return Steps(tuple(Reach(0, 0) if source and label == name else STILL for label in _names(diagram, wire)))


def _lag(diagram: Diagram, wire: int, state: object, name: str) -> float | None:
    """How far before each step a wire reaches; None where that is not known."""
    if not isinstance(state, Steps):
        return None
    lags = [reach.lag for label, reach in zip(_names(diagram, wire), state.lags, strict=True) if label == name]
    return lags[0] if len(lags) == 1 else None
