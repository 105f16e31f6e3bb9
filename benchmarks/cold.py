"""Cold start: `catdl check examples/gpt2.cat` as a fresh process, beside `python -c "import torch"`.

Runs are interleaved, so that a busy machine slows all of them alike; medians are compared. One round first fills the
caches of the file system and the compiled modules, and is thrown away.

    python benchmarks/cold.py [--runs 9] [--json] [--check]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 0.20  # of the time that `import torch` takes

COMMANDS = {
    "python": ["-c", "pass"],
    "import catdl": ["-c", "import catdl"],
    "import click": ["-c", "import click"],
    "catdl check": ["-m", "catdl", "check", "examples/gpt2.cat"],
    "import torch": ["-c", "import torch"],
}


class Run(NamedTuple):
    """Seconds of one process: on the wall clock, and of the processor."""

    wall: float
    cpu: float


def once(arguments: list[str]) -> Run:
    """Time one fresh process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(runs: int) -> dict[str, Run]:
    """The medians of every command over interleaved runs."""
    found: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    for turn in range(runs + 1):
        for name, arguments in COMMANDS.items():
            run = once(arguments)
            if turn:
                found[name].append(run)
    return {
        name: Run(statistics.median(r.wall for r in all_runs), statistics.median(r.cpu for r in all_runs))
        for name, all_runs in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--check", action="store_true", help=f"exit 1 when the ratio is above {LIMIT}")
    options = parser.parse_args()
    medians = measure(options.runs)
    torch = medians["import torch"]
    ratio = medians["catdl check"].wall / torch.wall
    if options.json:
        figures = {name: run._asdict() for name, run in medians.items()}
        print(json.dumps({"medians": figures, "ratio": ratio, "limit": LIMIT, "runs": options.runs}, indent=2))
    else:
        print(f"{'median of ' + str(options.runs):16} {'wall ms':>9} {'cpu ms':>9} {'/ torch':>8} {'cpu / torch':>12}")
        for name, run in medians.items():
            shares = f"{run.wall / torch.wall:8.3f} {run.cpu / torch.cpu:12.3f}"
            print(f"{name:16} {run.wall * 1e3:9.1f} {run.cpu * 1e3:9.1f} {shares}")
    if options.check:
        missed = ratio > LIMIT
        verdict = (
            f"{'MISSED' if missed else 'met'}: catdl check is {ratio:.3f} of import torch, at most {LIMIT} is wanted"
        )
        print(verdict, file=sys.stderr)
        sys.exit(missed)


if __name__ == "__main__":
    main()
