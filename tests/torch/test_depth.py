"""Modules nest as deep as Python can call them, and the error says whose limit that is."""

from __future__ import annotations

import re
import sys

import pytest
import torch

import catdl
from catdl.driver import Compiled
from catdl.torch.plan import CALLERS, FRAMES

LIMIT = (sys.getrecursionlimit() - CALLERS) // FRAMES


def nested(depth: int) -> Compiled:
    lines = [f"morphism f{k + 1} : Real[D] -> Real[D] = f{k} >> linear\n" for k in range(depth - 1)]
    return catdl.loads("dim D = 2\nmorphism f0 : Real[D] -> Real[D] = linear\n" + "".join(lines))[f"f{depth - 1}"]


def test_the_deepest_that_is_compiled_runs() -> None:
    model = nested(LIMIT).compile()
    assert model(torch.randn(3, 2)).shape == (3, 2)
    model.load_state_dict(model.to(torch.float64).state_dict())


def test_one_deeper_is_refused_with_the_reason() -> None:
    with pytest.raises(catdl.CheckError, match=re.escape(f"over the limit of {LIMIT}")) as found:
        nested(LIMIT + 1).compile()
    assert "`sys.getrecursionlimit()`" in str(found.value) and "`repeat`" in str(found.value)


def test_the_limit_is_python_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getrecursionlimit", lambda: 9000)
    assert nested(2 * LIMIT).source().count("class ") == 2 * LIMIT
