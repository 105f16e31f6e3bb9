"""What becomes of lags in core operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from math import inf
from typing import Any

from catdl.causal import masks
from catdl.causal.states import LOW, STILL, Broken, Line, Reach, Rule, Steps, around, least, meet
from catdl.diagram.model import Core
from catdl.record import replace
from catdl.types.facts import Bound
from catdl.types.sizes import Poly, Size, add, free_syms, sub, substitute, sym


class Time:
    """The time that is looked at, by its size."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.syms = free_syms(size)

    def grows(self, size: object) -> bool:
        """Whether a size grows with the number of steps."""
        return isinstance(size, Poly) and not self.syms.isdisjoint(size.syms)

    def more(self, size: Size) -> int | None:
        """By how much a size is more than the number of steps, if that is one number."""
        found = sub(size, self.size) if self.grows(size) else None
        return found if isinstance(found, int) else None

    def enough(self, bound: Bound) -> bool:
        """Whether a bound asks for so many steps and no more, as all pieces of a sequence have together."""
        sides = {">=": (bound.left, bound.right), ">": (bound.left, bound.right)}
        sides |= {"<=": (bound.right, bound.left), "<": (bound.right, bound.left)}
        if bound.op not in sides:
            return False
        large, small = sides[bound.op]
        room = sub(large, small)
        more = sub(substitute(room, {name: add(sym(name), 1) for name in self.syms}), room)
        return isinstance(more, int) and more > 0

    def fresh(self, size: Size) -> Reach:
        """An axis along which something is said anew."""
        more = self.more(size)
        return STILL if more is None else Reach(inf, more)


Sizes = tuple[Size, ...]


JOINING = ("contract", "reduce", "argmax", "across", "scan")


def core(time: Time, op: Core, ins: list[Steps], sizes: list[Sizes], rank: int) -> Steps | Broken:
    """The result of a core operation on inputs of these sizes."""
    found = _core(time, op, ins, sizes, rank)
    low = op.name not in JOINING and any(state.low for state in ins)
    return replace(found, low=True) if low and isinstance(found, Steps) else found


def _core(time: Time, op: Core, ins: list[Steps], sizes: list[Sizes], rank: int) -> Steps | Broken:
    a: dict[str, Any] = dict(op.attrs)
    x = ins[0] if ins else Steps(())
    match op.name:
        case "literal":
            value = a["value"]
            if time.grows(value):
                return Broken(Rule.LENGTH)
            low = isinstance(value, int | Fraction) and value <= LOW
            return Steps((), line=Line((), value) if isinstance(value, int | Fraction) else None, low=low)
        case "index":
            return Steps((time.fresh(a["size"]),), line=Line(((0, 1),), 0))
        case "pointwise":
            return _pointwise(a["fn"], a["align"], ins, rank)
        case "contract":
            return _contract(time, ins, a["ins"], a["out"], sizes)
        case "reduce":
            return reduced(time, a["fn"], a["axes"], x, sizes[0])
        case "argmax":
            return reduced(time, op.name, (a["axis"],), x, sizes[0])
        case "across":
            gone = tuple(k for k in range(len(x.lags)) if k not in a["keep"])
            return reduced(time, op.name, gone, x, sizes[0])
        case "permute":
            perm: tuple[int, ...] = a["perm"]
            at = [perm.index(k) for k in range(len(perm))]
            return _kept(x, tuple(x.lags[k] for k in perm), at)
        case "expand":
            place = a["position"]
            at = [k + (k >= place) for k in range(len(x.lags))]
            return _kept(x, (*x.lags[:place], time.fresh(a["size"]), *x.lags[place:]), at)
        case "concat":
            return _concat(time, a["axis"], ins, [one[a["axis"]] for one in sizes])
        case "gather" | "pick":
            return _taken(time, op.name, a["axis"], ins, sizes[0])
        case "scatter":
            return _scattered(time, a["axis"], ins, sizes[0])
        case "sample":
            return Steps(tuple(map(time.fresh, sizes[0])))
        case "training" | "straight":
            return ins[1]
        case "stop":
            return x
        case _:
            return _along(time, op.name, a, x, sizes[0])


