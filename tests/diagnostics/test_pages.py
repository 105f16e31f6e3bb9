"""Every code has a page that teaches it and a golden case that makes it; nothing is left over.

What the pages show is run by tests/test_docs.py; here it is only looked at. `make golden` writes the index anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from catdl.cli import catdl
from catdl.diagnostics import pages
from catdl.diagnostics.cells import width
from catdl.diagnostics.registry import groups, mistakes
from tests.test_docs import Block, blocks

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "errors"
INDEX = FOLDER / "README.md"
GOLDENS = [ROOT / "tests" / name for name in ("check/cases", "bugs", "cli/cases")]
KINDS = mistakes()
GIVEN_UP = {"E0304", "E0602"}
LONGEST = 100


def is_wrong(block: Block, code: str) -> bool:
    """Whether a block shows a command that tells of the code."""
    return block.words[:1] == ("console",) and f"[{code}]: " in block.text


def is_right(block: Block) -> bool:
    """Whether a block shows something that is in order."""
    return block.words in (("cat",), ("cat", "continued"), ("console",), ("python",))


@pytest.mark.parametrize("code", KINDS)
def test_every_code_has_a_page(code: str) -> None:
    path = FOLDER / f"{code}.md"
    assert path.is_file(), f"write {path.relative_to(ROOT)}: CONTRIBUTING.md says how"
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: {KINDS[code].title}\n\n"), "the title of a page is that of the code"
    assert not text.split("\n\n")[1].startswith(("```", "#")), "first a paragraph that teaches"
    found = list(blocks(text))
    wrong = [number for number, block in enumerate(found) if is_wrong(block, code)]
    assert wrong, f"no block shows what {code} looks like"
    assert any(is_right(block) and not is_wrong(block, code) for block in found[wrong[0] :]), "no block shows the fix"
    specs = [block for block in found if block.words[:1] == ("cat",)]
    assert all(len(line) <= LONGEST for block in specs for line in block.text.splitlines())


@pytest.mark.parametrize("code", KINDS)
def test_every_code_has_a_golden_case(code: str) -> None:
    told = f"[{code}]: "
    assert any(told in path.read_text(encoding="utf-8") for folder in GOLDENS for path in folder.glob("*.err")), (
        f"no golden report tells of {code}: add a case to tests/check/cases, or to tests/cli/cases"
    )


def test_no_page_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*KINDS, "README"}


def test_a_code_that_is_given_up_is_not_given_again() -> None:
    assert not GIVEN_UP & set(KINDS)


def test_no_golden_speaks_of_an_unknown_code() -> None:
    for folder in GOLDENS:
        for path in folder.glob("*.err"):
            codes = re.findall(r"^(?:error|warning)\[(\w+)\]: ", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert codes and set(codes) <= set(KINDS), path


def index() -> str:
    """The index of the pages."""
    parts = []
    for about, kinds in groups():
        if kinds:
            parts.append(f"\n## {kinds[0].code[:3]}xx: {about}\n\n| code | |\n|---|---|\n")
            parts += [f"| [{kind.code}]({kind.code}.md) | {kind.title} |\n" for kind in kinds]
    return "".join(parts)


def test_the_index_is_true() -> None:
    head, mark, rest = INDEX.read_text(encoding="utf-8").partition("\n## ")
    if "CATDL_WRITE_DOCS" in os.environ:
        INDEX.write_text(head + index(), encoding="utf-8")
    else:
        assert mark + rest == index(), "`make golden` writes it anew"


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(catdl, ["explain", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("code", KINDS)
def test_explain_shows_the_page(code: str) -> None:
    result = explain(code)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{code}: {KINDS[code].title}\n\n")
    assert "```" not in result.stdout and "](" not in re.sub(r"`[^`]*`|^  .*$", "", result.stdout, flags=re.MULTILINE)


def test_explain_takes_a_code_as_it_is_copied() -> None:
    shown = explain("E0401").stdout
    assert explain("e0401").stdout == explain("error[E0401]").stdout == shown
    assert "\x1b[1mE0401" in explain("E0401", "--color", "always").stdout


def test_explain_lists_every_code() -> None:
    listed = re.findall(r"^  ([EW]\d{4})  \S", explain().stdout, re.MULTILINE)
    assert listed == [kind.code for _, kinds in groups() for kind in kinds]
    assert set(listed) == set(KINDS)


@pytest.mark.parametrize(("wrong", "hint"), [("E040", "`E0401`"), ("broadcast", "lists them"), ("kind", "`E0402`")])
def test_explain_knows_what_could_be_meant(wrong: str, hint: str) -> None:
    result = explain(wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert hint in result.stderr


def test_a_page_loses_its_markup() -> None:
    page = "# E0001: a `x`\n\nSome *earned* [words](x.md) of `a[B](c)` * 2,\ngoing on.\n\n```cat\na * b\n```\n\nEnd.\n"
    assert list(pages.lines(page, 30)) == [
        ("E0001: a `x`", "title"),
        ("", ""),
        ("Some earned words of `a[B](c)`", ""),
        ("* 2, going on.", ""),
        ("", ""),
        ("  a * b", "code"),
        ("", ""),
        ("End.", ""),
    ]
    assert pages.teaching(page) == "Some earned words of `a[B](c)` * 2, going on."


@given(st.text(alphabet="a `*[]()#\n宽\x1b", max_size=60), st.integers(20, 60))
def test_any_page_can_be_shown(text: str, room: int) -> None:
    for line, style in pages.lines(text, room):
        assert "\x1b" not in line
        assert style == "code" or width(line) <= room or " " not in line
