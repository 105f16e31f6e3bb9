"""Diagnostics as JSON for programs; the keys and their meaning are stable.

Lines and columns start at 1, offsets at 0; columns and offsets count code points of the text without its byte order
mark, and ends are exclusive. `span` is null when there is no text to point at.

    {"version": 1, "diagnostics": [{"code": "E0101", "severity": "error", "message": …, "span": …}], …}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from catdl.diagnostics.base import Diagnostic
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
    parts = diagnostic.parts()
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "title": diagnostic.title,
        "message": parts.message,
        "span": _span(parts.span) if parts.span else None,
        "label": parts.label,
        "labels": [{"span": _span(label.span), "text": label.text} for label in parts.labels],
        "notes": list(parts.notes),
        "helps": [
            {
                "message": help_.message,
                "edits": [{"span": _span(span), "replacement": new} for span, new in help_.edits],
            }
            for help_ in parts.helps
        ],
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "path": span.source.shown,
        "start": _place(span, span.start),
        "end": _place(span, span.end),
    }


def _place(span: Span, offset: int) -> dict[str, int]:
    line, column = span.source.position(offset)
    return {"line": line, "column": column, "offset": min(max(offset, 0), len(span.source.text))}
