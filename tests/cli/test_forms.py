"""The four forms of a report agree on what is wrong and where, whatever the text looks like."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdl.cli import catdl

LINES = [
    "dim T, D = 4",
    "morphism 注意 : Real[T, D] -> Real[T, D] = relu",
    "morphism f : Real[T, D] -> Real[T, D] = x => {",
    "\ty = x >> rleu  # 宽 😀",
    "    y",
    "}",
    "morphism g : Real[T, D] -> Real[T, D] = (relu >>",
    "    tahn)",
]
TEXT = "\n".join(LINES)
CRLF, BOM = TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT
MANY = "morphism f = {\n  x\n  y = 1\n}\n"
ODD = {
    "plain": TEXT + "\n",
    "no-final-newline": TEXT,
    "carriage-returns": CRLF + "\r\n",
    "old-line-ends": TEXT.replace("\n", "\r"),
    "byte-order-mark": BOM,
    "empty": "",
    "only-a-mark": "\ufeff",
    "only-line-ends": "\r\n\n\r",
    "ends-too-early": "morphism f : Real[4] -> Real[4] =",
    "ends-in-a-text": 'morphism f = rearrange("a',
    "ends-in-an-escape": 'morphism f = rearrange("\\',
    "ends-in-a-bracket": "morphism f : Real[4] -> Real[4] = x => {\n  x",
    "ends-in-a-comment": "dim T # 宽",
    "several-lines": MANY,
    "nul": "dim T\0",
}


def forms(data: bytes) -> dict[str, str]:
    """What is printed in each form; the status is the same in all."""
    Path("m.cat").write_bytes(data)
    results = {
        form: CliRunner().invoke(catdl, ["check", "m.cat", "--format", form], catch_exceptions=False)
        for form in ("text", "json", "sarif", "github")
    }
    assert len({result.exit_code for result in results.values()}) == 1
    return {form: result.stdout for form, result in results.items()}


def told(outputs: dict[str, str]) -> list[tuple[str, int]]:
    """Code and line of each mistake, by the JSON form; the other forms must say the same."""
    found = [
        (entry["code"], entry["span"]["start"]["line"], entry["span"]["start"]["column"])
        for entry in json.loads(outputs["json"])["diagnostics"]
    ]
    heads = re.findall(r"^error\[(\w+)\]: (?:.*\n)*? *--> m\.cat:(\d+):(\d+)$", outputs["text"], re.MULTILINE)
    assert [(code, int(line), int(column)) for code, line, column in heads] == found
    commands = re.findall(r"^::error file=m\.cat,line=(\d+),.*title=(\w+)%3A", outputs["github"], re.MULTILINE)
    results = json.loads(outputs["sarif"])["runs"][0]["results"]
    places = [(r["ruleId"], r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in results]
    assert [(code, int(line)) for line, code in commands] == places == [(code, line) for code, line, _ in found]
    return places


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_forms_agree(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told(forms(text.encode()))


@pytest.mark.parametrize("name", ["no-final-newline", "carriage-returns", "old-line-ends", "byte-order-mark"])
def test_line_ends_and_marks_change_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain, odd = forms(ODD["plain"].encode()), forms(ODD[name].encode())
    assert told(odd) == told(plain) and len(told(plain)) >= 3
    assert (odd["text"], odd["github"], odd["sarif"]) == (plain["text"], plain["github"], plain["sarif"])


@pytest.mark.parametrize("name", ["empty", "only-a-mark", "only-line-ends", "ends-in-a-comment"])
def test_texts_with_nothing_wrong(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outputs = forms(ODD[name].encode())
    assert told(outputs) == []
    assert (outputs["text"], outputs["github"]) == ("no mistakes in 1 file\n", "")


def test_what_is_no_text_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(forms(b"dim T\0\n")) == told(forms(b"dim T\xff\n")) == [("E0802", 1)]
