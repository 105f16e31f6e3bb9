"""What training cannot go on from, told as a diagnostic."""

from __future__ import annotations

from catdl.torch import refuse


class Refused(refuse.Refused):
    """Data, a checkpoint or a loss that nothing can be done with; `diagnostic` says why."""
