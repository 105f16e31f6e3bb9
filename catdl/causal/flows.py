"""How a wire of a step machine comes beside the steps, and what moves it along the time.

A wire along the time comes a number of steps `ahead` of its own index in that of the input: padding before makes it so,
windows and slices take it back. What stands before its first step is a number, or a wire.

    x >> pad[T](2, 0)                        Flow(x, ahead=2)
    x >> pad[T](2, 0) >> window[T](K: 3)     Flow(…, ahead=0), of x with its last 2 elements of the call before in front
"""

from __future__ import annotations

from typing import Any

from catdl.causal.level import BOOL, COUNT, Level
from catdl.diagram.model import Box, Core, Diagram
from catdl.record import record, replace
from catdl.source import Span
from catdl.types.types import Axis, Kind, Leaf


class NotStepped(Exception):
    """What no machine is known for, though it is causal; `why` says what it is, `instead` what to do."""

    def __init__(self, span: Span, why: str, instead: str) -> None:
        self.span = span
        self.why = why
        self.instead = instead


ELSEWHERE = ("permute", "expand", "drop", "split_axis", "merge_axes", "slice", "pad", "window")
"""What moves elements along other axes leaves the time as it is, and a number that stands before it."""


@record
class Flow:
    """A wire of the machine: how many steps ahead it comes, and what stands before its first: a number, or a wire."""

    wire: int
    ahead: int = 0
    start: int = 0
    lead: int | None = None


def aligned(level: Level, flow: Flow, span: Span | None) -> int:
    """A wire that comes no step ahead: it is held back."""
    if flow.ahead == 0:
        return flow.wire
    assert span is not None
    if flow.ahead < 0:
        why = "it gives fewer steps than come in"
        raise NotStepped(span, why, "pad before, so that there is one for each step")
    (at,) = level.timed(flow.wire)
    long = history(level, flow, flow.ahead, span, "held")
    return level.cut(long, at, 0, level.time.size, span)


def history(level: Level, flow: Flow, count: int, span: Span, name: str) -> int:
    """A wire with so many elements before those of this call, the first of which stood there from the start."""
    (at,) = level.timed(flow.wire)
    if flow.lead is None or flow.ahead == 0:
        return level.before(flow.wire, at, count, flow.start if flow.ahead else 0, span, name)
    axes, info = list(level.axes(flow.wire)), level.wires[flow.wire]
    axes[at] = Axis(axes[at].label, count)
    leaf = Leaf(info.type.kind, tuple(axes))
    lead = flow.lead
    if count <= flow.ahead:
        lead = level.cut(lead, at, flow.ahead - count, count, span)
    else:
        lead = level.core(
            "pad", (lead,), leaf, span, axis=at, before=count - flow.ahead, after=0, mode="constant", value=0
        )
    constant = info.constant and level.wires[lead].constant
    past, path = level.state(name, leaf, constant, 0, span)
    long = level.joined((level.first(lead, past, span), flow.wire), at, span)
    level.store(path, level.cut(long, at, level.time.size, count, span), span)
    return long


