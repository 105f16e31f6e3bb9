"""What a diagram keeps, as further inputs and outputs: a network with a state as a function of it (a Mealy machine).

Takes a Diagram. Guarantees the same parameters, and the same inputs and outputs, after these one more of each for every
state in it or in what it holds: its value before the call, and after it. They are named by their keys. A state that is
plugged from outside is none. Rounds of `repeat` keep each for themselves and become calls one by one; those of
`iterate` and the steps of a fold hand one value on; `each` keeps one at every index; at the indices of a `map` all
values are one. The places where states are kept stay, as `Local` boxes without an output.

    opened(net)      x, mean, cell.h -> y, mean, cell.h
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from catdl.diagram.drive import Work, drive
from catdl.diagram.feed import whole
from catdl.diagram.model import Box, Call, Core, Diagram, Each, Fold, Local, Map, Native, Parameter, Repeat, Store, Wire
from catdl.diagram.params import bodies, post_order, sole_box
from catdl.diagram.plug import Draft, without_site
from catdl.record import record, replace
from catdl.source import Span
from catdl.types.types import Axis, Leaf

Opened: TypeAlias = tuple[Diagram, tuple[Parameter, ...]]
Enters: TypeAlias = Callable[[Native], bool]


@record
class _Slot:
    """A state of a box: the value that goes in, the parameter under its key, the one that comes out."""

    before: int
    parameter: Parameter
    after: int


def opened(diagram: Diagram, enters: Enters = lambda _: True) -> Opened:
    """The diagram with its states as inputs and outputs, and these states; `enters` says of which layers, too."""
    stateful = _stateful(diagram, enters)
    if id(diagram) not in stateful:
        return diagram, ()
    return drive(_open(diagram, _Pass(enters, stateful, {})))


@record
class _Pass:
    enters: Enters
    stateful: set[int]
    memo: dict[int, tuple[Diagram, Opened]]  # the diagrams are held: they are known by identity


def _holds(box: Box, enters: Enters) -> bool:
    """Whether a box reads or writes a state itself, or is a layer that does."""
    match box.op:
        case Local(parameter):
            return bool(parameter.state)
        case Native(params=params, definition=definition):
            plugged = {path for path, _ in box.plugs}
            moves = any(p.state and p.path not in plugged for p in params)
            return moves and definition is not None and enters(box.op)
        case _:
            return False


def _stateful(diagram: Diagram, enters: Enters) -> set[int]:
    """The diagrams in it, by identity, that keep anything."""
    found: set[int] = set()
    for inner in post_order(diagram):
        for box in inner.boxes:
            body = bodies(box)
            if _holds(box, enters) or (body is not None and id(body) in found):
                found.add(id(inner))
                break
    return found


class _Opening(Draft):
    """A diagram under way: the states met so far, with the wires of their values before and now."""

    __slots__ = ("now", "parameters")

    def __init__(self, base: Diagram) -> None:
        super().__init__(base)
        self.now: dict[str, tuple[int, int]] = {}
        self.parameters: dict[str, Parameter] = {}

    def cell(self, parameter: Parameter, wire: int | None = None) -> int:
        """What a state holds here; one that is met first is a new input, the wire `wire` if that is given."""
        if parameter.path not in self.now:
            name = parameter.path.replace(".", "_")
            info = Wire(parameter.type, parameter.state == "constant", name)
            before = self.wire(info) if wire is None else wire
            self.parameters[parameter.path] = parameter
            self.now[parameter.path] = before, before
        return self.now[parameter.path][1]

    def store(self, path: str, wire: int) -> None:
        """What a state holds from here on."""
        self.now[path] = self.now[path][0], wire

    def slots(self, states: tuple[Parameter, ...], before: str, axes: tuple[Axis, ...] = ()) -> list[_Slot]:
        """The states of a box under `before`, with the axes of an `each` in front."""
        made = []
        for state in states:
            leaf = Leaf(state.type.kind, (*axes, *state.type.axes))
            here = replace(state, path=f"{before}{state.path}", type=leaf)
            after = self.wire(Wire(leaf, state.state == "constant", here.path.replace(".", "_")))
            made.append(_Slot(self.cell(here), here, after))
        return made

    def done(self) -> Opened:
        """The diagram with its states outside."""
        made = self.diagram()
        made.inputs = (*self.base.inputs, *(before for before, _ in self.now.values()))
        made.outputs = (*self.base.outputs, *(after for _, after in self.now.values()))
        made.domain_names = (*self.base.domain_names, *(path.replace(".", "_") for path in self.now))
        made.codomain_names = (*self.base.codomain_names, *(path.replace(".", "_") for path in self.now))
        return made, tuple(self.parameters.values())


def _below(box: Box, body: Diagram, states: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """The states below a box: where its body is one named box, without the segment of that one."""
    sole = sole_box(body) if box.site is not None else None
    if sole is None:
        return states
    return tuple(replace(state, path=state.path.removeprefix(f"{sole.site}.")) for state in states)


def _open(diagram: Diagram, opening: _Pass) -> Work[Opened]:
    known = opening.memo.get(id(diagram))
    if known is not None:
        return known[1]
    draft = _Opening(diagram)
    for box in diagram.boxes:
        yield from _box(draft, box, opening)
    done = draft.done()
    opening.memo[id(diagram)] = diagram, done
    return done


def _box(draft: _Opening, box: Box, opening: _Pass) -> Work[Opened]:
    op = box.op
    before = f"{box.site}." if box.site is not None else ""
    nothing = draft.base, ()
    match op:
        case Local(parameter) if parameter.state:
            if not box.outputs:
                draft.boxes.append(box)
                return nothing
            if parameter.path not in draft.now:
                draft.boxes.append(replace(box, outputs=()))
                draft.cell(parameter, box.outputs[0])
            return nothing
        case Store(path):
            draft.store(path, box.inputs[0])
            return nothing
        case Native(definition=definition) if _holds(box, opening.enters) and definition is not None:
            inside = whole(op, definition.diagram(), box, draft.base)
            inner, states = yield _open(inside, opening)
            _layer(draft, box, inner, states, before)
        case Call(callee, inline) if id(callee) in opening.stateful:
            inner, states = yield _open(callee, opening)
            slots = draft.slots(states, "" if inline else before)
            _add(draft, box, Call(inner, inline), len(box.inputs), slots, len(box.outputs))
        case Each(axis, body, captured) if id(body) in opening.stateful:
            inner, states = yield _open(body, opening)
            slots = draft.slots(_below(box, inner, states), before, (axis,))
            inner = _moved(inner, len(states), captured)
            _add(draft, box, replace(op, body=inner), len(box.inputs) - captured, slots, len(box.outputs))
        case Fold(body=body, carried=carried, captured=captured) if id(body) in opening.stateful:
            inner, states = yield _open(body, opening)
            slots = draft.slots(_below(box, inner, states), before)
            inner = _carried(inner, len(states), carried)
            _add(draft, box, replace(op, body=inner, carried=carried + len(states)), carried, slots, carried)
        case Map(body=body, captured=captured) if id(body) in opening.stateful:
            inner, states = yield _open(body, opening)
            slots = draft.slots(_below(box, inner, states), before)
            _map(draft, box, replace(op, body=inner, captured=captured + len(states)), slots)
        case Repeat(tie="tied", body=body) if id(body) in opening.stateful:
            inner, states = yield _open(body, opening)
            slots = draft.slots(_below(box, inner, states), before)
            count = len(box.outputs)
            inner = _carried(inner, len(states), count)
            _add(draft, box, replace(op, body=inner), count, slots, count)
        case Repeat(body=body) if id(body) in opening.stateful:
            inner, states = yield _open(body, opening)
            _rounds(draft, box, op, inner, _below(box, inner, states))
        case _:
            draft.boxes.append(box)
    return nothing


def _layer(draft: _Opening, box: Box, inner: Diagram, states: tuple[Parameter, ...], before: str) -> None:
    """A layer by its definition; what is plugged into it for a state is read in its place and not written."""
    plugged = dict(box.plugs)
    slots = {state.path: draft.slots((state,), before)[0] for state in states if state.path not in plugged}
    inputs, outputs = [], []
    for state in states:
        slot = slots.get(state.path)
        inputs.append(slot.before if slot else plugged[state.path])
        outputs.append(slot.after if slot else draft.wire(Wire(state.type, state.state == "constant", None)))
    paths = {state.path for state in states}
    plugs = tuple((path, wire) for path, wire in box.plugs if path not in paths)
    ends = (*box.inputs, *inputs), (*box.outputs, *outputs)
    draft.boxes.append(Box(Call(inner, False), *ends, box.site, plugs, box.span))
    for slot in slots.values():
        draft.store(slot.parameter.path, slot.after)


def _add(draft: _Opening, box: Box, op: Call | Each | Fold | Repeat, at: int, slots: list[_Slot], out: int) -> None:
    """The box with its states before the input `at`, and their values after it before the output `out`."""
    inputs = (*box.inputs[:at], *(slot.before for slot in slots), *box.inputs[at:])
    outputs = (*box.outputs[:out], *(slot.after for slot in slots), *box.outputs[out:])
    draft.boxes.append(replace(box, op=op, inputs=inputs, outputs=outputs))
    for slot in slots:
        draft.store(slot.parameter.path, slot.after)


def _moved(inner: Diagram, count: int, captured: int) -> Diagram:
    """An opened body whose states, its last inputs, stand before the `captured` ones."""
    own, states = inner.inputs[: len(inner.inputs) - count], inner.inputs[len(inner.inputs) - count :]
    at = len(own) - captured
    return _with(inner, (*own[:at], *states, *own[at:]), inner.outputs)


def _carried(inner: Diagram, count: int, at: int) -> Diagram:
    """An opened body whose states, the last inputs and outputs, stand right after the first `at` of both."""
    ins, outs = len(inner.inputs) - count, len(inner.outputs) - count
    inputs = (*inner.inputs[:at], *inner.inputs[ins:], *inner.inputs[at:ins])
    return _with(inner, inputs, (*inner.outputs[:at], *inner.outputs[outs:], *inner.outputs[at:outs]))


def _with(inner: Diagram, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Diagram:
    """A body with its ports in another order."""
    names = dict(zip(inner.inputs, inner.domain_names, strict=False))
    ends = dict(zip(inner.outputs, inner.codomain_names, strict=False))
    made = Draft(inner)
    made.boxes = list(inner.boxes)
    body = made.diagram()
    body.inputs, body.outputs = inputs, outputs
    body.domain_names = tuple(names.get(wire) for wire in inputs)
    body.codomain_names = tuple(ends.get(wire) for wire in outputs)
    return body


def _map(draft: _Opening, box: Box, op: Map, slots: list[_Slot]) -> None:
    """A map whose states are the same at every index: the value at the first one is that of all."""
    lead = []
    for slot in slots:
        info = draft.wires[slot.after]
        lead.append(draft.wire(replace(info, type=Leaf(info.type.kind, (*op.axes, *info.type.axes)))))
    inputs = (*box.inputs, *(slot.before for slot in slots))
    draft.boxes.append(replace(box, op=op, inputs=inputs, outputs=(*box.outputs, *lead)))
    for slot, wire in zip(slots, lead, strict=True):
        draft.store(slot.parameter.path, _first(draft, wire, len(op.axes), slot.after, box.span))


def _first(draft: _Opening, wire: int, count: int, last: int, span: Span) -> int:
    """What stands at the first index of the first `count` axes of a wire: the wire `last`."""
    for left in reversed(range(count)):
        leaf = draft.wires[wire].type
        axis = leaf.axes[0]
        assert isinstance(axis, Axis)
        one = draft.wire(replace(draft.wires[wire], type=Leaf(leaf.kind, (Axis(axis.label, 1), *leaf.axes[1:]))))
        attrs = (("axis", 0), ("start", 0), ("step", 1), ("size", 1))
        draft.boxes.append(Box(Core("slice", attrs), (wire,), (one,), None, (), span))
        wire = last if not left else draft.wire(replace(draft.wires[wire], type=Leaf(leaf.kind, leaf.axes[1:])))
        draft.boxes.append(Box(Core("drop", (("axis", 0),)), (one,), (wire,), None, (), span))
    return wire


def _renamed(inner: Diagram, states: tuple[Parameter, ...]) -> Diagram:
    """A body whose one box adds no segment any more: its states are called without it."""
    names = tuple(state.path.replace(".", "_") for state in states)
    count = len(names)
    inner.domain_names = (*inner.domain_names[: len(inner.domain_names) - count], *names)
    inner.codomain_names = (*inner.codomain_names[: len(inner.codomain_names) - count], *names)
    called = {w: n for ends in (inner.inputs, inner.outputs) for w, n in zip(ends[-count:], names, strict=True)}
    inner.wires = tuple(replace(w, name=called.get(k, w.name)) for k, w in enumerate(inner.wires))
    return inner


def _rounds(draft: _Opening, box: Box, op: Repeat, inner: Diagram, states: tuple[Parameter, ...]) -> None:
    """A repeat with weights of its own in each round: calls one by one."""
    sole = sole_box(inner) if box.site is not None else None
    inner = inner if sole is None else _renamed(without_site(inner, sole), states)
    carried, fixed = box.inputs[: len(box.outputs)], box.inputs[len(box.outputs) :]
    for k in range(op.count):
        results = box.outputs
        if k < op.count - 1:
            results = tuple(draft.wire(draft.wires[w]) for w in box.outputs)
        slots = draft.slots(states, f"{box.site}.{k}.")
        inputs = (*carried, *fixed, *(slot.before for slot in slots))
        outputs = (*results, *(slot.after for slot in slots))
        plugs = tuple((path.partition(".")[2], w) for path, w in box.plugs if path.startswith(f"{k}."))
        draft.boxes.append(Box(Call(inner, False), inputs, outputs, f"{box.site}.{k}", plugs, box.span))
        for slot in slots:
            draft.store(slot.parameter.path, slot.after)
        carried = results
