"""Metrics and data sets of other packages: run only where allowed, told of what they do wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import catdl
from catdl.driver import CheckError
from tests.learn.specs import prepare, two_processes

MODULE = """
import torch
from torch.utils.data import Dataset, IterableDataset

class Pairs(Dataset):
    def __init__(self, count, form="tuple", wrong=None):
        self.x = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
        self.form, self.wrong = form, wrong
    def __len__(self):
        return len(self.x)
    def __getitem__(self, k):
        x, y = self.x[k], int(self.x[k].argmax()) % 3
        if k == self.wrong:
            x, y = x[:3], y
        if k == 40 and self.wrong == "class":
            y = 3
        if k == 50 and self.wrong == "raise":
            raise RuntimeError("no such sample")
        return {"tuple": (x, y), "dict": {"x": x, "y": y}, "object": type("Pair", (), {"x": x, "y": y})()}[self.form]

class Stream(IterableDataset):
    def __iter__(self):
        return iter(())

class Last:
    def __init__(self, scale=1): self.scale = scale
    def reset(self): self.count = 0
    def update(self, y, target): self.count += len(target)
    def compute(self): return self.count * self.scale

class Many(Last):
    def compute(self): return torch.zeros(3)

class Bad(Last):
    def update(self, y): pass
"""

SPEC = """
dim D = 4, Class = 3
morphism still : Real[D] -> Logits[Class] = up: linear(8) >> tanh >> linear
learner quiet {
    data      = DATA
    validate  = 0.2
    model     = still
    loss      = cross_entropy
    optimizer = sgd(lr = 0.1, momentum = 0.9)
    metrics   = METRICS
    stop      = epochs(2)
    batch     = 16
}
"""
TABLE = 'table("train.npz", input = x, target = y)'


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of someone else's."""
    (tmp_path / "outside_samples.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("outside_samples", None)
    yield
    sys.modules.pop("outside_samples", None)


def learner(folder: Path, data: str = TABLE, metrics: str = "[accuracy]") -> Any:
    spec = catdl.load(prepare(folder, SPEC.replace("DATA", data).replace("METRICS", metrics)))
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    return spec.learner("quiet")


@pytest.mark.parametrize(
    ("data", "metrics"),
    [
        ('python("outside_samples:Pairs", count = 9, input = 0, target = 1)', "[accuracy]"),
        (TABLE, '[python("outside_samples:Last")]'),
    ],
)
def test_nothing_runs_that_is_not_allowed(tmp_path: Path, data: str, metrics: str) -> None:
    given = learner(tmp_path, data, metrics)
    assert "outside_samples" not in sys.modules
    with pytest.raises(CheckError, match="`outside_samples`, which is not allowed"):
        given.run()
    with pytest.raises(CheckError, match="not allowed"):
        given.fit(allow=["outside"])
    assert "outside_samples" not in sys.modules
    given.fit(allow=["outside_samples"])


@pytest.mark.parametrize(
    ("form", "columns"),
    [("tuple", "input = 0, target = 1"), ("dict", "input = x, target = y"), ("object", "input = x, target = y")],
)
def test_a_data_set_is_what_a_table_of_it_would_be(tmp_path: Path, form: str, columns: str) -> None:
    data = f'python("outside_samples:Pairs", count = 90, form = "{form}", {columns})'
    net = learner(tmp_path, data).fit(allow=["outside_samples"])
    from outside_samples import Pairs  # type: ignore[import-not-found]

    samples = [Pairs(90)[k] for k in range(90)]
    x, y = (np.stack([np.asarray(sample[k]) for sample in samples]) for k in (0, 1))
    other = tmp_path / "other"
    other.mkdir()
    given = learner(other, 'table("pairs.npz", input = x, target = y)')
    np.savez(other / "pairs.npz", x=x, y=y)
    run = given.run()
    lazily = run.data.learn
    object.__setattr__(lazily, "lazy", True)  # in the order of what is not in memory
    run.train(lambda row: None)
    for key, value in run.net.trained.state_dict().items():
        assert torch.equal(net.state_dict()[key], value)


@pytest.mark.parametrize(
    ("target", "columns", "words"),
    [
        ("Pairs", "count = 90, wrong = 40, input = 0, target = 1", "sample 40 has 3, and `input` is"),
        ("Pairs", 'count = 90, wrong = "class", input = 0, target = 1', "holds 3 in sample 40, which is not an index"),
        ("Pairs", 'count = 90, wrong = "raise", input = 0, target = 1', "sample 50: RuntimeError: no such sample"),
        ("Pairs", "count = 90, input = 0, target = 2", "sample 0 has no `2`"),
        ("Pairs", 'count = 90, form = "dict", input = x, target = z', "sample 0 has no `z`"),
        ("Pairs", "count = 0, input = 0, target = 1", "no samples"),
        ("Pairs", "input = 0, target = 1", "cannot be made: TypeError"),
        ("Stream", "input = 0, target = 1", "has no length and no samples by number"),
        ("Nowhere", "input = 0, target = 1", "has no `Nowhere`"),
        ("Pairs", "count = 90, input = 1, target = 1", "sample 0 has one number, and `input` is"),
    ],
)
def test_what_a_data_set_does_wrong_is_told(tmp_path: Path, target: str, columns: str, words: str) -> None:
    given = learner(tmp_path, f'python("outside_samples:{target}", {columns})')
    with pytest.raises(CheckError, match=words):
        given.fit(allow=["outside_samples"])


def test_a_package_that_is_not_there_is_told(tmp_path: Path) -> None:
    given = learner(tmp_path, metrics='[python("no_such_package:F1")]')
    with pytest.raises(CheckError, match="`no_such_package:F1` cannot be imported: ModuleNotFoundError"):
        given.run(allow=["no_such_package"])


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("Many", "gives 3 numbers, and a metric is one number"),
        ("Bad", "does not take what the model gives and the targets: TypeError"),
        ("Pairs", "cannot be made"),
        ("Stream", "is no metric: it has no `update`"),
    ],
)
def test_what_a_metric_does_wrong_is_told(tmp_path: Path, metric: str, words: str) -> None:
    given = learner(tmp_path, metrics=f'[python("outside_samples:{metric}")]')
    with pytest.raises(CheckError, match=words):
        given.fit(allow=["outside_samples"])


