"""Writing files: whole or not at all, and never over what they are made from."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from catdl import diagnostics as wrong
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
            _replace(target, data, mode)
    except (OSError, ValueError) as error:
        return wrong.OutputUnwritable(path, reason(error))
    return None


def reason(error: OSError | ValueError) -> str:
    """Why the system refused, in its own words, without the path, which the message has already."""
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _replace(target: Path, data: bytes | bytearray, mode: int | None) -> None:
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, "permission denied")
    draft = target.with_name(f".catdl-{secrets.token_hex(8)}.tmp")
    try:
        # 0o666 less the umask, as for any new file; mkstemp would make it private.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _target(path: str) -> Path:
    """The file that a path leads to, so that a link keeps pointing where it does; `resolve` would raise on a loop."""
    return Path(os.path.realpath(path))


def _same(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        return False
