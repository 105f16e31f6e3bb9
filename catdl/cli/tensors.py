"""Safetensors files without torch: what they hold, and new ones made of their tensors.

A file is eight bytes with the length of the header, the header, which is JSON, and the numbers one tensor after the
other. Only the header is read until numbers are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from catdl import diagnostics as wrong
from catdl.cli.files import reason
from catdl.diagnostics.base import Diagnostic
from catdl.record import record
from catdl.types.dtypes import Storage
from catdl.weights.held import Form, Shape
from catdl.weights.keymap import Piece

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, Any]

_SIZES = {
    dtype: size
    for size, dtypes in (
        (1, "BOOL U8 I8 F8_E4M3 F8_E5M2 F8_E8M0"),
        (2, "U16 I16 F16 BF16"),
        (4, "U32 I32 F32"),
        (8, "U64 I64 F64 C64"),
    )
    for dtype in dtypes.split()
}
_STORED: dict[str, Storage] = {"BO": "bool", "BF": "float", "F": "float", "U": "int", "I": "int", "C": "complex"}
_LONGEST = 100_000_000  # bytes of a header; the format allows no more


@record
class Entry:
    """A tensor of a file: its type in the words of the format, its shape, and where its numbers stand."""

    dtype: str
    shape: Shape
    start: int
    stop: int

    @property
    def form(self) -> Form:
        """Its shape and sort of numbers."""
        return Form(self.shape, _STORED.get(self.dtype[:2]) or _STORED[self.dtype[0]])


@record
class TensorFile:
    """The tensors of a file by name, in the order in which they stand in it."""

    path: str
    entries: dict[str, Entry]

    def forms(self) -> dict[str, Form]:
        """Their shapes and sorts of numbers."""
        return {name: entry.form for name, entry in self.entries.items()}

    def numbers(self, name: str) -> bytes:
        """The numbers of a tensor. Raises OSError."""
        entry = self.entries[name]
        with Path(self.path).open("rb") as file:
            file.seek(entry.start)
            data = file.read(entry.stop - entry.start)
        if len(data) != entry.stop - entry.start:
            raise OSError(0, "it has become shorter")
        return data


def look(path: str) -> TensorFile | Diagnostic:
    """What a file holds, by its header."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little")
            found = _entries(json.loads(file.read(length)), 8 + length, size) if 8 + length <= size else None
    except OSError as error:
        return wrong.FileUnreadable(path, reason(error))
    except (ValueError, RecursionError, MemoryError):
        found = None
    if found is None:
        return wrong.FileUnreadable(path, "it is no safetensors file")
    if isinstance(found, str):
        return wrong.FileUnreadable(path, found)
    return TensorFile(path, found)


def _entries(header: object, begin: int, size: int) -> dict[str, Entry] | str | None:
    """The entries of a header; None where it is none, and in words what is not known."""
    if not isinstance(header, dict) or begin > _LONGEST:
        return None
    entries: dict[str, Entry] = {}
    for name, value in header.items():
        if name == "__metadata__":
            continue
        match value:
            case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(start), int(stop)]}:
                if not all(type(axis) is int and axis >= 0 for axis in shape) or not 0 <= start <= stop <= size - begin:
                    return None
                if dtype not in _SIZES:
                    return f"the tensor `{name}` is of the type {dtype}, which catdl does not know"
                if prod(shape) * _SIZES[dtype] != stop - start:
                    return None
                entries[name] = Entry(dtype, tuple(shape), begin + start, begin + stop)
            case _:
                return None
    return dict(sorted(entries.items(), key=lambda item: (item[1].start, item[0])))


def copies(file: TensorFile, extra: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """Which tensors that are left over hold the numbers of one that is used. Raises OSError.

    Numbers that are all the same, as those of a fresh bias, do not make a copy.
    """
    alike: dict[tuple[str, Shape], list[str]] = {}
    for name in used:
        entry = file.entries[name]
        alike.setdefault((entry.dtype, entry.shape), []).append(name)
    found: dict[str, str] = {}
    for name in extra:
        entry = file.entries[name]
        candidates = alike.get((entry.dtype, entry.shape), [])
        mine = file.numbers(name) if candidates else b""
        size = _SIZES[entry.dtype]
        told = mine != mine[:size] * (len(mine) // size)
        same = next((other for other in candidates if told and file.numbers(other) == mine), None)
        if same is not None:
            found[name] = same
    return found


def mixed(file: TensorFile, plan: Mapping[str, tuple[Piece, ...]]) -> Iterator[Diagnostic]:
    """The tensors of a plan whose pieces are not of one type."""
    for name, pieces in plan.items():
        types = dict.fromkeys(file.entries[piece.pattern].dtype for piece in pieces)
        if len(types) > 1:
            yield wrong.KeyMapMismatch(f"`{name}` would be made of numbers of several types: {', '.join(types)}", None)


def made(file: TensorFile, plan: Mapping[str, tuple[Piece, ...]], forms: Mapping[str, Form]) -> bytearray:
    """A new file that holds each tensor of a plan, in the form it is to have. Raises OSError.

    One tensor is read at a time: weights may be as large as half of the memory.
    """
    import numpy as np  # late: looking needs none

    types = {name: file.entries[pieces[0].pattern].dtype for name, pieces in plan.items()}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    starts: dict[str, int] = {}
    at = 0
    for name in sorted(plan, key=lambda name: -_SIZES[types[name]]):  # so that each starts at a multiple of its size
        starts[name], stop = at, at + prod(forms[name].shape) * _SIZES[types[name]]
        header[name] = {"dtype": types[name], "shape": forms[name].shape, "data_offsets": (at, stop)}
        at = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    begin = 8 + len(text)
    out = bytearray(begin + at)
    out[:begin] = len(text).to_bytes(8, "little") + text
    for name, start in starts.items():
        parts = [_part(file, piece, np) for piece in plan[name]]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        place = np.frombuffer(out, whole.dtype, whole.size, begin + start)
        place.reshape(whole.shape)[...] = whole
    return out


def _part(file: TensorFile, piece: Piece, np: ModuleType) -> Array:
    """A piece as an array of numbers that are moved, never read: numpy does not know all types of the format."""
    entry = file.entries[piece.pattern]
    array: Array = np.frombuffer(file.numbers(piece.pattern), f"V{_SIZES[entry.dtype]}").reshape(entry.shape)
    if piece.transposed:
        array = array.T
    return array if piece.cut is None else array[piece.cut[0] : piece.cut[1]]
