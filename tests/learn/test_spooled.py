"""Tables that are kept in temporary files are the tables that they are in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catdl.learn import tables
from catdl.learn.spooled import Spool, Unlike
from catdl.learn.tables import READERS, Rows


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is too large for memory, and read seven rows at a time."""
    monkeypatch.setattr(tables, "IN_MEMORY", 0)
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 7)


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Rows, Rows]:
    """A file on disk, and in memory."""
    on_disk = READERS[path.suffix](path)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "IN_MEMORY", 1 << 30)
        return on_disk, READERS[path.suffix](path)


def alike(one: Rows, other: Rows) -> None:
    assert one.lengths == other.lengths and one.exact == other.exact
    order = np.random.default_rng(0).permutation(next(iter(one.lengths.values())))
    for name in one.lengths:
        for index in (order, order[:3], order[:0]):
            found, wanted = one.read(name, index), other.read(name, index)
            assert found.dtype == wanted.dtype and np.array_equal(found, wanted), name


@pytest.mark.usefixtures("small")
def test_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers that become others in a later part; numbered columns."""
    lines = [f"{k},{k if k < 12 else k + 0.5},{k % 3},{k}.25" for k in range(30)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["label,x_0,x_1,y", *lines]))
    on_disk, in_memory = both(path, monkeypatch)
    assert on_disk.lazy and not in_memory.lazy
    alike(on_disk, in_memory)
    assert on_disk.read("x", np.array([20, 1])).tolist() == [[20.5, 2], [1, 1]]


@pytest.mark.usefixtures("small")
def test_a_row_of_a_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["a,b", *[f"{k},{k}" for k in range(19)], "four,4", *["0,0"] * 9]))
    found = READERS[".csv"](path)
    assert "`four` in row 19" in found.broken["a"]
    assert list(found.lengths) == ["b"] and found.lengths["b"] == 29


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("ragged", [False, True])
def test_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ragged: bool) -> None:
    """Lists of one length are an axis; a file with lists of different lengths stays in memory."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    rows = [[float(k)] * (k % 3 + 1 if ragged else 2) for k in range(20)]
    table = pa.table({"x": rows, "label": list(range(20)), "z_0": [1.5] * 20, "z_1": [2.5] * 20, "name": ["a"] * 20})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=6)
    on_disk, in_memory = both(tmp_path / "a.parquet", monkeypatch)
    assert on_disk.lazy is not ragged
    assert on_disk.exact == in_memory.exact == {"x"}
    assert set(on_disk.broken) == (set() if ragged else {"name"})
    for name in ("x", "label", "z", "z_0"):
        assert on_disk.lengths[name] == in_memory.lengths[name] == 20
        for row in (3, 17):
            found, wanted = (table.read(name, np.array([row]))[0] for table in (on_disk, in_memory))
            assert np.array_equal(found, wanted)


def test_rows_of_other_shapes_are_refused() -> None:
    spool = Spool()
    spool.add({"x": np.zeros((2, 3))})
    with pytest.raises(Unlike):
        spool.add({"x": np.zeros((2, 4))})
