"""Near names, put where the name stands: a mistake may point at more than the name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl.diagnostics.elsewhere import said
from catdl.diagnostics.shape_errors import BATCH
from catdl.repair.case import Case, Group, one
from catdl.syntax import ast


def batch(case: Case) -> Iterator[Group]:
    """E0101: an axis of samples is none."""
    index = case.around(ast.Index)
    if case.mistake.sort != "dim" or case.mistake.name.lower() not in BATCH or index is None:
        return
    items = index.items
    place = next((i for i, item in enumerate(items) if item.start <= case.span.start < item.end), None)
    if place is not None and len(items) > 1:
        start, end = (items[place].start, items[1].start) if not place else (items[place - 1].end, items[place].end)
        yield one("leave it out: a spec speaks of one sample", case.put(start, end, ""))


def near(case: Case) -> Iterator[Group]:
    """E0101: the suggestions, in the place of the name alone."""
    name = case.mistake.name
    if said(name.rpartition(".")[2]):
        return  # a near name is another thing
    for suggestion in case.mistake.suggestions:
        for match in re.finditer(rf"(?<![\w']){re.escape(name)}(?![\w'])", case.span.text):
            start = case.span.start + match.start()
            yield one(f"did you mean `{suggestion}`?", case.put(start, start + len(name), suggestion))
