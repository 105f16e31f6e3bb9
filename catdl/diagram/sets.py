"""Maps between sets, structured: an input is reduced to the axes that a map keeps, mixed, and spread over the result.

Takes wires with the axes of all sets in front and one axis of channels behind. The maps that keep equally many axes
share one matrix product; no matrix of pairs of entries is made.

    maps of Real[N, 3] to Real[N, 8]      x W_0, and the mean of x over N times W_1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

from catdl.diagram.assemble import Assembly
from catdl.record import record
from catdl.symmetry.actions import Symmetric
from catdl.symmetry.partitions import Blocks, Reading, readings, writings
from catdl.types.types import ANONYMOUS, Axis, Kind

Sets: TypeAlias = "tuple[tuple[Symmetric, int], ...]"
"""The sets that a wire's first axes are along, each with the number of its axes."""

Kept: TypeAlias = "tuple[int, ...]"
"""How many axes of each set are kept."""


@record
class Part:
    """Something to be added to a result, spread over a partition of its axes: `blocks` are those of its axes."""

    wire: int
    partition: Blocks
    blocks: Blocks


def spans(ins: Sets, outs: Sets) -> list[Kept]:
    """What maps may keep; most first."""
    counts = [range(min(i, o), -1, -1) for (_, i), (_, o) in zip(ins, outs, strict=True)]
    return sorted(product(*counts), key=lambda kept: -sum(kept))


def reads(ins: Sets, kept: Kept) -> list[Reading]:
    """The ways to read an input."""
    return _all(readings, ins, kept)


def writes(outs: Sets, kept: Kept) -> list[Reading]:
    """The ways to write a result."""
    return _all(writings, outs, kept)


def _all(make: Callable[[int, int], tuple[Reading, ...]], sets: Sets, kept: Kept) -> list[Reading]:
    """Those of each set side by side, the axes numbered through."""
    found = [Reading((), ())]
    first = 0
    for (_, count), some in zip(sets, kept, strict=True):
        own = [Reading(_later(r.kept, first), _later(r.rest, first)) for r in make(count, some)]
        found = [Reading((*old.kept, *new.kept), (*old.rest, *new.rest)) for old, new in product(found, own)]
        first += count
    return found


def _later(blocks: Blocks, by: int) -> Blocks:
    return tuple(tuple(axis + by for axis in block) for block in blocks)


def gains(ins: Sets, outs: Sets) -> Iterator[float]:
    """For each map the mean square length of its rows: a mean over a set divides, so does a diagonal of the result."""
    sizes_in = [group.size for group, count in ins for _ in range(count)]
    sizes_out = [group.size for group, count in outs for _ in range(count)]
    for kept in spans(ins, outs):
        for way, source in product(writes(outs, kept), reads(ins, kept)):
            gain = 1.0
            for size in (sizes_in[block[0]] for block in source.rest):
                gain *= 1 / size if isinstance(size, int) else 0.0
            for block in (*way.kept, *way.rest):
                size = sizes_out[block[0]]
                if len(block) > 1:
                    gain *= float(size ** (1 - len(block))) if isinstance(size, int) else 0.0
            yield gain


def mapped(a: Assembly, ins: Sets, outs: Sets, x: int | None, weight: int) -> list[Part]:
    """What each map gives, for weights [maps, channels of the result, channels of x]; without x these are the result.

    Without sets there is one map, and the weights have no axis in front.
    """
    parts: list[Part] = []
    start = 0
    for kept in spans(ins, outs):
        sources, ways = reads(ins, kept), writes(outs, kept)
        if x is None:
            found = [a.one(weight, 0, start + k) for k in range(len(ways))] if outs else [weight]
        else:
            matrices = _matrix(a, weight, start, len(ways), len(sources)) if outs else weight
            found = _mixed(a, [_read(a, x, source) for source in sources], len(ways), matrices)
        start += len(ways) * len(sources)
        for made, way in zip(found, ways, strict=True):
            parts.append(Part(made, tuple(sorted((*way.kept, *way.rest))), way.kept))
    return parts


def _read(a: Assembly, x: int, source: Reading) -> int:
    """The diagonals that a map reads, with all that it does not keep reduced to its mean."""
    axes = a.axes(x)
    blocks = (*source.kept, *source.rest)
    if any(len(block) > 1 for block in blocks):
        letters = {axis: k for k, block in enumerate(blocks) for axis in block}
        taken = tuple(letters[axis] for axis in range(len(axes) - 1)), tuple(range(len(blocks)))
        made = (*(axes[block[0]] for block in blocks), axes[-1])
        x = a.named(a.core("contract", [x], made, ins=((*taken[0], -1),), out=(*taken[1], -1)), "diagonal")
        rest = tuple(range(len(source.kept), len(blocks)))
        if rest:
            x = a.named(a.core("reduce", [x], (*made[: len(source.kept)], axes[-1]), fn="mean", axes=rest), "mean")
        return x
    if source.rest:
        gone = tuple(sorted(block[0] for block in source.rest))
        left = tuple(axis for k, axis in enumerate(axes) if k not in gone)
        x = a.named(a.core("reduce", [x], left, fn="mean", axes=gone), "mean")
    order = sorted(block[0] for block in source.kept)
    return a.permuted(x, [*(order.index(block[0]) for block in source.kept), len(order)])


