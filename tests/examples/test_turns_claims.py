"""What the learners that take turns, and the one that aims at its own weights of some time ago, come to."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import catdl

FOLDER = Path(__file__).parent.parent.parent / "examples"


@cache
def script(path: str) -> ModuleType:
    """A script of the examples."""
    found = importlib.util.spec_from_file_location(Path(path).stem, FOLDER / path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["gan", "values"])
def test_it_is_clean(name: str) -> None:
    assert catdl.load(FOLDER / f"{name}.cat").diagnostics == []


@pytest.mark.parametrize("name", ["ring", "walk"])
def test_the_data_are_those_of_the_script(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "make_turns.py"
    copy.write_text((FOLDER / "data" / "make_turns.py").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, str(copy)], check=True)
    with np.load(tmp_path / f"{name}.npz") as made, np.load(FOLDER / "data" / f"{name}.npz") as shipped:
        assert made.files == shipped.files
        for column in made.files:
            np.testing.assert_allclose(made[column], shipped[column], rtol=1e-6)


def test_points_on_all_of_the_ring() -> None:
    modes, near = script("turns.py").ring(0, 60)
    assert modes >= 7
    assert near > 0.4


@pytest.mark.parametrize("seed", [0, 1])
def test_a_walk_is_worth_what_it_is(seed: int) -> None:
    assert script("turns.py").walk(seed) < 0.02
