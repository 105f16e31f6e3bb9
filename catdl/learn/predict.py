"""A trained network on the samples of a table, batch by batch.

Predictor(plan, folder, "new.npz").arrays()     {"y": array with a leading axis of samples}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from catdl.diagram.learner import Learner
from catdl.learn.objective import compiled
from catdl.learn.precision import DTYPES, device
from catdl.learn.samples import read
from catdl.record import replace

_BATCH = 1024


class Predictor:
    """The model of a learner and the columns that go into it. Raises Refused."""

    def __init__(self, plan: Learner, folder: Path, other: str | None) -> None:
        assert plan.model is not None
        self.device = device(plan)
        dtype = DTYPES[plan.precision]
        source = replace(plan.data, columns=plan.data.columns[: plan.inputs])
        if other is not None:
            source, folder = replace(source, place=other), Path()
        self.samples = read(source, folder, dtype)
        self.names = tuple(name or f"y{k}" for k, name in enumerate(plan.model.codomain_names))
        self.model = compiled(plan.model).to(self.device, dtype).eval()

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What the model gives for all samples, in their order."""
        found: list[tuple[Tensor, ...]] = []
        with torch.no_grad():
            for index in torch.arange(self.samples.count).split(_BATCH):
                result = self.model(*(column.to(self.device) for column in self.samples.take(index)))
                found.append(result if isinstance(result, tuple) else (result,))
        names = ("y",) if len(self.names) == 1 else self.names
        return {name: torch.cat([part[k] for part in found]).cpu().numpy() for k, name in enumerate(names)}
