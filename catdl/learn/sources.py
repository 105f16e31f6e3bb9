"""Where the samples of a learner are read from: a table, a folder of images, a data set of another package.

samples = read(plan.data, Path("examples"), torch.float32)
"""

from __future__ import annotations

from pathlib import Path

import torch

from catdl.diagram.learner import Data
from catdl.learn.samples import Samples, table


def read(data: Data, folder: Path, dtype: torch.dtype) -> Samples:
    """The samples, their columns as the spec says. Raises Refused."""
    match data.how:
        case "images":
            from catdl.learn.images import images

            return images(data, folder / data.place, dtype)
        case "python":
            from catdl.learn.items import dataset

            return dataset(data, dtype)
        case _:
            return table(data, folder, dtype)
