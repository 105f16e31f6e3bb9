"""Writing files: whole or not at all, and never over what they are made from."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from catdl import diagnostics as wrong
from catdl.atomic import put
from catdl.diagnostics.base import Diagnostic


def refuse_output(path: str, inputs: Iterable[str]) -> Diagnostic | None:
    """Why a path must not be written, seen before any work is done: it is one of the inputs, by whatever name."""
    if path == "-":
        return None
    for other in inputs:
        if other != "-" and _same(path, other):
            return wrong.OutputIsInput(path, other)
    try:
        target = _target(path)
        if target.is_dir():
            return wrong.OutputUnwritable(path, "it is a directory")
        if not target.parent.is_dir():
            return wrong.OutputUnwritable(path, "there is no such directory")
    except (OSError, ValueError) as error:
        return wrong.OutputUnwritable(path, reason(error))
    return None


def write_whole(path: str, data: bytes | bytearray, inputs: Iterable[str] = ()) -> Diagnostic | None:
    """Put data where a path says, "-" being standard output; return what went wrong, and then nothing is changed."""
    refused = refuse_output(path, inputs)
    if refused is not None:
        return refused
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return None
    try:
        target = _target(path)
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            target.write_bytes(data)  # a pipe or a device holds no old text that could be lost
        else:
            put(target, data)
    except (OSError, ValueError) as error:
        return wrong.OutputUnwritable(path, reason(error))
    return None


def reason(error: OSError | ValueError) -> str:
    """Why the system refused, in its own words, without the path, which the message has already."""
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _target(path: str) -> Path:
    """The file that a path leads to, so that a link keeps pointing where it does; `resolve` would raise on a loop."""
    return Path(os.path.realpath(path))


def _same(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        return False
