"""Inline calls written out: what stands in them adds nothing to keys, so it may stand where they do.

spliced(net)      wires, boxes and outputs, the first of which are those of net
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catdl.diagram.model import Box, Call, Diagram, Wire
from catdl.record import replace
from catdl.source import Span


def spliced(
    diagram: Diagram, also: Callable[[Diagram], bool] = lambda _: False
) -> tuple[list[Wire], list[Box], tuple[int, ...]]:
    """Wires, boxes and outputs of a diagram with its inline calls in their places.

    So are those of `also`, whose boxes are then written where the call is.
    """
    wires = list(diagram.wires)
    boxes: list[Box] = []
    stack: list[tuple[Iterator[Box], Diagram, dict[int, int], Box | None, Span | None]] = [
        (iter(diagram.boxes), diagram, {wire: wire for wire in range(len(wires))}, None, None)
    ]
    while True:
        rest, current, at, outer, place = stack[-1]
        box = next(rest, None)
        if box is None:
            stack.pop()
            if outer is None:
                return wires, boxes, tuple(at[wire] for wire in diagram.outputs)
            around = stack[-1][2]
            around |= zip(outer.outputs, (at[wire] for wire in current.outputs), strict=True)
            continue
        if isinstance(box.op, Call) and (box.op.inline or also(box.op.callee)) and not box.plugs:
            callee = box.op.callee
            inner = place or (None if box.op.inline else box.span)
            inside = dict(zip(callee.inputs, (at[wire] for wire in box.inputs), strict=True))
            for k, wire in enumerate(callee.wires):
                if k not in inside:
                    inside[k] = len(wires)
                    wires.append(wire)
            stack.append((iter(callee.boxes), callee, inside, box, inner))
            continue
        plugs = tuple((path, at[wire]) for path, wire in box.plugs)
        inputs, outputs = tuple(at[w] for w in box.inputs), tuple(at[w] for w in box.outputs)
        boxes.append(replace(box, inputs=inputs, outputs=outputs, plugs=plugs, span=place or box.span))
