"""Tables: files of columns, read by rows. Nothing in a file is executed: no pickle is loaded.

Takes a path; guarantees columns that each have a leading axis of rows. Raises OSError, ValueError for what is no such
file, and ImportError where a format needs a package.

    READERS[".npz"](Path("digits.npz")).read("image", np.array([3, 1]))
"""

from __future__ import annotations

import csv
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from catdl.learn.spooled import Spool, Unlike
from catdl.record import field, record, replace

Array: TypeAlias = "np.ndarray[Any, Any]"

ROWS_AT_ONCE = 65_536
BYTES_AT_ONCE = 1 << 24  # as they are in a file; while they are converted they take some times as many
IN_MEMORY = 1 << 30  # bytes: larger tables that can stay on disk do
_NAME_LENGTH = 26  # where the header of a member of an archive says how long its name is


@record
class Rows:
    """A table: its columns by name with their lengths, and how to read some rows of one.

    Rows of numbers are an array with an axis more, lists of different lengths one of objects; in the columns that are
    `exact` no row is filled up. `called` says what a row is called that is not known by its number. Columns that are
    `broken` cannot be read, for the reason that stands there, and are missed only where they are asked for.
    """

    lengths: Mapping[str, int]
    read: Callable[[str, Array], Array]
    lazy: bool = False
    exact: frozenset[str] = frozenset()
    called: Callable[[int], str] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)


def of_arrays(columns: Mapping[str, Array], exact: Iterable[str] = ()) -> Rows:
    """A table that is in memory. Raises ValueError for what has no rows."""
    flat = [name for name, column in columns.items() if not column.ndim]
    if flat:
        raise ValueError(f"`{flat[0]}` is one number and no column")
    lengths = {name: len(column) for name, column in columns.items()}
    return Rows(lengths, lambda name, index: columns[name][index], False, frozenset(exact))


def npz(path: Path) -> Rows:
    """An archive of numpy's. What is not compressed in it is mapped, and stays on disk if it is large."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            columns = {
                info.filename.removesuffix(".npy"): column(path, archive, file, info)
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
    except (EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise ValueError("it is no .npz file of plain numbers") from None
    size = sum(found.nbytes for found in columns.values() if isinstance(found, np.memmap))
    found = of_arrays(columns)
    return Rows(found.lengths, found.read, size > IN_MEMORY)


def column(path: Path, archive: zipfile.ZipFile, file: BinaryIO, info: zipfile.ZipInfo) -> Array:
    """An array of an archive. Raises ValueError, EOFError, KeyError, BadZipFile and zlib.error for what is none."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = headers[version](member)
        begin = member.tell()
        if dtype.hasobject:
            raise ValueError("it holds pickled objects, which are not loaded")
        if info.compress_type != zipfile.ZIP_STORED or not np.prod(shape):
            member.seek(0)
            return np.lib.format.read_array(member, allow_pickle=False)
    file.seek(info.header_offset + _NAME_LENGTH)  # the header beside the data may be longer than the one in the index
    name, extra = struct.unpack("<HH", file.read(4))
    start = info.header_offset + _NAME_LENGTH + 4 + name + extra + begin
    try:
        return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")
    except ValueError:
        raise ValueError("it is no whole .npz file") from None


def safetensors(path: Path) -> Rows:
    """Tensors on disk: only the rows that are asked for are read, so the file may be larger than memory."""
    from safetensors import SafetensorError, safe_open

    try:
        path.stat()
        with safe_open(path, "numpy") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except SafetensorError:
        raise ValueError("it is no safetensors file") from None
    found = of_arrays({name: np.empty([*shape[:1], 0] if shape else []) for name, shape in shapes.items()})

    def read(name: str, index: Array) -> Array:
        with safe_open(path, "numpy") as file:
            part = file.get_slice(name)
            if not len(index):
                return np.asarray(part[:0])
            first, last = int(index.min()), int(index.max())
            if last - first < 4 * len(index):
                rows: Array = np.asarray(part[first : last + 1])[index - first]
                return rows
            return np.stack([np.asarray(part[int(row) : int(row) + 1])[0] for row in index])

    return Rows(found.lengths, read, True)


def comma_separated(path: Path) -> Rows:
    """A text with a line of names. `x_0, x_1, …` together are a column `x` with an axis more, too.

    It is read once from front to back; the columns of a large one are kept in temporary files.
    """
    spool = Spool() if path.stat().st_size > IN_MEMORY else None
    broken: dict[str, str] = {}
    columns: dict[str, Array] = {}
    begin = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = (line for line in csv.reader(file) if line)  # a blank line is no row
            names = [name.strip() for name in next(lines, [])]
            if not names or len(set(names)) < len(names):
                raise ValueError("its first line is not a line of different names")
            while (rows := list(islice(lines, ROWS_AT_ONCE if spool else None))) or not begin:
                columns = converted(names, rows, begin, broken)
                if spool is None or not rows:
                    break
                spool.add(columns)
                begin += len(rows)
    except csv.Error as error:
        raise ValueError(f"it is no table of values: {error}") from None
    if spool is None:
        return replace(grouped(columns), broken=broken)
    kept = {name: column for name, column in spool.columns().items() if name not in broken}
    return replace(on_disk(kept), broken=broken)