def _kept(x: Steps, lags: tuple[Reach, ...], at: Sequence[int]) -> Steps:
    """The same elements, whose axes stand elsewhere."""
    line = x.line
    if line is not None:
        line = Line(tuple((at[axis], factor) for axis, factor in line.terms), line.plus, line.absolute)
    return Steps(lags, x.hidden, line, masks.moved(x.bands, at))


def _pointwise(fn: str, align: masks.Align, ins: list[Steps], rank: int) -> Steps:
    lags = [STILL] * rank
    for state, at in zip(ins, align, strict=True):
        for axis, lag in zip(at, state.lags, strict=True):
            lags[axis] = meet(lags[axis], lag)
    return Steps(tuple(lags), around(ins), masks.line(fn, align, ins), masks.bands(fn, align, ins))


def _contract(
    time: Time, ins: list[Steps], terms: tuple[tuple[int, ...], ...], out: tuple[int, ...], sizes: list[Sizes]
) -> Steps | Broken:
    lags: dict[int, Reach] = {}
    length: dict[int, Size] = {}
    for state, term, one in zip(ins, terms, sizes, strict=True):
        for letter, lag, size in zip(term, state.lags, one, strict=True):
            lags[letter] = meet(lags.get(letter, STILL), lag)
            length[letter] = size
    shut = [
        (term[band.row], term[band.col], band.after)
        for state, term in zip(ins, terms, strict=True)
        for band in state.bands
        if band.value == 0
    ]
    for letter in lags.keys() - set(out):
        if not lags[letter].moves and not time.grows(length[letter]):
            continue
        ends = [(row, after) for row, col, after in shut if col == letter and row in out]
        if not ends:
            return Broken(Rule.WHOLE)
        row, after = min(ends, key=lambda end: end[1])
        lags[row] = meet(lags[row], lags[letter].later(-after))
    bands = tuple(
        band
        for state, term in zip(ins, terms, strict=True)
        for band in masks.moved(
            (b for b in state.bands if b.value == 0 and {term[b.row], term[b.col]} <= set(out)),
            [out.index(letter) if letter in out else -1 for letter in term],
        )
    )
    return Steps(tuple(lags[letter] for letter in out), around(ins), None, bands)


NEUTRAL: dict[str, Callable[[Any], bool]] = {
    "sum": lambda value: value == 0,
    "prod": lambda value: value == 1,
    "any": lambda value: not value,
    "all": bool,
    "max": lambda value: value <= LOW,
    "argmax": lambda value: value <= LOW,
    "logsumexp": lambda value: value <= LOW,
    "softmax": lambda value: value <= LOW,
    "min": lambda value: value >= -LOW,
}
"""What a reduction makes nothing of; of the last five only beside something else."""

ALONE = ("sum", "prod", "any", "all")


def reduced(time: Time, fn: str, axes: tuple[int, ...], x: Steps, sizes: Sizes) -> Steps | Broken:
    """A reduction of some axes: of the time only what a mask shuts out after each step."""
    lags = list(x.lags)
    for axis in axes:
        if not lags[axis].moves and not time.grows(sizes[axis]):
            continue
        neutral = NEUTRAL.get(fn)
        ends = [
            (band.after, band.row)
            for band in x.bands
            if band.col == axis and band.row not in axes and neutral is not None and neutral(band.value)
            if fn in ALONE or (band.inside and band.after >= 0)
        ]
        if not ends:
            return Broken(Rule.WHOLE)
        after, row = min(ends)
        lags[row] = meet(lags[row], lags[axis].later(-after))
    return Steps(tuple(lag for axis, lag in enumerate(lags) if axis not in axes), x.hidden)


def _concat(time: Time, at: int, ins: list[Steps], sizes: list[Size]) -> Steps:
    """One after the other: what comes after the steps lies behind the end of the time."""
    before, along = 0, STILL
    for state, size in zip(ins, sizes, strict=True):
        if state.lags[at].moves or time.grows(size):
            along = state.lags[at].later(before)
            break
        before += size if isinstance(size, int) else 0
    lags = least([state.lags for state in ins])
    return Steps((*lags[:at], along, *lags[at + 1 :]), around(ins))


