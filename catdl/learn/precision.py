"""On what machine and with what numbers a learner runs."""

from __future__ import annotations

import torch

from catdl import diagnostics as wrong
from catdl.diagram.learner import Learner
from catdl.learn.refuse import Refused

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""The type of the weights; of `bfloat16` they are kept in single precision, and the forward pass is not."""


def device(plan: Learner) -> torch.device:
    """Where the network is trained. Raises Refused for a device that this machine does not have."""
    there = torch.cuda.is_available()
    name = plan.device if plan.device != "auto" else "cuda" if there else "cpu"
    if name == "cuda" and not there:
        raise Refused(wrong.BadSetting(plan.span, "device", "a device of this machine", '"cuda"'))
    return torch.device(name)
