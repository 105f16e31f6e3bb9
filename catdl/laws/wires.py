"""A Diagram as wiring: each wire as the boxes behind it, the normal form of diagrams in a Markov category.

Takes a verified Diagram. Calls and rounds are looked through, what nothing reads is not looked at, equal boxes on equal
wires are one, but for those that draw: these are numbered as they are first met on the way back from the outputs, port
by port. So two Diagrams whose terms are one object are one diagram up to copying, discarding and moving boxes past each
other. Each wire of each place is read once, so this takes time linear in what is looked through. No box means
anything here: arithmetic is `normal.py`'s.

    wired(net, store)      one term for each output
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias

from catdl.diagram.drive import Work, drive
from catdl.diagram.feed import whole
from catdl.diagram.model import (
    VARIABLE,
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Repeat,
    TreeFold,
)
from catdl.diagram.params import bared, sole_box
from catdl.laws.cores import Frame
from catdl.laws.terms import Store, Term
from catdl.types.dtypes import storage
from catdl.types.types import Kind, Leaf, show_leaf

Holder: TypeAlias = "Map | Each | Fold | TreeFold | Repeat"

DRAWS = frozenset(("rand", "rand_train"))
HOLDS = "holds"
"""What a box that holds a diagram is; after it stands in how many others it is."""

ROUNDS = 4_096
"""How many rounds of a loop are written out; more are one box."""


class Wiring:
    """One diagram being read. `forms` are those of wires, by their terms."""

    def __init__(self, store: Store, names: Sequence[str]) -> None:
        self.store = store
        self.names = names
        self.forms: dict[Term, str] = {}
        self._frames: dict[tuple[object, ...], Frame] = {}
        self._known: dict[tuple[int, int], Term] = {}
        self._boxes: dict[tuple[int, int], tuple[Term, ...]] = {}
        self._draws = 0

    def at(self, frame: Frame, wire: int) -> Work[Term]:
        """What is behind a wire."""
        key = (id(frame), wire)
        found = self._known.get(key)
        if found is None:
            self.store.spend()
            made = frame.made.get(wire)
            if made is None:
                found = yield self.entry(frame, frame.diagram.inputs.index(wire))
            else:
                found = yield self.result(frame, made[0], made[1])
            self._known[key] = found
            self.forms.setdefault(found, form(frame.diagram.wires[wire].type))
        return found

    def entry(self, frame: Frame, number: int) -> Work[Term]:
        """What comes into a frame at an input."""
        outer, box = frame.outer, frame.box
        if outer is None or box is None:
            return self.store.make("in", self.names[number])
        kind, step = frame.what
        if kind == "round":
            if number < len(box.outputs) and step > 0:
                before = self.round(outer, box, step - 1)
                return (yield self.at(before, before.diagram.outputs[number]))
        elif kind == "body":
            captured = box.op.captured  # type: ignore[union-attr]
            if number < len(frame.diagram.inputs) - captured:
                return self.store.make("argument", (_depth(frame), number))
            number += len(box.inputs) - len(frame.diagram.inputs)  # what it captures comes last in both
        return (yield self.at(outer, box.inputs[number]))

    def round(self, outer: Frame, box: Box, number: int) -> Frame:
        """One round of a loop."""
        op = box.op
        assert isinstance(op, Repeat)
        return self.body(op.body, outer, box, ("round", number), f"{number}." if op.tie == "fresh" else "")

    def body(self, body: Diagram, outer: Frame, box: Box, what: tuple[str, int], index: str) -> Frame:
        """The frame of a body; where it is one named box, that box adds no segment."""
        prefix = outer.prefix if box.site is None else f"{outer.prefix}{box.site}.{index}"
        sole = sole_box(body) if box.site is not None else None
        return self.frame(body if sole is None else bared(body, sole), outer, box, what, prefix)

    def frame(self, diagram: Diagram, outer: Frame, box: Box, what: tuple[str, int], prefix: str) -> Frame:
        """The inside of a box."""
        key = (id(outer), id(box), what)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(diagram, outer, box, prefix, (), ())
            found.what = what
        return found

    def result(self, frame: Frame, box: Box, port: int) -> Work[Term]:
        """What a box gives at one of its outputs."""
        op = box.op
        match op:
            case Local(parameter):
                return (yield self.leaf(frame, parameter.path))
            case Global(parameter):
                return self.store.make("param", (f"{parameter.home}::{parameter.path}", parameter.frozen))
            case Call(callee, inline):
                prefix = frame.prefix if inline or box.site is None else f"{frame.prefix}{box.site}."
                inner = self.frame(callee, frame, box, ("call", 0), prefix)
                return (yield self.at(inner, callee.outputs[port]))
            case Repeat(count) if count <= ROUNDS:
                if count == 0:
                    return (yield self.at(frame, box.inputs[port]))
                last = self.round(frame, box, count - 1)
                return (yield self.at(last, last.diagram.outputs[port]))
            case Native(definition=definition) if definition is not None and not DRAWS.isdisjoint(
                definition.diagram().effects
            ):
                prefix = frame.prefix if box.site is None else f"{frame.prefix}{box.site}."
                key = (id(frame), id(box), "definition")
                if key not in self._frames:
                    meant = whole(op, definition.diagram(), box, frame.diagram)
                    self._frames[key] = Frame(meant, frame, box, prefix, (), ())
                inner = self._frames[key]
                return (yield self.at(inner, inner.diagram.outputs[port]))
            case _:
                return (yield self.opaque(frame, box, port))

    def opaque(self, frame: Frame, box: Box, port: int) -> Work[Term]:
        """A box that is not looked through: what it is, on what comes in."""
        key = (id(frame), id(box))
        if key not in self._boxes:
            args: list[Term] = []
            for wire in box.inputs:
                args.append((yield self.at(frame, wire)))  # noqa: PERF401
            count = len(args)
            said: object
            match box.op:
                case Core(name, attrs):
                    said = (name, repr(attrs), self.drawn() if name == "sample" else 0)
                case Native() as op:
                    prefix = "" if box.site is None else f"{box.site}."
                    for parameter in op.params:
                        args.append((yield self.own(frame, box, prefix, parameter.path)))  # noqa: PERF401
                    said = (op.entry, repr(op.args), repr(op.binds), op.at_in, op.at_out)
                case Extern(target, given):
                    where = "" if target.startswith(VARIABLE) else f"{frame.prefix}{box.site}"
                    said = (target, repr(given), where, self.drawn() if target.endswith("~") else 0)
                case Map() | Each() | Fold() | TreeFold() | Repeat() as op:
                    args += yield from self.inside(frame, box, op)
                    said = (HOLDS, _depth(frame), type(op).__name__, *_shape(op))
                case _:
                    raise AssertionError(box.op)
            made = [frame.diagram.wires[wire].type for wire in box.outputs]
            self._boxes[key] = tuple(
                self.store.make("box", (said, count, k, form(leaf)), tuple(args)) for k, leaf in enumerate(made)
            )
        return self._boxes[key][port]

    def inside(self, frame: Frame, box: Box, op: Holder) -> Generator[Work[Term], Term, list[Term]]:
        """The results of a body, its own inputs standing for themselves."""
        inner = self.body(op.body, frame, box, ("body", 0), "")
        found: list[Term] = []
        for wire in inner.diagram.outputs:
            found.append((yield self.at(inner, wire)))  # noqa: PERF401
        return found

    def leaf(self, frame: Frame, path: str) -> Work[Term]:
        """A leaf of a frame's own parameters: what is plugged into it, else the parameter."""
        at, inside, axes = frame, path, 0
        while at.outer is not None and at.box is not None:
            axes += isinstance(at.box.op, Each)
            if inside in at.plugs:
                found = yield self.at(at.outer, at.plugs[inside])
                return self.store.make("element", axes, (found,)) if axes else found
            inside = at.prefix.removeprefix(at.outer.prefix) + inside
            at = at.outer
        return self.store.make("param", (frame.prefix + path, False))

    def own(self, frame: Frame, box: Box, prefix: str, path: str) -> Work[Term]:
        """A leaf of a native."""
        plugged = dict(box.plugs).get(path)
        if plugged is not None:
            return (yield self.at(frame, plugged))
        return (yield self.leaf(frame, prefix + path))

    def drawn(self) -> int:
        """The number of a box that draws."""
        self._draws += 1
        return self._draws