def _matrix(a: Assembly, weight: int, start: int, ways: int, sources: int) -> int:
    """The matrices of some maps as one, of all ways to write and all ways to read."""
    count, (maps, out, inner) = ways * sources, a.axes(weight)
    if count == 1:
        return a.named(a.one(weight, 0, start), "w")
    if maps.size != count:
        axes = (Axis(ANONYMOUS, count), out, inner)
        weight = a.named(a.core("slice", [weight], axes, axis=0, start=start, step=1, size=count), "w")
    if sources > 1:
        weight = a.split(weight, 0, (Axis(ANONYMOUS, ways), Axis(ANONYMOUS, sources)))
        weight = a.merged(a.permuted(weight, [0, 2, 1, 3]), 2, 2)
    return a.named(a.merged(weight, 0, 2), "w")


def _mixed(a: Assembly, given: list[int], ways: int, matrix: int) -> list[int]:
    """An input read in several ways and mixed, once for each way to write it."""
    rows, columns = a.axes(matrix)
    x = given[0]
    kept = a.axes(x)[:-1]
    if len(given) > 1:
        x = a.core("concat", given, (*kept, columns), axis=len(kept))
    letters = tuple(range(len(kept)))
    made = a.core("contract", [x, matrix], (*kept, rows), ins=((*letters, -1), (-2, -1)), out=(*letters, -2))
    a.named(made, "y")
    if ways == 1:
        return [made]
    assert isinstance(rows.size, int), "channels have fixed sizes"
    made = a.split(made, len(kept), (Axis(ANONYMOUS, ways), Axis(ANONYMOUS, rows.size // ways)))
    return [a.one(made, len(kept), k) for k in range(ways)]


def total(a: Assembly, axes: tuple[Axis, ...], channels: Axis, parts: list[Part]) -> int:
    """All parts added, those of one partition of the result's axes first, so that each diagonal is made once."""
    sums: dict[Blocks, tuple[int, Blocks]] = {}
    for part in parts:
        old = sums.get(part.partition)
        new = part.wire, part.blocks
        sums[part.partition] = new if old is None else _added(a, axes, channels, old, new)
    whole: tuple[int, Blocks] | None = None
    for partition, found in sums.items():
        wide = _diagonal(a, axes, channels, partition, found)
        whole = wide if whole is None else _added(a, axes, channels, whole, wide)
    assert whole is not None, "there are maps"
    wire, blocks = whole
    order = [block[0] for block in blocks]
    wire = a.permuted(wire, [*(order.index(k) for k in sorted(order)), len(order)])
    for k, axis in enumerate(axes):
        if k not in order:
            wire = a.expanded(wire, k, axis)
    return wire


def _added(
    a: Assembly, axes: tuple[Axis, ...], channels: Axis, left: tuple[int, Blocks], right: tuple[int, Blocks]
) -> tuple[int, Blocks]:
    """Two parts, each repeated along the axes that it lacks."""
    blocks = tuple(sorted({*left[1], *right[1]}))
    at = {block: k for k, block in enumerate(blocks)}
    where = [(wire, (*(at[block] for block in mine), len(blocks))) for wire, mine in (left, right)]
    return a.named(a.point("add", where, (*(axes[block[0]] for block in blocks), channels)), "y"), blocks


def _diagonal(
    a: Assembly, axes: tuple[Axis, ...], channels: Axis, partition: Blocks, part: tuple[int, Blocks]
) -> tuple[int, Blocks]:
    """A part with every axis of a block of several in its place: zero where their indices differ."""
    wire, blocks = part
    for block in partition:
        for other in block[1:]:
            first, second = axes[block[0]], axes[other]
            ends = [a.core("index", [], (axis,), Kind("Fin", axis.size), size=axis.size) for axis in (first, second)]
            same = a.point("eq", [(ends[0], (0,)), (ends[1], (1,))], (first, second), Kind("Bool"))
            same = a.named(same, "same")
            single = tuple((b[0],) if b == block else b for b in blocks)
            wide = tuple(sorted({*single, (block[0],), (other,)}))
            at = {b: k for k, b in enumerate(wide)}
            inputs = [
                (same, (at[block[0],], at[other,])),
                (wire, (*(at[b] for b in single), len(wide))),
                (a.literal(0), ()),
            ]
            wire = a.point("where", inputs, (*(axes[b[0]] for b in wide), channels))
            blocks = wide
    return wire, blocks
