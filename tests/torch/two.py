"""Two processes that meet: each runs a script as `python script.py RANK MEETING REPORT` and reports in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

Report = dict[str, dict[str, float]]


def reports(name: str, folder: Path) -> list[Report]:
    """What both processes of a script of this folder report."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    script = [sys.executable, "-X", "faulthandler", str(Path(__file__).with_name(name))]
    started = [
        subprocess.Popen(
            [*script, str(rank), str(folder / "meeting"), str(folder / f"{rank}.json")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=300)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    found: list[Report] = []
    for rank in range(2):
        report = folder / f"{rank}.json"  # there once all is measured; how torch shuts down is not what is asked
        assert report.exists(), "\n".join((str([process.returncode for process in started]), *said))
        found.append(json.loads(report.read_text(encoding="utf-8")))
    return found
