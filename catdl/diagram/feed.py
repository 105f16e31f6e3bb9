"""Weights that differ from sample to sample: leaves of a diagram's parameters as inputs of it (fast weights).

Takes a Diagram and the paths of leaves; guarantees a Diagram with one more input for each, per sample, and the flags of
the wires told anew. A native is entered by its definition, whose operations take batched weights as they take any
tensor (CALCULUS, "Modes": such a port is mode-polymorphic). What has no definition, or keeps weights for each round or
index apart, cannot be fed.

    feed(linear, ("weight",))      x, weight -> y
"""

from __future__ import annotations

from collections.abc import Generator

from catdl.diagram.compact import compact
from catdl.diagram.drive import Work, drive
from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Op,
    Repeat,
    Store,
    TreeFold,
    Wire,
)
from catdl.diagram.params import NOWHERE, leaves_of, parameters, sole_box
from catdl.record import replace


class NotFed(Exception):
    """A leaf that takes only weights that are the same for the whole batch; `where` says in what it lies."""

    def __init__(self, where: str) -> None:
        self.where = where


def fed(op: Op, site: str | None, paths: tuple[str, ...], inputs: tuple[Wire, ...], outputs: tuple[Wire, ...]) -> Op:
    """An operation that stands at a site, with leaves below it as further inputs. Raises NotFed."""
    whole = Diagram(
        "fed",
        (*inputs, *outputs),
        tuple(range(len(inputs))),
        tuple(range(len(inputs), len(inputs) + len(outputs))),
        (Box(op, tuple(range(len(inputs))), tuple(range(len(inputs), len(inputs) + len(outputs))), site, (), NOWHERE),),
        frozenset(),
        (None,) * len(inputs),
        (None,) * len(outputs),
        (),
    )
    made = drive(_feed(whole, tuple(f"{site}.{path}" if site is not None else path for path in paths), frozenset()))
    return made.boxes[-1].op


def _feed(diagram: Diagram, paths: tuple[str, ...], loose: frozenset[int]) -> Work[Diagram]:
    """A diagram with leaves as inputs; the inputs at the places `loose` become per sample too."""
    types = {leaf.path: leaf.type for leaf in parameters(diagram)}
    wires = list(diagram.wires)
    for place in loose:
        at = diagram.inputs[place]
        wires[at] = replace(wires[at], constant=False)
    extra: dict[str, int] = {}
    for path in paths:
        extra[path] = len(wires)
        wires.append(Wire(types[path], False, path.rpartition(".")[2]))
    moved: dict[int, int] = {}
    boxes: list[Box] = []
    for box in diagram.boxes:
        if isinstance(box.op, Local) and box.op.parameter.path in extra:
            moved[box.outputs[0]] = extra[box.op.parameter.path]
            continue
        inputs = tuple(moved.get(w, w) for w in box.inputs)
        plugs = tuple((path, moved.get(w, w)) for path, w in box.plugs)
        if any(not wires[w].constant for _, w in plugs):
            raise NotFed("what is plugged into a part of it")
        if isinstance(box.op, Store) and any(not wires[w].constant for w in inputs):
            kept = next(b for b in diagram.boxes if isinstance(b.op, Local) and b.op.parameter.path == box.op.path)
            if wires[kept.outputs[0]].constant:
                raise NotFed(f"the state `{box.op.path}`")
        inline = isinstance(box.op, Call) and box.op.inline
        before = "" if inline or box.site is None else f"{box.site}."
        below = leaves_of(box.op, box.site) if paths and not isinstance(box.op, Core | Local | Global) else ()
        mine = [leaf.path for leaf in below if before + leaf.path in extra]
        freed = frozenset(
            k for k, (new, old) in enumerate(zip(inputs, box.inputs, strict=True))
            if not wires[new].constant and diagram.wires[old].constant
        )  # fmt: skip
        op = box.op
        if mine or (freed and _body(op) is not None):
            op = yield from _op(box, tuple(mine), freed, diagram)
            inputs = (*inputs, *(extra[before + path] for path in mine))
        if not isinstance(op, Core) or op.name != "across":
            for w in box.outputs:
                if any(not wires[i].constant for i in inputs) and wires[w].constant:
                    wires[w] = replace(wires[w], constant=False)
        site = box.site if len(mine) < len(below) or not mine else None
        boxes.append(Box(op, inputs, box.outputs, site, plugs, box.span))
    return compact(
        diagram, wires, boxes, (*diagram.inputs, *extra.values()), tuple(moved.get(w, w) for w in diagram.outputs)
    )


