"""Nothing of a run is lost: killed at any moment, interrupted, on a full disk, with a checkpoint that is damaged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import catdl
from catdl.driver import CheckError
from catdl.learn import checkpoint
from catdl.learn.refuse import Refused
from tests.learn.specs import TEXT, TURNS, learner, prepare

ROOT = Path(__file__).parent.parent.parent
MOMENTS = 12


@pytest.mark.parametrize(("text", "name"), [(TEXT, "noisy"), (TURNS, "play"), (TURNS, "follower")])
def test_killed_at_any_moment_it_ends_with_the_same_weights(tmp_path: Path, text: str, name: str) -> None:
    spec = prepare(tmp_path, text)
    catdl.load(spec).learner(name).fit(tmp_path / "whole")
    draw = random.Random(0)
    moments = [f"{draw.uniform(0.02, 0.25):.3f}" for _ in range(MOMENTS)]
    script = [
        sys.executable,
        str(Path(__file__).with_name("interrupted.py")),
        str(spec),
        name,
        str(tmp_path / "cut"),
        *moments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(script, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    same_weights(tmp_path / "whole", tmp_path / "cut")


def same_weights(one: Path, other: Path) -> None:
    """Whether two runs ended alike, in every bit."""
    files = sorted(path.relative_to(one) for path in one.rglob("*.safetensors"))
    assert files == sorted(path.relative_to(other) for path in other.rglob("*.safetensors"))
    assert len(files) > 1
    for file in files:
        left, right = load_file(one / file), load_file(other / file)
        assert left.keys() == right.keys()
        for key, value in left.items():
            assert torch.equal(value, right[key]), (file, key)
    first, second = (checkpoint.load(place / "checkpoint.safetensors") for place in (one, other))
    assert first.state == second.state
    assert all(torch.equal(value, second.tensors[key]) for key, value in first.tensors.items())


@pytest.mark.parametrize("steps", [1, 4, 9, 12, 17])
def test_asked_to_stop_after_any_step_it_goes_on_as_if_not(tmp_path: Path, steps: int) -> None:
    given = learner(tmp_path, "noisy")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    given.fit(whole)
    run = given.run(cut)
    step = run.step

    def counted(index: torch.Tensor) -> None:
        step(index)
        run.asked_to_stop = run.progress.step == steps

    run.step = counted  # type: ignore[method-assign]
    run.train(lambda row: None)
    assert run.progress.step == steps
    given.fit(cut, resume=True)
    same_weights(whole, cut)


def test_an_interrupt_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    spec = prepare(tmp_path, TEXT.replace("patience(accuracy, 9) | epochs(4)", "epochs(100000)"))
    command = [sys.executable, "-m", "catdl", "train", str(spec), "noisy", "-o", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "out" / "log.jsonl").exists() or not (tmp_path / "out" / "log.jsonl").read_text():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume" in said
    assert checkpoint.load(tmp_path / "out" / "checkpoint.safetensors").state["epoch"] >= 1


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = learner(tmp_path, "quiet")
    out = tmp_path / "out"
    given.fit(out)
    before = (out / "checkpoint.safetensors").read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckError, match="no space left on device"):
        given.fit(out)
    assert (out / "checkpoint.safetensors").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.safetensors", "weights.safetensors"]


@pytest.mark.parametrize("length", [0, 7, 200, -1])
def test_a_checkpoint_that_is_cut_short_is_told(tmp_path: Path, length: int) -> None:
    given = learner(tmp_path, "quiet")
    given.fit(tmp_path / "out")
    path = tmp_path / "out" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckError, match="no whole checkpoint"):
        given.fit(tmp_path / "out", resume=True)


def test_a_changed_spec_is_told_but_for_when_it_stops(tmp_path: Path) -> None:
    out = tmp_path / "out"
    learner(tmp_path, "quiet").fit(out)
    learner(tmp_path, "quiet", stop="epochs(3)").fit(out, resume=True)
    assert checkpoint.load(out / "checkpoint.safetensors").state["epoch"] == 3
    with pytest.raises(CheckError, match="the spec has changed since") as caught:
        learner(tmp_path, "quiet", batch="8").fit(out, resume=True)
    assert any("batch" in note for note in caught.value.diagnostics[0].parts().notes)


def test_a_loss_that_is_no_number_leaves_the_last_good_epoch(tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = learner(tmp_path, "quiet")
    given.fit(out)
    good = (out / "checkpoint.safetensors").read_bytes()
    run = learner(tmp_path, "quiet", stop="epochs(9)").run(out)
    run.resume()
    with torch.no_grad():
        run.weights[0].fill_(float("nan"))
    with pytest.raises(Refused, match="the loss is nan at step"):
        run.train(lambda row: None)
    assert (out / "checkpoint.safetensors").read_bytes() == good


def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path) -> None:
    text = TEXT.replace(
        "learner noisy", "morphism rough : Logits[Class] @ Fin(Class) -> Real ="
        " (s, y) => cross_entropy(s, y) + sqrt(abs(sum[Class](zeros[Class] * s)))\nlearner noisy", 1
    )  # fmt: skip
    assert text != TEXT
    spec = prepare(tmp_path, text)
    out = tmp_path / "out"
    given = catdl.load(spec).learner("quiet").with_setting("batch", None, "1000")
    given.fit(out)
    kept = {file.name: file.read_bytes() for file in out.iterdir()}
    with pytest.raises(CheckError, match=r"the weight `model\.up\.\w+` is nan at step 1"):
        given.with_setting("loss", None, "rough").fit(out)  # its loss is finite, and its gradient is not
    assert {file.name: file.read_bytes() for file in out.iterdir()} == kept


@pytest.mark.parametrize("steps", [2, 9])
def test_training_that_ends_within_an_epoch_keeps_its_last_weights(tmp_path: Path, steps: int) -> None:
    rows: list[dict[str, float]] = []
    out = tmp_path / "out"
    net = learner(tmp_path, "quiet", stop=f"steps({steps})").fit(out, told=rows.append)
    kept = load_file(out / "weights.safetensors")
    assert all(torch.equal(kept[key], value) for key, value in net.state_dict().items())
    assert rows[-1]["step"] == steps
    again = learner(tmp_path, "quiet", stop="epochs(3)").fit(out, resume=True)  # what was told of it is not kept
    whole = learner(tmp_path, "quiet", stop="epochs(3)").fit(tmp_path / "whole")
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in whole.state_dict().items())


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(CheckError, match=r"no\s+directory\s+can\s+be\s+made\s+here"):
        learner(tmp_path, "quiet").fit(tmp_path / "out")


def test_a_checkpoint_of_another_learner_or_of_other_data_is_not_used(tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = learner(tmp_path, "quiet")
    given.fit(out)
    with pytest.raises(CheckError, match="it is of the learner `quiet`, not of `noisy`"):
        given.spec.learner("noisy").fit(out, resume=True)
    with np.load(tmp_path / "train.npz") as file:
        np.savez(tmp_path / "train.npz", x=file["x"][:100], y=file["y"][:100])
    with pytest.raises(CheckError, match=r"it has learned from 150 samples, and\s+there\s+are 100"):
        given.fit(out, resume=True)


def test_a_mean_of_nothing_is_told(tmp_path: Path) -> None:
    spec = prepare(tmp_path, TEXT.replace("expand[1](1 + abs(sum[D](x)))", "expand[1](0 * sum[D](x))"))
    with pytest.raises(CheckError, match=r"the weight that all of the loss is\s+divided\s+by is 0"):
        catdl.load(spec).learner("weighed").fit()
