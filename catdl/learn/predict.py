"""A trained network on the samples of a table, batch by batch.

Predictor(plan, folder, "new.npz").arrays()     {"y": array with a leading axis of samples}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from catdl.data.ragged import offsets_of
from catdl.diagram.learner import Learner
from catdl.learn.objective import compiled, segments
from catdl.learn.precision import DTYPES, device
from catdl.learn.sources import read
from catdl.record import replace
from catdl.torch.segments import Segments
from catdl.types.ragged import fin, rows
from catdl.types.sizes import short
from catdl.types.types import Leaf

_BATCH = 1024


class Predictor:
    """The model of a learner and the columns that go into it. Raises Refused."""

    def __init__(self, plan: Learner, folder: Path, other: str | None) -> None:
        assert plan.model is not None
        self.device = device(plan)
        dtype = DTYPES[plan.precision]
        source = replace(plan.data, columns=plan.data.columns[: plan.inputs])
        if other is not None:
            how = "images" if Path(other).is_dir() else "table"
            source, folder = replace(source, how=how, place=other, foreign=None), Path()
        self.samples = read(source, folder, dtype)
        self.names = tuple(name or f"y{k}" for k, name in enumerate(plan.model.codomain_names))
        self.leaves = [plan.model.wires[wire].type for wire in plan.model.outputs]
        self.part = compiled(plan.model)
        self.model = self.part.module.to(self.device, dtype).eval()

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What the model gives for all samples, in their order; of results along var dims, with their offsets."""
        found: list[tuple[Tensor, ...]] = []
        sizes: dict[str, list[Tensor]] = {}
        with torch.no_grad():
            for index in torch.arange(self.samples.count).split(_BATCH):
                batch = self.samples.take(index).to(self.device)
                offsets = segments(batch.offsets)
                result = self.part(batch.inputs, offsets)
                results = result if isinstance(result, tuple) else (result,)
                found.append(tuple(map(partial(in_sample, offsets), self.leaves, results)))
                for dim in sorted({short(dim) for leaf in self.leaves if (dim := rows(leaf)) is not None}):
                    sizes.setdefault(dim, []).append(offsets[dim].sizes.cpu())
        names = ("y",) if len(self.names) == 1 else self.names
        return {
            **{name: torch.cat([part[k] for part in found]).cpu().numpy() for k, name in enumerate(names)},
            **{dim: offsets_of(torch.cat(counts)).numpy() for dim, counts in sizes.items()},
        }


def in_sample(offsets: Mapping[str, Segments], leaf: Leaf, x: Tensor) -> Tensor:
    """A result in which indices of elements count from 0 in their sample."""
    dim, by = fin(leaf), rows(leaf)
    if dim is None:
        return x
    return offsets[short(dim)].local(x, None if by is None else offsets[short(by)])
