"""From a diagram under construction to a Diagram: unknowns read, calls resolved, parameter sites named.

Takes a builder whose unknowns are solved; guarantees closed types (`closing.py`), and sites that are unique in text
order (`sites.py`). The instances that are missing are told all at once.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeGuard

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Inner, PBox, Source_, Stored, Use, W
from catdl.check.closing import Instance, Instances, Missing, close_inner, close_op
from catdl.check.context import Context
from catdl.check.plugs import resolve_plugs
from catdl.check.sites import name_sites
from catdl.check.static import Refused
from catdl.check.zonk import zonk_leaf, zonk_value
from catdl.diagram.changes import Change
from catdl.diagram.feed import NotFed, fed
from catdl.diagram.freeze import still
from catdl.diagram.model import Box, Call, Diagram, Extern, Fact, Local, Native, Op, Repeat, Store, Wire
from catdl.diagram.model import Static as Constant
from catdl.diagram.params import bodies, body_of, globals_of, is_learned, leads_of, leaves_of, sole_box
from catdl.diagram.params import owns as owns_any
from catdl.diagram.plug import changed
from catdl.diagram.taken import TAKEN
from catdl.record import replace
from catdl.source import Span
from catdl.types.sizes import Poly
from catdl.types.types import Axis, Leaf


def finish(ctx: Context, root: Builder, facts: tuple[Fact, ...], instances: Instances) -> Diagram:
    """The Diagram of a builder whose unknowns are solved. Raises Missing, and Refused after a report."""
    order: list[Builder] = []
    stack = [root]
    while stack:
        builder = stack.pop()
        order.append(builder)
        stack += [box.op.builder for box in builder.boxes if isinstance(box.op, Inner)]
    ops: dict[int, Op] = {}
    owning: set[int] = set()  # the builders that own parameters
    missing: dict[Instance, Span] = {}
    for builder in reversed(order):
        if resolve(ctx, builder, instances, ops, owning, missing):
            owning.add(id(builder))
    if missing:
        raise Missing(missing)
    inside = {id(box.op.builder) for b in order for box in b.boxes if isinstance(box.op, Inner) and box.transparent}
    for builder in order:
        if id(builder) in owning and id(builder) not in inside:
            name_sites(builder)
    made: dict[int, Diagram] = {}
    carried: dict[int, dict[str, Change]] = {}
    for builder in reversed(order):
        diagram, changes = close(ctx, builder, made, facts, instances, carried)
        if runs_often(builder):
            carried[id(builder)] = changes  # done where the loop stands, once
        else:
            diagram = changed(diagram, changes)
        made[id(builder)] = diagram
    return made[id(root)]


def resolve(
    ctx: Context,
    builder: Builder,
    instances: Instances,
    ops: dict[int, Op],
    owning: set[int],
    missing: dict[Instance, Span],
) -> bool:
    """Close the operations of the boxes that hold no diagram; whether any box owns parameters.

    Instances that must be made first are added to `missing`, all at once: a body may use many.
    """
    any_owns = False
    for box in builder.boxes:
        op = box.op
        if isinstance(op, Inner):
            box.owns = id(op.builder) in owning
        else:
            key = id(op)
            known = (ctx.ops if op.closed else ops) if isinstance(op, Use) else None
            done = None if known is None else known.get(key)
            if done is None:
                try:
                    done = close_op(ctx, box, instances)
                except Missing as other:
                    for instance, span in other.instances.items():
                        missing.setdefault(instance, span)
                    continue
                except Refused:
                    if missing:
                        raise Missing(missing) from None  # what is wrong with them comes first
                    raise
                if known is not None:
                    known[key] = done
            box.made = done
            if box.pending or any(not wire.constant for _, wire in box.plugs):
                box.made = plug(ctx, builder, box, done, instances)
            box.owns = owns(box.made, box)
        any_owns = any_owns or box.owns
    return any_owns


def plug(ctx: Context, builder: Builder, box: PBox, op: Op, instances: Instances) -> Op:
    """Note what the plugs of a box do: wires to its leaves, changes of them. Raises Missing and Refused."""
    # An instance that is missing has this asked again: it starts from the box as it was.
    box.given = box.given or (box.inputs, box.plugs)
    box.inputs, box.plugs = box.given
    plugged = {path for path, _ in box.plugs}
    at = Box(op, (), (), box.site, (), box.span)
    leaves = tuple(leaf for leaf in leaves_of(op, box.site) if leaf.path not in plugged and is_learned(leaf))
    body = body_of(op)
    held = {(p.home, p.path): p for p in globals_of(body)} if body is not None else {}
    resolved, box.wanted = resolve_plugs(ctx, box, at, leaves, instances, held, leads_of(op, box.site))
    op = still(op, frozenset(held)) if held else op
    given = dict(box.plugs) | resolved
    box.plugs = [(path, wire) for path, wire in given.items() if wire.constant]
    filled = {path for path, _ in box.plugs}
    if not filled.issuperset(leaf.path for leaf in leaves_of(op, box.site)):
        # Rounds that are all given their whole record stay a loop; others have what is not given each for itself.
        numbered = [path for path in filled if any(map(str.isdecimal, path.split(".")))]
        box.wanted |= {path: Change(apart=True) for path in numbered if path in resolved}
    fast = {path: wire for path, wire in given.items() if not wire.constant}
    if fast:
        ins, outs = ([Wire(zonk_leaf(ctx, w.leaf), w.constant, w.name) for w in s] for s in (box.inputs, box.outputs))
        try:
            op = fed(op, at.site, tuple(fast), tuple(ins), tuple(outs))
        except NotFed as refused:
            spans = (p.span for p in box.pending if p.value and not all(w.constant for w in p.value.wires))
            where = next(spans, box.span)
            raise ctx.refuse(wrong.NotBatchConstant(where, refused.where)) from None
        box.inputs = [*box.inputs, *fast.values()]
    return op


def runs_often(builder: Builder) -> bool:
    """Whether a diagram stands in one that runs many times with one record of weights."""
    at: Builder | None = builder
    while at is not None:
        if at.folded:
            return True
        at = at.parent
    return False


def carried_by(box: PBox, op: Op, changes: dict[str, Change]) -> dict[str, Change]:
    """The changes that the body of a box leaves to the diagram around it, by the keys that they have there."""
    site = box.site
    body = bodies(Box(op, (), (), site, (), box.span))
    sole = sole_box(body) if body is not None and site is not None and not isinstance(op, Call) else None
    inside = {path.removeprefix(f"{sole.site}.") if sole is not None else path: c for path, c in changes.items()}
    before = f"{site}." if site is not None else ""
    rounds = [f"{k}." for k in range(op.count)] if isinstance(op, Repeat) and op.tie == "fresh" else [""]
    return {f"{before}{each}{path}": change for each in rounds for path, change in inside.items()}


def close(
    ctx: Context,
    builder: Builder,
    made: dict[int, Diagram],
    facts: tuple[Fact, ...],
    instances: Instances,
    carried: dict[int, dict[str, Change]],
) -> tuple[Diagram, dict[str, Change]]:
    """One builder as a Diagram, and what is still to be done to its leaves.

    Those inside it are made already, operations resolved and sites named.
    """
    changes: dict[str, Change] = {}
    labels: dict[str, tuple[Op, Span]] = {}
    numbers: dict[W, int] = {}
    wires: list[Wire] = []
    closed: dict[int, Leaf] = {}  # by identity: long chains have many wires of one type object

    def number(wire: W) -> int:
        found = numbers.get(wire)
        if found is None:
            leaf = closed.get(id(wire.leaf))
            if leaf is None:
                leaf = closed[id(wire.leaf)] = zonk_leaf(ctx, wire.leaf)
            found = numbers[wire] = len(wires)
            wires.append(Wire(leaf, wire.constant, wire.name))
        return found

    inputs = tuple([number(w) for w in builder.inputs] + [number(w) for w in builder.captured.values()])
    boxes: list[Box] = []
    for box in builder.boxes:
        op: Op = close_inner(ctx, box, box.op, made) if isinstance(box.op, Inner) else box.made
        if isinstance(op, Local) and box.site is not None and box.site != op.parameter.path:
            op = Local(replace(op.parameter, path=box.site))
        if isinstance(box.op, Stored):
            op = Store(box.op.cell.site or "")
        if isinstance(box.op, Inner):
            if box.pending:
                op = plug(ctx, builder, box, op, instances)
            if left := carried.get(id(box.op.builder)):
                changes |= carried_by(box, op, left)
        if box.site is not None and (segment := box.site.partition(".")[0]) in TAKEN:
            said = box.label == segment or isinstance(box.op, Source_ | Local)
            raise ctx.refuse(wrong.NameOfTorch(box.span, segment, said))
        if box.site is not None and box.label is not None and box.group is None:
            labelled(ctx, box, op, labels)
        if box.wanted:
            before = f"{box.site}." if box.site is not None else ""
            changes |= {f"{before}{path}": change for path, change in box.wanted.items()}
        boxes.append(
            Box(
                op,
                tuple([number(w) for w in box.inputs]),
                tuple([number(w) for w in box.outputs]),
                box.site,
                tuple((path, number(w)) for path, w in box.plugs),
                box.span,
            )
        )
    names = tuple(w.name for w in builder.inputs) + tuple(w.name for w in builder.captured.values())
    diagram = Diagram(
        builder.name,
        tuple(wires),
        inputs,
        tuple([number(w) for w in builder.outputs]),
        tuple(boxes),
        frozenset(builder.effects),
        builder.in_names or names,
        builder.out_names or (None,) * len(builder.outputs),
        facts,
        builder.bounds,
        tuple((name, value) for name, v in builder.arguments if is_static(value := zonk_value(v))),
        tuple(builder.choices),
    )
    return diagram, changes


def labelled(ctx: Context, box: PBox, op: Op, labels: dict[str, tuple[Op, Span]]) -> None:
    """A name that the text gives twice is for the same parameters. Raises Refused."""
    assert box.label is not None
    if not box.span.text.startswith(box.label) or not box.span.text[len(box.label) :].lstrip().startswith(":"):
        return  # the name of a `box`
    first, span = labels.setdefault(box.label, (op, box.span))
    if span is not box.span and shapes(first) != shapes(op):
        raise ctx.refuse(wrong.LabelForTwo(box.span, box.label, span))


def shapes(op: Op) -> list[tuple[str, Leaf]]:
    """The own leaves of an operation by path, with their types."""
    return [(leaf.path, leaf.type) for leaf in leaves_of(op)]


def is_static(value: object) -> TypeGuard[Constant]:
    """Whether an argument is a number, a size, an axis, a word or a list of these, not a morphism or an object."""
    if isinstance(value, tuple):
        return all(map(is_static, value))
    return isinstance(value, int | Fraction | bool | str | Poly | Axis)


def owns(op: Op, box: PBox) -> bool:
    """Whether a box has parameters of its own, not plugged."""
    match op:
        case Native(params=params):
            plugged = {path for path, _ in box.plugs}
            return any(p.path not in plugged for p in params)
        case Call(inline=True):
            return False  # what it owns stands with what stands around it
        case Call(callee=inner) if box.plugs:
            plugged = {path for path, _ in box.plugs}
            return any(leaf.path not in plugged for leaf in leaves_of(op))
        case Call(callee=inner):
            return owns_any(inner)
        case Local() | Extern():
            return True
        case _:
            return False
