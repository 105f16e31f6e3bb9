"""Generators from files: `matrices("….npy")`, read by hand beside the spec."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import catdl
from catdl.data.npy import read
from catdl.diagnostics.text import render

TURN = [[0, -1], [1, 0]]
SPEC = """dim X = 2, A = 4
group G on X{where} = {value}
hom f : Real[X, A] -> Real[X, A] = equilinear
"""


def spec(folder: Path, value: str, where: str = "") -> catdl.Spec:
    (folder / "spec.cat").write_text(SPEC.format(where=where, value=value))
    return catdl.load(folder / "spec.cat")


def codes(found: catdl.Spec) -> list[str]:
    return [d.code for d in found.diagnostics if d.severity == "error"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, ">f8"])
def test_matrices_of_a_file_are_generators(tmp_path: Path, dtype: object) -> None:
    np.save(tmp_path / "turn.npy", np.array([TURN], dtype=dtype))  # type: ignore[call-overload]
    found = spec(tmp_path, 'matrices("turn.npy")', " where m0 ^ 4 == id")
    assert not codes(found), render(list(found.diagnostics))
    assert [tuple(p.shape) for _, p in found["f"].compile().named_parameters()] == [(2, 4, 4)]
    assert codes(spec(tmp_path, 'matrices("turn.npy")', " where m0 ^ 3 == id")) == ["E1013"]
    flow = spec(tmp_path, 'exp(matrices("turn.npy"))')
    assert not codes(flow)


def test_files_that_hold_none(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.array(TURN))
    np.save(tmp_path / "wide.npy", np.zeros((1, 3, 3)))
    np.save(tmp_path / "lost.npy", np.full((1, 2, 2), np.nan))
    np.save(tmp_path / "words.npy", np.array([["a"]]))
    np.save(tmp_path / "columns.npy", np.asfortranarray(np.arange(8.0).reshape(2, 2, 2)))
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "zero.npy", np.zeros((1, 2, 2)))
    (tmp_path / "text.npy").write_text("none")
    (tmp_path / "short.npy").write_bytes((tmp_path / "flat.npy").read_bytes()[:-1])
    wanted = {"flat": "E1011", "wide": "E1011", "lost": "E1011", "zero": "E1012"}
    for name in ("flat", "wide", "lost", "words", "columns", "pickled", "zero", "text", "short", "missing"):
        assert codes(spec(tmp_path, f'matrices("{name}.npy")')) == [wanted.get(name, "E0801")], name
    assert codes(spec(tmp_path, f'matrices("{tmp_path}/flat.npy")')) == ["E0801"]
    assert codes(spec(tmp_path, "matrices(2)")) == ["E1011"]


def test_a_text_without_files_reads_none() -> None:
    from catdl.driver import check
    from catdl.source import Source

    found = check(Source("s.cat", SPEC.format(where="", value='matrices("turn.npy")')))
    assert [d.code for d in found] == ["E0801"]


def test_numbers_are_those_of_numpy(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.save(tmp_path / "x.npy", numbers)
    shape, found = read((tmp_path / "x.npy").read_bytes())
    assert shape == (2, 3, 4) and np.array_equal(np.array(found).reshape(shape), numbers)


def test_a_check_loads_no_numpy(tmp_path: Path) -> None:
    import subprocess

    np.save(tmp_path / "turn.npy", np.array([TURN]))
    (tmp_path / "spec.cat").write_text(SPEC.format(where="", value='matrices("turn.npy")'))
    code = "import sys, catdl; s = catdl.load('spec.cat'); print(len(s.diagnostics), 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "False"]
