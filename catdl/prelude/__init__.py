"""The prelude: kinds, core operations and layers, written in the language.

The files beside this module are found by name, entry by entry: a scan for declarations at the first column gives an
index, and only what a spec uses is parsed. Takes the parser; guarantees that an entry's text is one declaration with
its doc comment.

    Prelude.load().find("linear")     # (source, start, end)
"""

from __future__ import annotations

import re
from pathlib import Path

from catdl.record import record
from catdl.source import Source

_DECLARATION = re.compile(
    r"^(?:(?:native |core )?morphism|kind|object|dim|overload)[ \t]+(?P<name>[A-Za-z_]\w*)|^(?P<doc>##)", re.MULTILINE
)


@record
class Slice:
    """Where one declaration stands."""

    source: Source
    start: int
    end: int


@record
class Prelude:
    """An index of the prelude's declarations; `overloads` are kept apart, for a name has many."""

    entries: dict[str, Slice]
    overloads: dict[str, tuple[Slice, ...]]

    @staticmethod
    def load() -> Prelude:
        """Read the shipped files. Raises OSError when the installation is incomplete."""
        folder = Path(__file__).parent
        return index([Source(f"prelude/{path.name}", path.read_text("utf-8")) for path in sorted(folder.glob("*.cat"))])


def index(sources: list[Source]) -> Prelude:
    """The index of some files. Raises ValueError where a name is declared twice."""
    entries: dict[str, Slice] = {}
    overloads: dict[str, list[Slice]] = {}
    for source in sources:
        found: list[tuple[int, str, bool]] = []
        doc: int | None = None
        for match in _DECLARATION.finditer(source.text):
            if match["doc"]:
                doc = match.start() if doc is None else doc
                continue
            found.append((match.start() if doc is None else doc, match["name"], match[0].startswith("overload")))
            doc = None
        ends = [start for start, _, _ in found[1:]] + [len(source.text)]
        for (start, name, overload), end in zip(found, ends, strict=True):
            place = Slice(source, start, end)
            if overload:
                overloads.setdefault(name, []).append(place)
            elif name in entries:
                raise ValueError(f"the prelude declares {name} twice")
            else:
                entries[name] = place
    return Prelude(entries, {name: tuple(places) for name, places in overloads.items()})
