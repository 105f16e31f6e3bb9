"""What is seen of training while it runs: a line for each epoch, and how far the epoch under way has come.

On a terminal that is a bar, where rich is installed; elsewhere a line now and then. Whatever draws is given at most one
part in 250 of the time, and draws at most ten times a second.

    with screen(run, plain=False) as shown:
        run.stepped = shown.stepped
        shown.line("epoch 1 …")
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING

import click

from catdl.diagnostics.numbers import brief

if TYPE_CHECKING:
    from catdl.learn.fit import Run, Where
    from catdl.learn.rounds import Rounds

OFTEN = 0.1  # seconds between two pictures of the bar, at least
SELDOM = 10.0  # seconds between two lines within an epoch
SHARE = 250  # the time since the beginning, over what all pictures together may have taken


class Screen(AbstractContextManager["Screen"]):
    """Lines on standard output. A bar is one with `line` and `draw` of its own."""

    every = SELDOM

    def __init__(self, run: Run | Rounds) -> None:
        self.run = run
        self.begun = time.monotonic()
        self.due = self.begun + self.every
        self.spent = 0.0
        self.then = (self.begun, run.progress.step)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stepped(self, now: float) -> None:
        """A step was done."""
        if now < self.due:
            return
        where = self.run.where()
        then, step = self.then
        self.then = (now, where.step)
        self.draw(where, max(0, where.step - step) / max(now - then, 1e-9))
        self.spent += time.monotonic() - now
        self.due = max(now + self.every, self.begun + SHARE * self.spent)

    def line(self, text: str) -> None:
        """A line that stays."""
        click.echo(text)
        self.due = time.monotonic() + self.every

    def draw(self, where: Where, pace: float) -> None:
        """How far the epoch has come."""
        click.echo(f"epoch {where.epoch:<4} {where.done / where.count:4.0%}   {told(where, pace)}")

    def close(self) -> None:
        """Take away what does not stay."""


class Bar(Screen):
    """A bar below the lines, by rich. It is drawn between two steps: no thread competes with them."""

    every = OFTEN

    def __init__(self, run: Run | Rounds) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        super().__init__(run)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[told]}"),
        )
        self.bar = Progress(*columns, console=Console(highlight=False), auto_refresh=False, transient=True)
        self.lines: list[str] = []  # those since the last picture: to draw a bar for each would take too long
        self.task = self.bar.add_task(f"epoch {run.where().epoch}", total=None, told="")
        self.bar.start()

    def line(self, text: str) -> None:
        self.lines.append(text)

    def draw(self, where: Where, pace: float) -> None:
        left = f"   {clock(where.left / pace)} left" if where.left is not None and pace else ""
        shown = told(where, pace) + left
        self.bar.update(
            self.task, description=f"epoch {where.epoch}", completed=where.done, total=where.count, told=shown
        )
        if self.lines:
            self.bar.console.print("\n".join(self.lines), markup=False, soft_wrap=True)  # and the bar below them
            self.lines.clear()
        else:
            self.bar.refresh()

    def close(self) -> None:
        self.bar.stop()
        for text in self.lines:
            click.echo(text)


def told(where: Where, pace: float) -> str:
    """A step, its loss and the pace, in a few words."""
    loss = f"   loss {brief(where.loss)}" if where.loss is not None else ""
    return f"step {where.step}{loss}   {pace:{',.0f' if pace >= 10 else '.2g'}} steps/s"


def clock(seconds: float) -> str:
    """A time as people write it: 0:07, 12:30, 3:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def screen(run: Run | Rounds, plain: bool) -> Screen:
    """A bar, where someone looks and rich is there; lines else."""
    seen = sys.stdout.isatty() and not plain and find_spec("rich") is not None
    return Bar(run) if seen else Screen(run)
