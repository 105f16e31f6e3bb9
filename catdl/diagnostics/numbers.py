"""Numbers that are measured, as a reader wants them.

brief(0.12345678)      "0.1235"
"""

from __future__ import annotations


def brief(value: float) -> str:
    """A number with four digits that count."""
    return f"{value:#.4g}".rstrip(".")
