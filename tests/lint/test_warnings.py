"""Warnings are no errors, come only of what composes, cost nothing where there are none, and their edits help."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import catdl
from catdl.diagnostics.base import Diagnostic, Edit
from tests.repair.test_edits import applied

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "tests" / "check"
BLOCK = re.compile(r"^```cat warning [^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted((ROOT / "docs" / "errors").glob("W*.md"))
CASES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((CHECK / "cases").glob("warn-*.cat"))}
CASES |= {p.stem: t for p in PAGES if p.stem != "W0102" for t in BLOCK.findall(p.read_text(encoding="utf-8"))}
EXAMPLES = sorted((ROOT / "examples").rglob("*.cat"))
TWICE = "dim D = 8\nmorphism f : Real[D] -> Real[D] = linear(D) >> linear"


def warned(text: str) -> list[Diagnostic]:
    """The warnings of a text, which has no mistakes."""
    found = catdl.loads(text, search=[CHECK / "modules"]).diagnostics
    assert all(d.severity == "warning" for d in found), found
    return found


def codes(text: str) -> list[str]:
    """Their codes."""
    return [d.code for d in warned(text)]


@pytest.mark.parametrize("name", CASES)
def test_every_edit_helps(name: str) -> None:
    """The warning goes away and none comes, but for those that the edit brings to light."""
    text = CASES[name]
    before = warned(text)
    was = Counter(d.code for d in before)
    for diagnostic in before:
        for help_ in diagnostic.parts().helps:
            if help_.edits:
                new = applied(text, [Edit(*edit) for edit in help_.edits])
                after = Counter(codes(new))
                assert after[diagnostic.code] < was[diagnostic.code], new
                assert after <= was, new


def test_the_cases_hold_edits() -> None:
    """So that the test above is about something."""
    edits = {d.code for text in CASES.values() for d in warned(text) if any(h.edits for h in d.parts().helps)}
    assert edits == {"W0101", "W0102", "W0104", "W0105", "W0201", "W0202", "W0203", "W0301"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_silent(path: Path) -> None:
    assert not [d for d in catdl.load(path).diagnostics if d.severity == "warning"]


def test_a_warning_is_no_error() -> None:
    spec = catdl.loads(TWICE)
    assert [d.code for d in spec.diagnostics] == ["W0201"]
    assert spec.names == ("f",)
    assert sorted(spec["f"].compile().state_dict()) == [
        "linear.bias", "linear.weight", "linear_2.bias", "linear_2.weight",
    ]  # fmt: skip


def test_mistakes_come_first() -> None:
    """A file with mistakes has no warnings: what is half wrong is not judged."""
    found = catdl.loads(f"{TWICE}\nmorphism g : Real[D] -> Real[D] = lineer").diagnostics
    assert [d.code for d in found] == ["E0101"]


def test_a_file_of_parts_is_silent() -> None:
    assert not codes("dim T, D = 8\nobject Seq = Real[T, D]\nmorphism twice[X](f : X -> X) : X -> X = f >> tied f")
    assert not codes("dim T, D = 8\nkind Metres : free Real")


def test_what_is_imported_is_warned_of_where_it_is(tmp_path: Path) -> None:
    """Layers of imported files too, but not their names: other files may use them."""
    (tmp_path / "layers.cat").write_text(f"{TWICE}\ndim Spare = 3\n# catdl: allow W0203\n")
    (tmp_path / "model.cat").write_text("from layers import f, D\nmorphism g : Real[D] -> Real[D] = f >> relu >> f\n")
    (warning,) = catdl.load(tmp_path / "model.cat").diagnostics
    assert warning.code == "W0201"
    assert warning.span is not None and warning.span.source.path.endswith("layers.cat")
    found = catdl.load(tmp_path / "layers.cat").diagnostics
    assert [d.code for d in found] == ["W0201", "W0101", "W0105"]


def test_a_part_is_wrong_only_if_it_is_in_every_use() -> None:
    text = "dim D = 8\nmorphism last(norm) = linear(D) >> (if norm then batchnorm else relu)\n"
    use = "morphism f : Real[D] -> Real[D] = last(true) >> relu >> last({})"
    assert codes(text + use.format("true")) == ["W0202"]
    assert codes(text + use.format("false")) == []


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# head\n# catdl: allow W0201\n\n{}\n", []),
        ("# catdl: allow W0201\n{}\n", ["W0201", "W0105"]),  # of the dim below
        ("{}  # catdl: allow W0201 # because\n", []),
        ("{}  # catdl: allow W0202\n", ["W0201", "W0105"]),
        ("{}  # not for catdl: allow W0201\n", ["W0201"]),
        ('{}  # "# catdl: allow W0201"\n', ["W0201"]),
        ("{}\n# catdl: allow W0201\n", ["W0201", "W0105"]),
        ("# catdl: allow W0201\n# catdl: allow W0201\n\n{}\n", ["W0105"]),
        ("\ufeff# catdl: allow W0201\r\n\r\n{}\r\n", []),
        ("#catdl:allow W0201,W0201\n\n{}", ["W0105"]),
    ],
)
def test_comments_allow(comment: str, left: list[str]) -> None:
    assert sorted(codes(comment.format(TWICE))) == sorted(left)


def test_a_clean_check_loads_little() -> None:
    program = (
        "import sys, catdl; assert not catdl.load('examples/digits.cat').diagnostics;"
        "late = ('catdl.lint.sets', 'catdl.lint.allow');"
        "print([m for m in sys.modules if m.startswith('catdl') and m.endswith('_warnings') or m in late])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
