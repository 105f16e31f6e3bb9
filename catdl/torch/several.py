"""One file for the morphisms of a spec that nothing else in it uses.

Takes diagrams; guarantees that what they share is printed once, and that two different units of one name are numbered.

    sources([encoder, decoder])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from catdl.diagram.model import Diagram
from catdl.diagram.params import bodies
from catdl.torch.module import text

_UNIT = re.compile(r"\n\n\n(?=class |def )")
_NAME = re.compile(r"(?:class|def) (\w+)")


def roots(diagrams: Sequence[Diagram]) -> list[Diagram]:
    """Those that no other one holds, in order."""
    held: set[int] = set()
    seen: set[int] = set()
    stack = list(diagrams)
    while stack:
        diagram = stack.pop()
        if id(diagram) in seen:
            continue
        seen.add(id(diagram))
        for box in diagram.boxes:
            body = bodies(box)
            if body is not None:
                held.add(id(body))
                stack.append(body)
    return [diagram for diagram in diagrams if id(diagram) not in held]


def sources(diagrams: Iterable[Diagram]) -> str:
    """The source of all roots in one text. Raises Refused where one of them cannot be compiled."""
    imports: dict[str, None] = {}
    units: dict[str, str] = {}
    for root in roots(list(diagrams)):
        head, parts = _units(text(root))
        clash = frozenset(name for name, part in parts.items() if units.get(name, part) != part)
        while clash:
            head, parts = _units(text(root, clash))
            more = clash | {name for name, part in parts.items() if units.get(name, part) != part}
            if more == clash:
                break
            clash = more
        imports |= dict.fromkeys(line for line in head.split("\n") if line)
        units |= parts
    return "\n".join((*_ordered(imports), *(f"\n\n{part}" for part in units.values()))) + "\n"


def _units(written: str) -> tuple[str, dict[str, str]]:
    """The imports of a text, and its classes and functions by name."""
    head, *parts = _UNIT.split(written.rstrip("\n"))
    named: dict[str, str] = {}
    for part in parts:
        match = _NAME.match(part)
        assert match is not None
        named[match[1]] = part
    return head, named


def _ordered(imports: Iterable[str]) -> list[str]:
    """Standard library, torch, then ours; the names taken from torch in one line."""
    taken = sorted(
        {name for line in imports if line.startswith("from torch ") for name in line.split("import ")[1].split(", ")}
    )
    plain = [line for line in imports if not line.startswith("from torch ")]
    standard = sorted(line for line in plain if "torch" not in line and "catdl" not in line)
    others = sorted(
        (line for line in plain if "torch" in line and "catdl" not in line),
        key=lambda line: (line.startswith("from"), line),
    )
    if taken:
        others.append(f"from torch import {', '.join(taken)}")
    places: dict[str, set[str]] = {}
    for line in (line for line in plain if "catdl" in line):
        place, _, names = line.partition(" import ")
        places.setdefault(place, set()).update(names.split(", "))
    ours = [f"{place} import {', '.join(sorted(names))}" for place, names in sorted(places.items())]
    groups = [group for group in (standard, others, ours) if group]
    return [line for i, group in enumerate(groups) for line in ([""] if i else []) + group]
