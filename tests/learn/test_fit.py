"""A run does what the same loop written by hand does, however a batch is cut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import catdl
from catdl.learn.fit import shuffled
from catdl.learn.ranks import Ranks
from catdl.learn.refuse import Refused
from catdl.learn.shards import spread
from catdl.learn.stopping import Progress
from tests.learn.specs import TEXT, learner, prepare, two_processes

SCALED = """
param scale : Real ~ ones
morphism times : Real[D] -> Logits[Class] = x => linear(x) * scale
learner scaled {
    data      = table("train.npz", input = x, target = y)
    model     = times
    loss      = cross_entropy
    optimizer = sgd(lr = 0.1)
    stop      = epochs(1)
}
"""

ROOT = Path(__file__).parent.parent.parent


def by_hand(folder: Path, epochs: int, weighed: bool) -> dict[str, torch.Tensor]:
    """The loop that anyone would write, on the same samples in the same order."""
    torch.manual_seed(0)
    model = catdl.load(folder / "spec.cat")["still"].compile().double()
    with np.load(folder / "train.npz") as file:
        x, y = torch.from_numpy(file["x"]).double(), torch.from_numpy(file["y"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.0 if weighed else 0.9)
    for epoch in range(epochs):
        for index in shuffled(len(x), 0, epoch, False).split(16):
            losses = F.cross_entropy(model(x[index]), y[index], reduction="none")
            weight = 1 + x[index].sum(-1).abs() if weighed else torch.ones(len(index), dtype=torch.float64)
            loss = (losses * weight).sum() / weight.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return dict(model.state_dict())


def close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("accumulate", ["1", "3", "16"])
def test_a_step_is_one_step_however_its_batch_is_cut(tmp_path: Path, accumulate: str) -> None:
    net = learner(tmp_path, "quiet", accumulate=accumulate).fit()
    close(dict(net.state_dict()), by_hand(tmp_path, 2, weighed=False))


@pytest.mark.parametrize("accumulate", ["1", "5"])
def test_a_mean_is_divided_once(tmp_path: Path, accumulate: str) -> None:
    net = learner(tmp_path, "weighed", accumulate=accumulate).fit()
    found = {key.removeprefix("still."): value for key, value in net.state_dict().items()}
    close(found, by_hand(tmp_path, 2, weighed=True))


@pytest.mark.parametrize("name", ["quiet", "weighed"])
def test_two_processes_do_what_one_does(tmp_path: Path, name: str) -> None:
    spec = prepare(tmp_path)
    rows = two_processes(spec, name, tmp_path / "two")
    catdl.load(spec).learner(name).fit(tmp_path / "one")
    one, two = (load_file(tmp_path / place / "weights.safetensors") for place in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=1e-9)
    assert len(rows) == 2


def test_what_is_measured(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    given = learner(tmp_path, "noisy", stop="epochs(30)")
    run = given.run(tmp_path / "out")
    run.train(rows.append)
    assert [row["epoch"] for row in rows] == list(range(1, 31))
    assert rows[-1]["accuracy"] > 0.85
    assert rows[0]["rate"] < 0.01  # warming up
    assert rows[-1]["rate"] < 1e-4
    validate = run.data.validate
    assert validate is not None
    x, y = validate.take(torch.arange(validate.count)).inputs
    assert isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor)
    net = run.net.trained.eval()
    assert rows[-1]["loss"] == pytest.approx(F.cross_entropy(net(x), y).item(), rel=1e-5)
    assert rows[-1]["accuracy"] == pytest.approx((net(x).argmax(-1) == y).float().mean().item())
    learned = set(range(150))
    held = {tuple(row) for row in x.tolist()}
    with np.load(tmp_path / "train.npz") as file:
        assert held <= {tuple(row) for row in file["x"].tolist()}
    assert run.data.learn.count + validate.count == len(learned)
    seen = run.data.learn.take(torch.arange(run.data.learn.count)).inputs[0]
    assert isinstance(seen, torch.Tensor)
    assert not held & {tuple(row) for row in seen.tolist()}


@pytest.mark.parametrize(
    ("stop", "epochs"),
    [
        ("epochs(3)", 3),
        ("steps(20)", 2),
        ("epochs(2) | steps(1000)", 2),
        ("epochs(2) & steps(15)", 2),
        ("target(accuracy, 0) | epochs(9)", 1),
        ("patience(loss, 0) | epochs(9)", 1),
    ],
)
def test_when_it_stops(tmp_path: Path, stop: str, epochs: int) -> None:
    run = learner(tmp_path, "noisy", stop=stop, batch="12").run()
    progress = run.train(lambda row: None)
    assert isinstance(progress, Progress)
    assert progress.epoch == epochs or (stop == "steps(20)" and progress.step == 20)


def test_groups_have_rates_of_their_own(tmp_path: Path) -> None:
    groups = '[weights("up.*", lr = 0.5), weights("**.bias", weight_decay = 0)]'
    run = learner(tmp_path, "noisy", groups=groups).run()
    sizes = [(len(group["params"]), group["lr"], group["weight_decay"]) for group in run.optimizer.param_groups]
    assert sizes == [(1, 0.01, 0.01), (2, 0.5, 0.01), (1, 0.01, 0.0)]


def test_the_commands_together(tmp_path: Path) -> None:
    spec = prepare(tmp_path)
    out = tmp_path / "out"

    def catdl_(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "catdl", *words]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    catdl_("train", str(spec), "noisy", "-o", str(out), "--set", "stop=epochs(2)")
    weights = str(out / "weights.safetensors")
    told = json.loads(catdl_("eval", str(spec), "noisy", "--weights", weights, "--json"))
    logged = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    measures = {name: pytest.approx(logged[name]) for name in ("loss", "accuracy")}
    assert told == {"on": "validate", "samples": 30, **measures}
    catdl_("predict", str(spec), "noisy", "--weights", weights, "-o", str(tmp_path / "y.npz"))
    catdl_("predict", str(spec), "noisy", "--weights", weights, "-o", str(tmp_path / "y.csv"))
    with np.load(tmp_path / "y.npz") as file:
        assert file["y"].shape == (150, 3)
        table = np.loadtxt(tmp_path / "y.csv", delimiter=",", skiprows=1)
        np.testing.assert_allclose(table, file["y"], rtol=1e-5)


def test_two_processes_with_half_the_weights_each_do_what_one_does(tmp_path: Path) -> None:
    name = "noisy"
    text = TEXT.replace("dropout(p = 0.2)", "id").replace("cosine(warmup = 3)", 'constant\n    precision = "float64"')
    spec = prepare(tmp_path, text)
    two = tmp_path / "two"
    two_processes(spec, name, two, "--shard", "--set", "stop=epochs(1)")
    rows = two_processes(spec, name, two, "--shard", "--resume", "--set", "stop=epochs(3)")
    told: list[dict[str, Any]] = []
    catdl.load(spec).learner(name).with_setting("stop", None, "epochs(3)").fit(tmp_path / "one", told=told.append)
    assert [row["loss"] for row in rows] == [pytest.approx(row["loss"], abs=1e-6) for row in told]
    one = tmp_path / "one"
    for file in ("weights.safetensors", "checkpoint.safetensors"):
        whole, gathered = load_file(one / file), load_file(two / file)
        assert whole.keys() == gathered.keys()
        for key, value in whole.items():
            if not key.startswith("chance"):
                torch.testing.assert_close(gathered[key], value, rtol=0, atol=1e-6)
    more = catdl.load(spec).learner(name).with_setting("stop", None, "epochs(4)")
    more.fit(two, resume=True)  # and one process goes on from where two were


def test_weights_that_cannot_be_spread_are_told(tmp_path: Path) -> None:
    spec = catdl.load(prepare(tmp_path, TEXT + SCALED))
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    run = spec.learner("scaled").run()
    with pytest.raises(Refused, match="spread over processes, found a weight without axes"):
        spread(run.net, run.plan, Ranks(2, 0, True), run.device)
