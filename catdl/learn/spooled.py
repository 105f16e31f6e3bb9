"""Tables that are read from front to back once, and stay on disk while they are used.

Takes the columns of a file part by part; guarantees arrays over temporary files, which are gone with the process. So a
text, or a file whose parts are compressed, may be larger than memory.

    spool = Spool()
    for part in parts: spool.add({"x": part})
    spool.columns()["x"][[3, 1]]
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"

_BLOCK = 1 << 24  # numbers that are rewritten at once


class Unlike(ValueError):
    """Rows of a column that differ in shape."""


class Spool:
    """Columns that grow. Parts of a column have rows of one shape; whole numbers become others where others come."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="catdl-"))
        self.gone = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.paths: dict[str, Path] = {}
        self.types: dict[str, np.dtype[Any]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.counts: dict[str, int] = {}

    def add(self, part: Mapping[str, Array]) -> None:
        """Some more rows of every column. Raises Unlike where their shape is another, OSError for a full disk."""
        for name, rows in part.items():
            if name not in self.paths:
                self.paths[name] = self.folder / str(len(self.paths))
                self.types[name], self.shapes[name], self.counts[name] = rows.dtype, rows.shape[1:], 0
            if rows.shape[1:] != self.shapes[name] or rows.dtype.hasobject:
                raise Unlike(f"column `{name}` has rows of different lengths")
            wider = np.promote_types(self.types[name], rows.dtype)
            if wider != self.types[name]:
                self._widen(name, wider)
            with self.paths[name].open("ab") as file:
                np.ascontiguousarray(rows, wider).tofile(file)
            self.counts[name] += len(rows)

    def _widen(self, name: str, wider: np.dtype[Any]) -> None:
        """Write a column anew with numbers of another type."""
        path = self.paths[name]
        new = path.with_suffix(".new")
        with path.open("rb") as old, new.open("wb") as file:
            while len(block := np.fromfile(old, self.types[name], _BLOCK)):
                block.astype(wider).tofile(file)
        new.replace(path)
        self.types[name] = wider

    def columns(self) -> dict[str, Array]:
        """The columns, over their files; these have no name any more, and go with the last array."""
        found: dict[str, Array] = {}
        for name, path in self.paths.items():
            shape, kind = (self.counts[name], *self.shapes[name]), self.types[name]
            found[name] = np.memmap(path, kind, "r", 0, shape) if np.prod(shape) else np.empty(shape, kind)
        self.gone()
        return found