def converted(names: list[str], rows: list[list[str]], begin: int, broken: dict[str, str]) -> dict[str, Array]:
    """The columns of some rows of a text; those that are no numbers are noted, and left out. Raises ValueError."""
    for number, row in enumerate(rows, begin):
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} values, and there are {len(names)} columns")
    columns: dict[str, Array] = {}
    for place, name in enumerate(names):
        if name in broken:
            continue
        try:
            columns[name] = numbers(name, [row[place] for row in rows], begin)
        except ValueError as error:
            broken[name] = broken.setdefault(re.sub(r"_\d+$", "", name), str(error))
    return columns


def numbers(name: str, texts: list[str], begin: int = 0) -> Array:
    """A column of a text from a row on: whole numbers where all are, else numbers. Raises ValueError for no number."""
    words = {"true": "1", "false": "0"}
    given = [
        words.get(text.strip().lower(), text).replace("_", " ") for text in texts
    ]  # 1_0 is a number to Python alone
    with suppress(ValueError, OverflowError):
        return np.array(list(map(int, given)), np.int64)
    out = np.empty(len(given))
    for row, text in enumerate(given):
        try:
            out[row] = float(text)
        except ValueError:
            raise ValueError(f"column `{name}` holds `{texts[row]}` in row {begin + row}, which is no number") from None
    return out


def grouped(columns: dict[str, Array], exact: Iterable[str] = ()) -> Rows:
    """A table in which numbered columns are one with an axis more, too."""
    whole = {name: np.stack([columns[part] for part in parts], 1) for name, parts in numbered(columns).items()}
    return of_arrays({**columns, **whole}, exact)


def numbered(names: Iterable[str]) -> dict[str, list[str]]:
    """The columns `x_0, x_1, …` by the name that they are one under, where no column has it."""
    known = set(names)
    parts: dict[str, dict[int, str]] = {}
    for name in known:
        if match := re.fullmatch(r"(.+)_(\d+)", name):
            parts.setdefault(match[1], {})[int(match[2])] = name
    return {
        name: [found[k] for k in range(len(found))]
        for name, found in sorted(parts.items())
        if name not in known and sorted(found) == list(range(len(found)))
    }


def on_disk(columns: dict[str, Array], exact: Iterable[str] = ()) -> Rows:
    """A table whose columns are arrays over files; those that are one with an axis more are put together when read."""
    together = numbered(columns)
    lengths = {name: len(column) for name, column in columns.items()}
    lengths |= {name: lengths[parts[0]] for name, parts in together.items()}

    def read(name: str, index: Array) -> Array:
        if name in columns:
            return np.asarray(columns[name][index])
        return np.stack([columns[part][index] for part in together[name]], 1)

    return Rows(lengths, read, True, frozenset(exact))


def parquet(path: Path) -> Rows:
    """A file of columns, by pyarrow; lists of one length are an axis more, those of different lengths objects.

    A large one is read part by part into temporary files, unless it has lists of different lengths.
    """
    try:
        import pyarrow.parquet as pq  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise ImportError("to read .parquet, `pip install pyarrow`") from None
    try:
        file = pq.ParquetFile(path)
        size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.num_row_groups))
        if size > IN_MEMORY:
            rows = BYTES_AT_ONCE * file.metadata.num_rows // size
            with suppress(Unlike):
                return spooled(file, max(1, min(rows, ROWS_AT_ONCE)))
        return grouped(*arrow_columns(file.read()))
    except (OSError, ValueError) as error:
        raise ValueError(f"it is no parquet file: {error}") from None


def spooled(file: Any, rows: int) -> Rows:
    """A parquet file, so many rows at a time into temporary files. Raises Unlike where lists differ in length."""
    spool = Spool()
    lists: set[str] = set()
    broken: dict[str, str] = {}
    for part in file.iter_batches(rows):
        columns, exact = arrow_columns(part)
        lists |= exact
        for name, values in columns.items():
            if values.dtype.hasobject and name not in exact:
                broken[name] = f"column `{name}` holds {type(values[0]).__name__}, which are no numbers"
        spool.add({name: values for name, values in columns.items() if name not in broken})
    return replace(on_disk(spool.columns(), lists), broken=broken)


def arrow_columns(table: Any) -> tuple[dict[str, Array], set[str]]:
    """The columns of some rows, and which of them are lists."""
    found: dict[str, Array] = {}
    exact: set[str] = set()
    for place, name in enumerate(table.schema.names):
        values = table.column(place).to_numpy(zero_copy_only=False)
        if values.dtype == object and len(values) and isinstance(values[0], np.ndarray):
            exact.add(name)
            with suppress(ValueError):  # lists of different lengths
                values = stacked(values)
        found[name] = values
    return found, exact


def stacked(values: Array) -> Array:
    """Lists, of lists where they are nested, as one array. Raises ValueError where they differ in length."""
    while values.dtype == object:
        deeper = np.array(values.tolist())
        if deeper.ndim == values.ndim:
            break
        values = deeper
    return values


READERS: Mapping[str, Callable[[Path], Rows]] = {
    ".npz": npz,
    ".csv": comma_separated,
    ".parquet": parquet,
    ".safetensors": safetensors,
}
