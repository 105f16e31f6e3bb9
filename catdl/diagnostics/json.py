"""Diagnostics as JSON for programs; the keys and their meaning are stable.

Lines and columns start at 1, offsets at 0; columns and offsets count code points of the text without its byte order
mark, and ends are exclusive. `span` is null when there is no text to point at.

    {"version": 1, "diagnostics": [{"code": "E0101", "severity": "error", "message": …, "span": …}], …}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from catdl.diagnostics.base import Contrast, Diagnostic, Step, Steps
from catdl.diagnostics.notes import shortened
from catdl.source import Span

VERSION = 1


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics as one JSON document, with a final newline."""
    return json.dumps(document(diagnostics), ensure_ascii=False, indent=2) + "\n"


def document(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The document that `render` prints."""
    items = [entry(diagnostic) for diagnostic in diagnostics]
    counts = {name: sum(item["severity"] == name for item in items) for name in ("error", "warning")}
    return {"version": VERSION, "diagnostics": items, "errors": counts["error"], "warnings": counts["warning"]}


def entry(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic."""
    parts = shortened(diagnostic.parts())
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "title": diagnostic.title,
        "message": parts.message,
        "span": _span(parts.span) if parts.span else None,
        "label": parts.label,
        "labels": [{"span": _span(label.span), "text": label.text} for label in parts.labels],
        "contrast": _contrast(parts.contrast) if parts.contrast else None,
        "derivations": [
            {"size": size, "formula": formula or None, "by": by, "span": _span(span) if span else None}
            for size, formula, by, span in parts.derivations
        ],
        "steps": _steps(parts.steps) if parts.steps else None,
        "notes": list(parts.notes),
        "helps": [
            {
                "message": help_.message,
                "edits": [{"span": _span(span), "replacement": new} for span, new in help_.edits],
            }
            for help_ in parts.helps
        ],
    }


def _contrast(contrast: Contrast) -> dict[str, Any]:
    """Two types as shown; each mark is the start and the end of a stretch that differs, in that text."""
    return {
        "expected": {"text": contrast.expected, "marks": [list(mark) for mark in contrast.expected_marks]},
        "found": {"text": contrast.found, "marks": [list(mark) for mark in contrast.found_marks]},
    }


def _steps(steps: Steps) -> dict[str, Any]:
    """The types along a composition; `skipped` steps stand between the rows of `first` and those of `last`."""

    def rows(of: tuple[Step, ...]) -> list[dict[str, str]]:
        return [{"step": text, "type": type_} for text, type_ in of]

    return {"first": rows(steps.rows), "skipped": steps.skipped, "last": rows(steps.near)}


def _span(span: Span) -> dict[str, Any]:
    return {
        "path": span.source.shown,
        "start": _place(span, span.start),
        "end": _place(span, span.end),
    }


def _place(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column, "offset": min(max(offset, 0), len(span.source.text))}
