"""Near names, put where the name stands: a mistake may point at more than the name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catdl.diagnostics.elsewhere import said
from catdl.repair.case import Case, Group, one


def near(case: Case) -> Iterator[Group]:
    """E0101: the suggestions, in the place of the name alone."""
    name = case.mistake.name
    if said(name):
        return  # a near name is another thing
    for suggestion in case.mistake.suggestions:
        for match in re.finditer(rf"(?<![\w']){re.escape(name)}(?![\w'])", case.span.text):
            start = case.span.start + match.start()
            yield one(f"did you mean `{suggestion}`?", case.put(start, start + len(name), suggestion))
