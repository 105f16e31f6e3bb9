"""What a network is worth on samples: its loss and its metrics, each the mean over samples.

A metric of another package makes of all samples what it will.

measured(net, metrics, samples, batch, device, Ranks())     {"loss": 0.31, "accuracy": 0.94}
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

import torch
from torch import Tensor

from catdl.diagram.learner import Foreign, Learner
from catdl.diagram.model import Diagram
from catdl.learn.foreign import Meter
from catdl.learn.objective import Found, Objective, Part, compiled, segments
from catdl.learn.ranks import Ranks
from catdl.learn.samples import Samples

AT_ONCE = 256  # samples

Measures: TypeAlias = dict[str, Part | Meter]


def measured(
    net: Objective, metrics: Measures, samples: Samples, batch_size: int, device: torch.device, ranks: Ranks
) -> dict[str, float]:
    """The loss and the metrics, in evaluation, without gradients. Raises Refused.

    What looks across the batch is the mean over batches of its size; what is left over makes none.
    """
    meters = [metric for metric in metrics.values() if isinstance(metric, Meter)]
    parts = {"loss": net.parts[1], **{name: m for name, m in metrics.items() if isinstance(m, Part)}}
    every = torch.arange(samples.count)
    if any(part.across for part in parts.values()):
        indices = every.split(batch_size)[ranks.rank :: ranks.count]
    else:
        # All processes call the network equally often, for its weights may be gathered then.
        calls = -(-samples.count // (ranks.count * max(batch_size, AT_ONCE)))
        share = ranks.share(every)
        indices = share.split(max(batch_size, AT_ONCE)) if ranks.count == 1 else share.tensor_split(calls)
    was = net.training
    net.eval()
    sums = torch.zeros(len(parts), 2, dtype=torch.float64)
    for meter in meters:
        meter.reset()
    with torch.no_grad():
        for index in indices:
            batch = samples.take(index).to(device)
            offsets = segments(batch.offsets)
            seen = net.seen(batch.inputs, offsets)
            for place, part in enumerate(parts.values()):
                if not part.across or len(index) == min(batch_size, samples.count):
                    sums[place] += summed(part(seen, offsets))
            for meter in meters:
                meter.update(seen)
    net.train(was)
    sums = ranks.added(sums)
    values = dict(zip(parts, (sums[:, 0] / sums[:, 1].clamp(min=1e-300)).tolist(), strict=True))
    values |= {meter.name: meter.value() for meter in meters}
    return {name: values[name] for name in ("loss", *metrics)}


def summed(found: Found) -> Tensor:
    """The sum of what is given for each sample, and what it is to be divided by."""
    if isinstance(found, tuple):
        return torch.stack([part.detach().sum().double().cpu() for part in found])
    return torch.stack([found.detach().sum().double().cpu(), torch.tensor(float(found.numel()), dtype=torch.float64)])


def modules(plan: Learner, device: torch.device, dtype: torch.dtype, ranks: Ranks) -> Measures:
    """The metrics of a learner, in evaluation. Raises Refused."""
    found: Measures = {}
    for metric in plan.metrics:
        match metric.what:
            case Foreign():
                found[metric.name] = Meter(metric.name, metric.what, device, ranks.count > 1)
            case Diagram():
                found[metric.name] = part = compiled(metric.what, metric.across)
                part.module.to(device, dtype).eval()
            case _:
                assert_never(metric.what)
    return found


def rising(metrics: Measures) -> dict[str, bool | None]:
    """Of the metrics that say so, whether more of them is better."""
    return {name: metric.rising for name, metric in metrics.items() if isinstance(metric, Meter)}
