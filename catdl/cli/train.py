"""`catdl train FILE LEARNER`: steps, measures and checkpoints, with nothing lost when it is cut off."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catdl import diagnostics as wrong
from catdl.cli.learners import allow_option, chosen, set_option
from catdl.cli.logs import Board, Log, shown
from catdl.cli.plot import draw, usable
from catdl.cli.progress import screen
from catdl.cli.report import fail
from catdl.cli.specs import deny_option, search_option, told
from catdl.driver import refusing

if TYPE_CHECKING:
    from catdl.learn.fit import Run
    from catdl.learn.rounds import Rounds


@click.command("train", short_help="Train a learner.")
@click.argument("file")
@click.argument("name", required=False)
@click.option("-o", "--out", metavar="DIR", help="Where checkpoint, weights and log are put; runs/NAME without it.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the directory.")
@click.option("--dry-run", is_flag=True, help="Check data, model, loss and one step, and write nothing.")
@click.option("--plain", is_flag=True, help="Lines, and no bar that moves.")
@click.option("--plot", metavar="OUT.svg|OUT.png", help="Draw the curves when it ends; needs matplotlib.")
@click.option("--tensorboard", is_flag=True, help="Write what TensorBoard shows into the directory, too.")
@click.option("--shard", is_flag=True, help="Spread the weights over the processes of torchrun, by FSDP2.")
@set_option
@allow_option
@deny_option
@search_option
def command(
    file: str,
    name: str | None,
    out: str | None,
    resume: bool,
    dry_run: bool,
    plain: bool,
    plot: str | None,
    tensorboard: bool,
    shard: bool,
    settings: tuple[str, ...],
    allow: tuple[str, ...],
    deny: frozenset[str],
    search: tuple[str, ...],
) -> None:
    """Train the learner NAME of FILE, the only one if it has one.

    Every epoch is told on standard output and, as JSON, in DIR/log.jsonl. Training that is interrupted, in whatever
    way, goes on with --resume as if nothing had happened.
    """
    if plot is not None:
        usable(plot, "--plot")
    learner = chosen(file, name, settings, search, deny)
    place = Path(out) if out is not None else Path("runs") / learner.name
    if tensorboard and not dry_run:
        Board.ready()
    with told():
        run = learner.training(None if dry_run else place, allow=allow, shard=shard)
    if dry_run:
        with told():
            refusing(lambda: tried(run))
        return
    from catdl.learn.ranks import leave  # late: usage errors and mistakes in the spec come without torch

    if resume:
        with told():
            refusing(run.resume)
    elif run.path is not None and run.path.exists():
        reason = "there is a checkpoint of another run; `--resume` goes on with it, `-o DIR` trains elsewhere"
        fail(wrong.CheckpointUnfit(str(place), reason))
    leads = run.ranks.leads
    if leads:
        click.echo(head(run))
        with told(), interruptible(run), screen(run, plain) as seen:
            run.stepped = seen.stepped
            log = Log(place / "log.jsonl", run.progress.epoch, seen, Board(place, run) if tensorboard else None)
            refusing(lambda: run.train(log.note))
        if plot is not None and run.progress.epoch:
            draw(place, plot)
    else:
        with told(), interruptible(run):
            refusing(lambda: run.train(lambda row: None))
    if run.asked_to_stop and not leads:
        sys.exit(130)
    if run.asked_to_stop:
        again = f"catdl train {file} {learner.name} -o {place} --resume"
        click.echo(f"stopped at step {run.progress.step}; to go on: {again}", err=True)
        sys.exit(130)
    tested = run.tested()
    if leads and tested:
        click.echo("test   " + shown(tested))
    if leads:
        click.echo(f"weights: {', '.join(map(str, run.left()))}")
    leave()


def tried(run: Run | Rounds) -> None:
    """One step, and what it says."""
    said = run.tried()
    click.echo(head(run))
    click.echo(f"one step: {said}; nothing is written")


def head(run: Run | Rounds) -> str:
    """What is trained on what, in a line."""
    return f"{run.plan.name}: {run.counted()}, on {run.device}"


@contextmanager
def interruptible(run: Run | Rounds) -> Iterator[None]:
    """The first Ctrl-C ends training after the step that is under way, with a checkpoint; the second at once."""

    def ask(number: int, frame: object) -> None:
        run.asked_to_stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
