"""Several trainings of one learner: how their measures spread, and a squared error taken apart.

Takes networks whose weights were trained from other seeds, or on other data; guarantees that the mean squared error of
the networks is the sum of two parts: the error of their mean prediction (`bias`, with what the data leave open), and
how far they are from that mean (`variance`). Geman, Bienenstock, Doursat 1992, "Neural networks and the bias/variance
dilemma".

    taken_apart(run, run.data.test, [load_a, load_b])      {"loss": 0.31, "bias": 0.25, "variance": 0.06}
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from catdl.data.tree import Tree
from catdl.diagram.learner import Learner
from catdl.diagram.model import Diagram, Native
from catdl.diagram.params import sole_box
from catdl.learn.fit import Run
from catdl.learn.samples import Samples

SQUARED = ("mse_loss", "squared_error")
_BATCH = 1024


def spread(run: Run, samples: Samples, members: Sequence[Callable[[], None]]) -> dict[str, tuple[float, float]]:
    """The mean of every measure over the networks and its standard deviation; each member puts its weights in."""
    rows: list[dict[str, float]] = []
    for member in members:
        member()
        rows.append(run.measure(samples))
    return {key: (statistics.fmean(r[key] for r in rows), statistics.stdev(r[key] for r in rows)) for key in rows[0]}


def is_squared(plan: Learner) -> bool:
    """Whether the loss of a learner is the squared error of what its model gives."""
    return plan.model is not None and len(plan.model.outputs) == 1 and _squares(plan.loss)


def _squares(loss: Diagram) -> bool:
    box = loss.boxes[0] if len(loss.boxes) == 1 else sole_box(loss)
    return box is not None and isinstance(box.op, Native) and box.op.entry in SQUARED


def taken_apart(run: Run, samples: Samples, members: Sequence[Callable[[], None]]) -> dict[str, float]:
    """The mean squared error over the networks, and the two parts whose sum it is. The loss has to be squared."""
    mean: Tensor | None = None
    around: Tensor | None = None
    for count, member in enumerate(members, 1):
        member()
        found = _predicted(run, samples)
        if mean is None or around is None:
            mean, around = found, torch.zeros_like(found)
            continue
        step = found - mean
        mean = mean + step / count
        around = around + step * (found - mean)
    assert mean is not None and around is not None
    wanted = torch.cat([_plain(samples.take(index).inputs[-1]) for index in _blocks(samples)])
    bias, variance = float((mean - wanted).square().mean()), float(around.mean()) / len(members)
    return {"loss": bias + variance, "bias": bias, "variance": variance}


def _predicted(run: Run, samples: Samples) -> Tensor:
    """What the network gives for every sample, in evaluation."""
    was = run.net.training
    run.net.eval()
    found: list[Tensor] = []
    with torch.no_grad():
        for index in _blocks(samples):
            batch = samples.take(index).to(run.device)
            found.append(_plain(run.net.seen(batch.inputs, {})[0]))
    run.net.train(was)
    return torch.cat(found)


def _blocks(samples: Samples) -> Iterator[Tensor]:
    yield from torch.arange(samples.count).split(_BATCH)


def _plain(x: Tensor | Tree) -> Tensor:
    """What a squared error is of: numbers."""
    assert isinstance(x, Tensor)
    return x.double().cpu()
