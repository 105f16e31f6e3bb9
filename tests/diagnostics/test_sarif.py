"""The SARIF form: valid by the published schema, with places that editors read as we mean them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import catdl.diagnostics as wrong
from catdl.cli import catdl
from catdl.diagnostics import Diagnostic, Edit, pages
from catdl.diagnostics import sarif as as_sarif
from catdl.diagnostics.text import apply_edits
from catdl.source import Source, Span, decode
from tests.diagnostics import schemas
from tests.diagnostics.samples import samples


def run_of(*mistakes: Diagnostic) -> dict[str, Any]:
    document = json.loads(as_sarif.render(mistakes))
    schemas.sarif(document)
    (run,) = document["runs"]
    return dict(run)


def test_every_mistake_is_valid_sarif() -> None:
    found = list(samples())
    run = run_of(*found)
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(found)
    for mistake, result in zip(found, run["results"], strict=True):
        assert (result["ruleId"], result["level"]) == (mistake.code, mistake.severity)
        assert rules[result["ruleIndex"]]["id"] == mistake.code
        assert result["message"]["text"].startswith(mistake.parts().message)


def test_nothing_is_a_log_too() -> None:
    assert run_of()["results"] == []


def test_a_rule_has_its_page() -> None:
    (rule,) = run_of(wrong.FileUnreadable("m.cat", "no such file"))["tool"]["driver"]["rules"]
    assert rule["name"] == "FileUnreadable" and rule["shortDescription"]["text"] == wrong.FileUnreadable.title
    assert rule["help"]["markdown"] == pages.page("E0801")


def test_places_labels_and_fixes() -> None:
    source, other = Source("dir/a b.cat", "dim D = 8\ndim D = 9\n"), Source("/srv/m.cat", "x")
    twice = wrong.DuplicateName(Span(source, 14, 15), "D", Span(source, 4, 5))
    near = wrong.UnknownName(Span(other, 0, 1), "x", "wire", ("y",))
    run = run_of(twice, near)
    assert [artifact["location"]["uri"] for artifact in run["artifacts"]] == ["dir/a%20b.cat", "file:///srv/m.cat"]
    first, second = run["results"]
    (place,) = first["locations"]
    assert place["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 6}
    assert place["message"]["text"] == "declared again here"
    (related,) = first["relatedLocations"]
    assert related["physicalLocation"]["region"]["startLine"] == 1
    assert second["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///srv/m.cat", "index": 1}
    (fix,) = second["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["replacements"][0]["insertedContent"]["text"] == "y"


def offset(text: str, line: int, column: int) -> int:
    """The offset of a place as an editor counts it: in UTF-16 code units, lines ending in any of the three ways."""
    source = Source("m.cat", text)
    start = source.starts[line - 1]
    units = text[start:].encode("utf-16-le")[: 2 * (column - 1)]
    return start + len(units.decode("utf-16-le"))


TEXT = st.text(alphabet="ab\n\r\t 宽é\u0301😀", max_size=20)


@given(TEXT, st.data())
def test_a_fix_does_what_the_edit_does(text: str, data: st.DataObject) -> None:
    source = decode("m.cat", b"\xef\xbb\xbf" + text.encode()).source
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    mistake = wrong.UnknownName(Span(source, start, end), "a", "wire", ("new",))
    (result,) = as_sarif.document([mistake])["runs"][0]["results"]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    region = replacement["deletedRegion"]
    first = offset(text, region["startLine"], region["startColumn"])
    last = offset(text, region["endLine"], region["endColumn"])
    expected = apply_edits(Span(source, 0, len(text)), [Edit(mistake.span, "new")])
    assert text[:first] + "new" + text[last:] == expected


@pytest.mark.parametrize(
    "data", [b"", b"dim D = \xff", b"morphism f = (", "morphism f = 宽😀 >> x".encode(), b"\xef\xbb\xbfdim"]
)
def test_the_command(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.cat").write_bytes(data)
    for names in (["m.cat"], ["m.cat", "none.cat"], ["-"]):
        result = CliRunner().invoke(catdl, ["check", *names, "--format", "sarif"], input=data, catch_exceptions=False)
        document = json.loads(result.stdout)
        schemas.sarif(document)
        assert result.exit_code == int(bool(document["runs"][0]["results"]))
