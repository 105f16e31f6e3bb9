"""Training: steps, epochs, measures, checkpoints.

Takes a checked `Learner`; guarantees that what a run does depends on the spec, the seed and the data alone: the order
of samples is a function of seed and epoch, and all else that changes is in the checkpoint. So a run that was cut off,
at whatever moment, ends with the weights of one that was not.

    Run(plan, folder, out).train(told)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from catdl import diagnostics as wrong
from catdl.check.overriding import overridden
from catdl.diagnostics.numbers import brief
from catdl.diagram.learner import Data, Learner
from catdl.learn import checkpoint as kept
from catdl.learn.following import Following
from catdl.learn.measure import measured, modules, rising
from catdl.learn.objective import Found, Objective, objective
from catdl.learn.optimise import clip, factor, length, optimizer
from catdl.learn.precision import DTYPES, device
from catdl.learn.ranks import begun
from catdl.learn.refuse import Refused
from catdl.learn.samples import Samples
from catdl.learn.shards import spread, whole
from catdl.learn.sources import read
from catdl.learn.stopping import Progress, watched
from catdl.record import record
from catdl.source import from_text
from catdl.syntax.parser import parse
from catdl.torch.means import Total

SAVE_EVERY = 60.0  # seconds between checkpoints within an epoch
SHUFFLED_AT_ONCE = 65_536  # rows of a table on disk

Row: TypeAlias = dict[str, Any]
Told: TypeAlias = Callable[[Row], None]


@record
class Where:
    """How far a run has come: the epoch under way, all steps, samples of the epoch, steps left where that is known."""

    epoch: int
    step: int
    done: int
    count: int
    loss: float | None  # the mean of the epoch so far
    left: int | None


def untimed(text: str) -> str:
    """A spec without when its learners stop: who trains longer trains the same."""
    return overridden(parse(from_text("spec", text).source)[0], text, "stop", None, "", None)


@record
class Parts:
    """The data of a run: what is learned from, and what is only looked at."""

    learn: Samples
    validate: Samples | None
    test: Samples | None


def parts(plan: Learner, folder: Path, dtype: torch.dtype) -> Parts:
    """Read the data; shares are held out in an order that the seed alone says. Raises Refused."""
    whole = read(plan.data, folder, dtype)
    order = torch.randperm(whole.count, generator=torch.Generator().manual_seed(plan.seed))
    end = whole.count
    held: list[Samples | None] = []
    for source in (plan.validate, plan.test):
        if isinstance(source, Fraction):
            count = max(1, round(whole.count * float(source)))
            end -= count
            if end <= 0:
                raise Refused(wrong.DataUnfit(plan.data.span, plan.data.place, "too few samples to hold some out"))
            held.append(whole.part(order[end : end + count]))
        else:
            held.append(alike(whole, source, folder, dtype, plan.data.place) if isinstance(source, Data) else None)
    learn = whole if end == whole.count else whole.part(order[:end])
    return Parts(learn, held[0], held[1])


def alike(whole: Samples, source: Data, folder: Path, dtype: torch.dtype, place: str) -> Samples:
    """Data of their own to look at. Raises Refused where their classes have other names, and so other numbers."""
    found = read(source, folder, dtype)
    if found.classes and whole.classes and found.classes != whole.classes:
        names = (", ".join(each.classes) for each in (found, whole))
        reason = f"its classes are {next(names)}, and those of {place} are {next(names)}"
        raise Refused(wrong.DataUnfit(source.span, source.place, reason))
    return found


def shuffled(count: int, seed: int, epoch: int, lazy: bool) -> Tensor:
    """The order of the samples in an epoch. Of a table on disk blocks are shuffled, and the rows in each."""
    chance = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    if not lazy:
        return torch.randperm(count, generator=chance)
    blocks = torch.arange(count).split(SHUFFLED_AT_ONCE)
    order = torch.randperm(len(blocks), generator=chance).tolist()
    return torch.cat([blocks[k][torch.randperm(len(blocks[k]), generator=chance)] for k in order])


class Run:
    """One training run, from its start or from a checkpoint.

    `folder` is where the paths of the spec begin, `text` the spec, which a checkpoint holds, `out` where checkpoint,
    weights and log are put, None for nowhere. Raises Refused.
    """

    def __init__(
        self,
        plan: Learner,
        folder: Path,
        text: str,
        out: Path | None = None,
        net: Objective | None = None,
        sharded: bool = False,
    ) -> None:
        self.plan = plan
        self.text = text
        self.out = out
        if out is not None:
            self.has_end()
        self.ranks = begun(sharded)
        self.device = device(plan)
        dtype = DTYPES[plan.precision]
        self.data = parts(plan, folder, dtype)
        self.net: Objective = (net if net is not None else objective(plan, self.ranks)).to(self.device, dtype)
        if self.ranks.sharded:
            spread(self.net, plan, self.ranks, self.device)
        self.following = Following(plan, self.net)
        self.called = self.ranks.wrapped(self.net) if self.ranks.count > 1 else self.net.forward
        if not self.ranks.leads:  # what is drawn is not the same for all shares of a batch
            torch.manual_seed(plan.seed + 7919 * self.ranks.rank)
        self.metrics = modules(plan, self.device, dtype, self.ranks)
        self.optimizer = optimizer(plan, self.net)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.weights = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.count = self.data.learn.count  # samples of an epoch
        if plan.across:  # over a batch that is not full the loss is another one
            self.count -= self.count % plan.batch
            if self.count == 0:
                reason = f"the loss looks across {plan.batch} samples at once, and there are {self.data.learn.count}"
                raise Refused(wrong.DataUnfit(plan.data.span, plan.data.place, reason))
        self.total: int | None = None  # steps at most
        if plan.stop.how != "never":
            self.know(length(plan.stop, math.ceil(self.count / plan.batch)))
        self.progress = Progress(rising=rising(self.metrics))
        self.at = 0  # samples of this epoch that are done
        self.order: Tensor | None = None  # of the samples in this epoch, where it takes turns with others
        self.sums = [0.0, 0.0]  # of the loss in this epoch, and of its weights
        self.asked_to_stop = False
        self.even = torch.empty(0)  # what every sample of a batch counts in the gradient of the mean
        self.best: dict[str, Tensor] | None = None  # the weights of the epoch that was best, where there is patience
        self.saved = time.monotonic()
        self.stepped: Callable[[float], None] = lambda now: None  # called after every step, with the time

    def know(self, total: int | None) -> None:
        """Say after how many steps training ends at the latest. Raises Refused where nothing says so and it has to."""
        self.total = total
        schedule = self.plan.schedule
        if schedule is not None and schedule.name in ("cosine", "linear") and total is None:
            sort = "a schedule that knows the last step: add `epochs(n)` or `steps(n)` to `stop`"
            raise Refused(wrong.BadSetting(schedule.span, "schedule", sort, f"`{schedule.name}`"))

    @property
    def path(self) -> Path | None:
        """Where the checkpoint is."""
        return None if self.out is None else self.out / "checkpoint.safetensors"

    def train(self, told: Told) -> Progress:
        """Go on until a rule of `stop` says that it is enough, or someone asks to stop. Raises Refused.

        Where `stop` is patient about a metric, the network ends with the weights of the epoch at which that was best.
        """
        self.has_end()
        self.net.train()
        while not self.progress.ended(self.plan.stop):
            if self.epoch():
                told(self.close_epoch())
                continue
            if not self.asked_to_stop:
                told(self.cut_short())
            break
        if not self.asked_to_stop:
            self.following.settle()
            if self.best is not None:
                self.net.trained.load_state_dict(self.best)
        return self.progress

    def first(self) -> Tensor:
        """The samples of the first step."""
        learn = self.data.learn
        return shuffled(learn.count, self.plan.seed, 0, learn.lazy)[: self.plan.batch]

    def epoch(self) -> bool:
        """The steps that are left of an epoch; False where training stopped within it."""
        learn, batch = self.data.learn, self.plan.batch
        order = shuffled(learn.count, self.plan.seed, self.progress.epoch, learn.lazy)
        while self.at < self.count:
            if self.ranks.agreed(self.asked_to_stop) or (self.at and self.progress.ended(self.plan.stop)):
                self.asked_to_stop |= self.ranks.count > 1 and not self.progress.ended(self.plan.stop)
                self.save()
                return False
            self.step(order[self.at : self.at + batch])
            self.at += batch
            now = time.monotonic()
            self.stepped(now)
            due = self.out is not None and now - self.saved > SAVE_EVERY
            if self.ranks.agreed(due) if self.ranks.sharded else due:
                self.save()
        return True

    def where(self) -> Where:
        """How far it has come."""
        done, count, step = self.progress.epoch, self.count, self.progress.step
        loss = self.sums[0] / self.sums[1] if self.sums[1] else None
        left = None if self.total is None else max(0, self.total - step)
        return Where(done + 1, step, min(self.at, count), count, loss, left)

    def step(self, index: Tensor) -> None:
        """One step of the optimiser on some samples."""
        if self.plan.schedule is not None:
            times = factor(self.plan.schedule, self.progress.step, self.total)
            for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                group["lr"] = rate * times
        self.following.before()
        self.optimizer.zero_grad()
        loss, weight = self.gradients(index)
        if not math.isfinite(loss):
            raise Refused(wrong.TrainingBroke(self.plan.span, self.progress.step + 1, f"{loss}", self.last_good()))
        clip(self.plan.clip, self.weights)
        self.optimizer.step()
        self.progress.step += 1
        self.following.after(self.progress.step)
        self.sums[0] += loss * weight
        self.sums[1] += weight

    def gradients(self, index: Tensor) -> tuple[float, float]:
        """Gradients of the mean loss of some samples; gives that mean and what it was divided by."""
        if self.plan.accumulate == self.ranks.count == 1:
            found = self.forward(index)
            if isinstance(found, Tensor):
                if found.numel() != self.even.numel():
                    self.even = torch.full_like(found, 1 / found.numel(), requires_grad=False)
                found.backward(self.even)
                return found.detach().mean().item(), float(found.numel())
        total, weight = Total(), torch.zeros((), dtype=torch.float64)
        for part in index.tensor_split(self.plan.accumulate):
            found = self.forward(part if self.net.whole else self.ranks.share(part))
            sums, weights = found if isinstance(found, tuple) else (found, torch.ones_like(found))
            weight += weights.detach().double().sum().cpu()
            total.backward(sums, weights)
        return float(total.divide(self.weights)), float(self.ranks.added(weight))

    def forward(self, index: Tensor) -> Found:
        """The loss of some samples."""
        batch = self.data.learn.take(index)
        if self.device.type != "cpu":
            batch = batch.to(self.device)
        if self.plan.precision == "bfloat16":
            with torch.autocast(self.device.type, torch.bfloat16):
                return self.called(*batch.inputs, **batch.offsets)
        return self.called(*batch.inputs, **batch.offsets)

    def close_epoch(self) -> Row:
        """Measure, note what is best, keep what is to be kept; gives a row of the log."""
        self.progress.epoch += 1
        self.at = 0
        learned, values = self.looked()
        improved = self.progress.measured(values)
        metric = watched(self.plan.stop)
        if metric in improved:
            self.best = self.worth()
        if self.out is not None:
            if metric is None or metric in improved:
                self.leave(self.out)
            self.save()
        return self.row(self.progress.epoch, learned, values)

    def cut_short(self) -> Row:
        """Keep what an epoch came to that `stop` ended within it; gives its row. None is the best for it."""
        if self.out is not None and self.best is None:
            self.leave(self.out)
        return self.row(self.progress.epoch + 1, *self.looked())

    def row(self, epoch: int, learned: float, values: dict[str, float]) -> Row:
        """What the log says of an epoch."""
        rate = self.optimizer.param_groups[0]["lr"]
        return {"epoch": epoch, "step": self.progress.step, "rate": rate, "learned": learned, **values}

    def sound(self) -> None:
        """Refuse to keep weights that are no numbers: a loss may be one whose gradient is none. Raises Refused."""
        for key, part in self.net.named_parameters():
            weight = whole(part.detach())
            if not weight.isfinite().all():
                found = f"{weight[~weight.isfinite()][0].item()}"
                what = f"the weight `{key}`"
                raise Refused(wrong.TrainingBroke(self.plan.span, self.progress.step, found, self.last_good(), what))

    def looked(self) -> tuple[float, dict[str, float]]:
        """The mean loss since this was last asked, and what is measured on the data to look at."""
        learned = self.mean()
        self.sums = [0.0, 0.0]
        looked_at = self.data.validate
        values = {"loss": learned} if looked_at is None else {}
        if looked_at is not None or self.metrics:
            values = {**self.measure(looked_at or self.data.learn), **values}
        return learned, values

    def worth(self) -> dict[str, Tensor]:
        """A copy of the weights that count: averaged, where they are. Raises Refused where they are no numbers."""
        self.sound()
        with self.following.averaged():
            return {key: value.clone() for key, value in self.net.trained.state_dict().items()}

    def leave(self, folder: Path) -> None:
        """Write the weights that count; beside them those without an average, and what the loss alone has.

        Raises Refused where they are no numbers.
        """
        self.sound()
        with self.following.averaged():
            self.write(folder / "weights.safetensors", self.net.trained)
        if self.following.average is not None:
            self.write(folder / "last.safetensors", self.net.trained)
        if self.net.beside:
            self.write(folder / "loss.safetensors", self.net.loss)

    def write(self, path: Path, module: nn.Module) -> None:
        """Write weights, which all processes gather where they are spread. Raises Refused."""
        if self.ranks.leads or self.ranks.sharded:
            tensors = kept.weights(module)
            if self.ranks.leads:
                kept.write_weights(path, tensors)

    def measure(self, samples: Samples) -> dict[str, float]:
        """The loss and the metrics on samples."""
        with self.following.averaged():
            return measured(self.net, self.metrics, samples, self.plan.batch, self.device, self.ranks)

    def save(self) -> None:
        """Write a checkpoint. Raises Refused."""
        if self.path is None or not (self.ranks.leads or self.ranks.sharded):
            return
        self.saved = time.monotonic()
        tensors, state = self.packed()
        if not self.ranks.leads:
            return
        told = {"spec": self.text, "learner": self.plan.name, "best": self.progress.best, "last": self.progress.last}
        kept.save(self.path, kept.Checkpoint(tensors | kept.chance(), told | state))

    def packed(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that its steps change, chance apart: tensors, and the rest as plain numbers. Raises Refused."""
        self.sound()
        tensors, plain = kept.packed(self.net, self.optimizer, self.following.averages)
        progress = self.progress
        state = {"epoch": progress.epoch, "step": progress.step, "at": self.at, "sums": self.sums, "optimizer": plain}
        return tensors, {**state, "samples": self.data.learn.count}

    def unpacked(self, found: kept.Checkpoint, path: Path) -> None:
        """Put all that back. Raises Refused."""
        then, now = found.state["samples"], self.data.learn.count
        if then != now:  # another order
            raise Refused(wrong.CheckpointUnfit(str(path), f"it has learned from {then} samples, and there are {now}"))
        kept.unpacked(found, self.net, self.optimizer, self.following.averages, path)
        self.progress.epoch, self.progress.step = found.state["epoch"], found.state["step"]
        self.at, self.sums = found.state["at"], found.state["sums"]
        if not self.ranks.leads:
            torch.manual_seed(self.plan.seed + 7919 * self.ranks.rank + self.progress.step)

    def resume(self) -> None:
        """Go on from the checkpoint. Raises Refused."""
        assert self.path is not None
        found = of_spec(self.path, self.text, self.plan.name)
        kept.set_chance(found)
        self.unpacked(found, self.path)
        self.progress.best, self.progress.last = found.state["best"], found.state["last"]
        if watched(self.plan.stop) in self.progress.best:
            self.best = kept.read_weights(self.path.with_name("weights.safetensors"), self.net.trained)

    def last_good(self) -> str:
        """What is left of the run, in words."""
        if self.path is None or not self.path.exists():
            return ""
        return f"the last good checkpoint is untouched: {self.path}"

    @property
    def trained(self) -> nn.Module:
        """The network."""
        return self.net.trained

    def left(self) -> list[Path]:
        """Where the weights are put."""
        return [] if self.out is None else [self.out / "weights.safetensors"]

    def tried(self) -> str:
        """One step, to see that all goes together; gives its loss in words."""
        self.has_end()
        self.step(self.first())
        return self.mean_loss()

    def has_end(self) -> None:
        """Refuse to train by itself a learner that says no end, for it takes turns with others. Raises Refused."""
        if self.plan.stop.how == "never":
            raise Refused(wrong.FieldMissing(self.plan.span, self.plan.name, ("stop",), ("stop = epochs(10)",)))

    def mean_loss(self) -> str:
        """The mean loss so far in this epoch, in words."""
        return f"loss {brief(self.mean())}"

    def mean(self) -> float:
        """The mean loss since it was last asked for. Raises Refused where nothing has any weight in it."""
        if not self.sums[1]:
            what = "the weight that all of the loss is divided by"
            raise Refused(wrong.TrainingBroke(self.plan.span, self.progress.step, "0", self.last_good(), what))
        return self.sums[0] / self.sums[1]

    def tested(self) -> dict[str, float]:
        """What is measured on the data that are only looked at in the end, if there are such."""
        return {} if self.data.test is None else self.measure(self.data.test)

    def counted(self) -> str:
        """How many weights and samples there are, in words."""
        weights = sum(weight.numel() for weight in self.weights)
        looked = f", {self.data.validate.count:,} to look at" if self.data.validate is not None else ""
        return f"{weights:,} weights, {self.data.learn.count:,} samples{looked}"

    def more(self) -> None:
        """The next step; at the end of the data it begins anew."""
        learn, batch = self.data.learn, self.plan.batch
        if self.at >= self.count:
            self.progress.epoch += 1
            self.at = 0
        if self.at == 0 or self.order is None:
            self.order = shuffled(learn.count, self.plan.seed, self.progress.epoch, learn.lazy)
        self.step(self.order[self.at : min(self.at + batch, self.count)])
        self.at += batch

    @property
    def passes(self) -> int:
        """How often it has gone through its data."""
        return self.progress.epoch + (self.at >= self.count)


def of_spec(path: Path, text: str, name: str) -> kept.Checkpoint:
    """The checkpoint, if it is of this learner of this spec. Raises Refused."""
    found = kept.load(path)
    if found.state["learner"] != name:
        raise Refused(
            wrong.CheckpointUnfit(str(path), f"it is of the learner `{found.state['learner']}`, not of `{name}`")
        )
    then, now = untimed(found.state["spec"]), untimed(text)
    if then != now:
        from difflib import unified_diff

        lines = unified_diff(then.splitlines(), now.splitlines(), "then", "now", lineterm="", n=0)
        changed = tuple(line for line in list(lines)[2:] if not line.startswith("@@"))[:6]
        help_ = "train anew into another directory, or put the spec back as it was; `stop` alone may change"
        raise Refused(wrong.CheckpointUnfit(str(path), "the spec has changed since", changed, help_))
    return found
