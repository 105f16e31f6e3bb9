"""Learners that say what they train, that take turns, and weights that follow others: as the loop by hand does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

import catdl
from catdl.driver import CheckError
from catdl.learn.fit import shuffled
from catdl.learn.rounds import Rounds
from tests.learn.specs import TURNS, prepare

ROOT = Path(__file__).parent.parent.parent

EVEN = (
    TURNS.replace(" >> dropout(p = 0.2)", "")
    .replace("normal_like(x) >> paint", "(0.5 * x) >> paint")
    .replace("patience(artist.loss, 9) | epochs(4)", 'epochs(2)\n    precision = "float64"\n    seed = 3')
    .replace("    validate  = 0.2\n", "")
    .replace("    schedule  = cosine(warmup = 3)\n", "")
)
"""The same without chance and in double precision."""


def column(folder: Path) -> Tensor:
    with np.load(folder / "train.npz") as file:
        return torch.from_numpy(file["x"]).double()


def batches(count: int, size: int) -> list[Tensor]:
    """Those of many passes, one after the other."""
    return [index for epoch in range(9) for index in shuffled(count, 3, epoch, False).split(size)]


def test_turns_are_the_loop_that_anyone_would_write(tmp_path: Path) -> None:
    spec = catdl.load(prepare(tmp_path, EVEN))
    run = spec.learner("play").training()
    assert isinstance(run, Rounds)
    paint, judge = (spec[name].compile().double() for name in ("paint", "judge"))
    old = spec["judge"].compile().double()
    start = run.runs[0].net.loss.state_dict()
    paint.load_state_dict({key[2:]: value for key, value in start.items() if key.startswith("a.")})
    judge.load_state_dict({key[2:]: value for key, value in start.items() if key.startswith("c.")})
    old.load_state_dict(judge.state_dict())
    x = column(tmp_path)
    critic = torch.optim.AdamW(judge.parameters(), lr=0.01, weight_decay=0.01)
    artist = torch.optim.AdamW(paint.parameters(), lr=0.01, weight_decay=0.01)
    first, second = iter(batches(len(x), 16)), iter(batches(len(x), 24))
    kept: list[list[Tensor]] = []
    for _ in range(10):  # two passes of ten steps, two steps a round
        for _ in range(2):
            real = x[next(first)]
            loss = F.softplus(-judge(real)) + F.softplus(judge(paint(0.5 * real)))
            critic.zero_grad()
            loss.mean().backward()
            critic.step()
        artist.zero_grad()
        F.softplus(-old(paint(x[next(second)]))).mean().backward()
        artist.step()
        kept.append([weight.detach().clone() for weight in paint.parameters()])
        with torch.no_grad():
            for weight, target in zip(judge.parameters(), old.parameters(), strict=True):
                target.lerp_(weight, 0.1)
    rows: list[dict[str, float]] = []
    progress = run.train(rows.append)
    assert (progress.epoch, progress.step) == (2, 10)
    assert [row["epoch"] for row in rows] == [1, 2]
    same(dict(judge.named_parameters()), run.runs[0].net.loss, "c.")
    same(dict(old.named_parameters()), run.runs[1].net.loss, "old.")
    share = torch.tensor([0.9 ** (9 - k) for k in range(10)], dtype=torch.float64)
    means = [
        sum(float(s) * one[place] for s, one in zip(share, kept, strict=True)) / share.sum()
        for place in range(len(kept[0]))
    ]
    averaged = dict(zip((name for name, _ in paint.named_parameters()), means, strict=True))
    same(averaged, run.trained["artist"], "a.")  # type: ignore[index]


def same(wanted: dict[str, Tensor], module: nn.Module, before: str) -> None:
    for key, value in wanted.items():
        torch.testing.assert_close(module.get_parameter(before + key), value, rtol=0, atol=1e-11)


CUT = """
dim D = 4, Class = 3
morphism net : Real[D] -> Logits[Class] =
    body: linear(8) >> batchnorm >> tanh >> repeat(2, hidden) >> norm: batchnorm >> head: linear
