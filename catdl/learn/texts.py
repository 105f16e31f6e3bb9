"""Texts as samples: windows of one long text, or its lines, as bytes.

Takes a path and how it is cut; guarantees the columns `text`, bytes, and `next`, of each the byte that follows it. Only
the windows that are asked for are read, so the text may be larger than memory. Lines differ in length, and what follows
the last byte of one is the end of the line.

    text(Path("tiny.txt"), Cut(64, 64)).read("next", np.array([3]))
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from catdl.diagram.learner import Cut
from catdl.learn.tables import Array, Rows

NAMES = ("text", "next")
END = b"\n"


def text(path: Path, cut: Cut) -> Rows:
    """A text, cut. Raises OSError, and ValueError for one that has nothing to cut."""
    path.stat()
    return lines(path) if cut.window is None else windows(path, cut.window, cut.every)


def windows(path: Path, window: int, every: int) -> Rows:
    """Pieces of one length; the last begins as late as it can, so that every byte is in one."""
    size = path.stat().st_size
    if size <= window:
        raise ValueError(f"it has {size} bytes, and a window of {window} with the one that follows takes {window + 1}")
    data = np.memmap(path, np.uint8, "r")
    last = size - 1 - window
    count = -(-last // every) + 1

    def read(name: str, index: Array) -> Array:
        start = np.minimum(index * every, last) + NAMES.index(name)
        found: Array = data[start[:, None] + np.arange(window)].astype(np.int64)
        return found

    return Rows(dict.fromkeys(NAMES, count), read, True, frozenset(NAMES))


def lines(path: Path) -> Rows:
    """The lines that are not empty."""
    found = [line for line in path.read_bytes().splitlines() if line]
    if not found:
        raise ValueError("there are no lines in it")

    def read(name: str, index: Array) -> Array:
        cut = slice(None) if name == "text" else slice(1, None)
        end = b"" if name == "text" else END
        out = np.empty(len(index), object)
        for place, k in enumerate(index):
            out[place] = np.frombuffer(found[k][cut] + end, np.uint8)
        return out

    return Rows(dict.fromkeys(NAMES, len(found)), read, False, frozenset(NAMES))
