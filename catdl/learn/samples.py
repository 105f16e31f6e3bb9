"""Samples: the columns of a file as tensors of the types that the spec says.

Takes `Data` of a learner; guarantees columns of one length with the shapes, the range of every index and the numbers
that their kinds have, or a mistake that names the row. Files of `.safetensors` stay on disk and are read by rows.

    samples = read(plan.data, Path("examples"), torch.float32)
    images, labels = samples.take(torch.tensor([0, 5, 7]))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from catdl import diagnostics as wrong
from catdl.diagram.learner import Column, Data
from catdl.learn.refuse import Refused
from catdl.learn.tables import READERS, Rows
from catdl.record import record
from catdl.types.dtypes import storage
from catdl.types.poly import sym
from catdl.types.rebuild import value_of
from catdl.types.sizes import Poly
from catdl.types.types import Leaf, axis_sizes, plain, show_leaf

BLOCK = 65_536  # rows that are looked at at once
_SUM_OFF = 1e-3

Load: TypeAlias = Callable[[Tensor], tuple[Tensor, ...]]


@record
class Samples:
    """So many samples, and how to get some of them by number; `lazy` where they stay on disk."""

    count: int
    take: Load
    lazy: bool = False

    def part(self, index: Tensor) -> Samples:
        """Some of the samples."""
        return Samples(len(index), lambda at: self.take(index[at]), self.lazy)


def read(data: Data, folder: Path, dtype: torch.dtype) -> Samples:
    """The samples of a table. Raises Refused."""
    path = folder / data.place
    try:
        rows = READERS[path.suffix](path)
    except (OSError, ValueError, ImportError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise Refused(wrong.DataUnfit(data.span, data.place, reason)) from None
    checked = _Columns(data, rows, dtype)
    checked.look()
    if rows.lazy:
        return Samples(rows.count, checked.tensors, True)
    whole = checked.tensors(torch.arange(rows.count))
    return Samples(rows.count, lambda index: tuple(column[index] for column in whole))


class _Columns:
    """The columns of one table on their way to tensors."""

    def __init__(self, data: Data, rows: Rows, dtype: torch.dtype) -> None:
        self.data = data
        self.rows = rows
        self.dtype = dtype
        self.sizes: dict[str, int] = {}

    def refuse(self, column: Column, reason: str, help_: str = "") -> Refused:
        """A column that is not what the spec says."""
        return Refused(wrong.DataUnfit(column.span, self.data.place, reason, help_))

    def look(self) -> None:
        """Check every row of every column, block by block. Raises Refused."""
        for column in self.data.columns:
            if column.source not in self.rows.names:
                raise self.refuse(column, f"there is no column `{column.source}`", _there_are(self.rows.names))
        if self.rows.count == 0:
            raise self.refuse(self.data.columns[0], "there are no samples in it")
        for column in self.data.columns:
            for start in range(0, self.rows.count, BLOCK):
                self.check(
                    column, self.rows.read(column.source, np.arange(start, min(start + BLOCK, self.rows.count))), start
                )

    def check(self, column: Column, array: np.ndarray[Any, Any], start: int) -> None:
        """The shape and the numbers of some rows. Raises Refused."""
        leaf = column.type
        shown = f"column `{column.source}`"
        shape = axis_sizes(leaf)
        if array.dtype.kind not in "biufc":
            raise self.refuse(column, f"{shown} holds {array.dtype}, which are no numbers")
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
                raise self.refuse(
                    column,
                    f"{shown} has {here} along axis {place + 1} of each row, and `{show_leaf(leaf)}` has {wanted}",
                )
        stored = storage(leaf.kind)
        if stored in ("int", "bool") and array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
            raise self.refuse(column, f"{shown} holds fractions, and `{column.port}` is `{show_leaf(leaf)}`")
        self.check_numbers(column, self.scaled(column, array), start)

    def check_numbers(self, column: Column, array: np.ndarray[Any, Any], start: int) -> None:
        """What numbers the kind has. Raises Refused."""
        leaf = column.type
        name = plain(leaf.kind.name)
        shown = f"column `{column.source}`"
        if array.dtype.kind == "f":
            self.none(column, ~np.isfinite(array), array, start, f"{shown} holds {{value}} in row {{row}}")
        if name == "Fin":
            size = leaf.kind.size
            assert size is not None
            known = isinstance(size, int) or size.syms <= self.sizes.keys()
            most = value_of(size, self.sizes) if known else None
            outside = array < 0 if most is None else (array < 0) | (array >= most)
            below = f"an index below {most}" if most is not None else "an index"
            self.none(column, outside, array, start, f"{shown} holds {{value}} in row {{row}}, which is not {below}")
        if name in ("Positive", "Probs", "Prob", "Std", "Var"):
            self.none(column, array < 0, array, start, f"{shown} holds {{value}} in row {{row}}, which is no {name}")
        if name == "Probs" and leaf.axes:
            off = np.abs(array.sum(-1, dtype=np.float64) - 1) > _SUM_OFF
            self.none(
                column, off, array.sum(-1), start, f"{shown} adds up to {{value}} in row {{row}}, which is no {name}"
            )

    def none(
        self, column: Column, bad: np.ndarray[Any, Any], values: np.ndarray[Any, Any], start: int, words: str
    ) -> None:
        """Refuse the first row at which something is wrong. Raises Refused."""
        if bad.any():
            place = np.unravel_index(int(bad.argmax()), bad.shape)
            value = values[place]
            shown = f"{value:g}" if values.dtype.kind == "f" else str(value)
            raise self.refuse(column, words.format(value=shown, row=start + int(place[0])))

    def scaled(self, column: Column, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The numbers after the arithmetic that the spec does to them."""
        if column.scale == 1 and column.shift == 0:
            return array
        return array.astype(np.float64) * float(column.scale) + float(column.shift)

    def tensors(self, index: Tensor) -> tuple[Tensor, ...]:
        """Some rows of every column."""
        at = index.numpy()
        out = []
        for column in self.data.columns:
            array = self.scaled(column, self.rows.read(column.source, at))
            out.append(torch.from_numpy(np.ascontiguousarray(array)).to(self.stored(column.type)))
        return tuple(out)

    def stored(self, leaf: Leaf) -> torch.dtype:
        """The type of number of a tensor."""
        complex_ = torch.complex128 if self.dtype == torch.float64 else torch.complex64
        known: Mapping[str, torch.dtype] = {"int": torch.int64, "bool": torch.bool, "complex": complex_}
        return known.get(storage(leaf.kind), self.dtype)


def _there_are(names: tuple[str, ...]) -> str:
    """What columns there are."""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"it has {shown}" if names else "it has none"
