"""Losses that look across the batch: the loop by hand, several processes, whole batches, what is refused."""

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

import catdl
from catdl.driver import CheckError, Trainable
from catdl.learn.fit import shuffled

ROOT = Path(__file__).parent.parent.parent
COUNT, BATCH = 45, 10

TEXT = """
dim B : batch, A = 6, Z = 4, Class = 3
morphism encoder : Real[A] -> Real[Z] = linear(8) >> tanh >> linear
morphism both(tied f : Real[A] -> Real[Z]) : Real[A] @ Real[A] -> Real[Z] @ Real[Z] = f @ f
morphism views : Real[A] @ Real[A] -> Real[Z] @ Real[Z] = both(encoder)

param heat : Real ~ constant(1)

## Each view has to find the other one of its own sample.
morphism infonce : Real[B, Z] @ Real[B, Z] -> Nats = (a, b) => {
    scores = exp(heat) * contract[Z](normalize(a), rename[B -> B'](normalize(b)))
    as[Nats](mean[B](logsumexp[B'](scores) - pick[B'](scores, index[B])))
}
morphism found : Real[B, Z] @ Real[B, Z] -> Real = (a, b) => {
    scores = contract[Z](normalize(a), rename[B -> B'](normalize(b)))
    mean[B](real(real(argmax[B'](scores)) == real(index[B])))
}
## Samples of one class are to be near each other: the loss takes labels, and is a sum with its weight.
morphism pairs : Real[B, Z] @ Real[B, Z] @ Fin(Class)[B] -> Mean = (a, b, label) => {
    same = real(over[B, B'](real(label) == real(rename[B -> B'](label))))
    (x = abs(contract[Z](a, rename[B -> B'](b)) - same), weight = 1 + same) >> mean_of
}


learner contrast {
    data      = table("two.npz", input_1 = x, input_2 = y)
    model     = views
    loss      = infonce
    metrics   = [found]
    optimizer = sgd(lr = 0.1, momentum = 0.9)
    stop      = epochs(3)
    batch     = 10
    precision = "float64"
}
learner labelled {
    data      = table("two.npz", input_1 = x, input_2 = y, target = label)
    model     = views
    loss      = pairs
    optimizer = sgd(lr = 0.1)
    stop      = epochs(2)
    batch     = 10
    precision = "float64"
}
learner alone {
    data      = table("two.npz", input_1 = x, input_2 = y)
    loss      = joined
    optimizer = sgd(lr = 0.1)
    stop      = epochs(2)
    batch     = 10
    precision = "float64"
}
morphism joined : Real[B, A] @ Real[B, A] -> Nats = (x, y) => {
    a, b = (x, y) >> map[B](tied views)
    infonce(a, b)
}
"""


def prepare(folder: Path, text: str = TEXT) -> Path:
    """Two noisy views of samples that are in classes."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(COUNT, 6))
    np.savez(folder / "two.npz", x=x, y=x + 0.3 * draw.normal(size=x.shape), label=draw.integers(0, 3, COUNT))
    (folder / "two.cat").write_text(text, encoding="utf-8")
    return folder / "two.cat"


def learner(folder: Path, name: str) -> Trainable:
    spec = catdl.load(prepare(folder))
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    return spec.learner(name)


def close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], atol: float) -> None:
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=atol)


def by_hand(folder: Path, name: str, epochs: int) -> dict[str, torch.Tensor]:
    """The loop that anyone would write; what is left over of an epoch makes no batch."""
    torch.manual_seed(0)
    model = catdl.load(folder / "two.cat")["views"].compile().double()
    heat = torch.ones((), dtype=torch.float64, requires_grad=True)
    with np.load(folder / "two.npz") as file:
        x, y, label = (torch.from_numpy(file[key]) for key in ("x", "y", "label"))
    optimizer = torch.optim.SGD([*model.parameters(), heat], lr=0.1, momentum=0.9 if name == "contrast" else 0)
    for epoch in range(epochs):
        for index in shuffled(COUNT, 0, epoch, False).split(BATCH)[: COUNT // BATCH]:
            a, b = model(x[index], y[index])
            if name == "labelled":
                same = (label[index][:, None] == label[index]).double()
                loss = ((a @ b.T - same).abs() * (1 + same)).sum() / (1 + same).sum()
            else:
                loss = F.cross_entropy(heat.exp() * F.normalize(a) @ F.normalize(b).T, torch.arange(len(index)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return dict(model.state_dict())


@pytest.mark.parametrize(("name", "epochs"), [("contrast", 3), ("labelled", 2)])
def test_it_is_the_loop_by_hand(tmp_path: Path, name: str, epochs: int) -> None:
    net = learner(tmp_path, name).fit()
    close(dict(net.state_dict()), by_hand(tmp_path, name, epochs), 1e-10)


@pytest.mark.parametrize("name", ["contrast", "labelled", "alone"])
def test_three_processes_do_what_one_does(tmp_path: Path, name: str) -> None:
    given = learner(tmp_path, name)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3"]
    train = ["-m", "catdl", "train", str(tmp_path / "two.cat"), name, "-o", str(tmp_path / "many")]
    done = subprocess.run([*torchrun, *train], env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, float]] = []
    given.fit(tmp_path / "one", told=rows.append)
    many, one = (load_file(tmp_path / place / "weights.safetensors") for place in ("many", "one"))
    close(many, one, 1e-10)
    told = (tmp_path / "many" / "log.jsonl").read_text().splitlines()
    assert len(told) == len(rows)
    for line, row in zip(told, rows, strict=True):
        assert {key: json.loads(line)[key] for key in row} == pytest.approx(row, abs=1e-9)


def test_what_is_measured_is_a_mean_over_whole_batches(tmp_path: Path) -> None:
    run = learner(tmp_path, "contrast").run()
    run.train(lambda row: None)
    assert run.progress.step == 3 * (COUNT // BATCH)
    values = run.measure(run.data.learn)
    spec = catdl.load(tmp_path / "two.cat")
    found = spec["found"].compile().double()
    with torch.no_grad():
        losses = []
        for index in torch.arange(COUNT).split(BATCH)[: COUNT // BATCH]:
            x, y = run.data.learn.take(index).inputs
            assert isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor)
            losses.append(found(*run.net.trained(x, y)))
    assert values["found"] == pytest.approx(float(torch.stack(losses).mean()))


def test_what_was_cut_off_goes_on(tmp_path: Path) -> None:
    given = learner(tmp_path, "contrast")
    given.fit(tmp_path / "whole")
    given.with_setting("stop", None, "steps(6)").fit(tmp_path / "cut")
    given.fit(tmp_path / "cut", resume=True)
    one, two = (load_file(tmp_path / place / "weights.safetensors") for place in ("whole", "cut"))
    assert all(torch.equal(value, two[key]) for key, value in one.items())


def test_fewer_samples_than_a_batch_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="looks across 46 samples"):
        learner(tmp_path, "contrast").with_setting("batch", None, "46").run()
