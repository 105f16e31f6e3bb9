"""What goes by the order of a set: W0301.

Takes Diagrams; every axis of every wire gets a state (`states.py`), by the core operations: those of the file, and
those that the entries of the prelude are defined by. Convolution, positions, cumulative sums and weights along the axis
are found alike, whatever they are called; what merges elements and parts them again the same way is not. Each diagram
of the file is looked at once, its inputs by their labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, assert_never

from catdl.diagram.commutative import unordered
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
    Repeat,
    Store,
    TreeFold,
    Wire,
)
from catdl.lint.states import BROKEN, PLAIN, Joined, Set, State, cut, join, meet, merge, set_in, split
from catdl.record import field, record
from catdl.types.sizes import Poly, Size
from catdl.types.types import Axis, Label, Word, axis_sizes

DEFINITIONS = 150  # looked into for one program; of what is used beyond them nothing is said

States = tuple[State, ...]
IsSet = Callable[[str], bool]


class Clash(NamedTuple):
    """A box that goes by the order of a set: the label of its dim, and what it does to it."""

    box: Box
    dim: str
    how: str


class Outcome(NamedTuple):
    """What comes of a definition: the states of its results, and the first clash inside."""

    results: tuple[States, ...]
    clash: tuple[str, str] | None


@record(frozen=False)
class Walk:
    """One diagram on the way from its inputs to its outputs."""

    diagram: Diagram
    is_set: IsSet | None  # of a label; None inside a definition, where labels are those of the entry
    memo: dict[object, Outcome]
    known: dict[Label, str] = field(default_factory=dict)  # inside a definition, the labels that are sets at its use
    at: dict[int, States] = field(default_factory=dict)
    bare: dict[int, str] = field(default_factory=dict)  # wires that are the index of a set and nothing more, of which
    negative: set[int] = field(default_factory=set)  # wires that are a negative number
    held: dict[int, bool] = field(default_factory=dict)  # conditions that are the same of every index, as `i != -100`
    clashes: list[Clash] = field(default_factory=list)
    read: set[int] = field(default_factory=set)  # wires of which anything comes

    def run(self, inputs: list[States]) -> list[States]:
        """The states of the outputs."""
        self.at.update(zip(self.diagram.inputs, inputs, strict=True))
        self.read.update(self.diagram.outputs, *(box.inputs for box in self.diagram.boxes))
        for box in self.diagram.boxes:
            before = len(self.clashes)
            results = self.box(box)
            if len(self.clashes) > before:
                del self.clashes[before + 1 :]
            self.at.update(zip(box.outputs, results, strict=True))
        return [self.at[wire] for wire in self.diagram.outputs]

    def clash(self, box: Box, state: State, how: str) -> State:
        """Note that a box goes by the order of a set."""
        dim = set_in(state)
        assert dim is not None
        self.clashes.append(Clash(box, dim, how))
        return BROKEN

    def meet(self, box: Box, states: list[State], how: str) -> State:
        """Axes that a box reads together."""
        found: State = None
        for state in states:
            old, found = found, meet(found, state)
            if found is BROKEN and old is not BROKEN and state is not BROKEN:
                return self.clash(box, old if set_in(old) else state, how)
        return found

    def sizes(self, wire: int) -> tuple[Size, ...]:
        """The sizes of the axes of a wire."""
        return axis_sizes(self.diagram.wires[wire].type)

    def box(self, box: Box) -> list[States]:
        """The states of what a box yields."""
        match box.op:
            case Core():
                return [self.core(box, box.op)]
            case Native():
                return self.native(box, box.op)
            case Global() | Local():
                return [(PLAIN,) * len(self.sizes(wire)) for wire in box.outputs]
            case Each(axis=axis):
                state = self.named(axis)
                if set_in(state):
                    self.clash(box, state, "has weights for each element")
                return self.labelled(box)
            case Call(callee=callee) if self.is_set is None:
                found = self.inside(callee, [self.at[wire] for wire in box.inputs], self.known, self.bare_inputs(box))
                if found.clash is not None:
                    self.clashes.append(Clash(box, *found.clash))
                return list(found.results)
            case Fold(axis=axis, carried=carried, captured=captured) if len(box.inputs) > carried + captured:
                state = self.named(axis)
                if set_in(state) and not (unordered(box.op) and self.read.isdisjoint(box.outputs[carried:])):
                    self.clash(box, state, "goes through it step by step")
                return self.labelled(box)
            case Call() | Repeat() | Map() | Fold() | TreeFold() | Extern() | Store() | Emit():
                return self.labelled(box)
            case _:
                assert_never(box.op)

    def labelled(self, box: Box) -> list[States]:
        """Outputs by their labels."""
        return [by_label(self.diagram.wires[wire], self.is_set) for wire in box.outputs]

    def named(self, axis: Axis) -> State:
        """An axis by its label."""
        return None if self.is_set is None else of_label(axis.label, axis.size, self.is_set)

    def set_named(self, label: Label) -> str | None:
        """The set that a label names, here or at the use of the definition."""
        if self.is_set is None:
            return self.known.get(label)
        name = label.rstrip("'") if isinstance(label, str) else ""
        return name if self.is_set(name) else None

    def set_of(self, bound: Axis | tuple[Axis, ...]) -> str | None:
        """The set that a binder became an axis of."""
        return self.set_named(bound.label) if isinstance(bound, Axis) else None

    def native(self, box: Box, op: Native) -> list[States]:
        """An entry of the prelude by its definition, where a set is among its inputs."""
        inputs = [self.at[wire] for wire in box.inputs]
        fixed = self.is_set is None or all(self.diagram.wires[wire].constant for wire in box.outputs)
        if not fixed and not any(set_in(state) for states in inputs for state in states):
            return self.labelled(box)
        if op.entry == "equilinear":  # it takes every axis as its role says
            return self.labelled(box)
        if op.definition is None:  # a decomposition, a sort: what comes of a set is not known
            states = [state for states in inputs for state in states]
            unknown = any(set_in(state) for state in states) or all(state is None for state in states)
            return [(None if unknown else PLAIN,) * len(self.sizes(wire)) for wire in box.outputs]
        for i, at in enumerate(op.at_in or ()):
            if at is not None:
                inputs[i] = moved(inputs[i], at)
        types = tuple(self.diagram.wires[wire].type for wire in box.inputs)
        named = ((name, self.set_of(axis)) for name, axis in op.binds)
        sets: dict[Label, str] = {f"{op.entry}::{name}": one for name, one in named if one is not None}
        bare = self.bare_inputs(box)
        key = (op.entry, op.args, op.binds, op.at_in, types, tuple(inputs), tuple(sets.items()), bare)
        found = self.memo.get(key)
        if found is None and len(self.memo) >= DEFINITIONS:
            return self.labelled(box)
        if found is None:
            found = self.memo[key] = self.inside(op.definition.diagram(), inputs, sets, bare)
        if found.clash is not None:
            self.clashes.append(Clash(box, *found.clash))
        out = list(found.results)
        for i, at in enumerate(op.at_out or ()):
            if at is not None:
                out[i] = moved_back(out[i], at)
        told = self.labelled(box)
        return [
            tuple(b if a is None else a for a, b in zip(one, two, strict=True))
            for one, two in zip(out, told, strict=True)
        ]

    def bare_inputs(self, box: Box) -> tuple[str | None, ...]:
        """Of which set each input is the index, and nothing more."""
        return tuple(map(self.bare.get, box.inputs))

    def inside(
        self, diagram: Diagram, inputs: list[States], sets: dict[Label, str], bare: tuple[str | None, ...]
    ) -> Outcome:
        """A definition, or a `box` of one; goes into itself for those of the prelude only, whose depth is fixed."""
        inner = Walk(diagram, None, self.memo, sets)
        inner.bare = {wire: one for wire, one in zip(diagram.inputs, bare, strict=False) if one is not None}
        results = tuple(inner.run(inputs))
        first = inner.clashes[0] if inner.clashes else None
        return Outcome(results, None if first is None else (first.dim, first.how))

    def core(self, box: Box, op: Core) -> States:
        """A core operation."""
        ins = [self.at[wire] for wire in box.inputs]
        match op.name:
            case "literal":
                value: Any = op["value"]
                if not isinstance(value, Poly) and value < 0:
                    self.negative.add(box.outputs[0])
                return ()
            case "index":
                axis = self.diagram.wires[box.outputs[0]].type.axes[0]
                assert isinstance(axis, Axis)
                one = self.set_named(axis.label)
                if one is not None:
                    self.bare[box.outputs[0]] = one
                return (PLAIN,)
            case "pointwise":
                return self.pointwise(box, op, ins)
            case "contract":
                return self.contract(box, op, ins)
            case "gather" | "pick" | "scatter":
                return self.indexed(box, op, ins)
            case "concat":
                at: Any = op["axis"]
                sizes = [self.sizes(wire)[at] for wire in box.inputs]
                joined = join([(states[at], size) for states, size in zip(ins, sizes, strict=True)])
                columns = enumerate(zip(*ins, strict=True))
                how = "meets numbers in an order"
                return tuple(joined if i == at else self.meet(box, list(column), how) for i, column in columns)
            case "reduce":
                gone: Any = op["axes"]
                return tuple(state for i, state in enumerate(ins[0]) if i not in gone)
            case "permute":
                order: Any = op["perm"]
                return tuple(ins[0][i] for i in order)
            case "expand":
                place: Any = op["position"]
                return (*ins[0][:place], None, *ins[0][place:])
            case "across":
                keep: Any = op["keep"]
                return tuple(ins[0][i] for i in keep)
            case "sample" | "training" | "stop" | "straight":
                return tuple(self.meet(box, list(column), "reads it") for column in zip(*ins, strict=True))
            case _:
                return self.along(box, op, ins[0])

    def pointwise(self, box: Box, op: Core, ins: list[States]) -> States:
        """Elementwise: what stands at one position is read together."""
        align: Any = op["align"]
        if op["fn"] == "real" and box.inputs[0] in self.bare:
            self.bare[box.outputs[0]] = self.bare[box.inputs[0]]
        rank = len(self.sizes(box.outputs[0]))
        if op["fn"] == "where" and (held := self.held.get(box.inputs[0])) is not None:
            taken = 1 if held else 2
            ins, align = [ins[taken]], (align[taken],)
            if (own := self.bare.get(box.inputs[taken])) is not None:
                self.bare[box.outputs[0]] = own
        if op["fn"] in ("eq", "ne") and any(w in self.bare for w in box.inputs) and self.negative & {*box.inputs}:
            self.held[box.outputs[0]] = op["fn"] == "ne"
            return (None,) * rank
        if op["fn"] in ("eq", "ne") and len(set(bare := self.bare_inputs(box))) == 1 and bare[0] is not None:
            return (None,) * rank  # an identity matrix of a set keeps every order
        columns: list[list[State]] = [[] for _ in range(rank)]
        for states, places in zip(ins, align, strict=True):
            for state, place in zip(states, places, strict=True):
                columns[place].append(state)
        return tuple(self.meet(box, column, "meets numbers in an order") for column in columns)

    def contract(self, box: Box, op: Core, ins: list[States]) -> States:
        """Products and sums: what one letter names is read together."""
        letters: dict[int, list[State]] = {}
        names: Any = op["ins"]
        out: Any = op["out"]
        for states, places in zip(ins, names, strict=True):
            for state, letter in zip(states, places, strict=True):
                letters.setdefault(letter, []).append(state)
        found = {
            letter: self.meet(box, states, "weighs the elements by their place") for letter, states in letters.items()
        }
        return tuple(found[letter] for letter in out)

    def indexed(self, box: Box, op: Core, ins: list[States]) -> States:
        """By an index: an element of a set may be named by the data, not by a number in the text."""
        at: Any = op["axis"]
        values, index = ins
        own = self.bare.get(box.inputs[1])
        if own is not None and values[at] == Set(own):
            index = (Set(own),)  # it names the elements, in whatever order they stand
        elif op.name != "scatter" and set_in(values[at]) and self.diagram.wires[box.inputs[1]].constant:
            return tuple(
                self.clash(box, values[at], "takes elements by their place")
                if state is PLAIN else state
                for state in by_label(self.diagram.wires[box.outputs[0]], self.is_set)
            )  # fmt: skip
        match op.name:
            case "gather":
                return (*values[:at], *index, *values[at + 1 :])
            case "pick":
                rest = (*values[:at], *values[at + 1 :])
                return tuple(self.meet(box, list(pair), "picks from it") for pair in zip(rest, index, strict=True))
            case _:
                self.meet(box, [values[at], index[0]], "sends elements by their place")
                onto = by_label(self.diagram.wires[box.outputs[0]], self.is_set)[at]
                return (*values[:at], onto if set_in(onto) else None, *values[at + 1 :])

    def along(self, box: Box, op: Core, states: States) -> States:
        """What happens along one axis."""
        at: Any = op["axis"]
        state = states[at]
        size = self.sizes(box.inputs[0])[at]
        new: list[State]
        match op.name:
            case "argmax" | "drop":
                new = []
            case "merge_axes":
                count: Any = op["count"]
                sizes = self.sizes(box.inputs[0])[at : at + count]
                return (
                    *states[:at],
                    merge(list(zip(states[at : at + count], sizes, strict=True))),
                    *states[at + count :],
                )
            case "split_axis":
                parts: Any = op["sizes"]
                found = split(state, parts)
                new = found if found is not None else [self.clash(box, state, "cuts it up by place")] * len(parts)
            case "slice":
                new = [self.sliced(box, op, state, size)]
            case "pad":
                before: Any = op["before"]
                after: Any = op["after"]
                if op["mode"] != "constant" and set_in(state) and (before, after) != (0, 0):
                    new = [self.clash(box, state, "goes on from its ends")]
                else:
                    new = [join([(None, before), (state, size), (None, after)]) if set_in(state) else state]
            case "window":
                whole = (op["size"], op["stride"]) == (1, 1)
                new = [state, None]
                if set_in(state) and not whole:
                    new = [self.clash(box, state, "slides a window along it"), PLAIN]
            case "scan":
                new = [self.clash(box, state, "runs along it") if set_in(state) else state]
            case _:
                raise AssertionError(op.name)
        return (*states[:at], *new, *states[at + 1 :])

    def sliced(self, box: Box, op: Core, state: State, size: Size) -> State:
        """A part of an axis, which of a set may only be the whole, or what was joined."""
        if set_in(state) is None or (op["step"] == 1 and op["size"] == size):
            return state
        if isinstance(state, Joined) and op["step"] == 1:
            start: Any = op["start"]
            count: Any = op["size"]
            part = cut(state, start, count)
            if part is not BROKEN:
                return part
        return self.clash(box, state, "takes elements by their place")


def of_label(label: Label, size: Size, is_set: IsSet) -> State:
    """The state of an axis by its label; words are as deep as the types that are written."""
    match label:
        case str():
            return Set(label.rstrip("'")) if is_set(label.rstrip("'")) else PLAIN
        case Word(axes):
            return merge([(of_label(axis.label, axis.size, is_set), axis.size) for axis in axes])
        case _:
            return PLAIN


def by_label(wire: Wire, is_set: IsSet | None) -> States:
    """The states of a wire's axes by their labels: nothing is known of a constant, nor inside a definition."""
    if is_set is None or wire.constant:
        return (None,) * len(wire.type.axes)
    return tuple(of_label(axis.label, axis.size, is_set) for axis in wire.type.axes if isinstance(axis, Axis))


def moved(states: States, at: tuple[int, ...]) -> States:
    """With the axes at these positions at the end."""
    places = [place % len(states) for place in at]
    return (*(state for i, state in enumerate(states) if i not in places), *(states[i] for i in places))


def moved_back(states: States, at: tuple[int, ...]) -> States:
    """With the last axes at these positions."""
    rank = len(states)
    places = {place % rank: i for i, place in enumerate(at)}
    rest, last = iter(states[: rank - len(at)]), states[rank - len(at) :]
    return tuple(last[places[i]] if i in places else next(rest) for i in range(rank))


def clashes(diagram: Diagram, is_set: IsSet, memo: dict[object, Outcome]) -> Iterator[Clash]:
    """The boxes of a diagram that go by the order of a set."""
    inputs = [by_label(diagram.wires[wire], is_set) for wire in diagram.inputs]
    if not any(set_in(s) for wire in diagram.wires for s in by_label(wire, is_set)):
        return
    walk = Walk(diagram, is_set, memo)
    walk.run(inputs)
    yield from walk.clashes
