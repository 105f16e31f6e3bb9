"""What is told of a run: a line for each epoch, on standard output and as JSON, and what TensorBoard reads."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catdl import diagnostics as wrong
from catdl.cli.progress import Screen
from catdl.cli.report import fail
from catdl.diagnostics.numbers import brief

if TYPE_CHECKING:
    from catdl.learn.fit import Row, Run
    from catdl.learn.rounds import Rounds


class Log:
    """A line on standard output and in a file of JSON for each epoch; what a run that is resumed does again is cut."""

    def __init__(self, path: Path, done: int, seen: Screen, board: Board | None) -> None:
        self.path = path
        self.seen = seen
        self.board = board
        self.begun = time.monotonic()
        with writing(path):
            rows = path.read_text("utf-8").splitlines() if path.exists() else []
            kept = [row for row in rows if row.endswith("}") and json.loads(row)["epoch"] <= done]
            path.write_text("".join(f"{row}\n" for row in kept), "utf-8")

    def note(self, row: Row) -> None:
        """Tell of an epoch."""
        seconds = round(time.monotonic() - self.begun, 3)
        with writing(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "seconds": seconds}) + "\n")
        measures = {name: value for name, value in row.items() if name.split(".")[-1] not in ("epoch", "step", "rate")}
        self.seen.line(f"epoch {row['epoch']:<4} step {row['step']:<7} {shown(measures)}   {seconds:.1f} s")
        if self.board is not None:
            self.board.note(row)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Leave where a file cannot be written; what was kept before it is."""
    try:
        yield
    except OSError as error:
        fail(wrong.CheckpointUnfit(str(path), f"cannot be written: {(error.strerror or str(error)).lower()}"))


class Board:
    """What TensorBoard shows: a curve of every measure over the steps, and the spec."""

    def __init__(self, place: Path, run: Run | Rounds) -> None:
        from torch.utils.tensorboard import SummaryWriter

        begun = run.progress.step
        self.writer = SummaryWriter(place, purge_step=begun + 1 if begun else None)  # what is done again is shown once
        if not begun:
            self.writer.add_text("spec", "".join(f"    {line}\n" for line in run.text.splitlines()))

    @staticmethod
    def ready() -> None:
        """Leave if it is not installed, before any work is done."""
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError:
            raise click.UsageError("`--tensorboard` needs tensorboard: pip install tensorboard") from None

    def note(self, row: Row) -> None:
        """Add an epoch."""
        for name, value in row.items():
            if name not in ("epoch", "step"):
                self.writer.add_scalar(name, value, row["step"])
        self.writer.flush()


def shown(values: dict[str, Any]) -> str:
    """Measures in a line."""
    return "  ".join(f"{name} {brief(value)}" for name, value in values.items())
