"""A fold that joins each element to its state by a commutative monoid is their reduction, joined to the start.

Where torch's reduction of nothing is not the unit (the maximum of nothing is refused), the start is one more element.

    fold[T]([ zeros | add ])      x.sum(-2)
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from catdl.diagram.model import Box, Core, Fold, Native
from catdl.record import replace
from catdl.rewrite.applied import Law
from catdl.rewrite.body import Body
from catdl.rewrite.draft import Draft, opaque
from catdl.types.ragged import ragged_syms
from catdl.types.types import Axis

LAW = Law("folds of a commutative monoid", "fold[T]([ s | op ]) = s op reduce[T](op)", False)


class Monoid(NamedTuple):
    """A pointwise function, the reduction and the scan that it makes, its unit where a number is one."""

    reduce: str
    scan: str | None
    unit: int | None
    called: str


MONOIDS = {
    "add": Monoid("sum", "cumsum", 0, "sum"),
    "mul": Monoid("prod", "cumprod", 1, "product"),
    "maximum": Monoid("max", "cummax", None, "maximum"),
    "minimum": Monoid("min", "cummin", None, "minimum"),
    "and": Monoid("all", None, None, "conjunction"),
    "or": Monoid("any", None, None, "disjunction"),
    "logaddexp": Monoid("logsumexp", "logcumsumexp", None, "logsumexp"),
}


def reduced(draft: Draft, box: Box, fold: Fold, read: frozenset[int]) -> str | None:
    """Write the reductions that the fold is, if it is nothing else; gives their names. `read`: the outputs that are."""
    body = Body(fold)
    makers = {wire: b for b in body.boxes for wire in b.outputs}
    found: list[tuple[str, int]] = []
    for old, new in zip(body.carriers, body.outputs, strict=False):
        joined = _joined(body, makers.get(new), old)
        if joined is None:
            return None
        found.append(joined)
    outs = body.outputs[fold.carried :]
    news = body.outputs[: fold.carried]
    if len(makers) != len(found) or any(out not in news for out in outs) or len(set(outs)) < len(outs) or not found:
        return None
    if any(MONOIDS[fn].scan is None for (fn, _), new in zip(found, news, strict=True) if new in outs):
        return None
    outer = dict(zip((*body.carriers, *body.elements), box.inputs, strict=False))
    for k, ((fn, element), new) in enumerate(zip(found, news, strict=True)):
        start, x = box.inputs[k], outer[element]
        if new in outs:
            _scan(draft, fold, MONOIDS[fn], fn, start, x, box.outputs[fold.carried + outs.index(new)])
        if box.outputs[k] in read:
            _reduce(draft, MONOIDS[fn], fn, start, x, box.outputs[k])
    return " and a ".join(MONOIDS[fn].called for fn, _ in found)


def _joined(body: Body, box: Box | None, old: int) -> tuple[str, int] | None:
    """The function and the element of `new = old op element`, both of one type."""
    match box:
        case Box(op=Core(name="pointwise") as op):
            fn = str(op["fn"])
            every = tuple(range(len(body.wires[old].type.axes)))
            if op["align"] != (every, every):
                return None
        case Box(op=Native(entry="logaddexp")):
            fn = "logaddexp"
        case _:
            return None
    others = [wire for wire in box.inputs if wire != old]
    if fn not in MONOIDS or len(box.inputs) != 2 or len(others) != 1 or others[0] not in body.elements:
        return None
    return (fn, others[0]) if len(body.wires[others[0]].type.axes) == len(body.wires[old].type.axes) else None


def _into(draft: Draft, wire: int) -> None:
    """What the last box makes is this wire."""
    draft.boxes[-1] = replace(draft.boxes[-1], outputs=(wire,))


def _join(draft: Draft, fn: str, left: int, right: int) -> int:
    """One value joined to another."""
    leaf = draft.leaf(right)
    if fn != "logaddexp":
        return draft.point(fn, (left, right), leaf)
    out = draft.wire(leaf, draft.constant((left, right)))
    return draft.op(opaque("logaddexp"), (left, right), (out,))[0]


def _reduce(draft: Draft, monoid: Monoid, fn: str, start: int, x: int, out: int) -> None:
    leaf = draft.leaf(out)
    if monoid.unit is None and ragged_syms(draft.axes(x)[0].size):  # of no elements, what every other element beats
        empty = {"max": {"empty": -inf}, "min": {"empty": inf}}.get(monoid.reduce, {})
        total = draft.core("reduce", (x,), leaf, fn=monoid.reduce, axes=(0,), **empty)
        _join(draft, fn, start, total)
    elif monoid.unit is None:
        draft.core("reduce", (_with_start(draft, start, x),), leaf, fn=monoid.reduce, axes=(0,))
    else:
        total = draft.core("reduce", (x,), leaf, fn=monoid.reduce, axes=(0,))
        if number(draft, start) != monoid.unit:
            _join(draft, fn, start, total)
    _into(draft, out)


def _scan(draft: Draft, fold: Fold, monoid: Monoid, fn: str, start: int, x: int, out: int) -> None:
    leaf = draft.leaf(out)
    made = draft.core("scan", (x,), leaf, fn=str(monoid.scan), axis=0, reverse=fold.reverse)
    if monoid.unit is None or number(draft, start) != monoid.unit:
        _join(draft, fn, draft.expand(start, fold.axis), made)
    _into(draft, out)


def _with_start(draft: Draft, start: int, x: int) -> int:
    """The start in front of the elements."""
    first = draft.expand(start, Axis(draft.axes(x)[0].label, 1))
    return draft.concat((first, x), 0)


def number(draft: Draft, wire: int) -> object:
    """The number that a wire is everywhere, None for anything else."""
    makers = {w: b for b in draft.boxes for w in b.outputs}
    while (box := makers.get(wire)) is not None and isinstance(box.op, Core) and box.op.name == "expand":
        wire = box.inputs[0]
    return box.op["value"] if box is not None and isinstance(box.op, Core) and box.op.name == "literal" else None
