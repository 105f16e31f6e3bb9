"""What the digits with few labels claim: pictures without labels make the same network better."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

import catdl

FOLDER = Path(__file__).parent.parent.parent / "examples"


@cache
def script() -> ModuleType:
    """The script that makes the table."""
    found = importlib.util.spec_from_file_location("few_labels", FOLDER / "few_labels.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_it_is_clean() -> None:
    assert catdl.load(FOLDER / "few_labels.cat").diagnostics == []


def test_the_data_are_the_first_choice_of_the_script(tmp_path: Path) -> None:
    script().chosen(0, tmp_path / "made.npz")
    with np.load(tmp_path / "made.npz") as made, np.load(FOLDER / "data" / "few_labels.npz") as shipped:
        for name in ("image", "answer"):
            assert np.array_equal(made[name], shipped[name])
        assert np.bincount(shipped["answer"]).tolist() == [5] * 10 + [1350]


def test_pictures_without_labels_help() -> None:
    assert script().right("semi_supervised", 1) > script().right("supervised", 1) + 0.02 > 0.8


def test_they_help_for_every_choice_in_the_table() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    head, rule, *_ = script().table({name: [0.0] for name in script().LEARNERS}).splitlines()
    assert f"{head}\n{rule}\n" in text
    shares = []
    for words in script().LEARNERS.values():
        (line,) = (each for each in text.splitlines() if each.startswith(f"| {words} |"))
        shares.append([float(number) for number in line.strip("| ").split(" | ")[1].split(", ")])
        assert len(shares[-1]) == script().SEEDS
    for few, more in zip(*shares, strict=True):
        assert more > few
