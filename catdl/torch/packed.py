"""A unit with var dims, packed: along such an axis the elements of all samples lie one after the other.

Takes the steps of a unit; changes them and the types of its wires in place. A wire with a var axis has that axis for
its batch axis (`rows`), no longer in its type, so what acts on every element alone is written as for any batch. What
each sample has once is spread where it meets elements, and what goes along the axis is a `Segment` step.

    x - mean[N](x)      Segment("mean", N) x -> m, Segment("spread", N) m -> m', Core(sub) x, m'
"""

from __future__ import annotations

from typing import Any

from catdl.diagram.model import Core, Native
from catdl.diagram.ragged import alone, row_axis
from catdl.record import replace
from catdl.torch.steps import Climb, Enter, Flat, Leave, Open, Segment, Shut, Step, Top
from catdl.types.ragged import fin, mentioned, of_leaves, places, ragged_syms, row, rows
from catdl.types.types import Axis, Leaf


def pack(flat: Flat) -> None:
    """Pack a unit that has var dims; any other is left as it is."""
    if of_leaves(wire.type for wire in flat.wires):
        _Packer(flat).run()


def dim_of(axis: Axis) -> str:
    """The var dim of a packed axis."""
    name = row(axis.size)
    assert name is not None
    return name


class _Packer:
    """The steps of one unit while they are packed."""

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.full: list[Leaf] = [wire.type for wire in flat.wires]  # the types as they were
        self.steps: list[Step] = []
        self.spreads: dict[tuple[int, str], int] = {}
        self.inside: list[Axis | None] = []  # the var axis of every map that is open
        self.walks: list[dict[int, int]] = []  # for every open loop along a var axis, wires as its steps see them
        self.along: dict[int, tuple[int, ...]] = {}  # for such loops, what was made before and lasts to their end
        self.dims: dict[int, str] = {}
        for wire in flat.wires:
            at = row_axis(wire.type)
            if at is not None:
                axis = wire.type.axes[at]
                assert isinstance(axis, Axis)
                wire.rows = axis
                wire.type = _without(wire.type, at)

    def run(self) -> None:
        """All steps."""
        for k, step in enumerate(self.flat.steps):
            self._step(k, step)
        self.flat.steps = self.steps

    def _step(self, k: int, step: Step) -> None:
        for narrowed in self.walks:
            inputs = tuple(narrowed.get(wire, wire) for wire in step.inputs)
            step = Step(step.op, inputs, step.outputs, step.site, step.plugs)
        match step.op:
            case Open(count=count) as op if (dim := row(count)) is not None:
                self._open(k, step, op, dim)
            case Shut(mark=mark) as op if mark in self.along:
                self.spreads = {}
                self.walks.pop()
                kept = (*step.inputs[: len(step.outputs)], *self.along[mark])
                self.steps.append(Step(replace(op, rows=self.dims[mark]), kept, step.outputs, None, ()))
            case Enter() as op:
                self._enter(step, op)
            case Leave():
                self._leave(step)
            case Open() | Shut() | Climb() | Top():
                self.spreads = {}
                self.steps.append(step)
            case Core() as op:
                self._core(step, op)
            case Native() as op:
                self._native(step, op)
            case _:
                self.steps.append(step)

    # along a var axis

    def _open(self, k: int, step: Step, op: Open, dim: str) -> None:
        """A loop along a var axis: what each sample has outside of it is narrowed to those that go on."""
        self.spreads = {}
        inside = set(step.outputs)
        outer: dict[int, None] = {}
        end = next(n for n, s in enumerate(self.flat.steps) if isinstance(s.op, Shut) and s.op.mark == op.mark)
        for inner in self.flat.steps[k + 1 : end + 1]:
            read = inner.inputs if inner.op is not self.flat.steps[end].op else inner.inputs[: len(inner.outputs)]
            outer |= dict.fromkeys(w for w in read if w not in inside and not self.flat.wires[w].constant)
            inside.update(inner.outputs)
        mark = (("mark", op.mark), ("reverse", op.reverse))
        ordered = {wire: self._wire(self.flat.wires[wire].type, None) for wire in outer}
        for wire, first in ordered.items():
            self._emit(Segment("start", dim, mark), (wire,), first)
        self.steps.append(Step(replace(op, rows=dim), step.inputs, step.outputs, None, ()))
        for wire in (*step.outputs, *self.flat.steps[end].outputs):  # how far it goes depends on the sample
            self.flat.wires[wire].constant = False
        narrowed = {wire: self._wire(self.flat.wires[wire].type, None) for wire in outer}
        for wire, first in ordered.items():
            self._emit(Segment("narrow", dim, mark), (first,), narrowed[wire])
        self.walks.append(narrowed)
        self.along[op.mark], self.dims[op.mark] = tuple(ordered.values()), dim

    # into and out of maps

    def _enter(self, step: Step, op: Enter) -> None:
        self.spreads = {}
        axis = next((axis for axis in op.axes if ragged_syms(axis.size)), None)
        self.inside.append(axis)
        if axis is None:
            self.steps.append(step)
            return
        for wire, inner in zip(step.inputs, step.outputs, strict=True):
            self._alias(self._spread(wire, axis), inner)

    def _leave(self, step: Step) -> None:
        self.spreads = {}
        axis = self.inside.pop()
        if axis is None:
            self.steps.append(step)
            return
        for wire, outer in zip(step.inputs, step.outputs, strict=True):
            if self.flat.wires[wire].constant:
                self._emit(Segment("spread", dim_of(axis)), (wire,), outer)
            else:
                self._alias(wire, outer)

    # wires

    def _rows(self, wire: int) -> Axis | None:
        return self.flat.wires[wire].rows

    def _emit(self, op: Core | Segment, inputs: tuple[int, ...], out: int) -> None:
        self.steps.append(Step(op, inputs, (out,), None, ()))

    def _alias(self, wire: int, out: int) -> None:
        """One wire as another, which costs nothing."""
        rank = len(self.flat.wires[out].type.axes)
        self._emit(Core("permute", (("perm", tuple(range(rank))),)), (wire,), out)

    def _wire(self, leaf: Leaf, axis: Axis | None, name: str | None = None) -> int:
        made = self.flat.wire(leaf, name, False)
        self.flat.wires[made].rows = axis
        self.full.append(leaf if axis is None else Leaf(leaf.kind, (axis, *leaf.axes)))
        return made

    def _spread(self, wire: int, axis: Axis) -> int:
        """What a sample has, at each of its elements; what all samples share stays as it is."""
        if self.flat.wires[wire].constant or self._rows(wire) is not None:
            return wire
        key = wire, dim_of(axis)
        found = self.spreads.get(key)
        if found is None:
            found = self.spreads[key] = self._wire(self.flat.wires[wire].type, axis)
            self._emit(Segment("spread", key[1]), (wire,), found)
        return found

    def _spread_all(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        axis = next((axis for wire in inputs if (axis := self._rows(wire)) is not None), None)
        return inputs if axis is None else tuple(self._spread(wire, axis) for wire in inputs)

    # operations

    def _native(self, step: Step, op: Native) -> None:
        ins, outs = [self.full[w] for w in step.inputs], [self.full[w] for w in step.outputs]
        along = segmented(op)
        if op.entry.startswith("torch.") and (dim := rows(ins[0])) is not None:
            along = Segment("fused", dim, (("cell", op.entry.removeprefix("torch.")),))
        if op.entry == "affine_scan" and (dim := rows(ins[0])) is not None:
            along = Segment("affine_scan", dim, op.args)
        if along is not None:
            self.steps.append(Step(along, step.inputs, step.outputs, None, ()))
            return
        binds = tuple((name, _strip(value)) for name, value in op.binds)
        at_in = None if op.at_in is None else tuple(map(_moved, op.at_in, ins))
        at_out = None if op.at_out is None else tuple(map(_moved, op.at_out, outs))
        inner = replace(op, binds=binds, at_in=at_in, at_out=at_out)
        self.steps.append(Step(inner, self._spread_all(step.inputs), step.outputs, step.site, step.plugs))

    def _core(self, step: Step, op: Core) -> None:
        ins, out = [self.full[w] for w in step.inputs], self.full[step.outputs[0]]
        if not of_leaves((*ins, out)) and not mentioned(op.attrs):
            self.steps.append(step)
        elif alone(op, ins, out):
            inputs = self._spread_all(step.inputs)
            self.steps.append(Step(_shifted(op, ins, out), inputs, step.outputs, None, ()))
        else:
            getattr(self, f"_{op.name}")(step.inputs, step.outputs[0], op, ins, out)

    def _pointwise(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        """Conversions of indices: inside a sample they count from 0."""
        given = list(self._spread_all(inputs))
        for k, leaf in enumerate(ins):
            if (dim := fin(leaf)) is not None:
                local = self._wire(self.flat.wires[given[k]].type, self._rows(given[k]))
                self._emit(Segment("local", dim), (given[k],), local)
                given[k] = local
        made = fin(out)
        result = wire if made is None else self._wire(self.flat.wires[wire].type, self._rows(wire))
        self._emit(_shifted(op, ins, out), tuple(given), result)
        if made is not None:
            self._emit(Segment("through", made), (result,), wire)

    def _contract(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        """A sum of products over the elements: the products of each, then their sum."""
        given = self._spread_all(inputs)
        axis = next(a for w in given if (a := self._rows(w)) is not None)
        products = self._wire(out, axis)
        self._emit(_shifted(op, ins, out), given, products)
        self._emit(Segment("sum", dim_of(axis)), (products,), wire)

    def _reduce(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        (source,), at, axes, attrs = inputs, row_axis(ins[0]), _tuple(op, "axes"), dict(op.attrs)
        axis = self._rows(source)
        assert axis is not None and at is not None
        others = tuple(_shift(k, at) for k in axes if k != at)
        if others:
            inner = self._wire(out, axis)
            self._emit(Core("reduce", (("fn", attrs["fn"]), ("axes", others))), (source,), inner)
            source = inner
        empty = (("empty", attrs["empty"]),) if "empty" in attrs else ()
        self._emit(Segment(str(attrs["fn"]), dim_of(axis), empty), (source,), wire)

    def _argmax(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        self._emit(Segment(str(op["fn"]), _dim(ins[0])), inputs, wire)

    def _scan(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        reverse = dict(op.attrs).get("reverse", False)
        self._emit(Segment("scan", _dim(ins[0]), (("fn", op["fn"]), ("reverse", reverse))), inputs, wire)

    def _literal(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        self._emit(Segment("size", min(mentioned(op.attrs)), (("value", op["value"]),)), inputs, wire)

    def _index(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        self._emit(Segment("index", _dim(out)), inputs, wire)

    def _expand(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        self._emit(Segment("spread", _dim(out)), inputs, wire)

    def _slice(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        at, axis, whole = row_axis(ins[0]), op["axis"], dict(op.attrs)
        args: tuple[tuple[str, object], ...]
        if at is None:
            args = (("axis", axis), ("start", whole["start"]), ("step", whole["step"]))
            self._emit(Segment("first", _dim(out), args), inputs, wire)
        elif places(out) and whole["step"] == -1:
            self._emit(Segment("reverse", _dim(out)), inputs, wire)
        elif places(out):
            self._alias(inputs[0], wire)
        else:
            args = (("axis", axis), ("start", whole["start"]), ("step", whole["step"]), ("size", whole["size"]))
            self._emit(Segment("at", _dim(ins[0]), args), inputs, wire)

    def _pad(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        at = row_axis(ins[0])
        assert at is not None
        size = out.axes[at]
        assert isinstance(size, Axis)
        self._emit(Segment("pad", _dim(ins[0]), (("axis", at), ("size", size.size))), inputs, wire)

    def _gather(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        """The index counts through the batch, so it finds its elements among those of all samples."""
        self._emit(Segment("take", _dim(ins[0]), (("axis", op["axis"]),)), inputs, wire)

    def _pick(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        self._emit(Segment("pick", _dim(ins[0])), inputs, wire)

    def _scatter(self, inputs: tuple[int, ...], wire: int, op: Core, ins: list[Leaf], out: Leaf) -> None:
        axis, into, fn = op["axis"], fin(ins[1]), op["fn"]
        by = rows(ins[1])
        if into is not None:
            self._emit(Segment("scatter", into, (("axis", axis), ("fn", fn), ("flat", by is None))), inputs, wire)
        else:
            assert by is not None
            args = (("axis", axis), ("fn", fn), ("size", op["size"]))
            self._emit(Segment("bins", by, args), inputs, wire)


def segmented(op: Native) -> Segment | None:
    """A native that acts along a var axis and is done by segment as it stands."""
    binds = dict(op.binds)
    match op.entry:
        case "softmax" | "log_softmax" if (dim := _bound(binds["A"])) is not None:
            return Segment(op.entry, dim)
        case "attend" if (queries := _bound(binds["T"])) is not None and (keys := _bound(binds["U"])) is not None:
            return Segment("attend", queries, (("keys", keys), *op.args, *(("at_in", op.at_in), ("at_out", op.at_out))))
        case _:
            return None


def _bound(value: object) -> str | None:
    return row(value.size) if isinstance(value, Axis) else None


def _without(leaf: Leaf, at: int) -> Leaf:
    return Leaf(leaf.kind, (*leaf.axes[:at], *leaf.axes[at + 1 :]))


def _strip(value: Any) -> Any:
    """A binder's row of axes without the var axis, which is a batch axis now."""
    if isinstance(value, tuple):
        return tuple(axis for axis in value if not (isinstance(axis, Axis) and ragged_syms(axis.size)))
    return value


def _moved(at: tuple[int, ...] | None, leaf: Leaf) -> tuple[int, ...] | None:
    """Positions from the end in a type without its var axis."""
    rank, gone = len(leaf.axes), row_axis(leaf)
    if at is None or gone is None:
        return at
    return tuple(_shift(p % rank, gone) - (rank - 1) for p in at)


def _shift(position: int, gone: int) -> int:
    return position - (position > gone)


def _dim(leaf: Leaf) -> str:
    name = rows(leaf)
    assert name is not None
    return name


def _tuple(op: Core, key: str) -> tuple[int, ...]:
    value = op[key]
    assert isinstance(value, tuple)
    return value  # type: ignore[return-value]  # positions, as `docs/core.md` says


def _shifted(op: Core, ins: list[Leaf], out: Leaf) -> Core:
    """The operation on types without their var axes."""
    attrs: dict[str, Any] = dict(op.attrs)
    gone = [row_axis(leaf) for leaf in ins]
    first, last = (gone[0] if gone else None), row_axis(out)
    match op.name:
        case "pointwise":
            attrs["align"] = tuple(
                tuple(p if last is None else _shift(p, last) for k, p in enumerate(where) if k != at)
                for where, at in zip(attrs["align"], gone, strict=True)
            )
        case "contract":
            dropped = {term[at] for term, at in zip(attrs["ins"], gone, strict=True) if at is not None}
            attrs["ins"] = tuple(tuple(x for x in term if x not in dropped) for term in attrs["ins"])
            attrs["out"] = tuple(x for x in attrs["out"] if x not in dropped)
        case "permute":
            if first is not None:
                attrs["perm"] = tuple(_shift(p, first) for p in attrs["perm"] if p != first)
        case "reduce" | "across":
            key = "axes" if op.name == "reduce" else "keep"
            if first is not None:
                attrs[key] = tuple(_shift(p, first) for p in attrs[key])
        case "expand":
            if last is not None:
                attrs["position"] = _shift(attrs["position"], last)
        case _:
            if "axis" in attrs and first is not None:
                attrs["axis"] = _shift(attrs["axis"], first)
    return Core(op.name, tuple(attrs.items()))
