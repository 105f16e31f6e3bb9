"""Samples that are read one by one, each with all it has: of a `torch.utils.data.Dataset`, or of files.

Takes how many there are, how to get one and what it is called; guarantees columns with the shapes and numbers that the
spec says, or a mistake that names the sample. They are looked at when they are read, the first of them beforehand.

    read_items(data, Items(len(dataset), dataset.__getitem__, "sample {}".format), torch.float32)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from catdl import diagnostics as wrong
from catdl.data.ragged import Batch
from catdl.diagram.learner import Column, Data
from catdl.learn.foreign import made, told
from catdl.learn.refuse import Refused
from catdl.learn.samples import Columns, Samples
from catdl.learn.tables import Array, Rows
from catdl.record import record
from catdl.types.types import axis_sizes, show_leaf

FIRST = 32  # samples that are looked at before training


class Get(Protocol):
    """How one sample is read: a number for each axis, by the source of each column."""

    def __call__(self, number: int, columns: tuple[Column, ...]) -> list[Array]: ...


@record
class Items:
    """So many samples, how to get what one has for some columns, and what one is called."""

    count: int
    get: Get
    called: Callable[[int], str]


def read_items(data: Data, items: Items, dtype: torch.dtype) -> Samples:
    """The samples, of which the first are looked at. Raises Refused."""
    if items.count == 0:
        raise Refused(wrong.DataUnfit(data.span, data.place, "there are no samples in it"))

    def take(index: Tensor) -> Batch:
        numbers = index.tolist()
        read = [items.get(number, data.columns) for number in numbers]
        arrays = {
            column.source: stacked(data, column, [sample[place] for sample in read], numbers, items)
            for place, column in enumerate(data.columns)
        }
        table = Rows(
            dict.fromkeys(arrays, len(numbers)),
            lambda name, at: arrays[name][at],
            called=lambda row: items.called(numbers[row]),
        )
        found = Columns(data, table, dtype)
        if numbers:
            found.look()
        return found.load(torch.arange(len(numbers)))

    take(torch.arange(min(FIRST, items.count)))
    return Samples(items.count, take, True)


def stacked(data: Data, column: Column, parts: list[Array], numbers: list[int], items: Items) -> Array:
    """What several samples have as one array. Raises Refused where one has another shape."""
    sizes = axis_sizes(column.type)

    def refuse(place: int, wanted: str) -> Refused:
        reason = f"{items.called(numbers[place])} has {across(parts[place].shape)}, and {wanted}"
        return Refused(wrong.DataUnfit(column.span, data.place, reason))

    for place, part in enumerate(parts):
        known = zip(sizes, part.shape, strict=False)
        if len(part.shape) != len(sizes) or any(isinstance(size, int) and size != here for size, here in known):
            raise refuse(place, f"`{column.port}` is `{show_leaf(column.type)}`")
        if part.shape != parts[0].shape:
            raise refuse(place, f"{items.called(numbers[0])} has {across(parts[0].shape)}")
    return np.stack(parts) if parts else np.empty((0, *(size if isinstance(size, int) else 0 for size in sizes)))


def across(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return "×".join(map(str, shape)) or "one number"


def dataset(data: Data, dtype: torch.dtype) -> Samples:
    """The samples of a data set of another package. Raises Refused."""
    foreign = data.foreign
    assert foreign is not None
    found = made(foreign)
    if not (hasattr(found, "__getitem__") and hasattr(found, "__len__")):
        reason = "has no length and no samples by number, by which they are shuffled and a run that was cut off goes on"
        raise Refused(wrong.ForeignFailed(foreign.span, foreign.target, reason))

    def get(number: int, columns: tuple[Column, ...]) -> list[Array]:
        with told(foreign, f"cannot give sample {number}"):
            sample = found[number]
        return [part_of(data, column, sample, number) for column in columns]

    with told(foreign, "has no length"):
        count = len(found)
    return read_items(data, Items(count, get, "sample {}".format), dtype)


def part_of(data: Data, column: Column, sample: Any, number: int) -> Array:
    """What a sample has for a column: by its place, by a key, or by the name of a field. Raises Refused."""
    name = column.source
    try:
        if name.isdecimal() and not isinstance(sample, Mapping):
            value = sample[int(name)]
        else:
            value = sample[name] if isinstance(sample, Mapping) else getattr(sample, name)
    except (LookupError, AttributeError, TypeError):
        has = f"{len(sample)} parts" if isinstance(sample, tuple | list) else f"a {type(sample).__name__}"
        if isinstance(sample, Mapping):
            has = ", ".join(map(str, sample))
        raise Refused(
            wrong.DataUnfit(column.span, data.place, f"sample {number} has no `{name}`", f"it has {has}")
        ) from None
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