morphism hidden : Real[8] -> Real[8] = linear(8) >> tanh
learner tail {
    data      = table("train.npz", input = x, target = y)
    model     = net
    loss      = cross_entropy
    train     = TRAIN
    optimizer = adamw(lr = 0.05, weight_decay = 0.3)
    stop      = epochs(2)
    batch     = 16
}
"""


@pytest.mark.parametrize(
    ("train", "moved"),
    [
        ('weights("head.*")', {"head.weight", "head.bias"}),
        (
            '[weights("head.bias"), weights("hidden.1.**")]',
            {"head.bias", "hidden.1.linear.weight", "hidden.1.linear.bias"},
        ),
        (
            'weights("{norm,head}.**")',
            {"head.weight", "head.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"}
            | {"norm.num_batches_tracked"},
        ),
    ],
)
def test_what_is_not_trained_stays_in_every_bit(tmp_path: Path, train: str, moved: set[str]) -> None:
    spec = catdl.load(prepare(tmp_path, CUT.replace("TRAIN", train)))
    run = spec.learner("tail").run()
    before = {key: value.clone() for key, value in run.net.trained.state_dict().items()}
    run.train(lambda row: None)
    after = run.net.trained.state_dict()
    assert {key for key, value in after.items() if not torch.equal(value, before[key])} == moved
    grads = {key for key, value in run.net.trained.named_parameters() if value.grad is not None}
    assert grads == {key for key in moved if "running" not in key and "num" not in key}


def test_a_copy_is_made_every_few_steps(tmp_path: Path) -> None:
    run = catdl.load(prepare(tmp_path, TURNS)).learner("follower").run()
    weight = run.net.named["w.linear.weight"]
    past = run.net.named["past.linear.weight"]
    assert torch.equal(weight, past)
    order = torch.arange(150)
    for step in range(1, 8):
        at_three = weight.clone() if step % 3 else None
        run.step(order[:16])
        assert torch.equal(weight, past) == (step % 3 == 0)
        assert at_three is None or not torch.equal(weight, at_three)
        assert past.grad is None


def test_averaged_weights_are_those_that_count(tmp_path: Path) -> None:
    spec = prepare(tmp_path, TURNS)
    rows: list[dict[str, float]] = []
    out = tmp_path / "out"
    net = catdl.load(spec).learner("follower").fit(out, told=rows.append)
    kept, last = (load_file(out / name) for name in ("weights.safetensors", "last.safetensors"))
    given = {key: value for key, value in net.state_dict().items() if key in kept}
    assert all(torch.equal(value, kept[key]) for key, value in given.items())
    assert not torch.equal(kept["w.linear.weight"], last["w.linear.weight"])
    told = json.loads(command(spec, "eval", "follower", "--weights", str(out / "weights.safetensors"), "--json"))
    assert told["loss"] == pytest.approx(rows[-1]["loss"])
    assert told["accuracy_of"] == pytest.approx(rows[-1]["accuracy_of"])


def command(spec: Path, verb: str, *words: str, fails: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "catdl", verb, str(spec), *words]
    done = subprocess.run(line, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == fails, done.stderr
    return done.stderr if fails else done.stdout


def test_the_commands_know_learners_that_take_turns(tmp_path: Path) -> None:
    spec = prepare(tmp_path, TURNS[: TURNS.index("morphism net")])
    out = tmp_path / "out"
    told = command(spec, "train", "--dry-run", "--set", "critic.batch=8", "--set", "artist.optimizer.lr=1")
    assert "critic: loss" in told
    assert "artist: loss" in told
    assert not out.exists()
    command(spec, "train", "-o", str(out), "--set", "stop=epochs(1)")
    again = command(spec, "train", "-o", str(out), "--resume", "--set", "stop=epochs(2)")
    assert "epoch 2" in again
    assert "epoch 1" not in again
    logged = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    weights = str(out / "artist" / "weights.safetensors")
    found = json.loads(command(spec, "eval", "artist", "--weights", weights, "--json"))
    assert found["loss"] == pytest.approx(logged["artist.loss"], rel=1e-5)
    command(spec, "predict", "artist", "--weights", weights, "-o", str(tmp_path / "y.npz"))
    with np.load(tmp_path / "y.npz") as file:
        assert file["y"].shape == (150, 4)
    assert "`critic` or `artist`" in command(spec, "eval", "--weights", weights, fails=1)
    assert "does not say its `stop`" in command(spec, "train", "critic", "-o", str(tmp_path / "alone"), fails=1)
    command(spec, "train", "critic", "-o", str(tmp_path / "alone"), "--set", "stop=epochs(1)")


def test_two_that_train_the_same_weights_say_so(tmp_path: Path) -> None:
    text = EVEN.replace("train     = c\n", "train     = [a, c]\n")
    run = catdl.load(prepare(tmp_path, text)).learner("play").training()
    assert isinstance(run, Rounds)
    weight = run.runs[0].net.named["a.up.weight"]
    seen: list[Tensor] = []
    for part in run.runs:
        step = part.optimizer.step

        def noted(step: object = step) -> None:
            step()  # type: ignore[operator]
            seen.append(weight.detach().clone())

        part.optimizer.step = noted  # type: ignore[method-assign,assignment]
    run.round()
    assert len(seen) == 3
    assert len({tuple(one.flatten().tolist()) for one in seen}) == 3
    with pytest.raises(CheckError, match="both train `a`"):
        catdl.load(prepare(tmp_path, text.replace("    train     = [a, c]\n", ""))).learner("play")


def test_two_processes_take_the_turns_of_one(tmp_path: Path) -> None:
    spec = prepare(tmp_path, EVEN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    train = ["-m", "catdl", "train", str(spec), "play", "-o", str(tmp_path / "two")]
    done = subprocess.run([*torchrun, *train], env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    catdl.load(spec).learner("play").fit(tmp_path / "one")
    for name in ("critic", "artist"):
        one, two = (load_file(tmp_path / place / name / "weights.safetensors") for place in ("one", "two"))
        for key, value in one.items():
            torch.testing.assert_close(two[key], value, rtol=0, atol=1e-9)
