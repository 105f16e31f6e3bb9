"""The curves of a run, as a picture and for TensorBoard."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdl.cli import catdl
from catdl.learn.curves import best, drawn, panels, rows
from tests.learn.specs import prepare

LOG: list[dict[str, Any]] = [
    {
        "epoch": k + 1,
        "step": 9 * (k + 1),
        "rate": 0.1 / (k + 1),
        "learned": 2 / (k + 1),
        "loss": loss,
        "accuracy": k / 4,
    }
    for k, loss in enumerate([1.5, 1.0, 1.25])
]


def test_what_is_drawn_together() -> None:
    assert panels(LOG) == {"loss": ("learned", "loss"), "accuracy": ("accuracy",), "learning rate": ("rate",)}
    alone = [{"epoch": 1, "step": 9, "rate": 0.1, "learned": 2.0, "loss": 2.0}]
    assert panels(alone) == {"loss": ("loss",)}
    assert best([(int(row["epoch"]), row["loss"]) for row in LOG], "loss") == (2, 1.0)
    assert best([(int(row["epoch"]), row["accuracy"]) for row in LOG], "accuracy") == (3, 0.5)


def test_a_log_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 1, "step": 3, "loss": 1.0}\n{"epoch": 2, "st')
    assert [row["epoch"] for row in rows(path)] == [1]


def test_a_picture_is_whole_and_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    text = drawn(LOG, "digits", "svg")
    assert text == drawn(LOG, "digits", "svg")
    words = {element.text for element in ElementTree.fromstring(text).iter() if element.text and element.text.strip()}
    titles = {"digits", "loss", "accuracy", "learning rate", "while learning", "looked at"}
    assert titles | {"1, epoch 2", "0.5, epoch 3"} <= words
    assert drawn(LOG, "digits", "png").startswith(b"\x89PNG")


def test_the_commands(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    spec, out = prepare(tmp_path), tmp_path / "out"
    train = ["train", str(spec), "quiet", "-o", str(out), "--plot", str(tmp_path / "at-the-end.svg")]
    done = CliRunner().invoke(catdl, train)
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(catdl, ["plot", str(out), "-o", str(tmp_path / "after.svg")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "at-the-end.svg").read_bytes() == (tmp_path / "after.svg").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plot", "nowhere", "-o", "c.svg"], "no such file"),
        (["plot", "empty", "-o", "c.svg"], "there is no epoch in it yet"),
        (["plot", "empty", "-o", "c.gif"], "must end in .svg, .png or .pdf"),
        (["train", "spec.cat", "quiet", "--plot", "c.jpg"], "must end in .svg, .png or .pdf"),
        (["plot", "empty", "-o", "none/c.svg"], "there is no such directory"),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str) -> None:
    pytest.importorskip("matplotlib")
    prepare(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "log.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(catdl, words)
    assert done.exit_code in (1, 2)
    assert said in done.output


def test_without_the_packages_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = prepare(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = CliRunner().invoke(catdl, ["train", str(spec), "quiet", "--plot", "c.svg"])
    assert done.exit_code == 2
    assert "pip install matplotlib" in done.output
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    done = CliRunner().invoke(catdl, ["train", str(spec), "quiet", "-o", str(tmp_path / "out"), "--tensorboard"])
    assert done.exit_code == 2
    assert "pip install tensorboard" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_the_log_says(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    spec, out = prepare(tmp_path), tmp_path / "out"
    train = ["train", str(spec), "noisy", "-o", str(out), "--tensorboard", "--set"]
    for words in (["stop=epochs(2)"], ["stop=epochs(4)", "--resume"]):
        done = CliRunner().invoke(catdl, [*train, *words])
        assert done.exit_code == 0, done.output
    events = EventAccumulator(str(out)).Reload()
    for name in ("loss", "learned", "accuracy", "rate"):
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert found == [(row["step"], pytest.approx(row[name], rel=1e-6)) for row in rows(out / "log.jsonl")]
    assert len(events.Scalars("loss")) == 4
