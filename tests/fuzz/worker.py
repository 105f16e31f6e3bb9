"""One process that runs the real commands on case after case, under the limits that a case must keep.

A case comes as a line of JSON on standard input: `{"text": base64, "commands": ["check", …]}`; the answer is a line of
JSON with what the first command that misbehaved did, or the exit status of the first one. Memory is limited by the
system, time by a signal that raises where the processor's time runs out, so that the report says what took it.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

SECONDS = {"check": 2.0, "json": 2.0, "show": 20.0, "compile": 20.0}  # the promise is about the check
MEMORY = 2**30
COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "check": lambda path: ["check", path],
    "json": lambda path: ["check", "--format", "json", path],
    "show": lambda path: ["show", path],
    "compile": lambda path: ["compile", path, "-o", "-"],
}


class OutOfTime(BaseException):
    """The processor's time for one command is spent."""


def out_of_time(signum: int, frame: FrameType | None) -> NoReturn:
    raise OutOfTime


def run(command: str, path: str, seconds: float) -> dict[str, Any]:
    """One command in this process: its exit status, or how it failed and where."""
    from catdl.cli import catdl

    start = time.process_time()
    sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
    answer: dict[str, Any] = {"command": command, "status": "ok", "code": 0}
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            catdl.main(COMMANDS[command](path), prog_name="catdl", standalone_mode=False)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except SystemExit as leave:
        answer["code"] = leave.code or 0
        if answer["code"] not in (0, 1):
            answer |= {"status": "code", "where": str(leave.code), "trace": ""}
    except (Exception, OutOfTime) as error:  # noqa: BLE001  (every failure is what is looked for)
        status = {OutOfTime: "slow", MemoryError: "memory"}.get(type(error), "crash")
        answer |= {"status": status} | told(error)
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    return answer | {"seconds": time.process_time() - start}


def told(error: BaseException) -> dict[str, str]:
    """Where an error rose, and the end of its traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name != out_of_time.__name__]
    ours = [frame for frame in frames if "/catdl/" in frame.filename] or list(frames)
    last = ours[-1]
    name = type(error).__name__
    if isinstance(error, click.ClickException):
        name += f"({error.message})"
    # Where time ran out is any of many lines: the function says enough.
    line = "" if isinstance(error, (OutOfTime, MemoryError, RecursionError)) else f":{last.lineno}"
    lines = traceback.format_exception(error)
    trace = "".join(lines if len(lines) < 30 else [*lines[:6], "  …\n", *lines[-22:]])
    return {"where": f"{name} {Path(last.filename).name}{line} {last.name}", "trace": trace}


def answer(case: dict[str, Any], path: Path) -> dict[str, Any]:
    """All commands of a case; those after the check only where it is accepted."""
    path.write_bytes(base64.b64decode(case["text"]))
    first: dict[str, Any] | None = None
    for command in case["commands"]:
        found = run(command, str(path), case["slack"] * SECONDS[command])
        if found["status"] != "ok":
            return found
        first = first or found
        if first["code"] and command == "check" and "json" not in case["commands"]:
            break
    assert first is not None
    return first


def main() -> None:
    signal.signal(signal.SIGPROF, out_of_time)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from catdl.driver import loads  # what starting costs is no case's

    for text in ("dim D\nmorphism f : Real[D] -> Real[D] = relu", "dim D, D"):
        loads(text)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(sys.stdin):
            reply = answer(json.loads(line), Path(folder) / "case.cat")
            print(json.dumps(reply), file=replies, flush=True)
            if number % 50 == 0 or reply["seconds"] > 0.5:
                gc.collect()


if __name__ == "__main__":
    main()