def form(leaf: Leaf) -> str:
    """What of a type says which values there are: the axes, and the kind only where it is one of no real numbers."""
    kind = storage(leaf.kind)
    return show_leaf(leaf if kind != "float" else Leaf(Kind("Real"), leaf.axes))


def _shape(op: Holder) -> tuple[object, ...]:
    """What of a box that holds a diagram is neither the diagram nor its wires."""
    match op:
        case Map(axes, _, captured):
            return (repr(axes), captured)
        case Each(axis, _, captured):
            return (repr(axis), captured)
        case Fold(axis, _, carried, captured, reverse):
            return (repr(axis), carried, captured, reverse)
        case TreeFold(form, _, captured, axis):
            return (repr(form), repr(axis), captured)
        case Repeat(count, _, tie, captured):
            return (count, tie, captured)


def _depth(frame: Frame) -> int:
    """In how many bodies it stands, itself among them."""
    count, at = 0, frame
    while at.outer is not None:
        count += at.what[0] == "body"
        at = at.outer
    return count


def wired(diagram: Diagram, store: Store) -> tuple[list[Term], dict[Term, str]]:
    """The outputs as terms, inputs as `x0`, `x1`, …; and the forms of wires. Raises Budget."""
    reading = Wiring(store, [f"x{k}" for k in range(len(diagram.inputs))])
    root = Frame(diagram, None, None, "", (), ())
    return [drive(reading.at(root, wire)) for wire in diagram.outputs], reading.forms
