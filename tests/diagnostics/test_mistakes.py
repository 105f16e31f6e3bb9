"""Every kind of mistake has a code of its own, can be built, put into words, and shown in every form."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import pytest

import catdl.diagnostics as wrong
from catdl.diagnostics import GROUPS, Diagnostic, has_errors, in_order
from catdl.diagnostics import json as as_json
from catdl.diagnostics.registry import mistakes
from catdl.diagnostics.text import render
from tests.diagnostics.samples import samples, span

ALL = list(samples())


@pytest.mark.parametrize("mistake", ALL, ids=lambda mistake: type(mistake).__name__)
def test_constructs_and_renders(mistake: Diagnostic) -> None:
    parts = mistake.parts()
    assert parts.message and "\n" not in parts.message and not parts.message.endswith(".")
    assert parts.span is None or parts.span == mistake.span
    assert hash(mistake) == hash(mistake)
    text = render([mistake])
    assert text.startswith(f"{mistake.severity}[{mistake.code}]: ")
    assert "None" not in text and "``" not in text
    assert "\x1b" not in text and "\x1b" in render([mistake], color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", render([mistake], color=True)).split() == text.split()
    assert json.loads(as_json.render([mistake]))["diagnostics"][0]["code"] == mistake.code


def test_codes_follow_the_groups() -> None:
    for code, kind in mistakes().items():
        assert re.fullmatch(r"[EW]\d{4}", code)
        assert kind.severity == ("warning" if code[0] == "W" else "error")
        if code[0] == "E":
            assert kind.__module__ == GROUPS[int(code[1:3])][0], code
        assert kind.title and not kind.title.endswith(".")


def test_every_mistake_is_reached_through_the_package() -> None:
    for module_name, _ in GROUPS[1:]:
        module = importlib.import_module(module_name)
        home = module_name.rpartition(".")[2]
        assert sorted(module.__all__) == sorted(wrong._HOMES[home].split())
        for name in module.__all__:
            assert getattr(wrong, name) is getattr(module, name)
    with pytest.raises(AttributeError):
        _ = wrong.NoSuchMistake  # type: ignore[attr-defined]


def test_a_clean_check_loads_no_mistake() -> None:
    program = "import sys, catdl.diagnostics; print([m for m in sys.modules if m.endswith('_errors') or 'torch' in m])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_order_and_repetition() -> None:
    late = wrong.UnusedWire(span("y"), "y")
    early = wrong.UnknownName(span("D"), "D", "dim")
    nowhere = wrong.FileUnreadable("m.cat", "no such file")
    expected: list[Diagnostic] = [nowhere, early, late]
    assert in_order([*expected[1:], expected[2], expected[0]]) == expected
    assert has_errors([late]) and not has_errors([])
