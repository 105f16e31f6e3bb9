"""Places in a text, for edits."""

from __future__ import annotations


def back(text: str, at: int, passed: str) -> int:
    """From a place back over some characters; without a copy of all that is before it."""
    while at > 0 and text[at - 1] in passed:
        at -= 1
    return at
