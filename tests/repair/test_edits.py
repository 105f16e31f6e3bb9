"""Every edit of every help, applied, makes its mistake go away and brings no other: tried from outside, on whole files.

`catdl.repair` tries an edit on the declarations concerned and goes by places; here the whole edited file is checked
again and the reports are compared line by line, so that the one does not vouch for itself.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from catdl.diagnostics.base import Diagnostic, Edit
from catdl.driver import loads
from catdl.repair.run import MAKERS
from catdl.repair.trial import WHOLE

TESTS = Path(__file__).parent.parent
CASES = TESTS / "check" / "cases"
BUGS = TESTS / "bugs"
MODULES = TESTS / "check" / "modules"
PAGES = TESTS.parent / "docs" / "errors"
BLOCK = re.compile(r"^```cat error[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
WRONG = sorted([*CASES.glob("*.cat"), *(p for p in BUGS.glob("*.cat") if not p.name.endswith(".fixed.cat"))])


def checked(file: str, text: str) -> list[Diagnostic]:
    """The mistakes of a text in the place of a file."""
    return loads(text, path=file, search=[MODULES]).diagnostics


def applied(text: str, edits: list[Edit]) -> str:
    """A text with edits in it, which must not overlap."""
    assert all(edit.span.source.text == text for edit in edits), "an edit of another file"
    for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def lines(diagnostics: list[Diagnostic], shift: dict[int, int] | None = None) -> Counter[tuple[str, int]]:
    """How often each code is reported on each line; `shift` says which old line a new one was."""
    found: Counter[tuple[str, int]] = Counter()
    for diagnostic in diagnostics:
        if diagnostic.severity == "error" and diagnostic.span is not None:
            line = diagnostic.span.line
            found[diagnostic.code, line if shift is None else shift.get(line, line)] += 1
    return found


def shifted(text: str, new: str) -> dict[int, int]:
    """For each line of the new text the line of the old one that it was, or came from."""
    from difflib import SequenceMatcher

    old_lines, new_lines = text.splitlines(), new.splitlines()
    out: dict[int, int] = {}
    for _, start, end, other, until in SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_opcodes():
        for line in range(other, until):
            out[line + 1] = min(start + line - other, max(end - 1, start)) + 1
    return out


def specs() -> dict[str, tuple[str, str]]:
    """Every wrong spec there is by a name: the name of its file, and its text. Those of the pages are on the pages."""
    found = {path.stem: (path.name, path.read_text(encoding="utf-8")) for path in WRONG}
    for page in sorted(PAGES.glob("*.md")):
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            found[f"{page.stem}-{number}"] = ("net.cat", block)
    return found


SPECS = specs()


@pytest.mark.parametrize("name", SPECS)
def test_every_edit_helps(name: str) -> None:
    file, text = SPECS[name]
    before = [d for d in checked(file, text) if d.severity == "error"]  # of warnings: tests/lint
    was = lines(before)
    for diagnostic in before:
        for help_ in diagnostic.parts().helps:
            if not help_.edits:
                continue
            new = applied(text, [Edit(*edit) for edit in help_.edits])
            after = lines(checked(file, new), shifted(text, new))
            said = f"{diagnostic.parts().message}\n{help_.message}\n{new}"
            assert diagnostic.span is not None
            key = diagnostic.code, diagnostic.span.line
            assert after[key] < was[key], f"still there: {said}"
            assert after <= was, f"new: {after - was}: {said}"


@pytest.mark.parametrize("name", SPECS)
def test_long_files_are_helped_alike(name: str) -> None:
    """In a long file a trial checks the declarations concerned only; it comes to the same verdict."""
    file, text = SPECS[name]
    filler = "".join(f"morphism filler_{i} : Real[5] -> Real[5] = relu >> tanh\n" for i in range(WHOLE // 50))
    longer = checked(file, text.rstrip("\n") + "\n" + filler)
    assert [said(d) for d in longer] == [said(d) for d in checked(file, text)]


def said(diagnostic: Diagnostic) -> tuple[str, list[tuple[str, list[tuple[int, int, str]]]]]:
    """A mistake's code, and its helps with their edits."""
    helps = diagnostic.parts().helps
    return diagnostic.code, [(h.message, [(s.start, s.end, new) for s, new in h.edits]) for h in helps]


def test_every_maker_is_of_use() -> None:
    """Each code that edits are made for has a report in which one is offered."""
    helped = {d.code for file, text in SPECS.values() for d in checked(file, text) if has_edit(d)}
    assert sorted(set(MAKERS) - helped) == []


def has_edit(diagnostic: Diagnostic) -> bool:
    """Whether a help of it can be applied."""
    return any(help_.edits for help_ in diagnostic.parts().helps)
