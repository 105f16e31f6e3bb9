"""Numbers from an `.npy` file, read by hand: no numpy, no pickle, nothing that is executed.

read(data)      (4, 3, 3), and 36 numbers, row-major
"""

from __future__ import annotations

import struct
from ast import literal_eval
from math import prod

MAGIC = b"\x93NUMPY"
SORTS = {"f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "b1": "?"}
LONGEST = 10_000  # bytes of a header
MOST = 100_000  # numbers


def read(data: bytes) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The shape and the numbers. Raises ValueError with the reason where it holds none."""
    if data[:6] != MAGIC or len(data) < 12:
        raise ValueError("it is no `.npy` file")
    wide = 2 if data[6] == 1 else 4
    start = 8 + wide
    length = int.from_bytes(data[8:start], "little")
    if length > LONGEST:
        raise ValueError("its header is too long")
    try:
        header = literal_eval(data[start : start + length].decode("latin-1").strip())
        dtype, shape, columns = header["descr"], header["shape"], header["fortran_order"]
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("its header cannot be read") from error
    if not isinstance(dtype, str) or dtype[1:] not in SORTS or dtype[:1] not in "<>|=":
        raise ValueError("it holds no plain numbers")
    if not isinstance(shape, tuple) or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError("its header cannot be read")
    if columns:
        raise ValueError("its columns come first: save `numpy.ascontiguousarray(…)`")
    count = prod(shape)
    if count > MOST:
        raise ValueError(f"it holds more than {MOST} numbers")
    layout = f"{'>' if dtype[0] == '>' else '<'}{count}{SORTS[dtype[1:]]}"
    body = data[start + length :]
    if len(body) != struct.calcsize(layout):
        raise ValueError("it is too short or too long for its shape")
    return shape, tuple(float(number) for number in struct.unpack(layout, body))
