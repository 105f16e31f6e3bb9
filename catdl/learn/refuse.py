"""What training cannot go on from, told as a diagnostic."""

from __future__ import annotations

from catdl.diagnostics.base import Diagnostic


class Refused(Exception):
    """Data, a checkpoint or a loss that nothing can be done with; `diagnostic` says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.parts().message)
        self.diagnostic = diagnostic
