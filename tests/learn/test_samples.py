"""Columns are what the spec says, in every format, or the row is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

import catdl
from catdl.driver import CheckError
from catdl.learn import tables

SPEC = (
    """
dim D = 2, Class = 3, T
morphism net : Real[D] -> Logits[Class] = linear
morphism soft : Real[T, D] -> Logits[T, Class] = linear
learner plain {{
    data = table("{file}", input = x, target = y)
    model = net, loss = cross_entropy, optimizer = adam, stop = epochs(1)
}}
learner moved {{
    data = table("{file}", input = x * 2 - 1, target = y)
    model = net, loss = cross_entropy, optimizer = adam, stop = epochs(1)
}}
learner halved {{
    data = table("{file}", input = x, target = y / 2)
    model = net, loss = cross_entropy, optimizer = adam, stop = epochs(1)
}}
learner shares {{
    data = table("{file}", input = x, target = p)
    model = net, loss = soft_cross_entropy, optimizer = adam, stop = epochs(1)
}}
learner long {{
    data = table("{file}", input = x, target = y)
    model = soft, loss = cross_entropy, optimizer = adam, stop = epochs(1)
}}
""".replace(", loss", "\n    loss")
    .replace(", optimizer", "\n    optimizer")
    .replace(", stop", "\n    stop")
)

X = np.array([[0.5, 1.0], [2.0, -1.0], [3.0, 0.25]], np.float32)
Y = np.array([0, 2, 1])


def npz(path: Path) -> None:
    np.savez(path, x=X, y=Y)


def safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"x": X, "y": Y}, path)


def comma(path: Path) -> None:
    rows = "\n".join(f"{a},{b},{c}" for (a, b), c in zip(X, Y, strict=True))
    path.write_text(f"x_0,x_1,y\n{rows}\n")


def run_of(folder: Path, name: str, file: str) -> Any:
    (folder / "spec.cat").write_text(SPEC.format(file=file))
    spec = catdl.load(folder / "spec.cat")
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    return spec.learner(name).run()


@pytest.mark.parametrize(("file", "write"), [("a.npz", npz), ("a.safetensors", safetensors), ("a.csv", comma)])
def test_formats(tmp_path: Path, file: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / file)
    samples = run_of(tmp_path, "plain", file).data.learn
    assert samples.count == 3
    x, y = samples.take(torch.tensor([2, 0])).inputs
    assert x.tolist() == [[3.0, 0.25], [0.5, 1.0]]
    assert x.dtype == torch.float32
    assert y.tolist() == [1, 0]
    assert y.dtype == torch.int64
    assert samples.lazy == file.endswith("safetensors")


def test_arithmetic(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz")
    x, _ = run_of(tmp_path, "moved", "a.npz").data.learn.take(torch.tensor([1])).inputs
    assert x.tolist() == [[3.0, -3.0]]


@pytest.mark.parametrize(
    ("name", "columns", "words"),
    [
        ("plain", {"x": X}, "there is no column `y`"),
        ("plain", {"x": X, "y": Y[:2]}, "different length"),
        ("plain", {"x": X[:0], "y": Y[:0]}, "no samples"),
        ("plain", {"x": X[:, :1], "y": Y}, "has 1 along axis 1"),
        ("plain", {"x": X[:, 0], "y": Y}, "has one number in each row"),
        ("plain", {"x": X, "y": Y + 1}, "holds 3 in row 1, which is not an index below 3"),
        ("plain", {"x": X, "y": Y - 1}, "holds -1 in row 0"),
        ("plain", {"x": X, "y": Y + 0.5}, "in row 0, a fraction, and"),
        ("plain", {"x": np.where(X == 0.25, np.nan, X), "y": Y}, "holds nan in row 2"),
        (
            "plain",
            {"x": np.where(X == 0.25, 1e300, X.astype(float)), "y": Y},
            r"holds 1e\+300 in row 2, which is too large",
        ),
        ("plain", {"x": X + 1j, "y": Y}, "holds complex numbers"),
        ("halved", {"x": X, "y": np.array([2, 4, 3])}, "holds 1.5 in row 2, a fraction"),
        ("plain", {"x": np.array([["a", "b"]] * 3), "y": Y}, "no numbers"),
        ("shares", {"x": X, "p": np.full((3, 3), 0.3)}, "adds up to 0.9 in row 0"),
        ("shares", {"x": X, "p": np.array([[0, 0, 1], [0.5, -0.5, 1], [1, 0, 0]])}, "holds -0.5 in row 1"),
        ("long", {"x": np.zeros((3, 5, 2)), "y": np.zeros((3, 4), int)}, "has 4 along axis 1"),
        ("plain", {"x": np.array([None, 1, 2], object), "y": Y}, "no .npz file of plain numbers|pickle"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, name: str, columns: dict[str, Any], words: str) -> None:
    np.savez(tmp_path / "a.npz", **columns)
    with pytest.raises(CheckError, match=words):
        run_of(tmp_path, name, "a.npz")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x_0,x_1,y\n1,2\n", "row 0 has 2 values"),
        ("x_0,x_1,y\n1,2,0\n1,b,1\n", "column `x_1` holds `b` in row 1"),
        ("x,x,y\n1,2,0\n", "different names"),
        ("", "different names"),
    ],
)
def test_a_table_that_is_none_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(CheckError, match=words):
        run_of(tmp_path, "plain", "a.csv")


@pytest.mark.parametrize(
    ("name", "dtype", "y"),
    [("plain", ">f4", np.array([0, 2, 1], ">i8")), ("plain", "g", Y), ("halved", "f2", np.array([0.0, 4, 2]))],
)
def test_numbers_of_other_forms(tmp_path: Path, name: str, dtype: str, y: Any) -> None:
    np.savez(tmp_path / "a.npz", x=X.astype(dtype), y=y)
    x, found = run_of(tmp_path, name, "a.npz").data.learn.take(torch.arange(3)).inputs
    assert x.tolist() == X.tolist()
    assert found.tolist() == [0, 2, 1]


def test_a_share_of_a_number_is_exact(tmp_path: Path) -> None:
    text = SPEC.format(file="a.npz").replace("target = y / 2", "target = y / 49")
    np.savez(tmp_path / "a.npz", x=X, y=49 * Y)
    (tmp_path / "spec.cat").write_text(text)
    data: Any = catdl.load(tmp_path / "spec.cat").learner("halved").run().data.learn
    assert data.take(torch.arange(3)).inputs[1].tolist() == Y.tolist()


def test_a_column_of_words_is_missed_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who,x_0,x_1,y\nAda,1,2,0\n\nBo,3,4,99999999999999999999\n")
    with pytest.raises(CheckError, match=r"column `y` holds 1e\+20 in row 1, which is not an index below 3"):
        run_of(tmp_path, "plain", "a.csv")
    (tmp_path / "a.csv").write_text("who,x_0,x_1,y\nAda,1,2,0\n\nBo,3,4_0,1\n")
    with pytest.raises(CheckError, match="column `x_1` holds `4_0` in row 1, which is no number"):
        run_of(tmp_path, "plain", "a.csv")
    (tmp_path / "a.csv").write_text("who,x_0,x_1,y\nAda,1,2,0\n\nBo,3,4,1\n")
    assert run_of(tmp_path, "plain", "a.csv").data.learn.count == 2


@pytest.mark.parametrize("file", ["a.npz", "a.safetensors"])
def test_a_file_that_is_damaged_is_told(tmp_path: Path, file: str) -> None:
    with pytest.raises(CheckError, match="no such file"):
        run_of(tmp_path, "plain", file)
    (tmp_path / file).write_bytes(b"nothing of the kind")
    with pytest.raises(CheckError, match=r"a\.(npz|safetensors)"):
        run_of(tmp_path, "plain", file)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_archive_stays_on_disk_unless_compressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., None], order: Literal["C", "F"]
) -> None:
    x = np.arange(600, dtype=np.float32).reshape(300, 2)
    write(tmp_path / "a.npz", x=np.asarray(x, order=order), y=np.arange(300, dtype=np.uint8) % 3)
    whole = run_of(tmp_path, "plain", "a.npz").data.learn
    monkeypatch.setattr(tables, "IN_MEMORY", 1000)
    monkeypatch.setattr("catdl.learn.samples.AT_ONCE", 100)  # rows are looked at in small blocks, too
    mapped = run_of(tmp_path, "plain", "a.npz").data.learn
    assert not whole.lazy and mapped.lazy == (write is np.savez)
    index = torch.tensor([299, 0, 17])
    for one, other in zip(whole.take(index).inputs, mapped.take(index).inputs, strict=True):
        assert isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)
        assert torch.equal(one, other) and one.dtype == other.dtype
    np.savez(tmp_path / "a.npz", x=np.where(x == 599, np.nan, x), y=np.arange(300) % 3)
    with pytest.raises(CheckError, match="holds nan in row 299"):
        run_of(tmp_path, "plain", "a.npz")


def test_an_archive_that_is_cut_short_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3000, 2)), y=np.zeros(3000, int))
    path = tmp_path / "a.npz"
    path.write_bytes(path.read_bytes()[:-30_000])
    with pytest.raises(CheckError, match=r"a\.npz: it is no"):
        run_of(tmp_path, "plain", "a.npz")
