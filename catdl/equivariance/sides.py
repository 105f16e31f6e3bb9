"""Generators that move whole axes, as a quarter turn of an image does: what may be done along one axis, and the others.

What is done along one axis of a block has to be done along all those with which it is moved. Between the first and
the last of them a wire has no action of its own: what was done is `pending`, and as operations along different axes
commute, it is whole again once the same was done along each. Where an axis is turned round, windows and slices have to
lie alike from both ends.

    core(within, op, ins, sizes, made, plain)      what comes of a core operation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from catdl.diagram.model import Core
from catdl.equivariance.losses import Broken, Rule
from catdl.equivariance.states import (
    FIXED,
    UNIFORM,
    Event,
    Moves,
    Rep,
    Reps,
    Side,
    State,
    acting,
    parts,
    together,
)
from catdl.record import replace
from catdl.symmetry.actions import Sides
from catdl.types.sizes import Size, add, mul, sub


def orbit(move: Sides, axis: int) -> tuple[int, ...]:
    """The axes of a block between which one is moved."""
    found = [axis]
    while (following := move.axes[found[-1]]) != axis:
        found.append(following)
    return tuple(found)


def turned(move: Sides, axis: int) -> bool:
    """Whether an axis is turned round on its way through the block."""
    return any(move.back[k] for k in orbit(move, axis))


def _sides(reps: Reps, sizes: Sequence[Size]) -> Iterator[tuple[Side, Size]]:
    for rep, size in zip(reps, sizes, strict=True):
        for part, length in parts(rep, size):
            if isinstance(part, Side):
                yield part, length


def whole(move: Sides, reps: Reps, sizes: Sequence[Size]) -> bool:
    """Whether a wire has, for each axis, those with which it is moved, of the same size and once."""
    found: dict[tuple[object, int], Size] = {}
    for side, size in _sides(reps, sizes):
        if (side.tag, side.axis) in found:
            return False
        found[side.tag, side.axis] = size
    return all(found.get((tag, other)) == size for (tag, axis), size in found.items() for other in orbit(move, axis))


def settled(move: Sides, state: Moves, sizes: Sequence[Size]) -> Moves | Broken:
    """A wire as it stands: whole again, with tags by their order, or with what is pending."""
    done: dict[object, dict[int, list[object]]] = {}
    for event in state.pending:
        done.setdefault(event.tag, {}).setdefault(event.axis, []).append(event.what)
    level = all(
        found.get(axis) == found.get(other) for found in done.values() for axis in found for other in orbit(move, axis)
    )
    if level and whole(move, state.reps, sizes):
        (reps,) = together([state.reps]) or [state.reps]
        return replace(state, reps=reps, pending=())
    return state if state.pending else Broken(Rule.ASIDE)


def core(
    move: Sides,
    op: Core,
    ins: list[Moves],
    sizes: list[tuple[Size, ...]],
    said: Callable[[int], Rep],
    plain: Callable[[list[Moves]], State | Broken],
) -> State | Broken:
    """A core operation; `plain` is what comes of it where nothing is pending and tags are common.

    `said` is what the name of an axis of the first input tells.
    """
    pending = [state for state in ins if state.pending]
    match op.name:
        case "slice" | "pad" | "window" | "split_axis" | "drop" | "merge_axes" | "reduce" | "permute" | "expand":
            (x,) = ins
            padded = op.name == "pad" and (op["before"], op["after"]) != (0, 0)
            if padded and x.closed and x.reps[_axis(op)] == UNIFORM:  # a border that is the same all round
                x = replace(x, reps=tuple(said(k) if k == _axis(op) else rep for k, rep in enumerate(x.reps)))
            found = _along(move, op, x, sizes[0]) if _touches(op, x) else None
            if found is not None:
                return found if isinstance(found, Broken) or _orderly(found.pending) else Broken(Rule.ASIDE)
            if x.pending and op.name in ("pad", "reduce"):
                return Broken(Rule.ASIDE)
            made = plain([x])
            return replace(made, pending=x.pending) if isinstance(made, Moves) else made
        case _ if pending:
            return Broken(Rule.ASIDE)
        case "stop":
            return plain(ins)
        case "sample":
            return _drawn(ins[0], plain)
        case "concat" if any(isinstance(state.reps[_axis(op)], Side) for state in ins):
            return Broken(Rule.ASIDE)
        case _:
            reps = together([state.reps for state in ins], _places(op, ins))
            if reps is None:
                return Broken(Rule.ASIDE)
            return plain([replace(state, reps=row) for state, row in zip(ins, reps, strict=True)])


def _axis(op: Core) -> int:
    at: Any = op["axis"]
    return int(at)


def _touches(op: Core, x: Moves) -> bool:
    """Whether an operation along axes is one along an axis of a block."""
    match op.name:
        case "permute" | "expand" | "merge_axes":
            return False
        case "reduce":
            axes: Any = op["axes"]
            return any(isinstance(part, Side) for axis in axes for part, _ in parts(x.reps[axis]))
        case _:
            return isinstance(x.reps[_axis(op)], Side)


def _places(op: Core, ins: list[Moves]) -> list[Sequence[int]]:
    """Where axes of several inputs are one axis."""
    apart = [range(1_000 * k, 1_000 * k + len(state.reps)) for k, state in enumerate(ins)]
    a: dict[str, Any] = dict(op.attrs)
    match op.name:
        case "pointwise":
            return list(a["align"])
        case "contract":
            return list(a["ins"])
        case "gather":
            return list(apart)
        case "pick":
            rest = [k - (k > a["axis"]) if k != a["axis"] else 1_000 for k in range(len(ins[0].reps))]
            return [rest, range(len(ins[1].reps))]
        case "scatter":
            return [range(len(ins[0].reps)), [a["axis"]]]
        case _:
            return [range(len(state.reps)) for state in ins]


def _along(move: Sides, op: Core, x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken | None:
    """An operation along an axis of a block; None where it changes nothing."""
    a: dict[str, Any] = dict(op.attrs)
    if op.name == "reduce":
        return _reduced(a["fn"], a["axes"], x)
    at = _axis(op)
    rep, size = x.reps[at], sizes[at]
    assert isinstance(rep, Side)
    round_ = turned(move, rep.axis)
    seen = sum(event.axis == rep.axis and event.tag == rep.tag for event in x.pending)
    inner = Side(rep.axis, (rep.tag, seen))
    new: tuple[Rep, ...]
    match op.name:
        case "slice":
            start, step, count = a["start"], a["step"], a["size"]
            if (start, step, count) == (0, 1, size):
                return replace(x)
            last = add(start, mul(sub(count, 1), step))
            if round_ and add(start, last) != sub(size, 1):
                return Broken(Rule.LOPSIDED)
            new = (rep,)
        case "pad":
            if (a["before"], a["after"]) == (0, 0):
                return replace(x)
            if x.names and a["mode"] == "constant":
                return Broken(Rule.INDEX)
            if round_ and a["before"] != a["after"]:
                return Broken(Rule.LOPSIDED)
            new = (rep,)
        case "window":
            reach = add(mul(sub(a["count"], 1), a["stride"]), mul(sub(a["size"], 1), a["dilation"]))
            if round_ and reach != sub(size, 1):
                return Broken(Rule.LOPSIDED)
            new = (rep, inner if a["size"] != 1 else UNIFORM)
        case "split_axis":
            new = tuple(Side(rep.axis, (rep.tag, seen, k)) for k in range(len(a["sizes"])))
        case _:
            new = ()
    what = (op.name, *((key, value) for key, value in op.attrs if key != "axis"))
    event = Event(rep.axis, rep.tag, what)
    return replace(x, reps=(*x.reps[:at], *new, *x.reps[at + 1 :]), number=None, pending=(*x.pending, event))


def _reduced(fn: str, axes: tuple[int, ...], x: Moves) -> Moves | Broken:
    if x.names:
        return Broken(Rule.INDEX)
    gone = [part for axis in axes for part, _ in parts(x.reps[axis])]
    if x.pending and any(not isinstance(part, Side) for part in gone):
        return Broken(Rule.ASIDE)
    events = tuple(Event(part.axis, part.tag, ("reduce", fn)) for part in gone if isinstance(part, Side))
    kept = tuple(rep for axis, rep in enumerate(x.reps) if axis not in axes)
    return Moves(kept, pending=(*x.pending, *events))


def _orderly(pending: tuple[Event, ...]) -> bool:
    """Whether what is pending along one axis commutes with what is pending along others."""
    found = {event.what[1] for event in pending if event.what[0] == "reduce"}
    padded = [event.what for event in pending if event.what[0] == "pad" and ("mode", "constant") in event.what]
    zeros = all(("value", None) in what or ("value", 0) in what for what in padded)
    if len(found) > 1:
        return False
    return not found or not padded or not found.isdisjoint(("max", "min", "mean")) or (found == {"sum"} and zeros)


def _drawn(like: Moves, plain: Callable[[list[Moves]], State | Broken]) -> State | Broken:
    """Noise is moved as what it is drawn like, or else as the names of its axes say."""
    made = plain([like])
    if isinstance(made, Moves) and any(map(acting, like.reps)):
        reps = tuple(new if acting(old) else FIXED for old, new in zip(like.reps, made.reps, strict=True))
        return replace(made, reps=reps)
    return made
