"""Ways about the syntax tree by place: the children of any node, and the way down to a stretch of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catdl.record import names
from catdl.syntax import ast


def children(node: Any) -> Iterator[Any]:
    """The nodes directly inside one, in the order of its fields."""
    for name in names(type(node)):
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if hasattr(item, "start"))
        elif hasattr(value, "start"):
            yield value


def walk(node: Any) -> Iterator[Any]:
    """A node and all inside it, in text order."""
    stack = [node]
    while stack:
        at = stack.pop()
        yield at
        stack += reversed(list(children(at)))


def way_to(decls: tuple[ast.Decl, ...], start: int, end: int) -> tuple[Any, ...]:
    """The nodes that cover a stretch, outermost first; empty where no declaration does."""
    at: Any = next((d for d in decls if d.start <= start and end <= d.end), None)
    way: list[Any] = []
    while at is not None:
        way.append(at)
        at = next((c for c in children(at) if c.start <= start and end <= c.end), None)
    return tuple(way)


def bare(node: Any) -> Any:
    """A step without its name, its arguments and what is plugged in: its name, with the axes it acts on."""
    while True:
        match node:
            case ast.Call(function, _):
                node = function
            case ast.Labelled(_, body):
                node = body
            case ast.Plug(base, _):
                node = base
            case _:
                return node
