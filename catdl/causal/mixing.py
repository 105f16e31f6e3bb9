"""What carries something from step to step: those parts of a Diagram that a step machine has to make anew.

All else does to each step alone what it does, and is the same for a piece of a sequence as for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catdl.causal.core import Time
from catdl.diagram.drive import Work, drive
from catdl.diagram.model import Box, Core, Diagram, Fold, Native
from catdl.diagram.params import bodies
from catdl.types.types import Axis, axis_sizes

ATTENTION = ("attend", "grouped_attend")
CONVOLUTIONS = ("conv1d", "depthwise_conv1d")
ALONG = ("concat", "drop", "merge_axes", "pad", "scan", "slice", "split_axis", "window", "gather", "pick", "argmax")


class Mixing:
    """Which diagrams carry something from step to step; each is looked at once."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self._memo: dict[int, tuple[Diagram, bool]] = {}

    def diagram(self, diagram: Diagram) -> bool:
        """Whether anything in a diagram does."""
        return drive(self._diagram(diagram))

    def box(self, diagram: Diagram, box: Box) -> bool:
        """Whether a box does."""
        return drive(self._box(diagram, box))

    def _diagram(self, diagram: Diagram) -> Work[bool]:
        known = self._memo.get(id(diagram))
        if known is None:
            found = any(self.square(diagram, wire) for wire in range(len(diagram.wires)))
            for box in diagram.boxes:
                found = found or (yield self._box(diagram, box))
            known = self._memo[id(diagram)] = diagram, found
        return known[1]

    def square(self, diagram: Diagram, wire: int) -> bool:
        """Whether a wire has an element for each pair of steps."""
        return sum(map(self.time.grows, axis_sizes(diagram.wires[wire].type))) > 1

    def _box(self, diagram: Diagram, box: Box) -> Work[bool]:
        op, grows = box.op, self.time.grows
        sizes = [axis_sizes(diagram.wires[wire].type) for wire in box.inputs]
        match op:
            case Core():
                return self._core(op, sizes, axis_sizes(diagram.wires[box.outputs[0]].type))
            case Native() if op.entry in ATTENTION:
                keys = op.bind("U")
                return isinstance(keys, Axis) and grows(keys.size)
            case Native(definition=None):
                return False
            case Native(definition=definition, binds=binds):
                if not any(grows(a.size) for _, v in binds for a in (v if isinstance(v, tuple) else (v,)) if _is(a)):
                    return False
                assert definition is not None
                return (yield self._diagram(definition.diagram()))
            case Fold(axis=axis) if grows(axis.size):
                return True
            case _:
                body = bodies(box)
                return body is not None and (yield self._diagram(body))

    def _core(self, op: Core, sizes: Sequence[tuple[object, ...]], out: tuple[object, ...]) -> bool:
        grows = self.time.grows
        attrs: dict[str, Any] = dict(op.attrs)
        match op.name:
            case "index":
                return grows(attrs["size"])
            case "literal":
                return grows(attrs["value"])
            case "contract":
                terms = attrs["ins"]

                pairs = [pair for term, one in zip(terms, sizes, strict=True) for pair in zip(term, one, strict=True)]
                return any(grows(size) and letter not in attrs["out"] for letter, size in pairs)
            case "reduce":
                axes = attrs["axes"]
                return any(grows(sizes[0][axis]) for axis in axes)
            case "slice" if grows(attrs["size"]):
                return True
            case name if name in ALONG:
                at = attrs["axis"]
                return any(grows(one[at]) for one in sizes[: 1 if name != "concat" else None])
            case _:
                return False


def _is(axis: object) -> bool:
    return isinstance(axis, Axis)
