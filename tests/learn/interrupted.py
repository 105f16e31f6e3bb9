"""Trains a learner again and again in processes that are killed: `python interrupted.py SPEC LEARNER OUT SECONDS…`.

Each process is a fork, so that torch is loaded once; after every step there is a checkpoint, and each process but the
last is killed after so many seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import catdl
from catdl.driver import Trainable
from catdl.learn import fit


def main() -> None:
    """Train to the end, however often that is cut off; says how often it was."""
    spec, name, out, *seconds = sys.argv[1:]
    fit.SAVE_EVERY = 0.0
    learner = catdl.load(spec).learner(name)
    place = Path(out)
    place.mkdir()
    cut = 0
    for wait in [*map(float, seconds), None]:
        child = os.fork()
        if child == 0:
            train(learner, place)
            os._exit(0)
        if wait is not None:
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        cut += os.WIFSIGNALED(status)
        assert wait is not None or status == 0, status
    print(cut)


def train(learner: Trainable, place: Path) -> None:
    """Go on from the checkpoint, if there is one."""
    learner.fit(place, resume=(place / "checkpoint.safetensors").exists())


main()
