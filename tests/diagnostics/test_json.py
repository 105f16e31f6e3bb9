"""The JSON form."""

from __future__ import annotations

import json

import catdl.diagnostics as wrong
from catdl.diagnostics import json as as_json
from catdl.source import Source, Span


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
                "notes": [],
                "helps": [{"message": "did you mean `linear`?", "edits": [{"span": span, "replacement": "linear"}]}],
            }
        ],
    }


def test_no_place_and_nothing() -> None:
    (entry,) = json.loads(as_json.render([wrong.FileUnreadable("m.cat", "no such file")]))["diagnostics"]
    assert entry["span"] is None
    assert json.loads(as_json.render([]))["diagnostics"] == []
