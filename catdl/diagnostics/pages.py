"""The page of every code, as docs/errors/ has it, and how it reads on a terminal.

Takes a code; guarantees the text that the tests have run, from its one home: beside the package in a wheel, in the
repository in an editable install.

    page("E0401")                            # "# E0401: numbers that mean something else\\n\\n…"
    lines("# E0401: kinds\\n\\nSome *words*.", 80)   # the same without its markup, at most 80 cells wide
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from catdl.diagnostics.cells import clean, wrap

_MARKUP = re.compile(r"(`[^`]*`)|\[([^\]]*)\]\([^)]*\)|\*+([^\s*][^*`]*)\*+")
_INDENT = "  "


def folder() -> Path:
    """Where the pages are."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "errors"
    return shipped if shipped.is_dir() else package.parent / "docs" / "errors"


def page(code: str) -> str:
    """The page of a code, in Markdown."""
    return (folder() / f"{code}.md").read_text(encoding="utf-8")


def teaching(text: str) -> str:
    """The first paragraph of a page, on one line, without its markup."""
    return next(_plain(part) for part in text.split("\n\n")[1:] if part.strip())


def lines(text: str, room: int) -> Iterator[tuple[str, str]]:
    """A page line by line, each with its style ("title", "code" or ""): code indented, all else wrapped."""
    paragraph: list[str] = []
    fenced = False
    for line in text.splitlines():
        if not fenced and (not line.strip() or line.startswith(("```", "#", "- "))):
            yield from _wrapped(paragraph, room)
            paragraph = []
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield clean(f"{_INDENT}{line}".rstrip()), "code"
        elif line.startswith("#"):
            yield from ((row, "title") for row in wrap(_plain(line.lstrip("# ")), room))
        elif line.strip():
            paragraph.append(line.strip())
        else:
            yield "", ""
    yield from _wrapped(paragraph, room)


def _wrapped(paragraph: list[str], room: int) -> Iterator[tuple[str, str]]:
    if paragraph:
        yield from ((row, "") for row in wrap(_plain(" ".join(paragraph)), room))


def _plain(text: str) -> str:
    """Text without the marks of links and emphasis; ticks stay, as in the messages."""
    return _MARKUP.sub(lambda found: found[1] or found[2] or found[3] or "", " ".join(text.split()))
