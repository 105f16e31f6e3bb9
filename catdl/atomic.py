"""A file is written whole or not at all.

put(Path("w.safetensors"), data)     # after a crash there is the old file or the new one, never a part
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path


def put(target: Path, data: bytes | bytearray) -> None:
    """Put data in the place of a regular file, or where there is none. Raises OSError, and then nothing is changed."""
    mode = target.stat().st_mode if target.exists() else None
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
