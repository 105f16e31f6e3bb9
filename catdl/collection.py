"""The collection of cycles, put off while much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Put off the collection of cycles: what is made here stays, and looking through it again and again costs time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if not gc.get_freeze_count():  # both together make what is new old, without looking at it
                gc.freeze()
                gc.unfreeze()
            gc.enable()
