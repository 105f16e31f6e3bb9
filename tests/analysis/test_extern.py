"""The packages that a diagram would run."""

from __future__ import annotations

import pytest

import catdl
from catdl.analysis.extern import externs

TEXT = """
dim D = 4
extern morphism one : Real[D] -> Real[D] = python("pkg.first:Class", arg = 1)
extern morphism two : Real[D] -> Real[D] = python("other:Class.inner")
morphism block : Real[D] -> Real[D] = two >> relu
morphism f : Real[D] -> Real[D] = repeat(3, block) >> one >> block
morphism g : Real[D] -> Real[D] = linear
"""


def test_every_package_once_for_each_place() -> None:
    found = externs(catdl.loads(TEXT)["f"].diagram())
    assert [package for package, _ in found] == ["pkg.first", "other"]
    assert [span.line for _, span in found] == [3, 4]


def test_none() -> None:
    assert externs(catdl.loads(TEXT)["g"].diagram()) == []


def test_they_run_only_when_allowed() -> None:
    with pytest.raises(catdl.CheckError, match=r"pkg\.first"):
        catdl.loads(TEXT)["f"].source()
    with pytest.raises(catdl.CheckError, match="other"):
        catdl.loads(TEXT)["f"].source(allow=["pkg"])
