"""What the digit sums claim: trained on ten digits, the set's fold is right on fifty, and the list's is not."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

import catdl
from catdl import Spec

FOLDER = Path(__file__).parent.parent.parent / "examples"


@cache
def spec() -> Spec:
    return catdl.load(FOLDER / "digit_sum.cat")


def script() -> ModuleType:
    """The script that makes the table."""
    found = importlib.util.spec_from_file_location("digit_sum", FOLDER / "digit_sum.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_it_is_clean_and_every_network_in_it_is_tried() -> None:
    assert spec().diagnostics == []
    assert spec().names == ("monoid", "gru", "readout", "of_set", "of_list")


def test_only_the_set_has_no_order() -> None:
    torch.manual_seed(0)
    digits = torch.arange(10)

    def result(name: str, x: Tensor) -> Tensor:
        torch.manual_seed(0)
        found = spec()[name].compile()(x)
        assert isinstance(found, Tensor)
        return found

    order = torch.randperm(10)
    torch.testing.assert_close(result("of_set", digits[order]), result("of_set", digits))
    assert not torch.allclose(result("of_list", digits[order]), result("of_list", digits))


def test_a_short_training_tells_them_apart() -> None:
    found = script().measure(steps=600, seeds=1)
    of_set, of_list = ({length: errors[0] for length, errors in found[name].items()} for name in ("of_set", "of_list"))
    assert max(of_set.values()) < 0.5  # right, when rounded
    assert of_list[10] < of_list[15] < of_list[50]
    assert of_list[50] > 20


def test_the_table_is_of_networks_that_fit_what_they_were_shown() -> None:
    """The whole training takes a minute; the table is what `python examples/digit_sum.py --write` wrote."""
    digit_sum = script()
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    names = {name: {length: [0.0] for length in digit_sum.TRIED} for name in digit_sum.NETWORKS}
    head, rule, *rows = digit_sum.table(names).splitlines()
    assert f"{head}\n{rule}\n" in text
    worst = {}
    for row in rows:
        name = row.split(" | ")[0]
        (line,) = (each for each in text.splitlines() if each.startswith(f"{name} | "))
        cells = line.strip("| ").split(" | ")[1:]
        worst[name.strip("| ")] = dict(zip(digit_sum.TRIED, (float(c.split()[-1]) for c in cells), strict=True))
    assert max(worst["set"].values()) < 0.5
    assert max(worst["list"][5], worst["list"][digit_sum.LONGEST]) < 0.5
    assert worst["list"][50] > 100
