"""How samples that differ in size lie in a table, and how some of them are read, packed.

Takes a table and the columns of a learner; guarantees for every var dim where each sample begins, which all columns
along it agree on, or a mistake that names the sample. A column along such a dim is one of

    packed    the elements of all samples, one sample after the other; offsets or lengths say where each begins
    padded    a row for each sample, filled up at its end; lengths, or a mask of what is there, say how far it goes
    lists     a row for each sample, as long as the sample

Offsets, lengths and masks are told apart by what they are: a table whose numbers may be read in two ways is refused.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from catdl import diagnostics as wrong
from catdl.diagram.learner import Column, Data, Sizes
from catdl.learn.refuse import Refused
from catdl.learn.tables import Array, Rows, stacked
from catdl.types.ragged import of_leaves, rows
from catdl.types.sizes import short
from catdl.types.types import axis_sizes, show_leaf

Form: TypeAlias = Literal["rows", "packed", "padded", "lists"]


class Layout:
    """How many samples there are, the offsets of each var dim by its sym, and how each column lies. Raises Refused."""

    def __init__(self, data: Data, table: Rows) -> None:
        self.data = data
        self.table = table
        self.forms: dict[str, Form] = {column.port: self.form(column) for column in data.columns}
        self.dims = {column.port: rows(column.type) for column in data.columns}
        counts = {c.source: table.lengths[c.source] for c in data.columns if self.forms[c.port] != "packed"}
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"`{name}` {count}" for name, count in counts.items())
            raise self.refuse(data.columns[0], f"its columns are of different length: {shown}")
        self.count = next(iter(counts.values()), -1)
        used = of_leaves(column.type for column in data.columns)
        self.offsets: dict[str, Array] = {
            sizes.dim: offsets_of(self.lengths(sizes)) for sizes in data.sizes if sizes.dim in used
        }

    def refuse(self, at: Column | Sizes, reason: str, help_: str = "") -> Refused:
        """A column that is not what the spec says."""
        return Refused(wrong.DataUnfit(at.span, self.data.place, reason, help_))

    def form(self, column: Column) -> Form:
        """How a column lies."""
        if rows(column.type) is None:
            return "rows"
        shape = self.table.read(column.source, np.arange(min(1, self.table.lengths[column.source])))
        own = len(axis_sizes(column.type))
        if shape.dtype == object:
            return "lists"
        if shape.ndim == own:
            return "packed"
        if shape.ndim == own + 1:
            return "padded"
        found = "×".join(map(str, shape.shape[1:])) or "one number"
        raise self.refuse(
            column,
            f"column `{column.source}` has {found} in each row, and `{column.port}` is `{show_leaf(column.type)}`",
        )

    def lengths(self, sizes: Sizes) -> Array:
        """How many elements each sample has along a dim, as all columns along it say."""
        dim = short(sizes.dim)
        along = [column for column in self.data.columns if self.dims[column.port] == sizes.dim]
        source = sizes.source or (dim if dim in self.table.lengths else None)
        found = None
        if source is not None:
            if source not in self.table.lengths:
                raise self.refuse(sizes, f"there is no column `{source}`", there_are(self.table))
            found = self.told(sizes, source, [self.table.lengths[c.source] for c in along if self.packed(c)])
        for column in along:
            found = self.agreed(sizes, column, found, source)
        if found is None:
            help_ = f"`{dim} = column` says which column holds them, as lengths, offsets or a mask"
            raise self.refuse(sizes, f"nothing says how many elements each sample has along `{dim}`", help_)
        if self.count < 0:
            self.count = len(found)
        return found

    def packed(self, column: Column) -> bool:
        """Whether a column holds the elements of all samples one after the other."""
        return self.forms[column.port] == "packed"

    def told(self, sizes: Sizes, source: str, totals: list[int]) -> Array:
        """The lengths that a column says, as such, as offsets or as a mask."""
        numbers = self.table.read(source, np.arange(self.table.lengths[source]))
        shown = f"column `{source}`"
        if numbers.dtype == bool and numbers.ndim == 2:
            there = numbers.sum(1)
            late = (numbers != (np.arange(numbers.shape[1]) < there[:, None])).any(1)
            if late.any():
                raise self.refuse(
                    sizes, f"the mask `{source}` has something behind a gap in sample {int(late.argmax())}"
                )
            numbers = there
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (len(numbers) and numbers.min() < 0):
            words = "which holds no lengths, offsets or mask"
            raise self.refuse(sizes, f"`{short(sizes.dim)}` is read from {shown}, {words}")
        numbers = numbers.astype(np.int64)
        ways = [
            lengths
            for lengths in (numbers, np.diff(numbers) if begins(numbers) else None)
            if lengths is not None
            and self.count in (-1, len(lengths))
            and all(int(lengths.sum()) == total for total in totals)
        ]
        if len(ways) > 1 and not np.array_equal(ways[0], ways[1]):
            raise self.refuse(
                sizes, f"{shown} may be read as lengths and as offsets", "save lengths as well as offsets"
            )
        if not ways:
            there_is = f"{len(numbers)} numbers that add up to {int(numbers.sum())}"
            has = [f"{self.count} samples"] * (self.count >= 0) + [f"{total} packed elements" for total in totals[:1]]
            words = f"{shown} has {there_is}, which are neither lengths nor offsets of {' and '.join(has)}"
            raise self.refuse(sizes, words)
        return ways[0]

    def agreed(self, sizes: Sizes, column: Column, found: Array | None, source: str | None) -> Array | None:
        """What is known of the lengths, with what a column says of them."""
        dim, shown = short(sizes.dim), f"column `{column.source}`"
        match self.forms[column.port]:
            case "lists":
                whole = self.table.read(column.source, np.arange(self.count))
                none = next((k for k, value in enumerate(whole) if not isinstance(value, np.ndarray)), None)
                if none is not None:
                    raise self.refuse(column, f"{shown} holds no list in sample {none}")
                here = np.array([len(value) for value in whole], np.int64)
            case "padded" if found is None and column.source in self.table.exact:
                here = np.full(self.count, self.width(column), np.int64)
            case "padded" if found is not None:
                here = np.minimum(found, self.width(column))
            case _:
                return found
        if found is None:
            return here
        if (here != found).any():
            k = int((here != found).argmax())
            other = f"`{source}`" if source is not None else "another column"
            raise self.refuse(column, f"{shown} has {here[k]} along `{dim}` in sample {k}, and {other} says {found[k]}")
        return found

    def width(self, column: Column) -> int:
        """How many elements there is room for in a row."""
        return int(self.table.read(column.source, np.arange(min(1, self.count))).shape[1])

    def elements(self, column: Column, index: Array) -> Array:
        """What some samples have in a column; of samples that differ in size, one after the other."""
        source, dim = column.source, self.dims[column.port]
        if dim is None:
            return self.table.read(source, index)
        offsets = self.offsets[dim]
        match self.forms[column.port]:
            case "packed":
                return self.table.read(source, places(offsets, index))
            case "padded":
                padded = self.table.read(source, index)
                return padded[np.arange(padded.shape[1]) < np.diff(offsets)[index][:, None]]
            case _:
                parts = [stacked(np.asarray(value)) for value in self.table.read(source, index) if len(value)]
                own = [size if isinstance(size, int) else 0 for size in axis_sizes(column.type)[1:]]
                return np.concatenate(parts) if parts else np.zeros((0, *own), np.int64)

    def sample(self, column: Column, index: Array) -> Array:
        """Which of the samples that are read each element is of."""
        dim = self.dims[column.port]
        each = np.arange(len(index))
        return each if dim is None else np.repeat(each, np.diff(self.offsets[dim])[index])


def offsets_of(lengths: Array) -> Array:
    """Where each sample begins, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def places(offsets: Array, index: Array) -> Array:
    """Where the elements of some samples lie, one sample after the other."""
    lengths = np.diff(offsets)[index]
    begin = np.cumsum(lengths) - lengths
    found: Array = np.repeat(offsets[:-1][index] - begin, lengths) + np.arange(int(lengths.sum()))
    return found


def begins(numbers: Array) -> bool:
    """Whether numbers may be offsets."""
    return len(numbers) > 0 and numbers[0] == 0 and bool((np.diff(numbers) >= 0).all())


def there_are(table: Rows) -> str:
    """What columns there are."""
    names = (*table.lengths, *table.broken)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"it has {shown}" if names else "it has none"