def moved(level: Level, base: Diagram, op: Core, box: Box, flows: dict[int, Flow]) -> Flow | None:
    """What becomes of operations that move along the time, or count it; None for all others."""
    time, out = level.time, box.outputs[0]
    a: dict[str, Any] = dict(op.attrs)
    grows = [k for k in range(len(box.inputs)) if any(time.grows(s.size) for s in _axes(base, box.inputs[k]))]
    if op.name == "index" and time.grows(a["size"]):
        axis = level.axes(out)[0]
        return Flow(level.places(axis, level.wires[out].type.kind, box.span))
    if op.name == "slice" and not grows and time.grows(a["size"]):
        x = flows[box.inputs[0]].wire
        at = a["axis"]
        if not isinstance(a["start"], int) or a["step"] != 1:
            raise NotStepped(
                box.span, "it takes rows of a table by steps that are counted from the end", "count them from the start"
            )
        kind = Kind("Fin", level.axes(x)[at].size)
        place = level.places(level.axes(out)[at], kind, box.span, a["start"])
        return Flow(level.core("gather", (x, place), level.wires[out].type, box.span, axis=at))
    at = a.get("axis")
    if not grows or at is None or not any(time.grows(_axes(base, box.inputs[k])[at].size) for k in grows):
        return None
    flow = flows[box.inputs[grows[0]]]
    match op.name:
        case "slice" if isinstance(a["start"], int) and a["step"] == 1 and time.grows(a["size"]):
            return _later(level, flow, a["start"], box.span)
        case "pad" if a["before"] == 0:
            return flow
        case "pad" if a["mode"] == "constant":
            if flow.ahead > 0 and (flow.lead is not None or flow.start != (a["value"] or 0)):
                flow = Flow(aligned(level, flow, box.span))
            wire = _begun(level, flow, a["value"] or 0, box.span)
            return Flow(wire, flow.ahead + a["before"], a["value"] or 0)
        case "window" if a["stride"] == 1:
            count = (a["size"] - 1) * a["dilation"]
            if flow.lead is not None and flow.ahead > count:
                flow = Flow(aligned(level, flow, box.span))
            long = history(level, flow, count, box.span, "window") if count else flow.wire
            size = time.size
            op = Core("window", tuple((key, size if key == "count" else value) for key, value in op.attrs))
            level.draft.boxes.append(replace(box, op=op, inputs=(long,)))
            return Flow(out, flow.ahead - count, flow.start)
        case "concat":
            return _led(level, base, box, flows, at)
        case _:
            return None


def _later(level: Level, flow: Flow, start: int, span: Span) -> Flow:
    """A wire from a later element on; what stands before its first step goes first."""
    ahead = flow.ahead - start
    if flow.lead is None:
        return replace(flow, ahead=ahead)
    if ahead <= 0:
        return Flow(flow.wire, ahead)
    return replace(flow, ahead=ahead, lead=level.cut(flow.lead, level.timed(flow.wire)[0], start, ahead, span))


def _begun(level: Level, flow: Flow, start: int, span: Span) -> int:
    """A wire that lags behind, with a number instead of what comes before its first step."""
    if flow.ahead >= 0:
        return flow.wire
    (at,) = level.timed(flow.wire)
    leaf, axis = level.wires[flow.wire].type, level.axes(flow.wire)[at]
    first = level.literal(-flow.ahead, COUNT, span)
    early = level.point("lt", (level.places(axis, COUNT, span), first), Leaf(BOOL, (axis,)), span)
    align = (at,), (), tuple(range(len(leaf.axes)))
    number = level.literal(start, leaf.kind, span)
    return level.core("pointwise", (early, number, flow.wire), leaf, span, fn="where", align=align)


def unchanged(op: Core, flow: Flow) -> bool:
    """Whether what stands before the time is the same number after an operation, for it goes along another axis."""
    return op.name in ELSEWHERE and flow.lead is None and (op.name != "pad" or (op["value"] or 0) == flow.start)


def _led(level: Level, base: Diagram, box: Box, flows: dict[int, Flow], at: int) -> Flow:
    """What stands before the steps; what stands after them is never reached."""
    lead: list[int] = []
    for wire in box.inputs:
        if level.time.grows(_axes(base, wire)[at].size):
            flow = Flow(aligned(level, flows[wire], box.span))
            break
        lead.append(flows[wire].wire)
    joined = lead[0] if lead else None
    for wire in lead[1:]:
        assert joined is not None
        joined = level.joined((joined, wire), at, box.span)
    if joined is None:
        return flow
    size = level.axes(joined)[at].size
    if not isinstance(size, int):
        raise NotStepped(box.span, "what stands before the steps has no fixed length", "give it one")
    return Flow(flow.wire, size, 0, joined)


def _axes(diagram: Diagram, wire: int) -> list[Axis]:
    return [axis for axis in diagram.wires[wire].type.axes if isinstance(axis, Axis)]
