"""Learners on samples that differ in size: every form of file is the same data, and every cut the same step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import catdl
from catdl.driver import CheckError
from tests.learn.ragged import COUNT, NAMED, Sample, learner, lengths, lists, packed, padded, samples, write

ROOT = Path(__file__).parent.parent.parent
FORMS = ["lengths", "offsets", "by name", "counted", "padded", "masks", "mixed", "safetensors", "safetensors, padded"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["whole", "parts"])
def test_every_form_is_the_same_data(tmp_path: Path, form: str, name: str) -> None:
    same(tmp_path, form, name)


@pytest.mark.parametrize("name", ["whole", "parts"])
def test_lists_are_the_same_data(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    same(tmp_path, "parquet", name)


def same(folder: Path, form: str, name: str) -> None:
    """Whether what is taken is what `pack` makes of the samples, in any order."""
    given = learner(folder, name, *write(folder, form))
    run = given.run()
    found, last = samples(), "y" if name == "whole" else "z"
    assert run.data.learn.count == COUNT
    spec = given.spec["graphs"]
    for index in ([3, 4, 20, 0], [4], list(range(COUNT))):
        batch = run.data.learn.take(torch.tensor(index))
        wanted = spec.pack([{port: found[k][port] for port in ("x", "source", "goal")} for k in index])
        for here, there in zip(batch.inputs, wanted.inputs, strict=False):
            assert isinstance(here, torch.Tensor) and isinstance(there, torch.Tensor)
            torch.testing.assert_close(here, there.to(here.dtype), atol=1e-6, rtol=0)
        assert {dim: at.tolist() for dim, at in batch.offsets.items()} == {
            dim: at.tolist() for dim, at in wanted.offsets.items()
        }
        target = batch.inputs[-1]
        assert isinstance(target, torch.Tensor)
        assert target.tolist() == np.concatenate([np.atleast_1d(found[k][last]) for k in index]).tolist()


def by_hand(folder: Path, name: str, batch: int) -> dict[str, torch.Tensor]:
    """The loop that anyone would write, sample by sample."""
    from catdl.learn.fit import shuffled

    torch.manual_seed(0)
    spec = catdl.load(folder / "ragged.cat")["graphs" if name == "whole" else "nodes"]
    model = spec.compile().double()
    found, last = samples(), "y" if name == "whole" else "z"
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(2):
        for index in shuffled(COUNT, 0, epoch, False).split(batch):
            total, weight = torch.zeros((), dtype=torch.float64), 0
            for k in index.tolist():
                one = spec.pack([{port: found[k][port] for port in ("x", "source", "goal")}]).to(torch.float64)
                x = torch.as_tensor(found[k]["x"])
                logits = model(x, *one.inputs[1:], **one.offsets).reshape(-1, 4)
                label = torch.as_tensor(np.atleast_1d(found[k][last]))
                total = total + torch.nn.functional.cross_entropy(logits, label, reduction="sum")
                weight += len(label)
            optimizer.zero_grad()
            (total / weight).backward()
            optimizer.step()
    return dict(model.state_dict())


def close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["whole", "parts"])
@pytest.mark.parametrize("accumulate", ["1", "3", "7"])
def test_a_batch_is_one_batch_however_it_is_cut(tmp_path: Path, name: str, accumulate: str) -> None:
    given = learner(tmp_path, name, *write(tmp_path, "lengths"), accumulate=accumulate)
    close(dict(given.fit().state_dict()), by_hand(tmp_path, name, 7))


@pytest.mark.parametrize("name", ["whole", "parts"])
def test_two_processes_do_what_one_does(tmp_path: Path, name: str) -> None:
    given = learner(tmp_path, name, *write(tmp_path, "lengths"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    train = ["-m", "catdl", "train", str(tmp_path / "ragged.cat"), name, "-o", str(tmp_path / "two")]
    done = subprocess.run([*torchrun, *train], env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    given.fit(tmp_path / "one")
    close(*(load_file(tmp_path / place / "weights.safetensors") for place in ("two", "one")))


def test_shares_are_held_out_and_what_was_cut_off_goes_on(tmp_path: Path) -> None:
    given = learner(tmp_path, "parts", *write(tmp_path, "lengths"), stop="epochs(3)")
    given = given.with_setting("validate", None, "0.25")
    rows: list[dict[str, float]] = []
    given.fit(tmp_path / "whole", told=rows.append)
    assert len(rows) == 3 and 0 <= rows[-1]["right"] <= 1
    given.with_setting("stop", None, "epochs(1)").fit(tmp_path / "cut")
    given.fit(tmp_path / "cut", resume=True)
    one, two = (load_file(tmp_path / place / "weights.safetensors") for place in ("whole", "cut"))
    assert all(torch.equal(value, two[key]) for key, value in one.items())


def test_what_is_predicted_has_offsets(tmp_path: Path) -> None:
    given = learner(tmp_path, "parts", *write(tmp_path, "lengths"))
    given.fit(tmp_path / "out")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def predict(file: str) -> subprocess.CompletedProcess[str]:
        weights = ["--weights", str(tmp_path / "out" / "weights.safetensors"), "-o", str(tmp_path / file)]
        command = [sys.executable, "-m", "catdl", "predict", str(tmp_path / "ragged.cat"), "parts", *weights]
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)

    assert predict("y.npz").returncode == 0
    with np.load(tmp_path / "y.npz") as file:
        assert file["N"].tolist() == np.cumsum([0, *lengths(samples())["nodes"]]).tolist()
        assert file["y"].shape == (file["N"][-1], 4)
    refused = predict("y.csv")
    assert refused.returncode == 2 and "goes into .npz" in refused.stderr


def changed(sample: int, **columns: Callable[[Any], Any]) -> list[Sample]:
    """The samples with some columns of one of them changed."""
    found = samples()
    found[sample] = {name: columns.get(name, lambda value: value)(value) for name, value in found[sample].items()}
    return found


@pytest.mark.parametrize(
    ("columns", "sizes", "words"),
    [
        ({**packed(samples())}, "", "nothing says how many elements each sample has along `E`"),
        ({**packed(samples()), **lengths(samples())}, ", N = nodes, E = many", "there is no column `many`"),
        ({**packed(samples()), "N": np.ones(COUNT, int), "E": lengths(samples())["edges"]}, "",
         "neither lengths nor"),
        ({**packed(samples()), "N": -np.ones(COUNT, int), "E": lengths(samples())["edges"]}, "", "no lengths, offsets"),
        ({**padded(samples()), **lengths(samples()), "nodes": lengths(samples())["nodes"] + 8}, NAMED,
         "has 8 along `N` in sample 0, and `nodes` says"),
        ({**packed(changed(5, source=lambda at: at + 50)), **lengths(samples())}, NAMED,
         "holds 5. in sample 5, which is no index of one of its"),
        ({**packed(changed(6, z=lambda label: label + 7)), **lengths(samples())}, NAMED,
         "in sample 6, which is not an index below 4"),
        ({**packed(changed(7, x=lambda x: x * np.nan)), **lengths(samples())}, NAMED, "holds nan in sample 7"),
        ({**packed(samples()), **lengths(samples()), "x": np.zeros((5, 3, 3, 3))}, NAMED, "has 3×3×3 in each row"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(tmp_path: Path, columns: dict[str, Any], sizes: str, words: str) -> None:
    np.savez(tmp_path / "a.npz", **columns)
    with pytest.raises(CheckError, match=words):
        learner(tmp_path, "parts" if "z" in columns else "whole", "a.npz", sizes).run()


def test_a_gap_in_a_mask_is_told(tmp_path: Path) -> None:
    found = samples()
    mask = np.arange(padded(found)["x"].shape[1]) < lengths(found)["nodes"][:, None]
    mask[3, -1] = True
    columns: dict[str, Any] = {**padded(found), **lengths(found), "nodes": mask}
    np.savez(tmp_path / "a.npz", **columns)
    with pytest.raises(CheckError, match="behind a gap in sample 3"):
        learner(tmp_path, "whole", "a.npz", NAMED).run()


def test_numbers_that_may_be_read_in_two_ways_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.cat").write_text("""
dim T : var, V = 5
morphism loss : Fin(V)[T] -> Nats = text => cross_entropy(text >> embed(3) >> linear(V), text)
learner t {
    data = table("a.npz", input = x, T = t)
    loss = loss
    optimizer = adam
    stop = epochs(1)
}
""")
    np.savez(tmp_path / "a.npz", x=np.arange(5), t=np.array([0, 0, 5]))
    with pytest.raises(CheckError, match="may be read as lengths"):
        catdl.load(tmp_path / "t.cat").learner("t").run()


def test_lists_of_one_sample_that_differ_are_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    lists(tmp_path / "a.parquet", changed(9, goal=lambda at: at[:-1]))
    with pytest.raises(CheckError, match="along `E` in sample 9, and another column says"):
        learner(tmp_path, "whole", "a.parquet").run()
    none = [None if k == 2 else np.asarray(s["x"]).tolist() for k, s in enumerate(samples())]
    lists(tmp_path / "a.parquet", samples(), {"x": none})
    with pytest.raises(CheckError, match="holds no list in sample 2"):
        learner(tmp_path, "whole", "a.parquet").run()
