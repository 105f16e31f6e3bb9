"""Reparameterisation: what the leaves of a diagram's parameters become, done where each leaf is used.

Takes a Diagram and the change of each leaf by key; guarantees the same inputs and outputs, and that the keys of the
leaves that stay do not move (CDL, section 3: a 2-morphism of Para acts on the parameter object alone).

- A native becomes a call of a diagram that holds its leaves, what is made of them, and the native plugged with that;
  what a step of a change owns stands beside the leaf it changes.
- Calls, `each` and `repeat` are entered; a repeat whose rounds are changed differently becomes calls one by one.
- What runs many times with one record of weights (`iterate`, `map`) is not entered by steps: what it is given is made
  once, before it, and plugged in from outside. What a step owns has its key beside the leaf all the same.

    changed(gpt2, {"block.0.attention.qkv.weight": Change(steps=(add_low_rank,))})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from catdl.diagram.changes import UNCHANGED, Change, Tree, below, flat, live, nested, tree_of, under
from catdl.diagram.drive import Work, drive
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
    Op,
    Parameter,
    Repeat,
    Store,
    TreeFold,
    Wire,
)
from catdl.diagram.params import body_of, leads_of, leaves_of, owns, sole_box, with_body
from catdl.record import replace
from catdl.source import Span
from catdl.types.types import Axis, Leaf

Memo: TypeAlias = dict[tuple[int, int, bool], tuple[Diagram, Tree, Diagram]]
"""What became of a diagram under a tree of changes; both are held, for they are known by identity."""


def changed(diagram: Diagram, changes: Mapping[str, Change]) -> Diagram:
    """The diagram with its leaves changed; keys of `changes` are keys of `parameters(diagram)`.

    A repeat with a plug for each round becomes calls one by one in any case.
    """
    rounds = any(isinstance(box.op, Repeat) and box.op.tie == "fresh" and box.plugs for box in diagram.boxes)
    if not changes and not rounds:
        return diagram
    return drive(_diagram(diagram, tree_of(changes), False, {}))


class Draft:
    """A diagram under way: wires are added at the end, sites are kept apart."""

    __slots__ = ("base", "boxes", "effects", "name", "outputs", "taken", "wires")

    def __init__(self, base: Diagram) -> None:
        self.base = base
        self.name = base.name
        self.wires = list(base.wires)
        self.boxes: list[Box] = []
        self.outputs = base.outputs
        self.effects = set(base.effects)
        self.taken: set[str] = set()
        self.take(path for inner in _together(base) for box in inner.boxes for path in _paths(box))

    def wire(self, wire: Wire) -> int:
        """A new wire."""
        self.wires.append(wire)
        return len(self.wires) - 1

    def take(self, paths: Iterable[str]) -> None:
        """Say that sites and leaves stand at some paths, and whatever they stand in above them."""
        for path in paths:
            while path and path not in self.taken:
                self.taken.add(path)
                path = path.rpartition(".")[0]

    def fresh(self, name: str) -> str:
        """A path for a site that no other has."""
        found, count = name, 1
        while found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self.taken.add(found)
        return found

    def diagram(self) -> Diagram:
        """What has been drafted."""
        base = self.base
        return Diagram(
            self.name,
            tuple(self.wires),
            base.inputs,
            self.outputs,
            tuple(self.boxes),
            frozenset(self.effects),
            base.domain_names,
            base.codomain_names,
            base.facts,
            base.bounds,
            base.arguments,
            base.choices,
        )

    def leaf(self, parameter: Parameter, change: Change, out: int | None, span: Span) -> int:
        """A leaf and, beside it, what is made of it; the last value is the wire `out`, or a new one."""
        steps = live(change)
        around, _, name = parameter.path.rpartition(".")
        shape = Wire(parameter.type, True, name)
        last = self.wire(shape) if out is None else out
        if steps:
            self.wires[last] = replace(self.wires[last], made=True)
        at = -1
        if change.kept:
            at = last if not steps else self.wire(shape)
            self.boxes.append(Box(Local(change.on(parameter)), (), (at,), parameter.path, (), span))
        for place, step in enumerate(steps):
            result = last if place == len(steps) - 1 else self.wire(shape)
            self.splice(step, (at,) if step.inputs else (), result, around)
            at = result
        return last

    def splice(self, step: Diagram, inputs: tuple[int, ...], result: int, around: str) -> None:
        """The boxes of a diagram with one output, which is the wire `result`.

        Its sites stand below the path `around`, apart from others there.
        """
        at = dict(zip(step.inputs, inputs, strict=True))
        at[step.outputs[0]] = result
        sites: dict[str, str] = {}

        def moved(wire: int) -> int:
            if wire not in at:
                at[wire] = self.wire(step.wires[wire])
            return at[wire]

        def renamed(site: str) -> str:
            head, dot, rest = site.partition(".")
            if head not in sites:
                sites[head] = self.fresh(f"{around}.{head}" if around else head)
            return f"{sites[head]}{dot}{rest}"

        for box in step.boxes:
            op = box.op
            if isinstance(op, Local):
                op = Local(replace(op.parameter, path=renamed(op.parameter.path)))
            elif isinstance(op, Store):
                op = Store(renamed(op.path))
            elif isinstance(op, Repeat | Map | Each | Fold | TreeFold) and box.site is None:
                op = replace(op, body=_resited(op.body, renamed))
            self.boxes.append(
                Box(
                    op,
                    tuple(moved(w) for w in box.inputs),
                    tuple(moved(w) for w in box.outputs),
                    None if box.site is None else renamed(box.site),
                    tuple((path, moved(w)) for path, w in box.plugs),
                    box.span,
                )
            )
        self.effects |= step.effects


def _together(diagram: Diagram) -> list[Diagram]:
    """A diagram and those inside it whose sites stand beside its own, outer ones first."""
    found = [diagram]
    for inner in found:
        for box in inner.boxes:
            inline = isinstance(box.op, Call) and box.op.inline
            body = body_of(box.op)
            if body is not None and (inline or (box.site is None and not isinstance(box.op, Call))):
                found.append(body)
    return found


def _resited(diagram: Diagram, renamed: Callable[[str], str]) -> Diagram:
    """A diagram, and those inside it whose sites stand beside its own, with other names for the sites."""
    done: dict[int, Diagram] = {}
    for inner in reversed(_together(diagram)):
        draft = Draft(inner)
        for box in inner.boxes:
            op, body = box.op, body_of(box.op)
            if isinstance(op, Local):
                op = Local(replace(op.parameter, path=renamed(op.parameter.path)))
            elif isinstance(op, Store):
                op = Store(renamed(op.path))
            elif body is not None and id(body) in done:
                op = with_body(op, done[id(body)])
            site = None if box.site is None else renamed(box.site)
            draft.boxes.append(Box(op, box.inputs, box.outputs, site, box.plugs, box.span))
        done[id(inner)] = draft.diagram()
    return done[id(diagram)]


def _paths(box: Box) -> tuple[str, ...]:
    site = box.op.parameter.path if isinstance(box.op, Local) else box.site
    return () if site is None else (site,)


def _diagram(diagram: Diagram, node: Tree, alone: bool, memo: Memo) -> Work[Diagram]:
    """A diagram with the leaves below it changed; `alone`: its one named box adds no segment."""
    key = (id(diagram), id(node), alone)
    found = memo.get(key)
    if found is not None:
        return found[2]
    draft = Draft(diagram)
    sole = sole_box(diagram) if alone else None
    for box in diagram.boxes:
        if box is sole:
            yield from _box(draft, box, nested(box.site, node), memo)
        else:
            yield from _box(draft, box, node, memo)
    made = draft.diagram()
    memo[key] = diagram, node, made
    return made


def _box(draft: Draft, box: Box, around: Tree, memo: Memo) -> Work[Diagram]:
    """A box with the leaves below it changed."""
    op = box.op
    match op:
        case Local(parameter):
            change = under(around, parameter.path)
            if isinstance(change, Change):
                draft.leaf(parameter, change, box.outputs[0], box.span)
                return draft.base
        case Native():
            node = below(around, box.site)
            if node:
                draft.boxes.append(_native(draft, box, op, node))
                return draft.base
        case Call(callee, inline):
            node = around if inline else below(around, box.site)
            if node and owns(callee):
                inner = yield _diagram(callee, node, False, memo)
                draft.effects |= inner.effects
                draft.boxes.append(_with(box, Call(inner, inline), inner))
                return draft.base
        case Each(axis, body, captured):
            node = below(around, box.site)
            if node and owns(body):
                inner = yield _diagram(body, node, bare(box, body), memo)
                draft.effects |= inner.effects
                draft.boxes.append(_with(box, Each(axis, inner, captured), inner))
                return draft.base
        case Repeat(tie="fresh"):
            node = below(around, box.site)
            if box.plugs or (node and owns(op.body)):
                yield from _repeat(draft, box, op, node, memo)
                return draft.base
        case Repeat() | Map() | Fold() | TreeFold():
            node = below(around, box.site)
            if node and owns(op.body):
                yield from _tied(draft, box, op, node, memo)
                return draft.base
        case Core() | Extern() | Global() | Store() | Emit():
            pass
    draft.boxes.append(box)
    return draft.base


def bare(box: Box, body: Diagram) -> bool:
    """Whether the one named box that the body of a box is adds no segment."""
    return box.site is not None and sole_box(body) is not None


def _with(box: Box, op: Op, inner: Diagram) -> Box:
    return Box(op, box.inputs, box.outputs, box.site if owns(inner) else None, box.plugs, box.span)


def _native(draft: Draft, box: Box, op: Native, node: Tree) -> Box:
    """A native whose leaves are kept otherwise, or a call of what makes them."""
    changes = {p.path: c if isinstance(c := node.get(p.path), Change) else UNCHANGED for p in op.params}
    if not any(live(change) for change in changes.values()):
        params = tuple(changes[p.path].on(p) for p in op.params)
        return Box(replace(op, params=params), box.inputs, box.outputs, box.site, box.plugs, box.span)
    plugged = dict(box.plugs)
    outside = [draft.wires[w] for w in (*box.inputs, *plugged.values())]
    inside = Diagram(
        op.entry,
        (*outside, *(draft.wires[w] for w in box.outputs)),
        tuple(range(len(outside))),
        tuple(range(len(outside), len(outside) + len(box.outputs))),
        (),
        frozenset(draft.base.effects),
        (None,) * len(outside),
        (None,) * len(box.outputs),
        draft.base.facts,
    )
    inner = Draft(inside)
    inner.take(p.path for p in op.params)
    count = len(box.inputs)
    plugs = [(path, count + k) for k, path in enumerate(plugged)]
    for p in op.params:
        moved = bool(p.state) and not live(changes[p.path])  # by the layer itself, which keeps it therefore
        if p.path not in plugged and not moved:
            plugs.append((p.path, inner.leaf(p, changes[p.path], None, box.span)))
    inner.boxes.append(Box(op, inside.inputs[:count], inside.outputs, None, tuple(plugs), box.span))
    callee = inner.diagram()
    draft.effects |= callee.effects
    inputs = (*box.inputs, *plugged.values())
    return Box(Call(callee, False), inputs, box.outputs, box.site if owns(callee) else None, (), box.span)


def _repeat(draft: Draft, box: Box, op: Repeat, node: Tree, memo: Memo) -> Work[Diagram]:
    """Rounds that are changed alike stay a repeat; others become calls one by one."""
    alone = bare(box, op.body)
    rounds = [below(node, str(k)) for k in range(op.count)]
    apart = any(change.apart for change in flat(node).values())
    if not box.plugs and not apart and all(one == rounds[0] for one in rounds):
        inner = yield _diagram(op.body, rounds[0], alone, memo)
        draft.effects |= inner.effects
        draft.boxes.append(_with(box, Repeat(op.count, inner, op.tie, op.captured), inner))
        return draft.base
    carried, fixed = box.inputs[: len(box.outputs)], box.inputs[len(box.outputs) :]
    for k, changes in enumerate(rounds):
        inner = yield _diagram(op.body, changes, alone, memo)
        draft.effects |= inner.effects
        last = k == op.count - 1
        outs = box.outputs if last else tuple(draft.wire(draft.wires[w]) for w in box.outputs)
        plugs = tuple((path.partition(".")[2], w) for path, w in box.plugs if path.partition(".")[0] == str(k))
        element(draft, inner, (*carried, *fixed), outs, f"{box.site}.{k}", plugs, box.span)
        carried = outs
    return draft.base


def element(
    draft: Draft,
    body: Diagram,
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    site: str,
    plugs: tuple[tuple[str, int], ...],
    span: Span,
) -> None:
    """One round of a repeat as a box of its own, with the keys that it has there."""
    sole = sole_box(body)
    if sole is None or len(body.boxes) > 1 or sole.outputs != body.outputs or isinstance(sole.op, Native):
        whole = body if sole is None else without_site(body, sole)
        draft.boxes.append(Box(Call(whole, False), inputs, outputs, site if owns(body) else None, plugs, span))
        return
    at = dict(zip(body.inputs, inputs, strict=True))
    inner = tuple((path, at[w]) for path, w in sole.plugs)
    draft.boxes.append(Box(sole.op, tuple(at[w] for w in sole.inputs), outputs, site, (*inner, *plugs), span))


def without_site(body: Diagram, sole: Box) -> Diagram:
    """A body whose one named box adds no segment, as a diagram that stands for itself: the box is written inline."""
    draft = Draft(body)
    for box in body.boxes:
        if box is not sole:
            draft.boxes.append(box)
        elif isinstance(box.op, Call):
            draft.boxes.append(Box(Call(box.op.callee, True), box.inputs, box.outputs, None, box.plugs, box.span))
        else:
            assert isinstance(box.op, Native)
            plugged = dict(box.plugs)
            plugs = [
                (p.path, plugged[p.path] if p.path in plugged else draft.leaf(p, UNCHANGED, None, box.span))
                for p in box.op.params
                if p.path in plugged or not p.state
            ]
            draft.boxes.append(Box(box.op, box.inputs, box.outputs, None, tuple(plugs), box.span))
    return draft.diagram()


def _tied(draft: Draft, box: Box, op: Repeat | Map | Fold | TreeFold, node: Tree, memo: Memo) -> Work[Diagram]:
    """What is used many times is made once, outside, and plugged in; how a leaf is kept is said inside.

    What a step owns has the key that it would have inside.
    """
    before = "" if box.site is None else f"{box.site}."
    leaves = leaves_of(op, box.site)
    changes = {leaf.path: found for leaf in leaves if isinstance(found := under(node, leaf.path), Change)}
    draft.take(before + leaf.path for leaf in leaves)
    outside = {path for path, change in changes.items() if live(change)}
    kept = {
        path: replace(change, steps=(), apart=True) if path in outside else change for path, change in changes.items()
    }
    inner = yield _diagram(op.body, tree_of(kept), bare(box, op.body), memo)
    op = replace(op, body=inner)
    plugs = list(box.plugs)
    leads = leads_of(op, box.site)
    for leaf in leaves:
        if leaf.path in outside:
            change = changes[leaf.path]
            for axis in reversed(leaf.type.axes[: leads[leaf.path]]):
                assert isinstance(axis, Axis)
                change = replace(change, steps=tuple(_at_each(step, axis, box.span) for step in live(change)))
            made = draft.leaf(replace(leaf, path=before + leaf.path), change, None, box.span)
            plugs.append((leaf.path, made))
    draft.boxes.append(Box(op, box.inputs, box.outputs, box.site, tuple(plugs), box.span))
    return draft.base


def _at_each(step: Diagram, axis: Axis, span: Span) -> Diagram:
    """A step for every index of an axis that a leaf has in front."""
    ports = (*step.inputs, *step.outputs)
    wires = tuple(replace(w, type=Leaf(w.type.kind, (axis, *w.type.axes))) for w in (step.wires[p] for p in ports))
    count = len(step.inputs)
    inputs, outputs = tuple(range(count)), tuple(range(count, len(ports)))
    boxes = (Box(Each(axis, step, 0), inputs, outputs, None, (), span),)
    names = (None,) * count
    return Diagram(step.name, wires, inputs, outputs, boxes, step.effects, names, (None,), step.facts)
