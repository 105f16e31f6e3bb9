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


def test_the_set_goes_on_to_fifty_digits_and_the_list_does_not() -> None:
    digit_sum = script()
    found = digit_sum.measure()
    of_set, of_list = found["of_set"], found["of_list"]
    assert max(of_set.values()) < 0.5  # right, when rounded
    assert max(of_list[5], of_list[10]) < 2  # it has learned what it was shown
    assert of_list[50] > 20
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    head, rule, *rows = digit_sum.table(found).splitlines()
    assert f"{head}\n{rule}\n" in text
    assert all(f"\n{row.split(' | ')[0]} | " in text for row in rows)
