"""A learner as a LightningModule: its data, steps, optimiser, schedule and measures, for Lightning's Trainer to run.

Takes a run that has read its data and made its network; needs lightning or pytorch_lightning. What the Trainer decides
(epochs, device, precision, processes, accumulation) is what the Trainer is told.

    trainer = lightning.Trainer(max_epochs=10)
    trainer.fit(module_of(run))
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from catdl import diagnostics as wrong
from catdl.data.ragged import Batch
from catdl.learn.fit import Run, shuffled
from catdl.learn.following import beside_steps
from catdl.learn.foreign import Meter
from catdl.learn.measure import AT_ONCE, summed
from catdl.learn.objective import Part, segments
from catdl.learn.optimise import clip, factor
from catdl.learn.refuse import Refused
from catdl.learn.samples import Samples
from catdl.torch.means import mean

WITHOUT = "a LightningModule needs Lightning: pip install lightning"


class Order(Sampler[int]):
    """The samples of an epoch in the order in which a run takes them; Lightning says which epoch it is."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.run.data.learn.count

    def __iter__(self) -> Any:
        learn = self.run.data.learn
        return iter(shuffled(learn.count, self.run.plan.seed, self.epoch, learn.lazy).tolist())


class Rows:
    """Samples as a data set of torch, which reads those of a batch at once."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return self.samples.count

    def __getitem__(self, number: int) -> Batch:
        return self.__getitems__([number])

    def __getitems__(self, numbers: list[int]) -> Batch:
        return self.samples.take(torch.tensor(numbers, dtype=torch.int64))


def loader(samples: Samples, size: int, sampler: Sampler[int] | None = None) -> DataLoader[Any]:
    """The batches of samples, one after the other or as a sampler says."""
    return DataLoader(Rows(samples), size, sampler=sampler, collate_fn=_alone)  # type: ignore[arg-type]


def _alone(batch: Batch) -> Batch:
    return batch


def module_of(run: Run) -> Any:
    """The LightningModule. Raises ImportError where there is no Lightning, and Refused for more than its steps."""
    name = next((each for each in ("lightning", "pytorch_lightning") if find_spec(each) is not None), None)
    if name is None:
        raise ImportError(WITHOUT)
    base: Any = import_module(name).LightningModule
    plan = run.plan
    if (found := beside_steps(plan)) is not None:  # of which a Trainer does nothing, and says nothing
        raise Refused(wrong.BadSetting(plan.span, "lightning", "for learners whose steps are all there is", found))

    class Learning(base):  # type: ignore[misc]
        """A learner of a spec."""

        def __init__(self) -> None:
            super().__init__()
            self.net = run.net
            self.measures: dict[str, Part | Meter] = {"loss": run.net.parts[1], **run.metrics}
            self.parts = torch.nn.ModuleList(m.module for m in run.metrics.values() if isinstance(m, Part))
            self.sums: dict[str, Tensor] = {}

        def forward(self, *columns: Any, **offsets: Tensor) -> Any:
            """What the network gives."""
            return self.net.trained(*columns, **offsets)

        def training_step(self, batch: Batch, number: int) -> Tensor:
            """The mean loss of a batch."""
            found = self.net(*batch.inputs, **batch.offsets)
            loss = mean(*found) if isinstance(found, tuple) else found.mean()
            self.log("learned", loss.detach(), on_step=False, on_epoch=True, batch_size=self.size(batch))
            return loss

        def validation_step(self, batch: Batch, number: int) -> None:
            """Measure a batch of the data that are looked at."""
            self.note(batch)

        def test_step(self, batch: Batch, number: int) -> None:
            """Measure a batch of the data that are kept to the end."""
            self.note(batch)

        def predict_step(self, batch: Batch, number: int) -> Any:
            """What the model gives for a batch."""
            seen = self.net.seen(batch.inputs, segments(batch.offsets))
            return seen[: len(seen) - len(batch.inputs) + plan.inputs] if self.net.model is not None else seen

        def on_validation_epoch_start(self) -> None:
            """Begin to measure."""
            self.begin()

        def on_test_epoch_start(self) -> None:
            """Begin to measure."""
            self.begin()

        def on_validation_epoch_end(self) -> None:
            """Tell of what was measured."""
            self.tell()

        def on_test_epoch_end(self) -> None:
            """Tell of what was measured."""
            self.tell()

        def begin(self) -> None:
            """Forget what was measured before."""
            self.sums = {name: torch.zeros(2, dtype=torch.float64) for name in self.measures}
            for measure in self.measures.values():
                if isinstance(measure, Meter):
                    measure.reset()

        def note(self, batch: Batch) -> None:
            """Add a batch to what is measured."""
            offsets = segments(batch.offsets)
            seen = self.net.seen(batch.inputs, offsets)
            for name, measure in self.measures.items():
                match measure:
                    case Part():
                        self.sums[name] += summed(measure(seen, offsets))
                    case Meter():
                        measure.update(seen)

        def tell(self) -> None:
            """Log the means over all samples, of all processes."""
            for name, measure in self.measures.items():
                if isinstance(measure, Meter):
                    self.log(name, measure.value())
                else:
                    both = self.all_gather(self.sums[name].to(torch.float32)).reshape(-1, 2).sum(0)
                    self.log(name, both[0] / both[1])

        def configure_optimizers(self) -> Any:
            """The optimiser of the learner, with its schedule, step by step."""
            if plan.schedule is None:
                return run.optimizer
            times = torch.optim.lr_scheduler.LambdaLR(
                run.optimizer, lambda step: factor(plan.schedule, step, run.total)
            )
            return [run.optimizer], [{"scheduler": times, "interval": "step"}]

        def configure_gradient_clipping(self, optimizer: Any, *given: Any, **options: Any) -> None:
            """Clip as the learner says; where it does not, as the Trainer does."""
            if plan.clip is None:
                super().configure_gradient_clipping(optimizer, *given, **options)
            else:
                clip(plan.clip, run.weights)

        def train_dataloader(self) -> DataLoader[Any]:
            """The batches that are learned from."""
            return loader(run.data.learn, plan.batch, Order(run))

        def val_dataloader(self) -> Any:
            """The batches that are looked at, if there are any."""
            return loader(run.data.validate, max(plan.batch, AT_ONCE)) if run.data.validate is not None else []

        def test_dataloader(self) -> Any:
            """The batches that are kept to the end, if there are any."""
            return loader(run.data.test, max(plan.batch, AT_ONCE)) if run.data.test is not None else []

        @staticmethod
        def size(batch: Batch) -> int:
            """How many samples a batch has."""
            if batch.offsets:
                return len(next(iter(batch.offsets.values()))) - 1
            return len(batch.inputs[0])

    return Learning()
