"""A fold whose cell is one of torch's becomes torch's fused kernel, with the cell's own weights.

Weights that lie in torch's order are given as they are; others are put in order in the forward pass, so that gradients
reach them and keys stay.

    fold[T](lstm)      y, h, c = torch.lstm(x, h, c, linear.weight, …)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from catdl.diagram.model import Box, Fold, Native
from catdl.record import replace
from catdl.rewrite.applied import Law
from catdl.rewrite.body import Body
from catdl.rewrite.cells import Cell, recognised
from catdl.rewrite.draft import Draft
from catdl.rewrite.graph import Graph
from catdl.rewrite.lift import Lift
from catdl.rewrite.normal import Factor, Forms, Given, Piece, Times, TooLarge
from catdl.rewrite.vectors import Vector, values
from catdl.types.dtypes import storage
from catdl.types.types import Axis, Kind, Leaf

LAW = Law("the fold is the unique homomorphism", "c = c' implies fold[T](c) = fold[T](c')", False)

NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "Elman cell (tanh)", "rnn_relu": "Elman cell (relu)"}

Term = tuple[Times | None, Fraction]
Terms = tuple[Term, ...]


def fused(draft: Draft, box: Box, fold: Fold, read: frozenset[int]) -> str | None:
    """Write the kernel that the fold is, if it is one; gives the name of the cell. `read`: the outputs that are."""
    body = Body(fold)
    sizes = [_size(body.wires[wire].type) for wire in body.carriers]
    if fold.carried not in (1, 2) or not all(sizes) or not body.elements:
        return None
    graph = Graph(body)
    if not graph.whole:
        return None
    forms = Forms()
    try:
        found = values(graph, forms)
        news = [found[graph.at[wire]] for wire in body.outputs[: fold.carried]]
        if not all(isinstance(value, Vector) and len(value.segments) == 1 for value in news):
            return None
        polys = [value.segments[0][0] for value in news if isinstance(value, Vector)]
        cell = recognised(graph, forms, polys, sizes)
    except TooLarge:
        return None
    if cell is None or not any(gate.x for gate in cell.gates):
        return None
    state = graph.at[body.outputs[cell.hidden]]
    pairs = list(zip(box.outputs[fold.carried :], body.outputs[fold.carried :], strict=True))
    steps = [(out, wire) for out, wire in pairs if out in read]
    if len(steps) > 1 or any(graph.at[wire] != state for _, wire in steps):
        return None
    _write(draft, Lift(draft, graph, fold, box), forms, cell, box, fold, steps[0][0] if steps else None)
    return NAMES[cell.kernel]


def _size(leaf: Leaf) -> int:
    """The size of a real vector, 0 for anything else."""
    axis = leaf.axes[0] if len(leaf.axes) == 1 and storage(leaf.kind) == "float" else None
    return axis.size if isinstance(axis, Axis) and isinstance(axis.size, int) else 0


def _write(draft: Draft, lift: Lift, forms: Forms, cell: Cell, box: Box, fold: Fold, out: int | None) -> None:
    kind = draft.leaf(box.outputs[0]).kind
    w = _Weights(draft, lift, forms, cell.size, kind)
    xs = list(dict.fromkeys(factor for gate in cell.gates for factor in gate.x))
    x = draft.concat(tuple(w.elements(factor) for factor in xs), 1)
    if fold.reverse:
        x = draft.flip(x)
    blocks = [w.matrix([tuple(gate.x.get(factor, ())) for gate in cell.gates], forms.size(factor)) for factor in xs]
    weights = [draft.concat(tuple(blocks), 1), w.matrix([tuple(gate.h) for gate in cell.gates], cell.size)]
    biases = _biases(cell)
    if any(part for pair in biases for part in pair):
        weights += [w.vector([pair[k] for pair in biases]) for k in (0, 1)]
    states = [cell.hidden, 1 - cell.hidden][: fold.carried]
    starts = [box.inputs[k] for k in states]
    last = tuple(box.outputs[k] for k in states)
    leaf = Leaf(kind, (fold.axis, *draft.axes(last[0])))
    steps = out if out is not None and not fold.reverse else draft.wire(leaf, False)
    native = Native(f"torch.{cell.kernel}", (("biases", len(weights) == 4),), (), (), None, None, None)
    draft.op(native, (x, *starts, *weights), (steps, *last))
    if out is not None and fold.reverse:
        draft.flip(steps)
        draft.boxes[-1] = replace(draft.boxes[-1], outputs=(out,))


def _biases(cell: Cell) -> list[tuple[list[tuple[Given | None, Fraction]], list[tuple[Given | None, Fraction]]]]:
    """For each gate what torch adds beside W x and what beside U h: only the reset of a GRU tells them apart."""
    beside = {bias.node for gate in cell.gates for bias, _ in gate.inner if bias is not None}
    found = []
    for k, gate in enumerate(cell.gates):
        if cell.kernel == "gru" and k == 2:
            found.append((gate.bias, gate.inner))
            continue
        terms = sorted(gate.bias, key=lambda term: (term[0] is None, term[0].node if term[0] is not None else 0))
        if cell.kernel == "gru":
            inside = [term for term in terms if term[0] is not None and term[0].node in beside]
            found.append(([term for term in terms if term not in inside], inside))
        else:
            found.append((terms[:1], terms[1:]))
    return found


class _Weights:
    """The matrices and biases of all gates, one below the other."""

    __slots__ = ("_draft", "_forms", "_kind", "_lift", "_size")

    def __init__(self, draft: Draft, lift: Lift, forms: Forms, size: int, kind: Kind) -> None:
        self._kind = kind
        self._draft = draft
        self._lift = lift
        self._forms = forms
        self._size = size

    def elements(self, factor: Factor) -> int:
        """What the elements give, with the axis of the steps and one more."""
        atom = self._forms.atoms[factor]
        assert isinstance(atom, Given)
        wire = self._lift.step(atom.node)
        axes = self._draft.axes(wire)
        if len(axes) > 2:
            wire = self._draft.merge(wire, 1, Axis(axes[-1].label, _whole(axes[1:])), len(axes) - 1)
        return self._draft.slice(wire, 1, atom.at.start, atom.at.size, atom.at.step)

    def matrix(self, gates: Sequence[Terms | tuple[tuple[Times, Fraction], ...]], width: int) -> int:
        """The matrices of the gates; rows of one matrix that follow each other are taken together."""
        parts: list[int] = []
        k = 0
        while k < len(gates):
            first = _lone(gates[k])
            if first is None:
                parts.append(self._sum(gates[k], width))
                k += 1
                continue
            rows = first.rows
            k += 1
            while k < len(gates) and (more := _lone(gates[k])) is not None and _follows(first, rows, more):
                rows = Piece(rows.start, 1, rows.size + more.rows.size)
                k += 1
            parts.append(self._rows(first, rows))
        return self._draft.concat(tuple(parts), 0)

    def _rows(self, times: Times, rows: Piece) -> int:
        """Rows and columns of a matrix."""
        draft, wire = self._draft, self._lift.constant(times.node)
        axes = draft.axes(wire)
        if times.axis != len(axes) - 1:
            perm = (*(k for k in range(len(axes)) if k != times.axis), times.axis)
            leaf = Leaf(draft.leaf(wire).kind, tuple(axes[k] for k in perm))
            wire = draft.core("permute", (wire,), leaf, perm=perm)
            axes = draft.axes(wire)
        if len(axes) > 2:
            wire = draft.merge(wire, 0, Axis(axes[-2].label, _whole(axes[:-1])), len(axes) - 1)
        wire = draft.slice(wire, 0, rows.start, rows.size, rows.step)
        return draft.slice(wire, 1, times.columns.start, times.columns.size, times.columns.step)

    def _sum(self, terms: Terms | tuple[tuple[Times, Fraction], ...], width: int) -> int:
        """A sum of multiples of matrices; the identity stands for an element that is added as it is."""
        draft, size = self._draft, self._size
        total: int | None = None
        for times, value in terms:
            wire = self._identity() if times is None else self._rows(times, times.rows)
            total = self._added(total, wire, value)
        if total is not None:
            return total
        return draft.full(0, (Axis("H", size), Axis("I", width)), self._kind)

    def _identity(self) -> int:
        draft, size = self._draft, self._size
        row, column = Axis("H", size), Axis("I", size)
        index = draft.core("index", (), Leaf(Kind("Fin", size), (row,)), size=size)
        same = draft.point("eq", (index, index), Leaf(Kind("Bool"), (row, column)), ((0,), (1,)))
        return draft.point("real", (same,), Leaf(self._kind, (row, column)))

    def _added(self, total: int | None, wire: int, value: Fraction) -> int:
        """A multiple of a wire added to what there is."""
        draft = self._draft
        leaf = draft.leaf(wire)
        if value == -1 and total is not None:
            return draft.point("sub", (total, wire), leaf)
        if value == -1:
            return draft.point("neg", (wire,), leaf)
        if value != 1:
            wire = draft.point("mul", (draft.literal(value, leaf.kind), wire), leaf, ((), tuple(range(len(leaf.axes)))))
        return wire if total is None else draft.point("add", (total, wire), leaf)

    def vector(self, gates: list[list[tuple[Given | None, Fraction]]]) -> int:
        """The biases of the gates; pieces of one vector that follow each other are taken together."""
        draft, kind = self._draft, self._kind
        parts: list[int] = []
        k = 0
        while k < len(gates):
            if not gates[k]:
                begin = k
                while k < len(gates) and not gates[k]:
                    k += 1
                parts.append(draft.full(0, (Axis("H", self._size * (k - begin)),), kind))
                continue
            first = _bias(gates[k])
            total: int | None = None
            if first is None:
                for given, value in gates[k]:
                    ones = Given(-1, Piece(0, 1, self._size)) if given is None else given
                    wire = draft.full(1, (Axis("H", self._size),), kind) if given is None else self._piece(ones)
                    total = self._added(total, wire, value)
                assert total is not None
                parts.append(total)
                k += 1
                continue
            at = first.at
            k += 1
            while k < len(gates) and (more := _bias(gates[k])) is not None and more.node == first.node:
                if at.step != 1 or more.at.step != 1 or more.at.start != at.start + at.size:
                    break
                at = Piece(at.start, 1, at.size + more.at.size)
                k += 1
            parts.append(self._piece(Given(first.node, at)))
        return draft.concat(tuple(parts), 0)

    def _piece(self, given: Given) -> int:
        """Some indices of a constant."""
        draft, wire = self._draft, self._lift.constant(given.node)
        axes = draft.axes(wire)
        if len(axes) > 1:
            wire = draft.merge(wire, 0, Axis(axes[-1].label, _whole(axes)), len(axes))
        return draft.slice(wire, 0, given.at.start, given.at.size, given.at.step)


def _lone(terms: Terms | tuple[tuple[Times, Fraction], ...]) -> Times | None:
    return terms[0][0] if len(terms) == 1 and terms[0][1] == 1 else None


def _bias(terms: list[tuple[Given | None, Fraction]]) -> Given | None:
    return terms[0][0] if len(terms) == 1 and terms[0][1] == 1 else None


def _follows(first: Times, rows: Piece, more: Times) -> bool:
    """Whether more rows of the same matrix come right after these."""
    same = (first.node, first.axis, first.columns) == (more.node, more.axis, more.columns)
    return same and rows.step == more.rows.step == 1 and more.rows.start == rows.start + rows.size


def _whole(axes: tuple[Axis, ...]) -> int:
    total = 1
    for axis in axes:
        assert isinstance(axis.size, int)
        total *= axis.size
    return total