def _body(op: Op) -> Diagram | None:
    match op:
        case Call(callee, _):
            return callee
        case Repeat() | Map() | Fold() | TreeFold():
            return op.body
        case _:
            return None


def _op(
    box: Box, paths: tuple[str, ...], loose: frozenset[int], around: Diagram
) -> Generator[Work[Diagram], Diagram, Op]:
    """The operation of a box, fed."""
    op = box.op
    match op:
        case Call(callee, inline):
            inner = yield _feed(callee, paths, loose)
            return Call(inner, inline)
        case Native(definition=definition) if definition is not None:
            inner = yield _feed(whole(op, definition.diagram(), box, around), paths, loose)
            return Call(inner, False)
        case Map() | Fold() | Repeat(tie="tied"):
            sole = sole_box(op.body) if box.site is not None else None
            before = f"{sole.site}." if sole is not None else ""
            # What goes round differs from sample to sample, once a weight does.
            round_ = 0 if isinstance(op, Map) else op.carried if isinstance(op, Fold) else len(op.body.outputs)
            inner = yield _feed(op.body, tuple(before + path for path in paths), loose.union(range(round_)))
            return replace(op, body=inner, captured=op.captured + len(paths))
        case TreeFold(body=body):
            sole = sole_box(body) if box.site is not None else None
            before = f"{sole.site}." if sole is not None else ""
            first = len(body.inputs) - len(box.inputs)  # the trees are no input of the body, captured wires the last
            inner = yield _feed(body, tuple(before + path for path in paths), frozenset(first + k for k in loose))
            return replace(op, body=inner, captured=op.captured + len(paths))
        case _:
            name = op.entry if isinstance(op, Native) else type(op).__name__.lower()
            raise NotFed(f"the weights of `{name}`")


def whole(op: Native, definition: Diagram, box: Box, around: Diagram) -> Diagram:
    """The definition of a native with the axes it acts on where the box has them; its static branches are not told."""
    wires = list(definition.wires)
    before: list[Box] = []
    after: list[Box] = []
    inputs, outputs = list(definition.inputs), list(definition.outputs)
    for i, at in enumerate(op.at_in or ()):
        if at is not None:
            leaf = around.wires[box.inputs[i]].type
            rank = len(leaf.axes)
            named = [p % rank for p in at]
            perm = (*(p for p in range(rank) if p not in named), *named)
            inputs[i] = len(wires)
            wires.append(Wire(leaf, wires[definition.inputs[i]].constant, None))
            before.append(_permute(perm, inputs[i], definition.inputs[i], box))
    for i, at in enumerate(op.at_out or ()):
        if at is not None:
            leaf = around.wires[box.outputs[i]].type
            rank = len(leaf.axes)
            named = [p % rank for p in at]
            rest = iter(range(rank - len(at)))
            perm = tuple(rank - len(at) + named.index(p) if p in named else next(rest) for p in range(rank))
            outputs[i] = len(wires)
            wires.append(Wire(leaf, wires[definition.outputs[i]].constant, None))
            after.append(_permute(perm, definition.outputs[i], outputs[i], box))
    boxes = [*before, *definition.boxes, *after]
    return compact(definition, wires, boxes, tuple(inputs), tuple(outputs), choices=())


def _permute(perm: tuple[int, ...], source: int, target: int, box: Box) -> Box:
    return Box(Core("permute", (("perm", perm),)), (source,), (target,), None, (), box.span)
