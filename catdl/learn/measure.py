"""What a network is worth on samples: its loss and its metrics, each the mean over samples.

measured(net, metrics, samples, batch, device, Ranks())     {"loss": 0.31, "accuracy": 0.94}
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from catdl.diagram.learner import Learner
from catdl.learn.objective import Objective, compiled
from catdl.learn.ranks import Ranks
from catdl.learn.samples import Samples


def measured(
    net: Objective, metrics: dict[str, nn.Module], samples: Samples, batch: int, device: torch.device, ranks: Ranks
) -> dict[str, float]:
    """The loss and the metrics, in evaluation, without gradients."""
    was = net.training
    net.eval()
    sums = torch.zeros(len(metrics) + 1, 2, dtype=torch.float64)
    with torch.no_grad():
        for index in ranks.share(torch.arange(samples.count)).split(batch):
            columns = tuple(column.to(device) for column in samples.take(index))
            results = columns if net.model is None else net.results(columns)
            targets = () if net.model is None else columns[net.inputs :]
            for place, module in enumerate((net.loss, *metrics.values())):
                sums[place] += summed(module(*results, *targets))
    net.train(was)
    sums = ranks.added(sums)
    values = (sums[:, 0] / sums[:, 1].clamp(min=1e-300)).tolist()
    return dict(zip(("loss", *metrics), values, strict=True))


def summed(found: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """The sum of what is given for each sample, and what it is to be divided by."""
    if isinstance(found, tuple):
        return torch.stack([part.detach().sum().double().cpu() for part in found])
    return torch.stack([found.detach().sum().double().cpu(), torch.tensor(float(found.numel()), dtype=torch.float64)])


def modules(plan: Learner, device: torch.device, dtype: torch.dtype) -> dict[str, nn.Module]:
    """The metrics of a learner as modules."""
    return {metric.name: compiled(metric.diagram).to(device, dtype).eval() for metric in plan.metrics}
