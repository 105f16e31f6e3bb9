"""Workers kept alive over many cases; a case that fails is tried again by a fresh one before it is believed."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from select import select

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds by the clock: what takes longer hangs, or is one step that no signal interrupts
SLOW_TRIES = 3  # fresh processes that have to be too slow as well


@dataclass(frozen=True)
class Case:
    """A text, how it came about, and the commands to run on it."""

    name: str
    text: bytes
    commands: tuple[str, ...] = ("check",)
    slack: int = 1  # how many times the seconds that are promised it may take, where others use the machine as well


@dataclass(frozen=True)
class Result:
    """What became of a case: `ok` with an exit status, or crash, slow, memory, code, dead."""

    case: Case
    status: str
    code: int
    seconds: float
    command: str = ""
    where: str = ""
    trace: str = ""

    @property
    def signature(self) -> str:
        """What two failures of one cause share."""
        return f"{self.status} in {self.command}: {self.where}"


class Worker:
    """One process of `tests.fuzz.worker`, started when first needed and again when it died."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """The process, alive."""
        if self.process is None or self.process.poll() is not None:
            env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self.process

    def run(self, case: Case) -> Result:
        """The result of a case."""
        process = self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"text": base64.b64encode(case.text).decode(), "commands": case.commands, "slack": case.slack}
        line, hung = "", False
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            hung = not select([process.stdout], [], [], self.patience)[0]
            line = "" if hung else process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            self.close()
            where = "no answer" if hung else f"exit status {process.returncode}"
            return Result(case, "slow" if hung else "dead", 70, self.patience, "/".join(case.commands), where)
        found = json.loads(line)
        if found["status"] != "ok":
            self.close()  # what it holds after a failure is anybody's guess
        return Result(case, **found)

    def confirmed(self, case: Case) -> Result:
        """The result of a case; a failure is believed when fresh processes fail as well.

        One is enough for all but time: where others use the machine, a processor's second does less.
        """
        found = self.run(case)
        for _ in range(SLOW_TRIES if found.status == "slow" else 1):
            if found.status != "ok":
                found = self.run(case)
        return found

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()
            self.process = None


def run_all(cases: Iterable[Case], jobs: int = 1) -> Iterator[Result]:
    """The results of cases, as they come."""
    free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    workers = [Worker() for _ in range(jobs)]
    for worker in workers:
        free.put(worker)

    def one(case: Case) -> Result:
        worker = free.get()
        try:
            return worker.confirmed(case)
        finally:
            free.put(worker)

    try:
        with ThreadPoolExecutor(jobs) as threads:
            waiting: set[Future[Result]] = set()
            for case in cases:
                waiting.add(threads.submit(one, case))
                if len(waiting) > 2 * jobs:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in waiting)
    finally:
        for worker in workers:
            worker.close()


def minimised(found: Result, tries: int = 200) -> Result:
    """The same failure with as much of the text left out as some tries allow: lines first, then pieces."""
    worker = Worker()
    best = found

    def fails(text: bytes) -> Result | None:
        got = worker.run(replace(found.case, text=text))
        return got if got.status != "ok" and got.signature == found.signature else None

    try:
        for split in (b"\n", b" ", b""):
            parts: Sequence[bytes] = pieces(best.case.text, split)
            size = max(1, len(parts) // 2)
            while tries > 0 and len(parts) > 1:
                place = 0
                while place < len(parts) and tries > 0:
                    tries -= 1
                    rest = [*parts[:place], *parts[place + size :]]
                    got = fails(b"".join(rest))
                    if got is not None:
                        best, parts = got, rest
                    else:
                        place += size
                if size == 1:
                    break
                size //= 2
    finally:
        worker.close()
    return best


def pieces(text: bytes, split: bytes) -> list[bytes]:
    """A text cut after every separator, or into its bytes."""
    if not split:
        return [text[i : i + 1] for i in range(len(text))]
    parts = [part + split for part in text.split(split)]
    parts[-1] = parts[-1][: -len(split)]
    return [part for part in parts if part]
