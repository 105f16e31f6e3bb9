"""One unit as a flat list of steps: inline calls and maps are spliced in, declared and plugged parameters are inputs.

Takes a verified Diagram and what `info.py` found. Guarantees: a step reads wires made before it; what is left of
structure are calls of units (`Invoke`), loops (`Loop`) and per-index weights (`Slices`); the text order is kept.
Explicit stack, linear in the boxes spliced in.

    flatten(mlp, …).steps      [Step(Native(flatten) …), Step(Native(linear) …), …]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Extern,
    Global,
    Local,
    Map,
    Native,
    Parameter,
    Repeat,
    Wire,
)
from catdl.diagram.params import globals_of, sole_box
from catdl.torch.info import Info, Infos, definition_of
from catdl.types.types import Axis, Leaf


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of another unit; `lead`: the axes over which its weights are stacked."""

    callee: Diagram
    lead: tuple[Axis, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A repeat: the outputs go round, the inputs beyond them are the same each time."""

    count: int
    body: Diagram
    fresh: bool
    lead: tuple[Axis, ...] = ()


@dataclass(frozen=True, slots=True)
class Slices:
    """`each` of a body whose weights cannot be stacked: the last `captured` inputs are given whole to every index."""

    axis: Axis
    body: Diagram
    captured: int


@dataclass(frozen=True, slots=True)
class Enter:
    """Into a map: the leading axes become batch axes; `merge`: all batch axes are made one."""

    axes: tuple[Axis, ...]
    captured: int
    merge: bool
    mark: int  # of this map, the same in its `Leave`


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of a map."""

    axes: tuple[Axis, ...]
    merge: bool
    mark: int
    lead: int = 0  # how many axes the weights are stacked over outside of it


StepOp: TypeAlias = Core | Native | Extern | Local | Invoke | Loop | Slices | Enter | Leave


@dataclass(frozen=True, slots=True)
class Step:
    """One statement to be."""

    op: StepOp
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    site: str | None
    plugs: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class FlatWire:
    """A wire of a unit; the name may come from a caller."""

    type: Leaf
    name: str | None
    constant: bool


@dataclass(slots=True)
class Flat:
    """A unit's body. `extra` are inputs after the diagram's own: plugged leaves and declared parameters by key."""

    diagram: Diagram
    wires: list[FlatWire] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    plugged: dict[str, int] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def wire(self, leaf: Leaf, name: str | None, constant: bool) -> int:
        """A new wire."""
        self.wires.append(FlatWire(leaf, name, constant))
        return len(self.wires) - 1


class _Frame:
    """A diagram being spliced in: where its wires went, and what to do when it ends."""

    __slots__ = ("at", "boxes", "diagram", "lead", "leave", "outer", "plugs", "site", "start")

    def __init__(
        self,
        diagram: Diagram,
        at: dict[int, int],
        plugs: dict[str, int],
        outer: Box | None,
        leave: Leave | None,
        start: int,
        site: str | None = None,
        lead: tuple[Axis, ...] = (),
    ) -> None:
        self.lead = lead  # the axes of `each` around it: its weights are stacked over them
        self.diagram = diagram
        self.at = at
        self.boxes: Iterator[Box] = iter(diagram.boxes)
        self.plugs = plugs
        self.outer = outer
        self.leave = leave
        self.start = start
        self.site = site  # of the one named box of a map's body


def flatten(
    diagram: Diagram,
    plugged: tuple[Parameter, ...],
    found: Infos,
    bare: bool = False,
    lead: tuple[Axis, ...] = (),
) -> Flat:
    """The steps of one unit; `plugged` are the leaves that come as arguments.

    `bare`: the diagram is one named box, whose site becomes "" (its leaves stand without a segment).
    `lead`: the axes over which its weights are stacked.
    """
    flat = Flat(diagram)
    at: dict[int, int] = {}
    for wire in diagram.inputs:
        at[wire] = _copy(flat, diagram.wires[wire])
        flat.inputs.append(at[wire])
    for parameter in plugged:
        flat.plugged[parameter.path] = flat.wire(parameter.type, parameter.path.replace(".", "_"), True)
    for parameter in globals_of(diagram):
        flat.globals[parameter.path] = flat.wire(parameter.type, parameter.path, True)
    stack = [_Frame(diagram, at, dict(flat.plugged), None, None, 0, "" if bare else None, lead)]
    while stack:
        frame = stack[-1]
        box = next(frame.boxes, None)
        if box is not None:
            _box(flat, frame, box, stack, found)
            continue
        stack.pop()
        results = [frame.at[wire] for wire in frame.diagram.outputs]
        if not stack:
            flat.outputs = results
        else:
            assert frame.outer is not None
            _finish(flat, stack[-1], frame, frame.outer, results)
    return flat


def _copy(flat: Flat, wire: Wire) -> int:
    return flat.wire(wire.type, wire.name, wire.constant)


def _finish(flat: Flat, parent: _Frame, frame: _Frame, box: Box, results: list[int]) -> None:
    """Give what a spliced body made to the wires of its caller."""
    if frame.leave is not None:
        outs = tuple(_copy(flat, parent.diagram.wires[wire]) for wire in box.outputs)
        flat.steps.append(Step(frame.leave, tuple(results), outs, None, ()))
        results = list(outs)
    if isinstance(box.op, Native):
        results = _named_back(flat, parent, box, box.op, results)
    for wire, result in zip(box.outputs, results, strict=True):
        name = parent.diagram.wires[wire].name
        if name is not None and result >= frame.start:
            flat.wires[result].name = name
        parent.at[wire] = result


def _box(flat: Flat, frame: _Frame, box: Box, stack: list[_Frame], found: Infos) -> None:
    inputs = tuple(frame.at[wire] for wire in box.inputs)
    op = box.op
    match op:
        case Global(parameter):
            frame.at[box.outputs[0]] = flat.globals[parameter.path]
        case Local(parameter) if parameter.path in frame.plugs:
            frame.at[box.outputs[0]] = frame.plugs[parameter.path]
        case Call(callee, inline):
            info = found.of(callee)
            if _spliced(info, inline):
                plugs = _plugs(frame, box, inline)
                _enter(stack, callee, inputs, dict(plugs) if inline else {}, box, None, len(flat.wires), frame.site)
            else:
                _step(flat, frame, box, Invoke(callee, frame.lead if info.owns else ()), inputs)
        case Native():
            if frame.lead and op.params:
                _stacked(flat, frame, box, op, inputs, stack)
                return
            definition = definition_of(op)
            if definition is None:
                _step(flat, frame, box, op, inputs)
                return
            start = len(flat.wires)
            inputs = _named_last(flat, op, inputs)
            if found.of(definition).owns:
                outs = _step(flat, frame, box, Invoke(definition), inputs, definition)
                frame.at.update(zip(box.outputs, _named_back(flat, frame, box, op, list(outs)), strict=True))
            else:
                _enter(stack, definition, inputs, {}, box, None, start)
        case Map(axes, body, captured):
            _map(flat, frame, box, stack, found, axes, body, captured)
        case Each(axis, body, captured):
            if found.of(body).owns and not found.of(body).stackable:
                _step(flat, frame, box, Slices(axis, body, captured), inputs)
            else:
                _map(flat, frame, box, stack, found, (axis,), body, captured)
        case Repeat(count, body, tie, _):
            _step(flat, frame, box, _loop(count, body, tie == "fresh", found.of(body).owns, frame.lead), inputs)
        case Local(parameter):
            _step(flat, frame, box, Local(_lead(parameter, frame.lead)), inputs)
        case Core() | Extern():
            _step(flat, frame, box, op, inputs)


INLINE_WEIGHT = 200


def _spliced(info: Info, inline: bool) -> bool:
    """Whether a call is written where it stands; a big parameterless one used often is a function after all."""
    return info.owns or info.uses <= 1 or info.weight <= INLINE_WEIGHT if inline else info.inline


def _loop(count: int, body: Diagram, fresh: bool, owns: bool, lead: tuple[Axis, ...]) -> Loop:
    return Loop(count, body, fresh and owns, lead if owns else ())


def _lead(parameter: Parameter, lead: tuple[Axis, ...]) -> Parameter:
    if not lead:
        return parameter
    return Parameter(parameter.path, Leaf(parameter.type.kind, (*lead, *parameter.type.axes)), parameter.init)


def _stacked(flat: Flat, frame: _Frame, box: Box, op: Native, inputs: tuple[int, ...], stack: list[_Frame]) -> None:
    """A native inside `each`: its definition, with its leaves stacked over the axes of `each`."""
    assert op.definition is not None
    start = len(flat.wires)
    plugs = dict(_plugs(frame, box, False))
    site = box.site if frame.site is None or box.site is None else frame.site
    for parameter in op.params:
        if parameter.path not in plugs:
            wire = plugs[parameter.path] = flat.wire(parameter.type, None, True)
            flat.steps.append(Step(Local(_lead(parameter, frame.lead)), (), (wire,), site, ()))
    inputs = _named_last(flat, op, inputs)
    _enter(stack, op.definition.diagram(), inputs, plugs, box, None, start)


def _plugs(frame: _Frame, box: Box, inline: bool) -> tuple[tuple[str, int], ...]:
    """What is plugged into the leaves of a box: by itself, and by those around it whose paths lead here."""
    own = tuple((path, frame.at[wire]) for path, wire in box.plugs)
    if not frame.plugs:
        return own
    if inline or frame.site is not None:
        return (*own, *frame.plugs.items())
    prefix = f"{box.site}."
    return (*own, *((p.removeprefix(prefix), w) for p, w in frame.plugs.items() if p.startswith(prefix)))


def _named_last(flat: Flat, op: Native, inputs: tuple[int, ...]) -> tuple[int, ...]:
    """The inputs of a native that is run by its definition, which has the named axes at the end."""
    moved = list(inputs)
    for i, at in enumerate(op.at_in or ()):
        if at is not None:
            wire = flat.wires[inputs[i]]
            rank = len(wire.type.axes)
            named = [p % rank for p in at]
            perm = (*(p for p in range(rank) if p not in named), *named)
            leaf = Leaf(wire.type.kind, tuple(wire.type.axes[p] for p in perm))
            moved[i] = flat.wire(leaf, None, wire.constant)
            flat.steps.append(Step(Core("permute", (("perm", perm),)), (inputs[i],), (moved[i],), None, ()))
    return tuple(moved)


def _named_back(flat: Flat, frame: _Frame, box: Box, op: Native, results: list[int]) -> list[int]:
    """Its results, with the named axes where the caller has them."""
    for i, at in enumerate(op.at_out or ()):
        if at is not None:
            made = _copy(flat, frame.diagram.wires[box.outputs[i]])
            rank = len(flat.wires[made].type.axes)
            named = [p % rank for p in at]
            rest = iter(range(rank - len(at)))
            perm = tuple(rank - len(at) + named.index(p) if p in named else next(rest) for p in range(rank))
            flat.steps.append(Step(Core("permute", (("perm", perm),)), (results[i],), (made,), None, ()))
            results[i] = made
    return results


def _step(
    flat: Flat, frame: _Frame, box: Box, op: StepOp, inputs: tuple[int, ...], callee: Diagram | None = None
) -> tuple[int, ...]:
    """One statement; its results have the types of the box, or those of the callee where these differ."""
    typed = (
        [callee.wires[w] for w in callee.outputs]
        if callee is not None
        else [frame.diagram.wires[w] for w in box.outputs]
    )
    outs = tuple(_copy(flat, wire) for wire in typed)
    frame.at.update(zip(box.outputs, outs, strict=True))
    site = box.site if frame.site is None or box.site is None else frame.site
    if isinstance(op, Local):
        site = None  # its path is its whole key
    flat.steps.append(Step(op, inputs, outs, site, _plugs(frame, box, False)))
    return outs


def _enter(
    stack: list[_Frame],
    callee: Diagram,
    inputs: tuple[int, ...],
    plugs: dict[str, int],
    box: Box,
    leave: Leave | None,
    start: int,
    site: str | None = None,
) -> None:
    lead = stack[-1].lead
    stack.append(_Frame(callee, dict(zip(callee.inputs, inputs, strict=True)), plugs, box, leave, start, site, lead))


def _map(
    flat: Flat,
    frame: _Frame,
    box: Box,
    stack: list[_Frame],
    found: Infos,
    axes: tuple[Axis, ...],
    body: Diagram,
    captured: int,
) -> None:
    merge = found.of(body).one_batch
    outer = tuple(frame.at[wire] for wire in box.inputs)
    inside = tuple(_copy(flat, body.wires[wire]) for wire in body.inputs)
    for wire, source in zip(inside, outer, strict=True):
        flat.wires[wire].name = flat.wires[wire].name or flat.wires[source].name
    mark = len(flat.steps)
    flat.steps.append(Step(Enter(axes, captured, merge, mark), outer, inside, None, ()))
    start = len(flat.wires)
    leave = Leave(axes, merge, mark, len(frame.lead))
    lead = (*frame.lead, *axes) if isinstance(box.op, Each) and found.of(body).owns else frame.lead
    if box.site is None or sole_box(body) is not None:
        plugs = dict(_plugs(frame, box, box.site is None))
        _enter(stack, body, inside, plugs, box, leave, start, box.site)
        stack[-1].lead = lead
        return
    made = tuple(_copy(flat, body.wires[wire]) for wire in body.outputs)
    flat.steps.append(
        Step(Invoke(body, lead if found.of(body).owns else ()), inside, made, box.site, _plugs(frame, box, False))
    )
    outs = tuple(_copy(flat, frame.diagram.wires[wire]) for wire in box.outputs)
    flat.steps.append(Step(leave, made, outs, None, ()))
    frame.at.update(zip(box.outputs, outs, strict=True))
