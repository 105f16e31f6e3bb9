"""What becomes of an action in operations on elements and in products: pointwise functions, contractions, reductions.

Where the group only changes places, any function may act on each place, if what it reads together goes together. Where
it turns vectors, an operation has to be linear in them; a product of two has a sum over the axis that is invariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from catdl.equivariance.losses import Broken, Rule
from catdl.equivariance.states import (
    FIXED,
    SQUARES,
    UNIFORM,
    Grid,
    Joined,
    Merged,
    Moves,
    Places,
    Rep,
    Side,
    Signs,
    Squares,
    Taken,
    Turned,
    Uniform,
    Within,
    acting,
    meet,
    parts,
    permutes,
)
from catdl.types.sizes import Size

METRIC = (1, -1, -1, -1)
LINEAR = ("sum", "mean")
ODD = frozenset({"sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "erfinv", "sign", "round"})
EVEN = frozenset({"abs", "cos", "cosh"})


def rigid(reps: Sequence[Rep]) -> bool:
    """Whether the group does more than change places, so that only what is linear goes with it."""
    return not all(map(permutes, reps))


def is_metric(rep: Rep) -> bool:
    """Whether numbers are those of the metric of space and time, up to a factor."""
    if not isinstance(rep, Signs) or len(rep.numbers) != len(METRIC) or not rep.numbers[0]:
        return False
    first = rep.numbers[0]
    return all(number == (first if sign == 1 else -first) for number, sign in zip(rep.numbers, METRIC, strict=True))  # type: ignore[operator]


def dual(within: Within, one: Rep, other: Rep) -> bool:
    """Whether the inner product of two axes does not change."""
    if not isinstance(one, Turned) or not isinstance(other, Turned) or one.degree != other.degree:
        return False
    return within.orthogonal or one.lower != other.lower


def pointwise(
    within: Within, fn: str, align: tuple[tuple[int, ...], ...], ins: list[Moves], rank: int
) -> Moves | Broken:
    """A function at every index; inputs are repeated along the axes that they lack."""
    if fn == "where" and isinstance(ins[0].number, bool):
        taken = 1 if ins[0].number else 2
        fn, align, ins = "real", (align[taken],), [ins[taken]]
    named = [state.names for state in ins]
    names = False
    number: object = None
    if fn in ("eq", "ne") and named in ([True, False], [False, True]) and _no_index(ins[named.index(False)].number):
        number = fn == "ne"
    elif any(named):
        if fn in ("real", "fin") or (fn == "where" and named == [False, True, True]):
            names = True
        elif fn not in ("eq", "ne") or not all(named):
            return Broken(Rule.INDEX)
    reps: list[Rep] = []
    for position in range(rank):
        column = [
            state.reps[places.index(position)] if position in places else None
            for state, places in zip(ins, align, strict=True)
        ]
        there = [rep for rep in column if rep is not None]
        found: Rep | Broken | None
        if rigid(there):
            found = _linear(within, fn, column, ins)
        elif any(isinstance(rep, Signs) for rep in there):
            found = _signs(fn, column, ins) or meet(there)
        elif len(ins) == 1 and there:
            found = there[0]
        else:
            found = meet(there)
        if found is None:
            return Broken(unlike_places(there))
        if isinstance(found, Broken):
            return found
        reps.append(found)
    if fn == "real":
        number = ins[0].number
    return Moves(tuple(reps), False, names, number)


def _signs(fn: str, column: list[Rep | None], ins: list[Moves]) -> Rep | None:
    """Constant numbers along an axis in a function, where they are told again: turned round, or times one number."""
    (place, numbers), *more = [(k, rep.numbers) for k, rep in enumerate(column) if isinstance(rep, Signs)]
    by: object = {"neg": -1, "real": 1}.get(fn)
    if fn == "mul" and not more:
        by = ins[1 - place].number
    exact = [number for number in (by, *numbers) if isinstance(number, int | Fraction)]
    return Signs(tuple(exact[0] * number for number in exact[1:])) if len(exact) == len(numbers) + 1 else None


def _no_index(number: object) -> bool:
    """Whether a number is known to be no index."""
    return isinstance(number, int | Fraction) and number < 0


def _linear(within: Within, fn: str, column: list[Rep | None], ins: list[Moves]) -> Rep | Broken:
    """What becomes of an axis of vectors in a function: the inputs that have it, by their place."""
    turned = {k: rep for k, rep in enumerate(column) if rep is not None and not permutes(rep)}
    first = next(iter(turned.values()))
    others = [k for k in range(len(column)) if k not in turned]
    beside = [column[k] for k in others if column[k] is not None and not isinstance(column[k], Uniform)]
    match fn:
        case "neg" | "real":
            return first
        case _ if fn in ODD | EVEN and isinstance(first, Turned) and first.degree is None and within.signed:
            return first if fn in ODD else _unsigned(within.signed)
        case "add" | "sub" | "where":
            if fn == "where" and 0 in turned:
                return Broken(Rule.SEPARATE)
            if fn == "where" and column[0] is not None and beside:
                return Broken(Rule.SEPARATE)
            given = [k for k in others if not (fn == "where" and k == 0)]
            if any(ins[k].number != 0 for k in given):
                return Broken(Rule.ADDED)
            if any(rep != first for rep in turned.values()):
                return Broken(Rule.METRIC if within.metric else Rule.ADDED)
            return first
        case "mul" if len(turned) == 2:
            one, other = turned.values()
            if dual(within, one, other):
                return SQUARES
            both = isinstance(one, Turned) and isinstance(other, Turned) and one == other
            return Broken(_unlike(within) if both else Rule.SEPARATE)
        case "mul" | "div" if list(turned) == [0] or (fn == "mul" and list(turned) == [1]):
            if not beside:
                return first
            if fn == "mul" and is_metric(beside[0] or UNIFORM) and within.metric and isinstance(first, Turned):
                return Turned(first.degree, not first.lower)
            return Broken(Rule.MIXED)
        case "pow" if list(turned) == [0] and ins[1].number == 2:
            return SQUARES if dual(within, first, first) else Broken(Rule.SEPARATE)
        case _:
            return Broken(Rule.SEPARATE)


def _unsigned(places: tuple[int, ...]) -> Rep:
    """Components whose signs are gone: they change places."""
    if len(places) == 1:
        return UNIFORM
    return Taken(places) if places != tuple(range(len(places))) else FIXED


def _unlike(within: Within) -> Rule:
    """What two vectors lack whose product changes."""
    return Rule.METRIC if within.metric else Rule.STRETCHED


def contract(
    within: Within, ins: list[Moves], names: tuple[tuple[int, ...], ...], out: tuple[int, ...], sizes: dict[int, Size]
) -> Moves | Broken:
    """Sums of products: what one letter names is read together, and is summed where the result lacks it."""
    if any(state.names for state in ins):
        return Broken(Rule.INDEX)
    letters: dict[int, list[Rep]] = {}
    for state, places in zip(ins, names, strict=True):
        for rep, letter in zip(state.reps, places, strict=True):
            letters.setdefault(letter, []).append(rep)
    found: dict[int, Rep] = {}
    for letter, reps in letters.items():
        summed = letter not in out
        if rigid(reps):
            both = _product(within, reps, summed)
        else:
            both = meet(reps) or Broken(unlike_places(reps))
            if summed and not isinstance(both, Broken) and not round_trip(within, both, sizes[letter]):
                both = Broken(cut(both))
        if isinstance(both, Broken):
            return both
        found[letter] = both
    return Moves(tuple(found[letter] for letter in out))


def _product(within: Within, reps: list[Rep], summed: bool) -> Rep | Broken:
    """What becomes of axes of vectors that are multiplied component by component, and perhaps summed."""
    turned = [rep for rep in reps if not permutes(rep)]
    beside = [rep for rep in reps if permutes(rep) and not isinstance(rep, Uniform)]
    if beside and not (within.metric and all(map(is_metric, beside))):
        return Broken(Rule.MIXED)
    for _ in beside:
        if not isinstance(turned[0], Turned):
            return Broken(Rule.METRIC)
        turned[0] = Turned(turned[0].degree, not turned[0].lower)
    match turned:
        case [one] if not summed:
            return one
        case [Squares()]:
            return UNIFORM
        case [_]:
            return Broken(Rule.SUMMED)
        case [one, other] if dual(within, one, other):
            return UNIFORM if summed else SQUARES
        case [Turned(degree, low), Turned(other_degree, other_low)] if (degree, low) == (other_degree, other_low):
            return Broken(_unlike(within))
        case _:
            return Broken(Rule.SEPARATE)


def round_trip(within: Within, rep: Rep, size: Size) -> bool:
    """Whether an axis has all that the group moves into one another, so that what goes by no order keeps it."""
    match rep:
        case Places(unit):
            around = within.size // unit if isinstance(within.size, int) else within.size
            if isinstance(size, int) and isinstance(around, int):
                return size % around == 0
            return unit == 1 and size == around
        case Taken():
            return rep.bijective
        case Grid():
            return False
        case Merged(parts) | Joined(parts):
            return all(round_trip(within, part, length) for part, length in parts)
        case _:
            return True


def cut(rep: Rep) -> Rule:
    """Why an axis has not all that the group moves into one another."""
    if any(isinstance(part, Grid) for part, _ in parts(rep)):
        return Rule.WHOLE
    return Rule.DROPPED if isinstance(rep, Taken) else Rule.CUT


def unlike_places(reps: Sequence[Rep]) -> Rule:
    """Why places that do not go together may not be read together."""
    return Rule.DIRECTED if any(isinstance(rep, Side) for rep in reps) else Rule.NUMBERED


def reduce(within: Within, fn: str, axes: tuple[int, ...], x: Moves, sizes: tuple[Size, ...]) -> Moves | Broken:
    """A reduction that does not go by the order."""
    if x.names:
        return Broken(Rule.INDEX)
    for axis in axes:
        rep = x.reps[axis]
        if isinstance(rep, Squares) and fn in LINEAR:
            continue
        if not permutes(rep):
            return Broken(Rule.SUMMED if fn in LINEAR else Rule.EXTREME)
        if not round_trip(within, rep, sizes[axis]):
            return Broken(cut(rep))
    kept = tuple(rep for axis, rep in enumerate(x.reps) if axis not in axes)
    if fn not in LINEAR and rigid(kept):
        return Broken(Rule.SEPARATE)
    return Moves(kept)


def argmax(axis: int, x: Moves) -> Moves | Broken:
    """The place of the largest: the first of equal ones."""
    if x.names:
        return Broken(Rule.INDEX)
    rep = x.reps[axis]
    if acting(rep):
        return Broken(Rule.TIES if permutes(rep) else Rule.EXTREME)
    kept = (*x.reps[:axis], *x.reps[axis + 1 :])
    return Broken(Rule.SEPARATE) if rigid(kept) else Moves(kept)


def across(within: Within, x: Moves, keep: tuple[int, ...], sizes: tuple[Size, ...]) -> Moves | Broken:
    """Over the batch and all axes but some: each sample may be moved by another element of the group."""
    if any(acting(x.reps[axis]) for axis in keep):
        return Broken(Rule.NUMBERED)
    found = reduce(within, "max", tuple(axis for axis in range(len(x.reps)) if axis not in keep), x, sizes)
    return found if isinstance(found, Broken) else Moves((FIXED,) * len(keep))
