"""Samples: the columns of a file as tensors of the types that the spec says.

Takes `Data` of a learner; guarantees columns of one length with the shapes, the range of every index and the numbers
that their kinds have, or a mistake that names the row. Large files stay on disk where their form allows it.
Samples that differ in size are packed: their elements one after the other, and the offsets of each var dim.

    samples = table(plan.data, Path("examples"), torch.float32)
    (images, labels), offsets = samples.take(torch.tensor([0, 5, 7]))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from catdl import diagnostics as wrong
from catdl.data.ragged import Batch
from catdl.diagram.learner import Column, Data
from catdl.learn.layout import Layout, offsets_of, places, there_are
from catdl.learn.refuse import Refused
from catdl.learn.tables import READERS, Array, Rows
from catdl.learn.texts import text
from catdl.record import record, replace
from catdl.types.dtypes import storage
from catdl.types.poly import sym
from catdl.types.ragged import fin
from catdl.types.rebuild import value_of
from catdl.types.sizes import Poly, short
from catdl.types.types import Leaf, axis_sizes, plain, show_leaf

BLOCK = 65_536  # rows that are looked at at once, at most
AT_ONCE = 1 << 26  # bytes of them
_SUM_OFF = 1e-3
_EXACT = 2**53
_LONGEST = {"g": np.dtype(np.float64), "G": np.dtype(np.complex128)}  # torch knows no longer ones, and one byte order

Load: TypeAlias = Callable[[Tensor], Batch]


@record
class Samples:
    """So many samples, and how to get some of them by number; `lazy` where they stay on disk."""

    count: int
    take: Load
    lazy: bool = False
    classes: tuple[str, ...] = ()  # the names of the classes, where the data have them

    def part(self, index: Tensor) -> Samples:
        """Some of the samples."""
        return replace(self, count=len(index), take=lambda at: self.take(index[at]))


def table(data: Data, folder: Path, dtype: torch.dtype) -> Samples:
    """The samples of a table. Raises Refused."""
    path = folder / data.place
    try:
        rows = READERS[path.suffix](path) if data.cut is None else text(path, data.cut)
    except (OSError, ValueError, ImportError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise Refused(wrong.DataUnfit(data.span, data.place, reason)) from None
    checked = Columns(data, rows, dtype)
    checked.look()
    count = checked.layout.count
    if rows.lazy:
        return Samples(count, checked.load, True)
    return Samples(count, checked.in_memory())


class Columns:
    """The columns of one table on their way to tensors. Raises Refused."""

    def __init__(self, data: Data, table: Rows, dtype: torch.dtype) -> None:
        self.data = data
        self.dtype = dtype
        self.sizes: dict[str, int] = {}
        for column in data.columns:
            if column.source in table.broken:
                raise self.refuse(column, table.broken[column.source])
            if column.source not in table.lengths:
                raise self.refuse(column, f"there is no column `{column.source}`", there_are(table))
        self.layout = Layout(data, table)
        self.counted: dict[str, bool] = {}  # columns of indices that count through the file, not in their sample

    def refuse(self, column: Column, reason: str, help_: str = "") -> Refused:
        """A column that is not what the spec says."""
        return Refused(wrong.DataUnfit(column.span, self.data.place, reason, help_))

    def look(self) -> None:
        """Check every sample of every column, block by block. Raises Refused."""
        if self.layout.count == 0:
            raise self.refuse(self.data.columns[0], "there are no samples in it")
        for column in self.data.columns:
            if fin(column.type) is not None:
                self.counted[column.port] = self.through(column)
            for index in self.blocks(column):
                self.check(column, self.layout.elements(column, index), index)

    def blocks(self, column: Column) -> Iterator[Array]:
        """The numbers of all samples, so many at once as memory has room for."""
        first = self.layout.elements(column, np.arange(min(16, self.layout.count)))
        each = max(1, first.nbytes // min(16, self.layout.count))
        rows = max(1, min(BLOCK, AT_ONCE // each))
        for start in range(0, self.layout.count, rows):
            yield np.arange(start, min(start + rows, self.layout.count))

    def through(self, column: Column) -> bool:
        """Whether the indices of a column count through the file, for not all can count from 0 in their samples."""
        local, counted = True, True
        for index in self.blocks(column):
            array = self.values(column, index)
            if array.dtype.kind not in "biuf":
                return False
            low, size = self.bounds(column, index, array.ndim)
            local &= bool(((array >= 0) & (array < size)).all())
            counted &= bool(((array >= low) & (array < low + size)).all())
        return counted and not local

    def bounds(self, column: Column, index: Array, rank: int) -> tuple[Array, Array]:
        """At each element of some samples: where the sample begins in the dim that the column indexes, and its size."""
        dim = fin(column.type)
        assert dim is not None
        offsets = self.layout.offsets[dim]
        return (
            self.beside(column, index, offsets[:-1][index], rank),
            self.beside(column, index, np.diff(offsets)[index], rank),
        )

    def beside(self, column: Column, index: Array, numbers: Array, rank: int) -> Array:
        """A number of each sample at each of its elements, with axes for those that elements have."""
        spread = numbers[self.layout.sample(column, index)]
        found: Array = spread.reshape(-1, *(1,) * (rank - 1))
        return found

    def check(self, column: Column, array: Array, index: Array) -> None:
        """The shape and the numbers of some samples. Raises Refused."""
        leaf = column.type
        shown = f"column `{column.source}`"
        ragged = self.layout.dims[column.port] is not None
        shape = axis_sizes(leaf)[1:] if ragged else axis_sizes(leaf)
        if array.dtype.kind not in "biufc":
            raise self.refuse(column, f"{shown} holds {array.dtype}, which are no numbers")
        if array.dtype.kind == "c" and storage(leaf.kind) != "complex":
            raise self.refuse(column, f"{shown} holds complex numbers, and `{column.port}` is `{show_leaf(leaf)}`")
        if array.ndim - 1 != len(shape):
            found = "×".join(map(str, array.shape[1:])) or "one number"
            raise self.refuse(column, f"{shown} has {found} in each row, and `{column.port}` is `{show_leaf(leaf)}`")
        for place, (size, here) in enumerate(zip(shape, array.shape[1:], strict=True)):
            for name in size.syms if isinstance(size, Poly) else ():
                if size == sym(name):
                    self.sizes.setdefault(name, here)
            known = isinstance(size, int) or size.syms <= self.sizes.keys()
            if known and value_of(size, self.sizes) != here:
                wanted = value_of(size, self.sizes)
                each = "element" if ragged else "row"
                raise self.refuse(
                    column,
                    f"{shown} has {here} along axis {place + 1} of each {each}, and `{show_leaf(leaf)}` has {wanted}",
                )
        self.check_numbers(column, self.scaled(column, array), index)

    def check_numbers(self, column: Column, array: Array, index: Array) -> None:
        """What numbers the kind has. Raises Refused."""
        leaf = column.type
        name = plain(leaf.kind.name)
        shown = f"column `{column.source}`"
        if array.dtype.kind == "f":
            self.none(column, ~np.isfinite(array), array, index, f"{shown} holds {{value}} in {{row}}")
            if storage(leaf.kind) in ("int", "bool"):
                words = f"{shown} holds {{value}} in {{row}}, a fraction, and `{column.port}` is `{show_leaf(leaf)}`"
                self.none(column, array != np.trunc(array), array, index, words)
        largest, room = torch.finfo(self.dtype).max, torch.finfo(self.dtype).bits
        if array.dtype.kind == "f" and storage(leaf.kind) == "float" and 8 * array.dtype.itemsize > room:
            words = (
                f"{shown} holds {{value}} in {{row}}, which is too large for {str(self.dtype).removeprefix('torch.')}"
            )
            self.none(column, np.abs(array) > largest, array, index, words)
        if (dim := fin(leaf)) is not None:
            low, size = self.bounds(column, index, array.ndim)
            local = array - low if self.counted[column.port] else array
            words = f"{shown} holds {{value}} in {{row}}, which is no index of one of its elements along `{short(dim)}`"
            self.none(column, (local < 0) | (local >= size), array, index, words)
        elif name == "Fin":
            most_of = leaf.kind.size
            assert most_of is not None
            known = isinstance(most_of, int) or most_of.syms <= self.sizes.keys()
            most = value_of(most_of, self.sizes) if known else None
            outside = array < 0 if most is None else (array < 0) | (array >= most)
            below = f"an index below {most}" if most is not None else "an index"
            self.none(column, outside, array, index, f"{shown} holds {{value}} in {{row}}, which is not {below}")
        if name in ("Positive", "Probs", "Prob", "Std", "Var"):
            self.none(column, array < 0, array, index, f"{shown} holds {{value}} in {{row}}, which is no {name}")
        if name == "Probs" and leaf.axes:
            off = np.abs(array.sum(-1, dtype=np.float64) - 1) > _SUM_OFF
            words = f"{shown} adds up to {{value}} in {{row}}, which is no {name}"
            self.none(column, off, array.sum(-1), index, words)

    def none(self, column: Column, bad: Array, values: Array, index: Array, words: str) -> None:
        """Refuse the first row or sample in which something is wrong. Raises Refused."""
        if bad.any():
            place = np.unravel_index(int(bad.argmax()), bad.shape)
            value = values[place]
            shown = f"{value:g}" if values.dtype.kind == "f" else str(value)
            sample = index[self.layout.sample(column, index)[int(place[0])]]
            row = "row" if self.layout.dims[column.port] is None else "sample"
            called = self.layout.table.called
            raise self.refuse(column, words.format(value=shown, row=called(sample) if called else f"{row} {sample}"))

    def scaled(self, column: Column, array: Array) -> Array:
        """The numbers after the arithmetic that the spec does to them."""
        if column.scale == 1 and column.shift == 0:
            return array
        whole = array.astype(np.float64)
        up, down = column.scale.numerator, column.scale.denominator
        if max(abs(up), down) < _EXACT:  # 49 / 49 is 1, and 49 times the number nearest to 1 / 49 is not
            return whole * up / down + float(column.shift)
        return whole * float(column.scale) + float(column.shift)

    def values(self, column: Column, index: Array) -> Array:
        """The numbers of some samples in a column."""
        return self.scaled(column, self.layout.elements(column, index))

    def tensor(self, column: Column, index: Array) -> Tensor:
        """What some samples have in a column; indices of elements count from 0 in their sample."""
        array = self.values(column, index)
        if self.counted.get(column.port):
            array = array - self.bounds(column, index, array.ndim)[0]
        known = _LONGEST.get(array.dtype.char, array.dtype.newbyteorder("="))
        return torch.from_numpy(np.ascontiguousarray(array, known)).to(self.stored(column.type))

    def load(self, index: Tensor) -> Batch:
        """Some samples, read from the table."""
        return self.batch(index.numpy(), self.tensor)

    def in_memory(self) -> Load:
        """Some samples, out of all of them as tensors."""
        layout = self.layout
        whole = {column.port: self.tensor(column, np.arange(layout.count)) for column in self.data.columns}
        if not layout.offsets:
            return lambda index: Batch(tuple(column[index] for column in whole.values()), {})

        def read(column: Column, index: Array) -> Tensor:
            dim = layout.dims[column.port]
            return whole[column.port][torch.from_numpy(index if dim is None else places(layout.offsets[dim], index))]

        return lambda index: self.batch(index.numpy(), read)

    def batch(self, index: Array, read: Callable[[Column, Array], Tensor]) -> Batch:
        """Some samples as one batch, in which indices of elements count through all of it."""
        starts = {dim: offsets_of(np.diff(offsets)[index]) for dim, offsets in self.layout.offsets.items()}
        inputs: list[Tensor] = []
        for column in self.data.columns:
            x = read(column, index)
            dim = fin(column.type)
            inputs.append(
                x if dim is None else x + torch.from_numpy(self.beside(column, index, starts[dim][:-1], x.ndim))
            )
        return Batch(tuple(inputs), {short(dim): torch.from_numpy(found) for dim, found in starts.items()})

    def stored(self, leaf: Leaf) -> torch.dtype:
        """The type of number of a tensor."""
        complex_ = torch.complex128 if self.dtype == torch.float64 else torch.complex64
        known: Mapping[str, torch.dtype] = {"int": torch.int64, "bool": torch.bool, "complex": complex_}
        return known.get(storage(leaf.kind), self.dtype)
