"""The JSON form."""

from __future__ import annotations

import json

import catdl.diagnostics as wrong
from catdl.diagnostics import json as as_json
from catdl.diagnostics.base import Derivation, Step, Steps, Why
from catdl.source import Source, Span
from tests.diagnostics import schemas
from tests.diagnostics.samples import samples


def test_document() -> None:
    source = Source("-", "dim D\r\n宽 = linera\n")
    mistake = wrong.UnknownName(Span(source, 11, 17), "linera", "morphism", ("linear",))
    span = {
        "path": "<stdin>",
        "start": {"line": 2, "column": 5, "offset": 11},
        "end": {"line": 2, "column": 11, "offset": 17},
    }
    assert json.loads(as_json.render([mistake])) == {
        "version": 1,
        "errors": 1,
        "warnings": 0,
        "diagnostics": [
            {
                "code": "E0101",
                "severity": "error",
                "title": "a name that stands for nothing",
                "message": "there is no morphism called `linera`",
                "span": span,
                "label": "not declared or imported",
                "labels": [],
                "contrast": None,
                "derivations": [],
                "steps": None,
                "notes": [],
                "helps": [{"message": "did you mean `linear`?", "edits": [{"span": span, "replacement": "linear"}]}],
            }
        ],
    }


def test_explanations_are_data() -> None:
    source = Source("m.cat", "x >> flatten >> head\n")
    why = Why(
        (),
        (Derivation("56", "8 * 7", "flatten", Span(source, 5, 12)),),
        Steps((Step("x", "Real[H: 8, W: 7]"),), (Step("flatten", "Real[(H W): 56]"),)),
    )
    mistake = wrong.Mismatch(Span(source, 16, 20), "Real[64]", "Real[(H W): 56]", why=why)
    entry = as_json.entry(mistake)
    assert entry["contrast"] == {
        "expected": {"text": "Real[64]", "marks": [[5, 7]]},
        "found": {"text": "Real[(H W): 56]", "marks": [[5, 14]]},
    }
    (derivation,) = entry["derivations"]
    assert (derivation["size"], derivation["formula"], derivation["by"]) == ("56", "8 * 7", "flatten")
    assert derivation["span"]["start"] == {"line": 1, "column": 6, "offset": 5}
    assert entry["steps"] == {
        "first": [{"step": "x", "type": "Real[H: 8, W: 7]"}],
        "skipped": 0,
        "last": [{"step": "flatten", "type": "Real[(H W): 56]"}],
    }
    json.dumps(entry)


def test_no_place_and_nothing() -> None:
    (entry,) = json.loads(as_json.render([wrong.FileUnreadable("m.cat", "no such file")]))["diagnostics"]
    assert entry["span"] is None
    assert json.loads(as_json.render([]))["diagnostics"] == []


def test_every_mistake_is_as_the_schema_has_it() -> None:
    document = json.loads(as_json.render(samples()))
    schemas.own(document)
    schemas.own(json.loads(as_json.render([])))
    assert document["errors"] + document["warnings"] == len(document["diagnostics"])


def test_the_schema_knows_every_key() -> None:
    """A key that the schema does not speak of would be one that nobody was told of."""
    parts = schemas.OWN["$defs"]
    for entry in as_json.document(samples())["diagnostics"]:
        assert entry.keys() == parts["diagnostic"]["properties"].keys() == set(parts["diagnostic"]["required"])
    assert as_json.document([]).keys() == schemas.OWN["properties"].keys() == set(schemas.OWN["required"])
    assert schemas.OWN["properties"]["version"]["const"] == as_json.VERSION
