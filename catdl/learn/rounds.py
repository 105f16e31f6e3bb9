"""Learners that take turns: each has its data, its loss and its optimiser, and what they share is one set of weights.

Takes a checked `Alternation`; guarantees that a step is a round, in which every learner has its turn, and that no turn
moves what its learner does not train. An epoch is a pass of the first learner through its data. A checkpoint holds all
of them, between rounds, so a run that was cut off ends with the weights of one that was not.

    Rounds(plan, folder, text, out).train(told)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from catdl.diagram.learner import Alternation, Learner
from catdl.learn import checkpoint as kept
from catdl.learn import fit
from catdl.learn.fit import Row, Run, Told, Where, of_spec
from catdl.learn.following import Copies
from catdl.learn.objective import objectives, shared
from catdl.learn.optimise import length
from catdl.learn.precision import DTYPES, device
from catdl.learn.ranks import begun
from catdl.learn.shards import unspreadable
from catdl.learn.stopping import Progress, watched
from catdl.record import replace


class Rounds:
    """One training run of learners that take turns, from its start or from a checkpoint. Raises Refused."""

    def __init__(self, plan: Alternation, folder: Path, text: str, out: Path | None = None) -> None:
        self.plan = plan
        self.text = text
        self.out = out
        nets = objectives(plan.learners, plan.seed, begun())
        place = device(plan.learners[0])
        for net in nets:
            net.to(place, DTYPES[plan.precision])
        every = {id(weight): weight for net in nets for weight in net.learned.values()}
        self.trains = [{id(weight) for weight in net.learned.values()} for net in nets]
        self.shared = [
            weight
            for weight in every.values()
            if any(weight is other for net, ours in zip(nets, self.trains, strict=True) if id(weight) not in ours
                   for other in net.parameters())
        ]  # fmt: skip
        declared = {
            name: w for one, net in zip(plan.learners, nets, strict=True) for name, w in shared(one, net).items()
        }
        self.moves = [Copies(move, declared) for move in plan.moves]
        self.runs: list[Run] = []
        for index, (learner, net) in enumerate(zip(plan.learners, nets, strict=True)):
            self.ask(index)
            self.runs.append(Run(learner, folder, text, None, net))
        first = self.runs[plan.turns[0].place]
        steps = {index: sum(t.steps for t in plan.turns if t.place == index) for index in range(len(self.runs))}
        per_pass = math.ceil(first.count / first.plan.batch)
        most = length(plan.stop, per_pass, steps[plan.turns[0].place])
        self.total = None if most is None else math.ceil(most / steps[plan.turns[0].place])
        for index, run in enumerate(self.runs):
            run.know(None if self.total is None else self.total * steps[index])
        self.first = first
        self.ranks = first.ranks
        self.device = first.device
        rising = {f"{r.plan.name}.{name}": up for r in self.runs for name, up in r.progress.rising.items()}
        self.progress = Progress(rising=rising)
        self.asked_to_stop = False
        self.best: list[dict[str, Tensor]] | None = None
        self.saved = time.monotonic()
        self.stepped: Callable[[float], None] = lambda now: None  # called after every round, with the time

    @property
    def path(self) -> Path | None:
        """Where the checkpoint is."""
        return None if self.out is None else self.out / "checkpoint.safetensors"

    @property
    def trained(self) -> nn.Module:
        """The networks, by the names of their learners."""
        return nn.ModuleDict({run.plan.name: run.net.trained for run in self.runs})

    def left(self) -> list[Path]:
        """Where the weights are put, those of each learner in a folder of its name."""
        return [] if self.out is None else [self.out / run.plan.name / "weights.safetensors" for run in self.runs]

    def ask(self, index: int) -> None:
        """Let a gradient come to what this learner trains, of all that they share."""
        ours = self.trains[index]
        for weight in self.shared:
            weight.requires_grad_(id(weight) in ours)

    def train(self, told: Told) -> Progress:
        """Go on until a rule of `stop` says that it is enough, or someone asks to stop. Raises Refused."""
        for run in self.runs:
            run.net.train()
        while not self.progress.ended(self.plan.stop):
            if self.ranks.agreed(self.asked_to_stop):
                self.asked_to_stop = True
                self.save()
                return self.progress
            self.round()
            if self.first.passes > self.progress.epoch:
                told(self.close_epoch())
                continue
            now = time.monotonic()
            self.stepped(now)
            if self.progress.ended(self.plan.stop):
                self.save()
                told(self.cut_short())
            elif self.out is not None and now - self.saved > fit.SAVE_EVERY:
                self.save()
        for run in self.runs:
            run.following.settle()
        for run, best in zip(self.runs, self.best or (), strict=False):
            run.net.trained.load_state_dict(best)
        return self.progress

    def round(self) -> None:
        """Every turn once. Raises Refused."""
        for turn in self.plan.turns:
            self.ask(turn.place)
            for _ in range(turn.steps):
                self.runs[turn.place].more()
        self.progress.step += 1
        with torch.no_grad():
            for move in self.moves:
                move.after(self.progress.step)

    def where(self) -> Where:
        """How far it has come: rounds, and the pass of the first learner."""
        left = None if self.total is None else max(0, self.total - self.progress.step)
        return replace(self.first.where(), epoch=self.progress.epoch + 1, step=self.progress.step, left=left)

    def close_epoch(self) -> Row:
        """Measure, note what is best, keep what is to be kept; gives a row of the log."""
        self.progress.epoch = self.first.passes
        row, values = self.looked(self.progress.epoch)
        improved = self.progress.measured(values)
        metric = watched(self.plan.stop)
        if metric in improved:
            self.best = [run.worth() for run in self.runs]
        if metric is None or metric in improved:
            self.leave()
        self.save()
        return row | values

    def cut_short(self) -> Row:
        """Keep what an epoch came to that `stop` ended within it; gives its row. None is the best for it."""
        if self.best is None:
            self.leave()
        row, values = self.looked(self.progress.epoch + 1)
        return row | values

    def leave(self) -> None:
        """Write the weights of every learner. Raises Refused."""
        if self.ranks.leads:
            for file, run in zip(self.left(), self.runs, strict=self.out is not None):
                file.parent.mkdir(exist_ok=True)
                run.leave(file.parent)

    def looked(self, epoch: int) -> tuple[Row, dict[str, float]]:
        """What an epoch came to, and what is measured of every learner."""
        row: Row = {"epoch": epoch, "step": self.progress.step}
        values: dict[str, float] = {}
        for run in self.runs:
            learned, found = run.looked()
            row[f"{run.plan.name}.rate"] = run.optimizer.param_groups[0]["lr"]
            row[f"{run.plan.name}.learned"] = learned
            values |= {f"{run.plan.name}.{name}": value for name, value in found.items()}
        return row, values

    def save(self) -> None:
        """Write a checkpoint. Raises Refused."""
        if self.path is None or not self.ranks.leads:
            return
        tensors = kept.chance()
        learners: dict[str, Any] = {}
        for run in self.runs:
            found, learners[run.plan.name] = run.packed()
            tensors |= {f"{run.plan.name}/{key}": value for key, value in found.items()}
        progress = self.progress
        state: dict[str, Any] = {"spec": self.text, "learner": self.plan.name}
        state |= {
            "best": progress.best,
            "last": progress.last,
            "epoch": progress.epoch,
            "step": progress.step,
            "learners": learners,
        }
        kept.save(self.path, kept.Checkpoint(tensors, state))
        self.saved = time.monotonic()

    def resume(self) -> None:
        """Go on from the checkpoint. Raises Refused."""
        assert self.path is not None and self.out is not None
        found = of_spec(self.path, self.text, self.plan.name)
        state = found.state
        kept.set_chance(found)
        for run in self.runs:
            before = f"{run.plan.name}/"
            own = {key.removeprefix(before): v for key, v in found.tensors.items() if key.startswith(before)}
            run.unpacked(kept.Checkpoint(own, state["learners"][run.plan.name]), self.path)
        rising = self.progress.rising
        self.progress = Progress(state["epoch"], state["step"], state["best"], state["last"], rising)
        if watched(self.plan.stop) in self.progress.best:
            found_best = zip(self.left(), self.runs, strict=True)
            self.best = [kept.read_weights(file, run.net.trained) for file, run in found_best]

    def tried(self) -> str:
        """One round, to see that all goes together; gives the losses in words."""
        self.round()
        return ", ".join(f"{run.plan.name}: {run.mean_loss()}" for run in self.runs)

    def tested(self) -> dict[str, float]:
        """What is measured on the data that are only looked at in the end, if there are such."""
        return {f"{run.plan.name}.{name}": value for run in self.runs for name, value in run.tested().items()}

    def counted(self) -> str:
        """How many weights and samples there are, in words."""
        return "; ".join(f"{run.plan.name}: {run.counted()}" for run in self.runs)


def begin(plan: Learner | Alternation, folder: Path, text: str, out: Path | None, sharded: bool) -> Run | Rounds:
    """A training run of a learner, or of several that take turns, and the directory for it. Raises Refused."""
    if isinstance(plan, Alternation):
        if sharded:
            raise unspreadable(plan.span, "learners that take turns")
        run: Run | Rounds = Rounds(plan, folder, text, out)
    else:
        run = Run(plan, folder, text, out, sharded=sharded)
    if out is not None:
        kept.directory(out)
    return run
