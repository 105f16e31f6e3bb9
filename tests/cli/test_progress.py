"""What is seen of training: lines where nobody looks, a bar on a terminal, and never much of the time for it."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import catdl
from catdl.cli import progress
from catdl.learn.fit import Run
from tests.learn.specs import prepare

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return catdl.load(prepare(tmp_path)).learner("noisy").run()


class Clock:
    """A time that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("cost", [0.0, 0.0001, 0.003, 0.05])
@pytest.mark.parametrize("kind", [progress.Screen, progress.Bar])
def test_drawing_takes_a_small_share_of_the_time(
    run: Run, monkeypatch: pytest.MonkeyPatch, cost: float, kind: type[progress.Screen]
) -> None:
    pytest.importorskip("rich")
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    drawn: list[float] = []

    def draw(where: object, pace: float) -> None:
        drawn.append(clock.now)
        clock.now += cost

    with kind(run) as seen:
        monkeypatch.setattr(seen, "draw", draw)
        for _ in range(100_000):
            clock.now += 0.001
            seen.stepped(clock.now)
    whole = clock.now - 100
    assert drawn
    assert cost * (len(drawn) - 1) <= whole / 250  # the last picture may not be paid for yet
    assert all(later - sooner >= kind.every for sooner, later in pairwise(drawn))
    assert kind.every >= 0.1


def test_lines_within_a_long_epoch(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    seen = progress.Screen(run)
    run.stepped = lambda now: seen.draw(run.where(), 123.4)
    run.train(lambda row: None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == run.progress.step
    assert lines[1].startswith("epoch 1     27%   step 2   loss ")
    assert lines[1].endswith("   123 steps/s")
    assert "100%" in lines[-1]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00"), (90_061, "25:01:01")]
)
def test_times(seconds: float, words: str) -> None:
    assert progress.clock(seconds) == words


def test_on_a_terminal_there_is_a_bar_unless_plain(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    pty = pytest.importorskip("pty")
    spec = prepare(tmp_path)

    def seen(*words: str) -> str:
        upper, lower = pty.openpty()
        command = [sys.executable, "-m", "catdl", "train", str(spec), "noisy", "-o", str(tmp_path / "-".join(words))]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TERM": "xterm", "COLUMNS": "120"}
        with subprocess.Popen([*command, *words], env=environment, stdout=lower, stderr=lower, stdin=lower) as process:
            os.close(lower)
            found = b""
            while True:
                try:
                    part = os.read(upper, 65_536)
                except OSError:  # what a terminal says when the other end is gone
                    break
                if not part:
                    break
                found += part
        os.close(upper)
        assert process.returncode == 0, found.decode()
        return found.decode()

    bar, plain = seen("--set", "stop=epochs(30)"), seen("--set", "stop=epochs(3)", "--plain")
    assert "━" in bar and "\x1b[2K" in bar
    assert "━" not in plain and "\x1b" not in plain
    assert [line.split()[1] for line in plain.splitlines() if line.startswith("epoch")] == ["1", "2", "3"]
    assert "epoch 30 " in bar
