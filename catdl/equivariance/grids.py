"""Translations of a grid: what becomes of a signal that is seen through a window of it, up to the border.

A place of a grid holds what an operator that is the same everywhere makes of the signal around it, so long as no border
comes in. `before` and `after` are the places at both ends where one may: padding spoils as many as it adds, and what
reads them spoils more. Strides leave a coarser grid, `unit` places apart. What reads a whole axis is no such operator.

    along(…)      three taps, padded by one on both sides: one place at each end is spoilt
"""

from __future__ import annotations

from typing import Any

from catdl.diagram.model import Core
from catdl.equivariance.losses import Broken, Rule, Smaller
from catdl.equivariance.states import DEEPEST, FIXED, UNIFORM, Grid, Moves, Rep, Within
from catdl.types.sizes import Size, add, mul, sub


def along(within: Within, op: Core, x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken | None:
    """An operation along an axis of the grid; None where it is along another one."""
    if op.name not in ("slice", "pad", "window", "split_axis", "drop", "scan"):
        return None
    a: dict[str, Any] = dict(op.attrs)
    at = a["axis"]
    rep, size = x.reps[at], sizes[at]
    if not isinstance(rep, Grid):
        return None
    new: list[Rep] | Broken
    match op.name:
        case "slice" if isinstance(a["step"], int) and a["step"] > 0:
            last = add(a["start"], mul(sub(a["size"], 1), a["step"]))
            new = _every(within, rep, a["step"], a["start"], sub(sub(size, 1), last), [])
        case "pad":
            new = _padded(rep, a["before"], a["after"])
        case "window" if isinstance(a["stride"], int):
            reach = add(mul(sub(a["count"], 1), a["stride"]), mul(sub(a["size"], 1), a["dilation"]))
            new = _every(within, rep, a["stride"], 0, sub(sub(size, 1), reach), [FIXED if a["size"] != 1 else UNIFORM])
        case "split_axis":
            new = _split(within, rep, a["sizes"])
        case _:
            new = Broken(Rule.WHOLE)
    if isinstance(new, Broken):
        return new
    return Moves((*x.reps[:at], *new, *x.reps[at + 1 :]), False, x.names)


def _every(within: Within, rep: Grid, step: int, start: Size, left: Size, inner: list[Rep]) -> list[Rep] | Broken:
    """Every so many places from a start on, with so many left at the end: coarser, and no more spoilt than before."""
    unit = rep.unit * step
    if within.step % unit:
        return Broken(Rule.COARSER, Smaller(step=unit))
    begin = start if isinstance(start, int) else 0
    rest = left if isinstance(left, int) else 0
    before, after = (-(-max(0, spoilt - gone) // step) for spoilt, gone in ((rep.before, begin), (rep.after, rest)))
    return [Grid(unit, before, after), *inner]


def _padded(rep: Grid, before: Size, after: Size) -> list[Rep] | Broken:
    if not isinstance(before, int) or not isinstance(after, int) or before < 0 or after < 0:
        return [rep] if (before, after) == (0, 0) else Broken(Rule.WHOLE)
    ends = (rep.before + before if before else rep.before, rep.after + after if after else rep.after)
    return [Grid(rep.unit, *(min(end, DEEPEST) for end in ends))]


def _split(within: Within, rep: Grid, sizes: tuple[Size, ...]) -> list[Rep] | Broken:
    """Patches: as many places apart as one is long."""
    wide = [k for k, size in enumerate(sizes) if size != 1]
    if len(wide) <= 1:
        return [UNIFORM if size == 1 else rep for size in sizes] if wide else Broken(Rule.WHOLE)
    inner = sizes[wide[-1]]
    if len(wide) > 2 or not isinstance(inner, int):
        return Broken(Rule.WHOLE)
    found = _every(within, rep, inner, 0, 0, [])
    if isinstance(found, Broken):
        return found
    return [found[0] if k == wide[0] else FIXED if k == wide[1] else UNIFORM for k in range(len(sizes))]
