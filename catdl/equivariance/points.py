"""Translations of space: what becomes of points in operations.

A wire has a weight for each axis of points: how often it is moved as far as space is, along all its other axes alike. A
point has weight 1, a difference of points 0, a midpoint 1/2 + 1/2. What is linear adds up weights; what keeps a shift,
as the largest of numbers that are all shifted, keeps them; nothing else goes with a point.

    core("reduce", …)      the mean of points along another axis is a point, their sum weighs as much as all of them
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

from catdl.diagram.model import Core
from catdl.equivariance.losses import Broken, Rule
from catdl.equivariance.states import FIXED, UNIFORM, Moves, Rep, Reps, Shifted, State
from catdl.types.sizes import Size

SHIFTED_ALIKE = ("mean", "max", "min", "logsumexp")


def core(
    op: Core, ins: list[Moves], sizes: list[tuple[Size, ...]], plain: Callable[[list[Moves]], State | Broken]
) -> State | Broken:
    """A core operation; `plain` is what comes of it where no point comes in."""
    if not any(isinstance(rep, Shifted) for state in ins for rep in state.reps):
        return plain(ins)
    if any(sum(isinstance(rep, Shifted) for rep in state.reps) > 1 for state in ins):
        return Broken(Rule.SHIFTED)
    a: dict[str, Any] = dict(op.attrs)
    x = ins[0]
    match op.name:
        case "pointwise":
            return _pointwise(a["fn"], a["align"], ins)
        case "contract":
            return _contract(a["ins"], a["out"], ins, sizes)
        case "reduce":
            return _reduce(a["fn"], a["axes"], x, sizes[0])
        case "argmax" if not isinstance(x.reps[a["axis"]], Shifted):
            return Moves((FIXED,) * (len(x.reps) - 1))
        case "permute":
            return _moved(tuple(x.reps[i] for i in a["perm"]))
        case "expand":
            return _moved((*x.reps[: a["position"]], UNIFORM, *x.reps[a["position"] :]))
        case "concat":
            return _concat(a["axis"], ins)
        case "gather" | "pick" if not isinstance(x.reps[a["axis"]], Shifted):
            return _taken(op.name, a["axis"], x, ins[1])
        case "split_axis" | "slice" | "window" | "pad" | "drop" | "merge_axes":
            return _along(op.name, a, x)
        case "sample":
            return Moves((FIXED,) * len(x.reps))
        case "training" if x.reps == ins[1].reps:
            return x
        case "stop":
            return x
        case "straight":
            return ins[1]
        case _:
            return Broken(Rule.SHIFTED)


def _moved(reps: Reps) -> Moves:
    """A wire, not moved along axes of weight 0."""
    return Moves(tuple(FIXED if isinstance(rep, Shifted) and rep.weight == 0 else rep for rep in reps))


def _weight(state: Moves) -> Fraction:
    return next((rep.weight for rep in state.reps if isinstance(rep, Shifted)), Fraction(0))


def _number(state: Moves) -> Fraction | None:
    number = state.number
    return Fraction(number) if isinstance(number, (int, Fraction)) and not isinstance(number, bool) else None


def _pointwise(fn: str, align: tuple[tuple[int, ...], ...], ins: list[Moves]) -> Moves | Broken:
    rank = 1 + max(place for places in align for place in places)
    at = {
        place
        for state, places in zip(ins, align, strict=True)
        for rep, place in zip(state.reps, places, strict=True)
        if isinstance(rep, Shifted)
    }
    weights = [_weight(state) for state in ins]
    weight: Fraction | None = None
    match fn:
        case "real" | "neg":
            weight = weights[0] if fn == "real" else -weights[0]
        case "add" | "sub":
            weight = weights[0] + (weights[1] if fn == "add" else -weights[1])
        case "mul" if 0 in weights:
            other = _number(ins[weights.index(Fraction(0))])
            weight = sum(weights) * other if other is not None else None
        case "div" if weights[1] == 0 and _number(ins[1]):
            weight = weights[0] / (_number(ins[1]) or 1)
        case "where" if weights[0] == 0 and weights[1] == weights[2]:
            weight = weights[1]
    if weight is None or len(at) > 1:
        return Broken(Rule.SHIFTED)
    return _moved(tuple(Shifted(weight) if place in at else FIXED for place in range(rank)))


def _contract(
    names: tuple[tuple[int, ...], ...], out: tuple[int, ...], ins: list[Moves], sizes: list[tuple[Size, ...]]
) -> Moves | Broken:
    """One wire of points, the others known numbers, summed along axes of fixed sizes."""
    moved = [k for k, state in enumerate(ins) if _weight(state)]
    numbers = [_number(state) for k, state in enumerate(ins) if k not in moved]
    lengths = {
        letter: size for row, one in zip(names, sizes, strict=True) for letter, size in zip(row, one, strict=True)
    }
    summed = [size for letter, size in lengths.items() if letter not in out]
    at = next(
        letter for rep, letter in zip(ins[moved[0]].reps, names[moved[0]], strict=True) if isinstance(rep, Shifted)
    )
    fixed = [size for size in summed if isinstance(size, int)]
    known = [number for number in numbers if number is not None]
    if len(moved) > 1 or at not in out or len(fixed) < len(summed) or len(known) < len(numbers):
        return Broken(Rule.SHIFTED)
    if sum(row.count(at) for row in names) > 1:  # some components, or each times a number of its own
        return Broken(Rule.SHIFTED)
    weight = _weight(ins[moved[0]]) * prod(fixed) * prod(known)
    return _moved(tuple(Shifted(weight) if letter == at else FIXED for letter in out))


def _reduce(fn: str, axes: tuple[int, ...], x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken:
    if any(isinstance(x.reps[axis], Shifted) for axis in axes):
        return Broken(Rule.SHIFTED)
    kept = tuple(rep for axis, rep in enumerate(x.reps) if axis not in axes)
    if fn in SHIFTED_ALIKE:
        return _moved(kept)
    count = [size for axis in axes if isinstance(size := sizes[axis], int)]
    if fn != "sum" or len(count) < len(axes):
        return Broken(Rule.SHIFTED)
    return _moved(tuple(Shifted(rep.weight * prod(count)) if isinstance(rep, Shifted) else rep for rep in kept))


def _concat(at: int, ins: list[Moves]) -> Moves | Broken:
    columns = list(zip(*(state.reps for state in ins), strict=True))
    new: list[Rep] = []
    for place, column in enumerate(columns):
        moved = {rep for rep in column if isinstance(rep, Shifted)}
        if moved and (place == at or len(moved) > 1 or not all(isinstance(rep, Shifted) for rep in column)):
            return Broken(Rule.SHIFTED)
        new.append(moved.pop() if moved else FIXED)
    return _moved(tuple(new))


def _taken(name: str, at: int, x: Moves, index: Moves) -> Moves | Broken:
    rest = (*x.reps[:at], *x.reps[at + 1 :])
    if any(isinstance(rep, Shifted) for rep in index.reps):
        return Broken(Rule.SHIFTED)
    if name == "gather":
        return _moved((*rest[:at], *(FIXED,) * len(index.reps), *rest[at:]))
    return _moved(rest)


def _along(name: str, a: dict[str, Any], x: Moves) -> Moves | Broken:
    """What moves, cuts and joins along axes of no points."""
    at = a["axis"]
    count = a["count"] if name == "merge_axes" else 1
    if any(isinstance(rep, Shifted) for rep in x.reps[at : at + count]):
        same = name == "pad" and (a["before"], a["after"]) == (0, 0)
        return x if same else Broken(Rule.SHIFTED)
    if name == "pad" and a["mode"] == "constant" and (a["before"], a["after"]) != (0, 0):
        return Broken(Rule.SHIFTED)
    new = {"split_axis": len(a.get("sizes", ())), "window": 2, "drop": 0}.get(name, 1)
    return _moved((*x.reps[:at], *(FIXED,) * new, *x.reps[at + count :]))
