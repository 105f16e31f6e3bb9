"""What a network is worth on samples: its loss and its metrics, each the mean over samples.

measured(net, metrics, samples, batch, device, Ranks())     {"loss": 0.31, "accuracy": 0.94}
"""

from __future__ import annotations

import torch
from torch import Tensor

from catdl.diagram.learner import Learner
from catdl.learn.objective import Found, Objective, Part, compiled, segments
from catdl.learn.ranks import Ranks
from catdl.learn.samples import Samples

AT_ONCE = 256  # samples


def measured(
    net: Objective, metrics: dict[str, Part], samples: Samples, batch_size: int, device: torch.device, ranks: Ranks
) -> dict[str, float]:
    """The loss and the metrics, in evaluation, without gradients.

    What looks across the batch is the mean over batches of its size; what is left over makes none.
    """
    judges = (net.parts[1], *metrics.values())
    every = torch.arange(samples.count)
    if any(part.across for part in judges):
        indices = every.split(batch_size)[ranks.rank :: ranks.count]
    else:
        indices = ranks.share(every).split(max(batch_size, AT_ONCE))
    was = net.training
    net.eval()
    sums = torch.zeros(len(metrics) + 1, 2, dtype=torch.float64)
    with torch.no_grad():
        for index in indices:
            batch = samples.take(index).to(device)
            offsets = segments(batch.offsets)
            seen = net.seen(batch.inputs, offsets)
            for place, part in enumerate(judges):
                if not part.across or len(index) == min(batch_size, samples.count):
                    sums[place] += summed(part(seen, offsets))
    net.train(was)
    sums = ranks.added(sums)
    values = (sums[:, 0] / sums[:, 1].clamp(min=1e-300)).tolist()
    return dict(zip(("loss", *metrics), values, strict=True))


def summed(found: Found) -> Tensor:
    """The sum of what is given for each sample, and what it is to be divided by."""
    if isinstance(found, tuple):
        return torch.stack([part.detach().sum().double().cpu() for part in found])
    return torch.stack([found.detach().sum().double().cpu(), torch.tensor(float(found.numel()), dtype=torch.float64)])


def modules(plan: Learner, device: torch.device, dtype: torch.dtype) -> dict[str, Part]:
    """The metrics of a learner, in evaluation."""
    found = {metric.name: compiled(metric.diagram, metric.across) for metric in plan.metrics}
    for part in found.values():
        part.module.to(device, dtype).eval()
    return found
