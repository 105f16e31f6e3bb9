"""What an axis means for the order of a set: the abstract values of `sets.py`.

None   the same all along the axis, or not known: it fits anything
Plain  an axis with an order of its own, or of no set
Set    the elements of a set: a permutation of the set permutes them
Merged such axes as one, row-major
Joined such axes one after the other, as a class token before the elements
Broken an order was used, and that is told already
"""

from __future__ import annotations

from typing import TypeAlias

from catdl.record import record
from catdl.types.sizes import Size, add


@record
class Plain:
    """An axis that no set lies along."""


@record
class Broken:
    """An axis along which an order was used."""


@record
class Set:
    """The elements of the set `name`, the label of its dim."""

    name: str


@record
class Merged:
    """Axes merged into one, with their sizes."""

    parts: tuple[tuple[State, Size], ...]


@record
class Joined:
    """Axes joined into one, with their sizes."""

    parts: tuple[tuple[State, Size], ...]


State: TypeAlias = "None | Plain | Broken | Set | Merged | Joined"

PLAIN = Plain()
BROKEN = Broken()


def set_in(state: State) -> str | None:
    """A set whose elements lie along an axis. Words are as deep as the types that are written."""
    match state:
        case Set(name):
            return name
        case Merged(parts) | Joined(parts):
            return next(filter(None, (set_in(part) for part, _ in parts)), None)
        case _:
            return None


def meet(one: State, other: State) -> State:
    """What two axes that are read together are; Broken where a set meets what has an order."""
    if one is None or one == other:
        return other
    if other is None:
        return one
    if isinstance(one, Broken) or isinstance(other, Broken):
        return BROKEN
    match one, other:
        case (Joined(left), Joined(right)) | (Merged(left), Merged(right)) if [s for _, s in left] == [
            s for _, s in right
        ]:
            parts = tuple((meet(a, b), size) for (a, size), (b, _) in zip(left, right, strict=True))
            if any(isinstance(part, Broken) for part, _ in parts):
                return BROKEN
            return Joined(parts) if isinstance(one, Joined) else Merged(parts)
        case _:
            return BROKEN if set_in(one) or set_in(other) else PLAIN


def merge(parts: list[tuple[State, Size]]) -> State:
    """Axes as one, row-major."""
    wide = [(state, size) for state, size in parts if size != 1]
    if len(wide) == 1:
        return wide[0][0]
    if any(isinstance(state, Broken) for state, _ in wide):
        return BROKEN
    if any(set_in(state) for state, _ in wide):
        return Merged(tuple(parts))
    return None if all(state is None for state, _ in wide) else PLAIN


def split(state: State, sizes: tuple[Size, ...]) -> list[State] | None:
    """An axis as several; None where the elements of a set are told apart by it."""
    wide = [size for size in sizes if size != 1]
    if isinstance(state, Merged) and [s for _, s in state.parts if s != 1] == wide:
        left = iter([part for part, size in state.parts if size != 1])
        return [None if size == 1 else next(left) for size in sizes]
    if len(wide) == 1 or set_in(state) is None:
        return [None if size == 1 else state for size in sizes]
    return None


def join(parts: list[tuple[State, Size]]) -> State:
    """Axes one after the other."""
    if any(isinstance(state, Broken) for state, _ in parts):
        return BROKEN
    if not any(set_in(state) for state, _ in parts):
        return PLAIN
    flat: list[tuple[State, Size]] = []
    for state, size in parts:
        if isinstance(state, Joined):
            flat += state.parts
        elif size != 0:
            flat.append((state, size))
    return flat[0][0] if len(flat) == 1 else Joined(tuple(flat))


def cut(state: Joined, start: Size, size: Size) -> State | Joined | Broken:
    """The parts of a joined axis from `start` on; Broken where the cut goes through a part."""
    stop = add(start, size)
    begin: Size = 0
    inside: list[tuple[State, Size]] = []
    opened = False
    for part, length in state.parts:
        opened = opened or begin == start
        if opened and begin == stop:
            break
        if opened:
            inside.append((part, length))
        begin = add(begin, length)
    if not opened or begin != stop or not inside:
        return BROKEN
    return inside[0][0] if len(inside) == 1 else Joined(tuple(inside))
