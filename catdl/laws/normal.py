"""A Diagram as terms: what each of its results is at an index.

Takes a verified Diagram. A box that holds a diagram is looked through, so that `map[N](f) >> map[N](g)` and
`map[N](f >> g)` are one term, natives are what their definitions say, and moving axes about moves indices. What has no
meaning in arithmetic (a sort, a module of another package, a morphism variable) stays a symbol that is applied to its
inputs as functions of their indices. Demand runs from the results: what nothing reads is not looked at.

    results(net, algebra)      one term for each output, in the indices 0, 1, …
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from catdl.diagram.drive import Work, drive
from catdl.diagram.feed import whole
from catdl.diagram.model import (
    VARIABLE,
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
)
from catdl.diagram.params import bared, sole_box
from catdl.laws.cores import Frame, Indices, core
from catdl.laws.places import Places
from catdl.laws.terms import FIRST_DRAW, FIRST_FREE, Term
from catdl.types.sizes import show

ROUNDS = 64
"""How many rounds of a loop are written out."""


class Reading:
    """One diagram being read as terms."""

    def __init__(self, algebra: Places, names: Sequence[str]) -> None:
        self.a = algebra
        self.names = names
        self._frames: dict[tuple[object, ...], Frame] = {}
        self._known: dict[tuple[object, ...], Term] = {}
        self._draws: dict[tuple[object, ...], int] = {}

    # frames

    def frame(
        self,
        diagram: Diagram,
        outer: Frame,
        box: Box,
        what: tuple[str, int],
        prefix: str,
        lead: Indices,
        fixed: Indices,
    ) -> Frame:
        """The inside of a box, one for each place from which it is looked into."""
        key = (id(diagram), id(outer), id(box), what, prefix, tuple(map(id, lead)), tuple(map(id, fixed)))
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(diagram, outer, box, prefix, lead, fixed)
            found.what = what
        return found

    def at(self, frame: Frame, wire: int, places: Indices) -> Work[Term]:
        """What a wire is at these places."""
        key = (id(frame), wire, tuple(map(id, places)))
        found = self._known.get(key)
        if found is None:
            self.a.spend()
            made = frame.made.get(wire)
            if made is None:
                found = yield self.entry(frame, frame.diagram.inputs.index(wire), places)
            else:
                found = yield self.result(frame, made[0], made[1], places)
            self._known[key] = found
        return found

    def entry(self, frame: Frame, number: int, places: Indices) -> Work[Term]:
        """What comes into a frame at an input."""
        outer, box = frame.outer, frame.box
        if outer is None or box is None:
            return self.a.make("in", self.names[number], places)
        kind, step = frame.what
        if kind in ("map", "each"):
            op = box.op
            assert isinstance(op, Map | Each)
            mine = number < len(box.inputs) - op.captured
            return (yield self.at(outer, box.inputs[number], (*frame.fixed, *places) if mine else places))
        if kind == "round":
            carried = len(box.outputs)
            if number < carried and step > 0:
                before = self.round(outer, box, step - 1)
                return (yield self.at(before, before.diagram.outputs[number], places))
            return (yield self.at(outer, box.inputs[number], places))
        if kind == "step":
            return (yield self.at_step(frame, outer, box, number, step, places))
        if kind == "cell":
            op = box.op
            assert isinstance(op, Fold | TreeFold)
            own = len(op.body.inputs) - op.captured
            if number < own:
                return self.a.make("wire", (_depth(frame), number), places)
            number += len(box.inputs) - len(op.body.inputs)  # what it captures comes last in both
        return (yield self.at(outer, box.inputs[number], places))

    def at_step(self, frame: Frame, outer: Frame, box: Box, number: int, step: int, places: Indices) -> Work[Term]:
        op = box.op
        assert isinstance(op, Fold)
        if number < op.carried:
            if step == 0:
                return (yield self.at(outer, box.inputs[number], places))
            before = self.step(outer, box, step - 1)
            return (yield self.at(before, before.diagram.outputs[number], places))
        if number < len(box.inputs) - op.captured:
            assert isinstance(op.axis.size, int)
            place = op.axis.size - 1 - step if op.reverse else step
            here = self.a.make("const", place)
            return (yield self.at(outer, box.inputs[number], (here, *places)))
        return (yield self.at(outer, box.inputs[number], places))

    def round(self, outer: Frame, box: Box, number: int) -> Frame:
        op = box.op
        assert isinstance(op, Repeat)
        index = f"{number}." if op.tie == "fresh" else ""
        return self.body(op.body, outer, box, ("round", number), index, outer.lead, outer.fixed)

    def step(self, outer: Frame, box: Box, number: int) -> Frame:
        op = box.op
        assert isinstance(op, Fold)
        return self.body(op.body, outer, box, ("step", number), "", outer.lead, outer.fixed)

    def body(
        self, body: Diagram, outer: Frame, box: Box, what: tuple[str, int], index: str, lead: Indices, fixed: Indices
    ) -> Frame:
        """The frame of a body; where it is one named box, that box adds no segment."""
        prefix = outer.prefix if box.site is None else f"{outer.prefix}{box.site}.{index}"
        sole = sole_box(body) if box.site is not None else None
        if sole is not None:
            body = bared(body, sole)
        return self.frame(body, outer, box, what, prefix, lead, fixed)

    # boxes

    def result(self, frame: Frame, box: Box, port: int, places: Indices) -> Work[Term]:
        """What a box gives at one of its outputs."""
        op = box.op
        match op:
            case Core():
                return (yield core(self, frame, box, op, places))
            case Local(parameter):
                return (yield self.leaf(frame, parameter.path, places))
            case Global(parameter):
                term = self.a.make("param", f"{parameter.home}::{parameter.path}", places)
                return self.a.apply("stop", (term,)) if parameter.frozen else term
            case Call(callee, inline):
                prefix = frame.prefix if inline or box.site is None else f"{frame.prefix}{box.site}."
                what = ("inline" if inline else "call", 0)
                inner = self.frame(callee, frame, box, what, prefix, frame.lead, frame.fixed)
                return (yield self.at(inner, callee.outputs[port], places))
            case Native():
                return (yield self.native(frame, box, op, port, places))
            case Map(axes, body, _):
                self.a.note("map keeps composition (functoriality)", box.span.text)
                count = len(axes)
                inner = self.body(body, frame, box, ("map", 0), "", frame.lead, places[:count])
                return (yield self.at(inner, inner.diagram.outputs[port], places[count:]))
            case Each(_, body, _):
                inner = self.body(body, frame, box, ("each", 0), "", (*frame.lead, places[0]), places[:1])
                return (yield self.at(inner, inner.diagram.outputs[port], places[1:]))
            case Repeat(count, _, _, _):
                if count == 0:
                    return (yield self.at(frame, box.inputs[port], places))
                self.a.spend(count if count > ROUNDS else 1)
                last = self.round(frame, box, count - 1)
                return (yield self.at(last, last.diagram.outputs[port], places))
            case Fold():
                return (yield self.fold(frame, box, op, port, places))
            case TreeFold(form, body, _, axis):
                inner = self.body(body, frame, box, ("cell", 0), "", frame.lead, frame.fixed)
                args = yield from self.functions(inner, inner.diagram.outputs, places)
                args += yield from self.functions(frame, box.inputs[:1], places)
                return self.a.make("trees", (port, repr(form), axis is not None), (*places, *args))
            case Extern(target, given):
                args = yield from self.functions(frame, box.inputs, places)
                where: object = "" if target.startswith(VARIABLE) else (f"{frame.prefix}{box.site}", repr(given))
                if target.endswith("~"):  # drawn anew wherever it is used
                    args += self.draw(frame, box)
                return self.a.make("apply", (target, port, where), (*places, *args))
            case Emit() | Store():
                raise AssertionError("nothing reads what is emitted or stored")

    def leaf(self, frame: Frame, path: str, places: Indices) -> Work[Term]:
        """A leaf of a frame's own parameters: what is plugged into it, else the parameter."""
        at, inside = frame, path
        while at.outer is not None and at.box is not None:
            if inside in at.plugs:
                lead = at.lead[len(at.outer.lead) :]
                return (yield self.at(at.outer, at.plugs[inside], (*lead, *places)))
            inside = at.prefix.removeprefix(at.outer.prefix) + inside
            at = at.outer
        return self.a.make("param", frame.prefix + path, (*frame.lead, *places))

    def native(self, frame: Frame, box: Box, op: Native, port: int, places: Indices) -> Work[Term]:
        if op.definition is not None:
            key = ("definition", id(op))
            found = self._frames.get((id(box), id(frame), *key))
            if found is None:
                inner = whole(op, op.definition.diagram(), box, frame.diagram)
                prefix = frame.prefix if box.site is None else f"{frame.prefix}{box.site}."
                found = Frame(inner, frame, box, prefix, frame.lead, frame.fixed)
                self._frames[(id(box), id(frame), *key)] = found
            return (yield self.at(found, found.diagram.outputs[port], places))
        args = yield from self.functions(frame, box.inputs, places)
        for parameter in op.params:
            rank = len(parameter.type.axes)
            fresh = self.dummies(frame, places, rank)
            prefix = frame.prefix if box.site is None else f"{frame.prefix}{box.site}."
            plugged = dict(box.plugs).get(parameter.path)
            named = tuple(self.a.index(name) for name in fresh)
            term = (
                self.a.make("param", prefix + parameter.path, (*frame.lead, *named))
                if plugged is None
                else (yield self.at(frame, plugged, named))
            )
            args.append(self.a.bind("lambda", None, (term,), fresh))
        said = repr((op.entry, op.args, op.at_in, op.at_out, port))
        return self.a.make("native", said, (*places, *args))

    def draw(self, frame: Frame, box: Box) -> Indices:
        """Which draw of which box that draws: an index of its own, and those of the maps around it.

        Each occurrence draws for itself, at every index of a map anew.
        """
        around: list[object] = [id(box)]
        places: list[Term] = []
        at: Frame | None = frame
        while at is not None:
            around += [id(at.box), at.what]
            places += at.fixed if at.what[0] in ("map", "each") else ()
            at = at.outer
        name = self._draws.setdefault(tuple(around), FIRST_DRAW + len(self._draws))
        return (self.a.index(name), *places)

    def dummies(self, frame: Frame, places: Indices, count: int) -> tuple[int, ...]:
        """Names for indices to be bound: the same for the same places, above those in use."""
        used = [n for place in (*places, *frame.lead, *frame.fixed) for n in place.free if n >= FIRST_FREE]
        at: Frame | None = frame
        while at is not None:  # the places of the maps around it are in use, too
            used += [n for place in (*at.lead, *at.fixed) for n in place.free if n >= FIRST_FREE]
            at = at.outer
        first = max(used, default=FIRST_FREE) + 1
        return tuple(range(first, first + count))

    def function(self, frame: Frame, wire: int, places: Indices) -> Work[Term]:
        """A wire as a function of all its indices."""
        rank = len(frame.diagram.wires[wire].type.axes)
        names = self.dummies(frame, places, rank)
        term = yield self.at(frame, wire, tuple(self.a.index(name) for name in names))
        return self.a.bind("lambda", None, (term,), names) if names else term

    def functions(self, frame: Frame, wires: Sequence[int], places: Indices) -> Generator[Work[Term], Term, list[Term]]:
        """Wires as functions of their indices."""
        found: list[Term] = []
        for wire in wires:
            found.append((yield self.function(frame, wire, places)))  # noqa: PERF401
        return found

    def fold(self, frame: Frame, box: Box, op: Fold, port: int, places: Indices) -> Work[Term]:
        """A fold of so many steps written out; another as one operation on the cell, the starts and the elements."""
        size = op.axis.size
        if isinstance(size, int) and size <= ROUNDS and (port < op.carried or size > 0):
            if port < op.carried:
                if size == 0:
                    return (yield self.at(frame, box.inputs[port], places))
                last = self.step(frame, box, size - 1)
                return (yield self.at(last, last.diagram.outputs[port], places))
            if places[0].op == "const":
                number = places[0].data
                assert isinstance(number, int)
                here = self.step(frame, box, size - 1 - number if op.reverse else number)
                return (yield self.at(here, here.diagram.outputs[port], places[1:]))
        inner = self.body(op.body, frame, box, ("cell", 0), "", frame.lead, frame.fixed)
        args = yield from self.functions(inner, inner.diagram.outputs, places)
        args += yield from self.functions(frame, box.inputs[: len(box.inputs) - op.captured], places)
        return self.a.make("fold", (port, show(size), op.carried, op.reverse), (*places, *args))


def results(diagram: Diagram, algebra: Places, names: Sequence[str] | None = None) -> list[Term]:
    """The outputs as terms in the indices 0, 1, …; inputs by name, `x0`, `x1`, … unless given. Raises Budget."""
    names = names or [f"x{k}" for k in range(len(diagram.inputs))]
    reading = Reading(algebra, names)
    root = Frame(diagram, None, None, "", (), ())
    out: list[Term] = []
    for wire in diagram.outputs:
        rank = len(diagram.wires[wire].type.axes)
        out.append(drive(reading.at(root, wire, tuple(algebra.index(k) for k in range(rank)))))
    return algebra.settled(out)


def _depth(frame: Frame) -> int:
    """How many cells of folds it stands in."""
    count, at = 0, frame.outer
    while at is not None:
        count += at.what[0] == "cell"
        at = at.outer
    return count
