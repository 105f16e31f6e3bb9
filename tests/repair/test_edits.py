"""Every edit of every help, applied, makes its mistake go away and brings no other: tried from outside, on whole files.

`catdl.repair` tries an edit on the declarations concerned and goes by places; here the whole edited file is checked
again and the reports are compared line by line, so that the one does not vouch for itself.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catdl.diagnostics.base import Diagnostic, Edit
from catdl.driver import loads
from catdl.repair.run import MAKERS

TESTS = Path(__file__).parent.parent
CASES = TESTS / "check" / "cases"
BUGS = TESTS / "bugs"
MODULES = TESTS / "check" / "modules"
WRONG = sorted([*CASES.glob("*.cat"), *(p for p in BUGS.glob("*.cat") if not p.name.endswith(".fixed.cat"))])


def checked(path: Path, text: str) -> list[Diagnostic]:
    """The mistakes of a text in the place of a file."""
    return loads(text, path=path.name, search=[MODULES]).diagnostics


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


def offered(path: Path) -> list[tuple[int, int]]:
    """The places of the helps with edits: which mistake, which help."""
    found = checked(path, path.read_text(encoding="utf-8"))
    return [(i, j) for i, d in enumerate(found) for j, h in enumerate(d.parts().helps) if h.edits]


@pytest.mark.parametrize("path", WRONG, ids=lambda p: p.stem)
def test_every_edit_helps(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = checked(path, text)
    for mistake, help_ in offered(path):
        diagnostic = before[mistake]
        edits = [Edit(*edit) for edit in diagnostic.parts().helps[help_].edits]
        new = applied(text, edits)
        after = lines(checked(path, new), shifted(text, new))
        said = f"{diagnostic.parts().message}\n{diagnostic.parts().helps[help_].message}\n{new}"
        assert diagnostic.span is not None
        key = diagnostic.code, diagnostic.span.line
        was = lines(before)
        assert after[key] < was[key], f"still there: {said}"
        assert after <= was, f"new: {after - was}: {said}"


def test_every_maker_is_of_use() -> None:
    """Each code that edits are made for has a report in which one is offered."""
    helped = {d.code for path in WRONG for d in checked(path, path.read_text(encoding="utf-8")) if has_edit(d)}
    assert sorted(set(MAKERS) - helped) == []


def has_edit(diagnostic: Diagnostic) -> bool:
    """Whether a help of it can be applied."""
    return any(help_.edits for help_ in diagnostic.parts().helps)
