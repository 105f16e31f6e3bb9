"""What a checked diagram may still be refused for: limits of Python and torch, and an extern that is not allowed.

raise Refused(NotCompilable("deep", "its modules nest 300 deep, more than 200"))
"""

from __future__ import annotations

from catdl.diagnostics.base import Diagnostic


class Refused(Exception):
    """Carries the diagnostic; the driver turns it into a value."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.parts().message)
        self.diagnostic = diagnostic
