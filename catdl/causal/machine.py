"""The step machine of a causal morphism: the same function of a sequence that comes in pieces of any length.

Takes a Diagram that is causal along a time of free size. Gives one of the same type, in which the time is as long as
the piece that comes in, with the same parameters under the same keys, and with states that hold what later pieces need:
keys and values of attention, the last elements before a window, the state of a scan, the number of steps so far. What
it gives for piece after piece is, one after the other, what the morphism gives for the whole. A step is a piece of 1.

Every wire along the time comes a number of steps `ahead` of its own index in that of the input: padding before makes
it so, windows take it back. Where several meet, or at a box that is not entered, they wait for each other.

    stepped(gpt2, time, 1024, remade)      gpt2, with `block.3.attention.keys`, … beside its weights
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catdl.causal.core import Time
from catdl.causal.flows import Flow, NotStepped, aligned, history, moved, unchanged
from catdl.causal.level import BOOL, COUNT, Level
from catdl.causal.mixing import ATTENTION, CONVOLUTIONS, Mixing
from catdl.diagram.compact import compact
from catdl.diagram.drive import Work, drive
from catdl.diagram.feed import whole
from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Fold,
    Local,
    Map,
    Native,
    Repeat,
    Static,
)
from catdl.diagram.params import bodies, owns, sole_box
from catdl.diagram.plug import without_site
from catdl.diagram.splice import spliced
from catdl.record import replace
from catdl.source import Span
from catdl.types.sizes import add
from catdl.types.types import Axis, Kind, Leaf

Remake = Callable[[Native, Mapping[str, Static], "Mapping[str, Axis | tuple[Axis, ...]]"], Native]
"""An entry of the prelude with other static arguments, and other axes for its binders."""


def stepped(diagram: Diagram, time: Time, most: int | None, remade: Remake) -> Diagram:
    """The machine of a diagram, in which attention sees at most so many steps before each. Raises NotStepped."""
    machine = Machine(time, most, remade)
    return drive(machine.diagram(diagram)) if machine.mixing.diagram(diagram) else diagram


class Machine:
    """The diagrams of one machine; what is called twice is made once."""

    def __init__(self, time: Time, most: int | None, remade: Remake) -> None:
        self.time = time
        self.most = most
        self.remade = remade
        self.mixing = Mixing(time)
        self.memo: dict[int, tuple[Diagram, Diagram]] = {}

    def diagram(self, given: Diagram) -> Work[Diagram]:
        """The machine of a diagram in which anything goes from step to step."""
        if id(given) not in self.memo:
            self.memo[id(given)] = given, (yield self._diagram(given))
        return self.memo[id(given)][1]

    def _diagram(self, given: Diagram, ahead: Sequence[tuple[int, int]] = ()) -> Work[Diagram]:
        """A machine anew; `ahead`: how far each input comes ahead, and what stands before it."""
        wires, boxes, outputs = spliced(given)
        bounds = tuple(bound for bound in given.bounds if not self.time.enough(bound))
        base = compact(given, wires, boxes, given.inputs, outputs, bounds=bounds)
        level = Level(base, self.time)
        flows: dict[int, Flow] = {}
        numbers: dict[int, int] = {}
        for k, wire in enumerate(base.inputs):
            level.retyped(wire)
            flows[wire] = Flow(wire, *ahead[k]) if ahead else Flow(wire)
        for box in base.boxes:
            _number(box, numbers)
            if any(self.mixing.square(base, wire) for wire in box.outputs):
                why = "it makes an element for each pair of steps"
                raise NotStepped(box.span, why, "`attend(causal = true)` keeps the keys and the values of steps before")
            for wire in box.outputs:
                level.retyped(wire)
                flows[wire] = Flow(wire)
            yield self.box(level, base, box, flows, numbers)
        last = base.boxes[-1].span if base.boxes else None
        level.draft.outputs = tuple(aligned(level, flows[wire], last) for wire in base.outputs)
        level.draft.name = f"{base.name}_steps"
        done = level.draft.diagram()
        return compact(done, list(done.wires), list(done.boxes), done.inputs, done.outputs)

    def box(
        self, level: Level, base: Diagram, box: Box, flows: dict[int, Flow], numbers: dict[int, int]
    ) -> Work[Diagram]:
        """What a box becomes, written; the flows of its outputs are told."""
        op, mixes = box.op, self.mixing.box(base, box)
        if isinstance(op, Core) and (flow := moved(level, base, op, box, flows)) is not None:
            flows[box.outputs[0]] = flow
            return base
        if isinstance(op, Native) and mixes and op.entry not in ATTENTION:
            yield self.native(level, base, box, op, [flows[wire] for wire in box.inputs])
            return base
        if (
            isinstance(op, Core)
            and not mixes
            and unchanged(op, came := flows[box.inputs[0]] if box.inputs else Flow(-1))
        ):
            level.draft.boxes.append(replace(box, op=_sized(op, self.time), inputs=(came.wire,)))
            flows[box.outputs[0]] = replace(came, wire=box.outputs[0])
            return base
        inputs = tuple(aligned(level, flows[wire], box.span) for wire in box.inputs)
        box = replace(box, inputs=inputs, plugs=tuple((path, flows[wire].wire) for path, wire in box.plugs))
        if mixes and isinstance(op, Call | Repeat | Each):
            level.draft.effects.add("state")
            box = replace(box, site=box.site or _site(level, box))
        match op:
            case Core("scan") if mixes:
                _summed(level, op, box)
            case Core() if mixes:
                raise NotStepped(box.span, f"it goes over steps by `{op.name}`", "write it as a scan, `scan[T](alg)`")
            case Core():
                level.draft.boxes.append(replace(box, op=_sized(op, self.time)))
            case Native() if mixes:
                self.attention(level, box, op)
            case Native():
                longer = {
                    name: Axis(axis.label, self.time.size)
                    for name, axis in op.binds
                    if isinstance(axis, Axis) and self.time.more(axis.size) not in (None, 0)
                }
                level.draft.boxes.append(replace(box, op=self.remade(op, {}, longer) if longer else op))
            case Call(callee, inline) if mixes:
                inner = yield self.diagram(callee)
                level.draft.boxes.append(replace(box, op=Call(inner, inline)))
            case Repeat(_, body, tie) if mixes:
                if tie == "tied":
                    why = "its rounds are one layer, and share what it keeps"
                    raise NotStepped(box.span, why, "write the rounds one after the other, with the weights plugged in")
                sole = sole_box(body)
                inner = yield self.diagram(body)
                if sole is not None and sole_box(inner) is None:
                    inner = yield self.diagram(without_site(body, sole))
                level.draft.boxes.append(replace(box, op=replace(op, body=inner)))
            case Each(_, body) if mixes:
                inner = yield self.diagram(body)
                level.draft.boxes.append(replace(box, op=replace(op, body=inner)))
            case Map(axes, body) if not self.mixing.diagram(body):
                kept = tuple(Axis(a.label, self.time.size) if self.time.grows(a.size) else a for a in axes)
                level.draft.boxes.append(replace(box, op=replace(op, axes=kept)))
            case Fold(axis, body) if not self.mixing.diagram(body):
                if self.time.grows(axis.size):
                    _folded(level, box, op, numbers)
                else:
                    level.draft.boxes.append(box)
            case Map() | Fold() if mixes:
                why = "what is in it goes from step to step at every index"
                raise NotStepped(box.span, why, "act on all indices at once")
            case _:
                level.draft.boxes.append(box)
        return base

    def native(self, level: Level, base: Diagram, box: Box, op: Native, flows: list[Flow]) -> Work[Diagram]:
        """An entry of the prelude that goes from step to step: a convolution made for what was kept, others entered."""
        assert op.definition is not None
        if op.entry in CONVOLUTIONS and self.convolution(level, box, op, flows[0]):
            return base
        flows = [Flow(aligned(level, flow, box.span)) if flow.lead is not None else flow for flow in flows]
        inside = _with(whole(op, op.definition.diagram(), box, base), op, box.span)
        inner = yield self._diagram(inside, [(flow.ahead, flow.start) for flow in flows])
        level.draft.effects.add("state")
        site, inputs = box.site or level.draft.fresh(op.entry), tuple(flow.wire for flow in flows)
        level.draft.boxes.append(replace(box, op=Call(inner, False), site=site, inputs=inputs))
        return base

    def attention(self, level: Level, box: Box, op: Native) -> None:
        """Keys and values of the steps before stand in front of those that come; what is not there yet is masked."""
        if op.arg("causal") is not True or op.arg("mask") is True or op.arg("bias") is True:
            why = "its mask or bias has a place for every pair of steps"
            raise NotStepped(box.span, why, "mask with `causal = true` and `window` alone; tell places by `rotary`")
        window = op.arg("window")
        assert isinstance(window, int)
        count = window - 1 if window else self.most
        if count is None:
            why = "it sees all steps before, and how many there may be is not said"
            raise NotStepped(box.span, why, "say how many are kept at most: `step[T](f, max = 1024)`")
        span, size = box.span, self.time.size
        q, k, v = box.inputs
        at = [_place(level, wire) for wire in (k, v)]
        keys = level.before(k, at[0], count, 0, span, "keys")
        values = level.before(v, at[1], count, 0, span, "values")
        steps, past = op.bind("T"), op.bind("U")
        assert isinstance(steps, Axis) and isinstance(past, Axis)
        long = Axis(past.label if past.label != steps.label else f"{past.label}'", add(size, count))
        keep = self.mask(level, Axis(steps.label, size), long, count, window, span)
        keys, values = (_relabelled(level, wire, place, long) for wire, place in zip((keys, values), at, strict=True))
        made = self.remade(op, {"causal": False, "mask": True, "window": 0}, {"U": long, "S'": ()})
        if op.at_in is not None:
            made = replace(made, at_in=(*op.at_in, None))
        level.draft.boxes.append(replace(box, op=made, inputs=(q, keys, values, keep)))

    def mask(self, level: Level, steps: Axis, past: Axis, count: int, window: int, span: Span) -> int:
        """Which of the keys, `count` of them from before, each step sees: those up to itself that there have been."""
        square = Leaf(COUNT, (steps, past))
        truth = Leaf(BOOL, (steps, past))
        t = level.core("index", (), Leaf(COUNT, (steps,)), span, size=steps.size)
        u = level.core("index", (), Leaf(COUNT, (past,)), span, size=past.size)
        late = level.point("add", (t, level.literal(count, COUNT, span)), Leaf(COUNT, (steps,)), span)
        ago = level.core("pointwise", (late, u), square, span, fn="sub", align=((0,), (1,)))
        seen = level.point("ge", (ago, level.literal(0, COUNT, span)), truth, span)
        if window:
            near = level.point("lt", (ago, level.literal(window, COUNT, span)), truth, span)
            seen = level.point("and", (seen, near), truth, span)
        since = level.point("add", (u, level.steps(span)), Leaf(COUNT, (past,)), span)
        been = level.point("ge", (since, level.literal(count, COUNT, span)), Leaf(BOOL, (past,)), span)
        return level.core(
            "pointwise", (seen, been), Leaf(Kind("Keep"), (steps, past)), span, fn="and", align=((0, 1), (1,))
        )

    def convolution(self, level: Level, box: Box, op: Native, flow: Flow) -> bool:
        """What its first windows need stands in front. False where they do not end at each step."""
        kernel, stride, dilation, padding = (_one(op.arg(name)) for name in ("kernel", "stride", "dilation", "padding"))
        count = (kernel - 1) * dilation
        before = {"valid": 0, "same": count // 2, "causal": count}.get(padding, padding)
        if stride != 1 or flow.ahead + before != count or (before and flow.start) or flow.lead is not None:
            return False
        long = history(level, replace(flow, ahead=count), count, box.span, "window") if count else flow.wire
        (at,) = level.timed(long)
        made = self.remade(op, {"padding": 0}, {"L": level.axes(long)[at]})
        level.draft.boxes.append(replace(box, op=made, inputs=(long,)))
        return True


NEUTRAL = {"cumsum": 0, "cumprod": 1}
SCANS = {"cumsum": "add", "cumprod": "mul", "cummax": "maximum", "cummin": "minimum"}


def _summed(level: Level, op: Core, box: Box) -> None:
    """A running sum goes on from the last one."""
    (x,), (out,) = box.inputs, box.outputs
    at: Any = op["axis"]
    info = level.wires[out]
    axes = list(level.axes(out))
    axes[at] = Axis(axes[at].label, 1)
    one = Leaf(info.type.kind, tuple(axes))
    fn = str(op["fn"])
    last, path = level.state("total", one, info.constant, NEUTRAL.get(fn, 0), box.span)
    long = level.joined((last, x), at, box.span)
    every = level.core("scan", (long,), level.wires[long].type, box.span, **dict(op.attrs))
    rest = level.cut(every, at, 1, level.time.size, box.span)
    if fn not in NEUTRAL:
        fresh = level.core("scan", (x,), info.type, box.span, **dict(op.attrs))
        rest = level.first(fresh, rest, box.span)
    level.store(path, level.cut(rest, at, add(level.time.size, -1), 1, box.span), box.span)
    perm = tuple(range(len(axes)))
    level.box(Core("permute", (("perm", perm),)), (rest,), (out,), None, box.span)


def _folded(level: Level, box: Box, op: Fold, numbers: dict[int, int]) -> None:
    """A fold goes on with the state that the call before left."""
    given = list(box.inputs)
    stored: list[tuple[str, int]] = []
    for k in range(op.carried):
        out = level.wires[box.outputs[k]]
        zero = numbers.get(box.inputs[k]) == 0
        past, path = level.state("state", out.type, out.constant, 0, box.span)
        given[k] = past if zero else level.first(box.inputs[k], past, box.span)
        stored.append((path, box.outputs[k]))
    axis = Axis(op.axis.label, level.time.size)
    level.draft.boxes.append(replace(box, op=replace(op, axis=axis), inputs=tuple(given)))
    for path, wire in stored:
        level.store(path, wire, box.span)


def _number(box: Box, numbers: dict[int, int]) -> None:
    """Wires that are one number everywhere."""
    match box.op:
        case Core("literal") if isinstance(value := box.op["value"], int):
            numbers[box.outputs[0]] = value
        case Core("expand" | "permute") if box.inputs[0] in numbers:
            numbers[box.outputs[0]] = numbers[box.inputs[0]]
        case _:
            pass


def _sized(op: Core, time: Time) -> Core:
    """An operation whose sizes are those of a piece."""
    sizes = ("size", "sizes", "count")

    def here(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(here(part) for part in value)
        return time.size if time.grows(value) else value

    return Core(op.name, tuple((key, here(value) if key in sizes else value) for key, value in op.attrs))


def _site(level: Level, box: Box) -> str:
    """A segment for the states of a box that has no parameters. Raises NotStepped where it has some, and none."""
    body = bodies(box)
    if body is not None and owns(body):
        raise NotStepped(
            box.span, "what is kept in it would stand beside what others keep", "give it a name: `name: …`"
        )
    name = body.name.rpartition("::")[2] if body is not None else "part"
    return level.draft.fresh(name if name.isidentifier() else "part")


def _place(level: Level, wire: int) -> int:
    """Where the time stands in a wire."""
    (at,) = level.timed(wire)
    return at


def _relabelled(level: Level, wire: int, at: int, axis: Axis) -> int:
    """A wire whose axis has another name."""
    axes = list(level.axes(wire))
    axes[at] = axis
    info = level.wires[wire]
    level.wires[wire] = replace(info, type=Leaf(info.type.kind, tuple(axes)))
    return wire


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def _with(definition: Diagram, op: Native, span: Span) -> Diagram:
    """A definition with the leaves that the entry has, as they are kept there; it stands where the entry does."""
    own = {parameter.path: parameter for parameter in op.params}
    boxes = [
        replace(
            box,
            op=Local(own[box.op.parameter.path])
            if isinstance(box.op, Local) and box.op.parameter.path in own
            else box.op,
            span=span,
        )
        for box in definition.boxes
    ]
    return compact(definition, list(definition.wires), boxes, definition.inputs, definition.outputs)
