"""What becomes of an action in operations that move, cut and join along axes, and that take by an index."""

from __future__ import annotations

from math import gcd
from typing import Any

from catdl.diagram.model import Core
from catdl.equivariance.losses import Broken, Rule, Smaller
from catdl.equivariance.pointwise import rigid, round_trip
from catdl.equivariance.states import (
    FIXED,
    UNIFORM,
    Joined,
    Merged,
    Moves,
    Places,
    Rep,
    Signs,
    Taken,
    Turned,
    Uniform,
    Within,
    acting,
    joined,
    meet,
    merged,
    permutes,
)
from catdl.symmetry.actions import Cyclic, Shifts
from catdl.types.sizes import Size, add, mul


def along(within: Within, op: Core, x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken:
    """An operation along one axis of its one input."""
    at: Any = op["axis"]
    rep, size = x.reps[at], sizes[at]
    rest = (*x.reps[:at], *x.reps[at + 1 :])
    count = 1
    new: list[Rep] | Broken
    match op.name:
        case "drop":
            new = [] if permutes(rep) else Broken(Rule.SEPARATE)
            if not round_trip(within, rep, size):  # one place of a cycle that was cut out
                new = Broken(Rule.CUT)
        case "merge_axes":
            counted: Any = op["count"]
            count = counted
            new = [merged(list(zip(x.reps[at : at + count], sizes[at : at + count], strict=True)))]
        case "split_axis":
            parts: Any = op["sizes"]
            new = split(rep, parts)
        case "slice":
            new = _slice(within, op, rep, size)
        case "pad":
            new = _pad(within, op, rep, size)
            value = dict(op.attrs).get("value", 0) or 0
            added = op["mode"] == "constant" and (op["before"], op["after"]) != (0, 0)
            if added and value != 0 and rigid(rest):
                new = Broken(Rule.ADDED)
            if added and x.names:
                new = Broken(Rule.INDEX)
        case "window":
            new = _window(within, op, rep)
        case "scan":
            new = Broken(ordered(within, rep)) if acting(rep) else [FIXED]
            if x.names:
                new = Broken(Rule.INDEX)
            elif op["fn"] != "cumsum" and rigid(rest):
                new = Broken(Rule.SEPARATE)
        case name:
            raise AssertionError(name)
    if isinstance(new, Broken):
        return new
    return Moves((*x.reps[:at], *new, *x.reps[at + count :]), False, x.names)


def ordered(within: Within, rep: Rep) -> Rule:
    """The rule that is broken by what goes by the order along an axis."""
    if not permutes(rep):
        return Rule.EXTREME
    if isinstance(within.group, Shifts):
        return Rule.WHOLE
    return Rule.BORDER if isinstance(within.group, Cyclic) and isinstance(rep, Joined) else Rule.ORDERED


def still(rep: Rep) -> Rep:
    """An axis of which a part is taken, on which nothing acts."""
    return FIXED if isinstance(rep, Signs) else rep


def split(rep: Rep, sizes: tuple[Size, ...]) -> list[Rep] | Broken:
    """An axis as several."""
    if not acting(rep):
        return [still(rep)] * len(sizes)
    wide = [size for size in sizes if size != 1]
    if len(wide) <= 1:
        return [UNIFORM if size == 1 else rep for size in sizes] if wide else Broken(Rule.PARTED)
    if not isinstance(rep, Merged):
        return Broken(Rule.PARTED if permutes(rep) else Rule.EXTREME)
    left = list(rep.parts)
    out: list[Rep] = []
    for size in sizes:
        taken: list[tuple[Rep, Size]] = []
        total: Size = 1
        while left and total != size:
            taken.append(left.pop(0))
            total = mul(total, taken[-1][1])
        if total != size:
            return Broken(Rule.PARTED)
        out.append(merged(taken) if taken else UNIFORM)
    return Broken(Rule.PARTED) if left else out


def _stride(within: Within, rep: Places, step: int) -> Rep | Broken:
    """Every so many places of a cycle: shifts by multiples of them remain."""
    unit = rep.unit * step
    if step == 1:
        return rep
    if not isinstance(within.size, int) or step < 1 or within.size % unit or unit >= within.size:
        return Broken(Rule.STRIDE)
    if within.step % unit:
        return Broken(Rule.STRIDE, Smaller(step=within.step * unit // gcd(within.step, unit)))
    return Places(unit)


def _slice(within: Within, op: Core, rep: Rep, size: Size) -> list[Rep] | Broken:
    if not acting(rep) or (op["step"] == 1 and op["size"] == size):
        return [still(rep)]
    step, start, count = op["step"], op["start"], op["size"]
    match rep:
        case Places() if isinstance(step, int) and step > 0:
            found = _stride(within, rep, step)
            return found if isinstance(found, Broken) else [found]
        case Joined() if step == 1:
            part = _cut(rep, start, count)
            return [part] if part is not None else Broken(Rule.CUT)
        case _:
            return Broken(Rule.CUT if permutes(rep) else Rule.EXTREME)


def within(*places: Size) -> bool:
    """Whether places are known to stand in this order."""
    numbers = [place for place in places if isinstance(place, int)]
    return len(numbers) == len(places) and numbers == sorted(numbers)


def _cut(rep: Joined, start: Any, count: Any) -> Rep | None:
    """The parts of a joined axis from `start` on; None where the cut goes through one on which the group acts."""
    stop = add(start, count)
    begin: Size = 0
    inside: list[tuple[Rep, Size]] = []
    for part, length in rep.parts:
        end = add(begin, length)
        if begin == start or inside:
            if end == stop:
                return joined([*inside, (part, length)])
            inside.append((part, length))
        elif not acting(part) and within(begin, start, stop, end):
            return still(part)
        begin = end
    return None


def _pad(within: Within, op: Core, rep: Rep, size: Size) -> list[Rep] | Broken:
    before: Any = op["before"]
    after: Any = op["after"]
    if (before, after) == (0, 0):
        return [rep]
    match op["mode"]:
        case "circular" if isinstance(rep, Places) and round_trip(within, rep, size):
            return [rep]
        case _ if not acting(rep):
            return [FIXED]
        case "constant" if not any(isinstance(n, int) and n < 0 for n in (before, after)):  # what is unknown adds
            return [joined([(UNIFORM, before), (rep, size), (UNIFORM, after)])]
        case _:
            return Broken(Rule.BORDER if isinstance(rep, Places) else ordered(within, rep))


def _window(within: Within, op: Core, rep: Rep) -> list[Rep] | Broken:
    if not acting(rep):
        return [still(rep)] * 2
    if (op["size"], op["stride"]) == (1, 1):
        return [rep, UNIFORM]
    stride = op["stride"]
    if isinstance(rep, Places) and isinstance(stride, int):
        found = _stride(within, rep, stride)
        return found if isinstance(found, Broken) else [found, FIXED]
    return Broken(ordered(within, rep))


def concat(at: int, ins: list[Moves], sizes: list[Size]) -> Moves | Broken:
    """Tensors one after the other along an axis; what stands beside them is read together."""
    if len({state.names for state in ins}) > 1:
        return Broken(Rule.INDEX)
    out: list[Rep] = []
    for i, column in enumerate(zip(*(state.reps for state in ins), strict=True)):
        if i == at:
            out.append(joined(list(zip(column, sizes, strict=True))))
            continue
        turned = rigid(column)
        wide = {rep for rep, state in zip(column, ins, strict=True) if state.number != 0}
        both = (wide.pop() if len(wide) == 1 else None) if turned else meet(list(column))
        if both is None:
            return Broken(Rule.ADDED if turned else Rule.NUMBERED)
        out.append(both)
    return Moves(tuple(out), False, ins[0].names)


def taken(within: Within, op: Core, x: Moves, index: Moves, size: Size) -> Moves | Broken:
    """`gather` and `pick`: elements of a set may be taken by indices that are renamed with them."""
    at: Any = op["axis"]
    rep = x.reps[at]
    if acting(rep):
        if not index.names or rep != within.whole or size != within.size:
            return Broken(Rule.TAKEN if permutes(rep) else Rule.EXTREME)
    elif index.names and not isinstance(rep, Uniform):
        return Broken(Rule.INDEX)
    rest = (*x.reps[:at], *x.reps[at + 1 :])
    if op.name == "gather":
        return Moves((*rest[:at], *index.reps, *rest[at:]), False, x.names)
    out: list[Rep] = []
    for one, other in zip(rest, index.reps, strict=True):
        both = meet([one, other])
        if both is None or (not permutes(one) and not isinstance(other, Uniform)):
            return Broken(Rule.NUMBERED if permutes(one) else Rule.SEPARATE)
        out.append(both)
    return Moves(tuple(out), False, x.names)


def scatter(within: Within, op: Core, x: Moves, index: Moves, length: Size) -> Moves | Broken:
    """Combining by index, in no order."""
    at: Any = op["axis"]
    if x.names:
        return Broken(Rule.INDEX)
    both = meet([x.reps[at], index.reps[0]])
    if both is None or not permutes(both):
        return Broken(Rule.NUMBERED if both is None else Rule.SUMMED)
    if not round_trip(within, both, length):
        return Broken(Rule.CUT)
    onto: Rep = FIXED
    if index.names:
        if within.whole is None or op["size"] != within.size:
            return Broken(Rule.INDEX)
        onto = within.whole
    rest = (*x.reps[:at], *x.reps[at + 1 :])
    if op["fn"] not in ("sum", "mean") and rigid(rest):
        return Broken(Rule.SEPARATE)
    return Moves((*rest[:at], onto, *rest[at:]))


def drawn(within: Within, dist: str, like: Moves, labelled: tuple[Rep, ...], sizes: tuple[Size, ...]) -> Moves | Broken:
    """Independent draws, whose law is the same in any order; `labelled` is what the names of axes say."""
    out: list[Rep] = []
    for rep, said, size in zip(like.reps, labelled, sizes, strict=True):
        if isinstance(rep, Turned):
            if dist != "normal" or not within.orthogonal:
                return Broken(Rule.NOISE)
        elif not permutes(rep) or not _once(within, rep, size):
            return Broken(Rule.NOISE)
        if acting(rep):
            out.append(rep)
        else:
            out.append(said if permutes(said) and _once(within, said, size) else FIXED)
    return Moves(tuple(out))


def _once(within: Within, rep: Rep, size: Size) -> bool:
    """Whether no place stands twice along an axis; places of a cycle do where it was padded."""
    match rep:
        case Places(unit):
            return size == (within.size // unit if isinstance(within.size, int) else within.size)
        case Taken():
            return rep.bijective
        case Merged(parts) | Joined(parts):
            return all(_once(within, part, length) for part, length in parts)
        case _:
            return True