def _taken(time: Time, name: str, at: int, ins: list[Steps], sizes: Sizes) -> Steps | Broken:
    """Elements by index: of an axis that is none of the time."""
    x, index = ins
    if x.lags[at].moves or time.grows(sizes[at]):
        return Broken(Rule.TAKEN)
    rest = (*x.lags[:at], *x.lags[at + 1 :])
    if name == "gather":
        return Steps((*rest[:at], *index.lags, *rest[at:]), around(ins))
    return Steps(least([rest, index.lags]), around(ins))


def _scattered(time: Time, at: int, ins: list[Steps], sizes: Sizes) -> Steps | Broken:
    x, index = ins
    if x.lags[at].moves or index.lags[0].moves or time.grows(sizes[at]):
        return Broken(Rule.WHOLE)
    return Steps(x.lags, around(ins))


def _along(time: Time, name: str, a: dict[str, Any], x: Steps, sizes: Sizes) -> Steps | Broken:
    """An operation along one axis."""
    at: int = a["axis"]
    lag, size = x.lags[at], sizes[at]
    flows = lag.moves or time.grows(size)
    count = 1
    new: tuple[Reach, ...]
    match name:
        case "drop":
            if lag.moves:
                return Broken(Rule.SINGLE)
            new = ()
        case "merge_axes":
            count = a["count"]
            parts = range(at, at + count)
            wide = [k for k in parts if sizes[k] != 1]
            moving = [k for k in parts if x.lags[k].moves or time.grows(sizes[k])]
            if moving and len(wide) > 1:
                return Broken(Rule.JOINED)
            new = (reduce(meet, (x.lags[k] for k in parts)),)
        case "split_axis":
            wide = [k for k, part in enumerate(a["sizes"]) if part != 1]
            if flows and len(wide) != 1:
                return Broken(Rule.JOINED)
            new = tuple(lag if wide == [k] else STILL for k in range(len(a["sizes"])))
        case "slice":
            start, step = a["start"], a["step"]
            if flows and step != 1:
                return Broken(Rule.REVERSED if isinstance(step, int) and step < 0 else Rule.PACE)
            if flows and not isinstance(start, int):
                return Broken(Rule.SINGLE)
            if time.grows(start):
                return Broken(Rule.LENGTH)
            new = (_sliced(time, lag, start if isinstance(start, int) else 0, a["size"]),) if flows else (lag,)
        case "pad":
            before, mode = a["before"], a["mode"]
            if time.grows(before) or (flows and before != 0 and (not isinstance(before, int) or mode == "circular")):
                return Broken(Rule.ROUND if mode == "circular" else Rule.LENGTH)
            if flows and a["after"] != 0 and lag.end == inf:
                return Broken(Rule.LENGTH)
            new = (lag.later(before) if flows and mode != "circular" else lag,)
            if flows and before != 0 and mode != "constant":
                new = (Reach(lag.lag - (before if mode == "reflect" else 0), lag.end + before),)
        case "window":
            if flows and a["stride"] != 1:
                return Broken(Rule.PACE)
            width = a["size"]
            if flows and not isinstance(width, int):
                return Broken(Rule.WHOLE)
            new = (lag.later((1 - width) * a["dilation"]) if flows else lag, STILL)
        case "scan":
            if flows and a["reverse"]:
                return Broken(Rule.REVERSED)
            new = (lag,)
        case _:
            raise AssertionError(name)
    return Steps((*x.lags[:at], *new, *x.lags[at + count :]), x.hidden)


def _sliced(time: Time, lag: Reach, start: int, size: Size) -> Reach:
    """Steps from one on: up to a number from the end, or a fixed number of them, which no later step changes."""
    moved, more = lag.later(-start), time.more(size)
    if more is None:
        return Reach(moved.lag, -inf) if time.grows(size) else moved
    return Reach(moved.lag, min(moved.end, more))
