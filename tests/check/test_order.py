"""The verdict does not depend on the order of declarations."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from catdl.driver import Spec
from catdl.source import Source
from catdl.syntax import ast
from catdl.syntax.parser import parse
from tests.check.test_goldens import CLEAN, WRONG, checked

# The second of two declarations of one name is the one at fault, so these mean something else in another order.
ORDERED = {
    "dims-twice",
    "groups-twice",
    "import-twice",
    "cycle-declarations",
    "cycle-dims",
    "cycle-objects",
    "learners-trained",
    "warn-allowed",
}
SHUFFLES = 3


def pieces(text: str) -> list[str]:
    """The declarations of a file; equations of one morphism, and dims declared in one line, stay together."""
    tree, _ = parse(Source("x.cat", text))
    starts: list[int] = []
    last: str | None = None
    for node in tree.decls:
        name = node.name if isinstance(node, ast.Morphism) else None
        line = text.rfind("\n", 0, node.start) + 1
        if (name is None or name != last) and line not in starts:
            starts.append(line)
        last = name
    return [text[a:b].strip("\n") for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def verdict(spec: Spec) -> list[tuple[str, str, str]]:
    """Every mistake without its place."""
    return sorted((d.code, d.parts().message, d.span.text if d.span is not None else "") for d in spec.diagnostics)


@pytest.mark.parametrize("path", [p for p in (*WRONG, *CLEAN) if p.stem not in ORDERED], ids=lambda p: p.name)
def test_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parts = pieces(text)
    expected = verdict(checked(path))
    draw = random.Random(path.name)
    orders = [parts[::-1]] + [draw.sample(parts, len(parts)) for _ in range(SHUFFLES)]
    for order in {tuple(o) for o in orders}:
        assert verdict(checked(path, "\n\n".join(order) + "\n")) == expected, "\n\n".join(order)
