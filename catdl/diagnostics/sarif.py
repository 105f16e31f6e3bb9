"""Diagnostics as SARIF 2.1.0, for code scanning and editors.

Lines and columns start at 1 and ends are exclusive; columns count UTF-16 code units, as `columnKind` says. A rule of
the log is the code of a mistake, with its page as help; only those that occur are listed.

    {"version": "2.1.0", "runs": [{"tool": …, "results": [{"ruleId": "E0101", "message": …, "locations": …}]}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from catdl.diagnostics import pages
from catdl.diagnostics.base import Diagnostic, Edit, Help, Mistake
from catdl.diagnostics.notes import remarks, shortened
from catdl.diagnostics.registry import mistakes
from catdl.source import Source, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics as one SARIF log, with a final newline."""
    return json.dumps(document(diagnostics), ensure_ascii=False, indent=2) + "\n"


def document(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The log that `render` prints."""
    found = list(diagnostics)
    known = mistakes()
    kinds = {diagnostic.code: known[diagnostic.code] for diagnostic in found}
    places = {code: index for index, code in enumerate(sorted(kinds))}
    files: dict[str, int] = {}
    results = [_result(diagnostic, places, files) for diagnostic in found]
    driver = {
        "name": "catdl",
        "version": version("catdl"),
        "rules": [_rule(kinds[code]) for code in places],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "artifacts": [{"location": {"uri": name}, "encoding": "utf-8"} for name in files],
        "results": results,
        "columnKind": "utf16CodeUnits",
        "newlineSequences": ["\r\n", "\n", "\r"],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(kind: type[Mistake]) -> dict[str, Any]:
    page = pages.page(kind.code)
    return {
        "id": kind.code,
        "name": kind.__name__,
        "shortDescription": {"text": kind.title},
        "fullDescription": {"text": pages.teaching(page)},
        "help": {"text": "\n".join(line for line, _ in pages.lines(page, 80)), "markdown": page},
        "defaultConfiguration": {"level": kind.severity},
    }


def _result(diagnostic: Diagnostic, places: dict[str, int], files: dict[str, int]) -> dict[str, Any]:
    parts = shortened(diagnostic.parts())
    result = {
        "ruleId": diagnostic.code,
        "ruleIndex": places[diagnostic.code],
        "level": diagnostic.severity,
        "message": {"text": "\n".join([parts.message, *remarks(parts)])},
        "locations": [_location(parts.span, parts.label, files)] if parts.span else [],
    }
    if parts.labels:
        result["relatedLocations"] = [
            {"id": number, **_location(label.span, label.text, files)} for number, label in enumerate(parts.labels, 1)
        ]
    fixes = [_fix(help_, files) for help_ in dict.fromkeys(parts.helps) if help_.edits]
    if fixes:
        result["fixes"] = fixes
    return result


def _fix(help_: Help, files: dict[str, int]) -> dict[str, Any]:
    edits = [Edit(*edit) for edit in help_.edits]
    changes = []
    for source in dict.fromkeys(edit.span.source for edit in edits):
        replacements = [
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
            for edit in edits
            if edit.span.source == source
        ]
        changes.append({"artifactLocation": _artifact(source, files), "replacements": replacements})
    return {"description": {"text": help_.message}, "artifactChanges": changes}


def _location(span: Span, text: str, files: dict[str, int]) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": _artifact(span.source, files), "region": _region(span)}}
    return {**place, "message": {"text": text}} if text else place


def _artifact(source: Source, files: dict[str, int]) -> dict[str, Any]:
    name = _uri(source)
    return {"uri": name, "index": files.setdefault(name, len(files))}


def _uri(source: Source) -> str:
    """The path as a URI: absolute if it is, else relative to where the command ran."""
    path = PurePath(source.shown)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _region(span: Span) -> dict[str, int]:
    first, start = _place(span.source, span.start)
    last, end = _place(span.source, max(span.end, span.start))
    return {"startLine": first, "startColumn": start, "endLine": last, "endColumn": end}


def _place(source: Source, offset: int) -> tuple[int, int]:
    line, column = source.position(offset)
    start = source.starts[line - 1]
    return line, len(source.text[start : start + column - 1].encode("utf-16-le")) // 2 + 1
