"""What a diagram emits, as further outputs: the wires that run out of it vertically, brought into the open.

Takes a Diagram. Guarantees the same parameters and the same outputs, after these one more for each value emitted in it
or in what it holds, under the names of the boxes that it leaves, as a parameter has those of the boxes that it enters.
Rounds of `repeat` and `iterate` emit each for themselves and become calls one by one; `map`, `each` and
`fold` give what they emit their axes.

    collected(net)      net with outputs logits, hidden.weight.bayesian.kl, …
"""

from __future__ import annotations

from typing import TypeAlias

from catdl.diagram.drive import Work, drive
from catdl.diagram.feed import whole
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
from catdl.diagram.params import bodies, post_order, sole_box
from catdl.diagram.plug import Draft, without_site
from catdl.record import replace
from catdl.types.types import Axis, Leaf

Collected: TypeAlias = tuple[Diagram, tuple[str, ...]]
Memo: TypeAlias = dict[int, tuple[Diagram, Collected]]  # the diagrams are held: they are known by identity


def collected(diagram: Diagram) -> Collected:
    """The diagram with what it emits as further outputs, and the names of these."""
    return drive(_collect(diagram, _emitting(diagram), {}))


def _emitting(diagram: Diagram) -> set[int]:
    """The diagrams in it, by identity, in which anything is emitted."""
    found: set[int] = set()
    for inner in post_order(diagram):
        for box in inner.boxes:
            body = bodies(box)
            itself = isinstance(box.op, Emit) or (isinstance(box.op, Native) and box.op.emits)
            if itself or (body is not None and id(body) in found):
                found.add(id(inner))
    return found


def _below(box: Box, body: Diagram, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names below a box: where its body is one named box, without the segment of that one."""
    sole = sole_box(body) if box.site is not None else None
    return names if sole is None else tuple(name.removeprefix(f"{sole.site}.") for name in names)


def _collect(diagram: Diagram, emitting: set[int], memo: Memo) -> Work[Collected]:
    known = memo.get(id(diagram))
    if known is not None:
        return known[1]
    draft = Draft(diagram)
    names: list[str] = []
    outputs: list[int] = []

    def out(box: Box, inner: Diagram, inner_names: tuple[str, ...], before: str, axes: tuple[Axis, ...]) -> list[int]:
        """New wires for what a box emits."""
        made = []
        count = len(inner.outputs) - len(inner_names)
        for wire, name in zip(inner.outputs[count:], inner_names, strict=True):
            info = inner.wires[wire]
            constant = info.constant and all(draft.wires[w].constant for w in box.inputs) if axes else info.constant
            leaf = Leaf(info.type.kind, (*axes, *info.type.axes))
            made.append(draft.wire(Wire(leaf, constant, name.replace(".", "_"))))
            names.append(f"{before}{name}")
        outputs.extend(made)
        return made

    for box in diagram.boxes:
        op = box.op
        before = f"{box.site}." if box.site is not None else ""
        match op:
            case Emit(name):
                names.append(name)
                outputs.append(box.inputs[0])
            case Native(definition=definition) if op.emits and definition is not None:
                inner, below = yield _collect(whole(op, definition.diagram(), box, diagram), emitting, memo)
                made = out(box, inner, below, before, ())
                draft.boxes.append(replace(box, op=Call(inner, False), outputs=(*box.outputs, *made)))
            case Call(callee, inline) if id(callee) in emitting:
                inner, below = yield _collect(callee, emitting, memo)
                made = out(box, inner, below, "" if inline else before, ())
                draft.boxes.append(replace(box, op=Call(inner, inline), outputs=(*box.outputs, *made)))
            case Map() | Each() | Fold() if id(op.body) in emitting:
                inner, below = yield _collect(op.body, emitting, memo)
                axes = op.axes if isinstance(op, Map) else (op.axis,)
                below = _below(box, inner, below)
                made = out(box, inner, below, before, axes)
                draft.boxes.append(replace(box, op=replace(op, body=inner), outputs=(*box.outputs, *made)))
            case Repeat(count, body, tie) if id(body) in emitting:
                inner, below = yield _collect(body, emitting, memo)
                sole = sole_box(inner) if box.site is not None else None
                below = _below(box, inner, below)
                inner = inner if sole is None else without_site(inner, sole)
                carried, fixed = box.inputs[: len(box.outputs)], box.inputs[len(box.outputs) :]
                for k in range(count):
                    last = k == count - 1
                    results = box.outputs if last else tuple(draft.wire(draft.wires[w]) for w in box.outputs)
                    made = out(box, inner, below, f"{before}{k}.", ())
                    site = f"{box.site}.{k}" if tie == "fresh" else box.site
                    mine = tuple((p.partition(".")[2], w) for p, w in box.plugs if p.startswith(f"{k}."))
                    plugs = mine if tie == "fresh" else box.plugs
                    call = Call(inner, box.site is None)
                    draft.boxes.append(Box(call, (*carried, *fixed), (*results, *made), site, plugs, box.span))
                    carried = results
            case Core() | Native() | Call() | Map() | Each() | Fold() | TreeFold() | Repeat() | Extern():
                draft.boxes.append(box)
            case Global() | Local() | Store():
                draft.boxes.append(box)
    draft.outputs = (*diagram.outputs, *outputs)
    done = draft.diagram()
    done.codomain_names = (*diagram.codomain_names, *names)
    memo[id(diagram)] = diagram, (done, tuple(names))
    return done, tuple(names)
