"""What a newcomer runs first ends well: `make demo`, and the loop by hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "examples"


def test_the_demo_ends_well() -> None:
    ended = subprocess.run(
        [sys.executable, FOLDER / "demo.py"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    accuracy = re.search(r"^test .*accuracy (0\.\d+)", ended.stdout, re.MULTILINE)
    assert accuracy is not None
    assert float(accuracy[1]) >= 0.97
    assert "error[E0401]" in ended.stdout
    assert "class Mlp(nn.Module):" in ended.stdout


def test_digits_are_learned_by_a_loop_by_hand() -> None:
    ended = subprocess.run(
        [sys.executable, FOLDER / "train_digits.py"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout  # it reads 95 % of the unseen digits
