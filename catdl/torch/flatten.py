"""One unit as a flat list of steps: inline calls and maps are spliced in, declared and plugged parameters are inputs.

Takes a verified Diagram and what `info.py` found. Guarantees: a step reads wires made before it; what is left of
structure are calls of units (`Invoke`), loops (`Loop`) and per-index weights (`Slices`); the text order is kept.
Explicit stack, linear in the boxes spliced in.

    flatten(mlp, …).steps      [Step(Native(flatten) …), Step(Native(linear) …), …]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catdl.diagnostics import NotCompilable
from catdl.diagnostics.base import Help
from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Emit,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Parameter,
    Repeat,
    Store,
    TreeFold,
    Wire,
)
from catdl.diagram.params import globals_of, parameters, sole_box, stacked_parameters
from catdl.record import replace
from catdl.torch.info import Info, Infos, definition_of
from catdl.torch.refuse import Refused
from catdl.torch.steps import Enter, Flat, Invoke, Leave, Loop, Open, Shut, Slices, Stacked, Step, StepOp
from catdl.torch.trees import Legs, climb
from catdl.types.types import Axis, Leaf


class _Frame:
    """A diagram being spliced in: where its wires went, and what to do when it ends."""

    __slots__ = ("again", "at", "boxes", "diagram", "lead", "leave", "outer", "plugs", "site", "start")

    def __init__(
        self,
        diagram: Diagram,
        at: dict[int, int],
        plugs: dict[str, int],
        outer: Box | None,
        leave: Leave | Shut | None,
        start: int,
        site: str | None = None,
        lead: tuple[Axis, ...] = (),
    ) -> None:
        self.again: Callable[[list[int]], None] | None = None  # instead of ending: the next round, from these results
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
    stacked: frozenset[str] = frozenset(),
) -> Flat:
    """The steps of one unit; `plugged` are the leaves that come as arguments.

    `bare`: the diagram is one named box, whose site becomes "" (its leaves stand without a segment).
    `lead`: the axes over which its weights are stacked; those plugged that are `stacked` too.
    """
    flat = Flat(diagram)
    at: dict[int, int] = {}
    for wire in diagram.inputs:
        at[wire] = _copy(flat, diagram.wires[wire])
        flat.inputs.append(at[wire])
    given: dict[str, int] = {}
    for parameter in plugged:
        leaf, axes = parameter.type, lead if parameter.path in stacked else ()
        wire = flat.wire(Leaf(leaf.kind, (*axes, *leaf.axes)), parameter.path.replace(".", "_"), True)
        flat.plugged[parameter.path] = given[parameter.path] = wire
        for _ in axes:
            given[parameter.path] = _stack(flat, given[parameter.path])
    for parameter in globals_of(diagram):
        flat.globals[parameter.path] = flat.wire(parameter.type, parameter.path, True)
    stack = [_Frame(diagram, at, given, None, None, 0, "" if bare else None, lead)]
    while stack:
        frame = stack[-1]
        box = next(frame.boxes, None)
        if box is not None:
            _box(flat, frame, box, stack, found)
            continue
        stack.pop()
        results = [frame.at[wire] for wire in frame.diagram.outputs]
        if frame.again is not None:
            frame.again(results)
        elif not stack:
            flat.outputs = results
            if flat.emits:
                _drop_unread(flat)
        else:
            assert frame.outer is not None
            _finish(flat, stack[-1], frame, frame.outer, results)
    return flat


def _drop_unread(flat: Flat) -> None:
    """Leave out what only led to a value that nobody collects."""
    read = set(flat.outputs)
    kept: list[Step] = []
    for step in reversed(flat.steps):
        pure = isinstance(step.op, Core) or (isinstance(step.op, Native) and not step.op.params)
        if pure and not read.intersection(step.outputs):
            continue
        read.update(step.inputs, (wire for _, wire in step.plugs))
        kept.append(step)
    flat.steps = kept[::-1]


def _copy(flat: Flat, wire: Wire) -> int:
    made = flat.wire(wire.type, wire.name, wire.constant)
    flat.wires[made].made = wire.made
    return made


def _finish(flat: Flat, parent: _Frame, frame: _Frame, box: Box, results: list[int]) -> None:
    """Give what a spliced body made to the wires of its caller."""
    if frame.leave is not None:
        outs = tuple(_copy(flat, parent.diagram.wires[wire]) for wire in box.outputs)
        kept = flat.kept(frame.leave.mark, frame.start) if isinstance(frame.leave, Shut) else ()
        flat.steps.append(Step(frame.leave, (*results, *kept), outs, None, ()))
        results = list(outs)
    if isinstance(box.op, Native):
        results = _named_back(flat, parent, box, box.op, results)
    for wire, result in zip(box.outputs, results, strict=True):
        name = parent.diagram.wires[wire].name
        if name is not None and result >= frame.start:
            flat.wires[result].name = name
        flat.wires[result].made |= parent.diagram.wires[wire].made
        parent.at[wire] = result


def _box(flat: Flat, frame: _Frame, box: Box, stack: list[_Frame], found: Infos) -> None:
    inputs = tuple(frame.at[wire] for wire in box.inputs)
    op = box.op
    match op:
        case Global(parameter):
            wire = flat.globals[parameter.path]
            if parameter.frozen:
                still = flat.wire(parameter.type, parameter.path, True)
                flat.steps.append(Step(Core("stop"), (wire,), (still,), None, ()))
                wire = still
            frame.at[box.outputs[0]] = wire
        case Local(parameter) if box.outputs and parameter.path in frame.plugs:
            frame.at[box.outputs[0]] = frame.plugs[parameter.path]
        case Call(callee, inline):
            info = found.of(callee)
            module = _extern(callee)
            if module is not None:
                _step(flat, frame, box, module, inputs)
            elif _spliced(info, inline):
                plugs = _plugs(frame, box, inline)
                _enter(stack, callee, inputs, dict(plugs) if inline else {}, box, None, len(flat.wires), frame.site)
            else:
                _step(flat, frame, box, Invoke(callee, frame.lead if info.owns else ()), inputs)
        case Native():
            if frame.lead and op.params:
                _stacked(flat, frame, box, op, inputs, stack)
                return
            definition = definition_of(op, found.along)
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
            info = found.of(body)
            if info.stackable or not (info.owns or info.across):
                _map(flat, frame, box, stack, found, (axis,), body, captured)
            elif box.site is not None:
                _step(flat, frame, box, Slices(axis, body, captured), inputs)
            else:
                _slices(flat, frame, box, found, Slices(axis, body, captured), inputs)
        case Repeat(count, body, tie, _):
            owns = found.of(body).owns
            if owns and tie == "fresh" and any(p.startswith(f"{box.site}.") for p in frame.plugs):
                _unrolled(frame, box, stack, count, body, inputs, len(flat.wires))
            elif owns and box.site is None:
                again = Open(count, len(flat.steps), frame.lead)
                _rounds(flat, frame, box, stack, again, body, inputs, len(box.outputs))
            else:
                _step(flat, frame, box, _loop(count, body, tie == "fresh", owns, frame.lead), inputs)
        case Fold(axis, body, carried, captured, reverse):
            elements = len(box.inputs) - carried - captured
            again = Open(axis.size, len(flat.steps), frame.lead, elements, reverse)
            _rounds(flat, frame, box, stack, again, body, inputs, carried)
        case TreeFold():
            names = [frame.diagram.wires[wire].name for wire in box.outputs]
            _legs(flat, frame, box, stack, climb(flat, op, inputs, names))
        case Local(parameter, entry):
            _step(flat, frame, box, Local(_lead(parameter, frame.lead), entry), inputs)
        case Emit():
            flat.emits = True
        case Store(path):
            raise AssertionError(f"the state `{path}` was not opened")
        case Core() | Extern():
            _step(flat, frame, box, op, inputs)


def _extern(callee: Diagram) -> Extern | None:
    """The module of another package that a diagram is: its weights stand under the name of the call."""
    op = callee.boxes[0].op if len(callee.boxes) == 1 else None
    return op if isinstance(op, Extern) else None


INLINE_WEIGHT = 200


def _spliced(info: Info, inline: bool) -> bool:
    """Whether a call is written where it stands; a big parameterless one used often is a function after all."""
    return info.owns or info.uses <= 1 or info.weight <= INLINE_WEIGHT if inline else info.inline


def _loop(count: int, body: Diagram, fresh: bool, owns: bool, lead: tuple[Axis, ...]) -> Loop:
    return Loop(count, body, fresh and owns, lead if owns else ())


def _lead(parameter: Parameter, lead: tuple[Axis, ...]) -> Parameter:
    if not lead:
        return parameter
    return replace(parameter, type=Leaf(parameter.type.kind, (*lead, *parameter.type.axes)))


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
        flat.read[op.parameter.path] = None
    flat.steps.append(Step(op, inputs, outs, site, _plugs(frame, box, False)))
    return outs


def _enter(
    stack: list[_Frame],
    callee: Diagram,
    inputs: tuple[int, ...],
    plugs: dict[str, int],
    box: Box,
    leave: Leave | Shut | None,
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
    flat.steps.append(Step(Enter(axes, captured, merge, mark, isinstance(box.op, Each)), outer, inside, None, ()))
    start = len(flat.wires)
    leave = Leave(axes, merge, mark, len(frame.lead))
    lead = (*frame.lead, *axes) if isinstance(box.op, Each) and found.of(body).owns else frame.lead
    plugs = dict(_plugs(frame, box, box.site is None))
    if box.site is None or sole_box(body) is not None or (plugs and len(plugs) == len(parameters(body))):
        if lead != frame.lead:
            below = {parameter.path for parameter in parameters(body)}
            plugs = {path: _stack(flat, wire) for path, wire in plugs.items() if box.site is not None or path in below}
        _enter(stack, body, inside, plugs, box, leave, start, box.site)
        stack[-1].lead = lead
        return
    if lead != frame.lead:
        plugs = {path: _stack(flat, wire) for path, wire in plugs.items()}
    made = tuple(_copy(flat, body.wires[wire]) for wire in body.outputs)
    flat.steps.append(
        Step(Invoke(body, lead if found.of(body).owns else ()), inside, made, box.site, tuple(plugs.items()))
    )
    outs = tuple(_copy(flat, frame.diagram.wires[wire]) for wire in box.outputs)
    flat.steps.append(Step(leave, made, outs, None, ()))
    frame.at.update(zip(box.outputs, outs, strict=True))


def _stack(flat: Flat, wire: int) -> int:
    """A plugged leaf below an `each`, whose axis is its first."""
    leaf = flat.wires[wire].type
    made = flat.wire(Leaf(leaf.kind, leaf.axes[1:]), None, True)
    flat.steps.append(Step(Stacked(), (wire,), (made,), None, ()))
    flat.stacked.add(made)
    return made


def _slices(flat: Flat, frame: _Frame, box: Box, found: Infos, op: Slices, inputs: tuple[int, ...]) -> None:
    """`each` without a segment of its own: its one box stands for it, else its leaves stand in the unit around it."""
    sole = sole_box(op.body)
    if sole is not None:
        prefix = f"{sole.site}."
        plugs = {p.removeprefix(prefix): wire for p, wire in frame.plugs.items() if p.startswith(prefix)}
        site = sole.site
    else:
        if found.of(op.body).keeps:
            reason = (
                "`each` over several boxes cannot keep a state or hold modules of other packages under their own names"
            )
            help_ = Help("name the occurrence, `name: each[…](…)`, and they stand under that name")
            name = flat.diagram.name.rpartition("::")[2]
            raise Refused(NotCompilable(name, reason, box.span, (help_,)))
        plugs, site = {}, None
        for parameter, lead, _ in stacked_parameters(op.body):
            wire = frame.plugs.get(parameter.path, -1)
            if wire < 0:
                wire = flat.wire(Leaf(parameter.type.kind, parameter.type.axes[lead:]), None, True)
                flat.steps.append(Step(Local(_lead(parameter, (op.axis,))), (), (wire,), None, ()))
            plugs[parameter.path] = wire
    outs = tuple(_copy(flat, frame.diagram.wires[wire]) for wire in box.outputs)
    frame.at.update(zip(box.outputs, outs, strict=True))
    flat.steps.append(Step(op, inputs, outs, site, tuple(plugs.items())))


def _rounds(
    flat: Flat,
    frame: _Frame,
    box: Box,
    stack: list[_Frame],
    op: Open,
    body: Diagram,
    inputs: tuple[int, ...],
    carried: int,
) -> None:
    """A loop without a segment of its own, `iterate` or `fold`: its body is written where it stands."""
    start = len(flat.wires)
    inside = []
    for wire, out, source in zip(body.inputs[:carried], box.outputs, inputs, strict=False):
        constant = body.wires[wire].constant and frame.diagram.wires[out].constant
        inside.append(flat.wire(body.wires[wire].type, body.wires[wire].name or flat.wires[source].name, constant))
    fixed = carried + op.elements
    for wire, source in zip(body.inputs[carried:fixed], inputs[carried:], strict=False):
        whole = flat.wires[source].name
        name = body.wires[wire].name
        name = f"{whole}_t" if whole is not None and name in (None, whole) else name
        inside.append(flat.wire(body.wires[wire].type, name, body.wires[wire].constant))
    flat.steps.append(Step(op, inputs, tuple(inside), None, ()))
    plugs = dict(_plugs(frame, box, True))
    shut = Shut(op.mark, carried, op.reverse)
    _enter(stack, body, (*inside, *inputs[fixed:]), plugs, box, shut, start)


def _legs(flat: Flat, frame: _Frame, box: Box, stack: list[_Frame], work: Legs) -> None:
    """The legs of an algebra, each written where it stands."""
    plugs = dict(_plugs(frame, box, True))

    def again(results: list[int]) -> None:
        try:
            inner, inputs = work.send(results) if results else next(work)
        except StopIteration as end:
            frame.at.update(zip(box.outputs, end.value, strict=True))
            return
        _enter(stack, inner, inputs, dict(plugs), box, None, len(flat.wires))
        stack[-1].again = again

    again([])


def _unrolled(
    frame: _Frame, box: Box, stack: list[_Frame], count: int, body: Diagram, inputs: tuple[int, ...], start: int
) -> None:
    """A repeat whose weights are all given: round after round."""
    rounds = iter(range(count))
    fixed = inputs[len(box.outputs) :]
    site = "" if sole_box(body) is not None else None

    def again(results: list[int]) -> None:
        k = next(rounds, None)
        if k is None:
            frame.at.update(zip(box.outputs, results, strict=True))
            return
        prefix = f"{box.site}.{k}."
        plugs = {p.removeprefix(prefix): wire for p, wire in frame.plugs.items() if p.startswith(prefix)}
        _enter(stack, body, (*results, *fixed), plugs, box, None, start, site)
        stack[-1].again = again

    again(list(inputs[: len(box.outputs)]))