def test_a_metric_sees_all_samples_once(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    given = learner(tmp_path, metrics='[accuracy, seen: python("outside_samples:Last", scale = 2)]')
    given.fit(told=rows.append, allow=["outside_samples"])
    assert [row["seen"] for row in rows] == [60, 60]


def test_a_check_imports_nothing(tmp_path: Path) -> None:
    spec = prepare(tmp_path, SPEC.replace("DATA", TABLE).replace("METRICS", '[python("torchmetrics:F1Score")]'))
    script = f"import catdl, sys; s = catdl.load({str(spec)!r}); print(s.diagnostics, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["[]", "False"]


F1 = '[accuracy, f1: python("torchmetrics.classification:MulticlassF1Score", num_classes = 3, average = "macro")]'


def test_f1_is_that_of_the_whole_pass(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    from torchmetrics.functional.classification import multiclass_f1_score

    rows: list[dict[str, Any]] = []
    given = learner(tmp_path, metrics=F1).with_setting("stop", None, "patience(f1, 3) | epochs(3)")
    run = given.run(allow=["torchmetrics"])
    run.train(rows.append)
    validate = run.data.validate
    assert validate is not None
    x, y = validate.take(torch.arange(validate.count)).inputs
    wanted = multiclass_f1_score(run.net.trained.eval()(x), y, num_classes=3, average="macro")
    assert max(row["f1"] for row in rows) == pytest.approx(float(wanted))
    assert run.progress.rising == {"f1": True}


def test_f1_of_two_processes_is_that_of_one(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    spec = prepare(tmp_path, SPEC.replace("DATA", TABLE).replace("METRICS", F1))
    rows: list[dict[str, Any]] = []
    catdl.load(spec).learner("quiet").fit(told=rows.append, allow=["torchmetrics"])
    two = two_processes(spec, "quiet", tmp_path / "two", "--allow", "torchmetrics")
    assert [row["f1"] for row in two] == [pytest.approx(row["f1"], abs=1e-6) for row in rows]


def test_which_way_is_better_is_what_the_metric_says(tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    metrics = '[worse: python("torchmetrics.regression:MeanSquaredError")]'
    text = SPEC.replace("cross_entropy", "squared").replace("DATA", 'table("train.npz", input = x, target = x)')
    text = text.replace("Logits[Class]", "Real[D]").replace("METRICS", metrics)
    text += "morphism squared : Real[D] @ Real[D] -> Real = (y, target) => mean[D]((y - target) * (y - target))\n"
    given = (
        catdl.load(prepare(tmp_path, text))
        .learner("quiet")
        .with_setting("stop", None, "patience(worse, 2) | epochs(4)")
    )
    rows: list[dict[str, Any]] = []
    run = given.run(allow=["torchmetrics"])
    run.train(rows.append)
    assert [row["worse"] for row in rows] == [pytest.approx(row["loss"], rel=1e-4) for row in rows]
    assert run.progress.best["worse"]["value"] == min(row["worse"] for row in rows)
