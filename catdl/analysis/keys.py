"""Parameters as rows to show: by key, with equal neighbours in a numbered list folded into one.

Takes parameters with their keys. Guarantees: the order of the keys; `block.0` … `block.11` become one row with its
factor, and the rows below it speak of one element, their keys relative to it.

    rows(parameters(gpt2))      ("block.0 … block.11", 12, 85_054_464), then ".layernorm.weight" of 768, …
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from catdl.analysis.cost import numbers
from catdl.analysis.places import Trail, joined
from catdl.diagram.model import Parameter
from catdl.types.types import show_leaf


@dataclass(frozen=True, slots=True)
class Row:
    """One line: how deep it stands in folded lists, key, type (empty for a list), factor and numbers held in all."""

    depth: int
    key: str
    type: str
    times: int
    count: int


class _Item(NamedTuple):
    """A subtree still to show: depth, its key, the last number of a run it stands for, how many that are."""

    depth: int
    trail: Trail
    last: str
    times: int
    node: _Node


@dataclass(slots=True, eq=False)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    type: str = ""
    count: int = 0
    shape: int = 0  # equal for equal subtrees


def rows(parameters: Iterable[Parameter]) -> list[Row]:
    """The rows of some parameters."""
    out: list[Row] = []
    stack = [_Item(0, None, "", 1, _tree(parameters))]
    while stack:
        depth, trail, last, times, node = stack.pop()
        if times > 1 or node.type:
            out.append(Row(depth, _key(depth, trail, last), node.type, times, times * node.count))
        if times > 1:
            depth, trail = depth + 1, None
        if node.children:
            stack.extend(reversed(list(_runs(node, depth, trail))))
    return out


def _key(depth: int, trail: Trail, last: str) -> str:
    key = f"{'.' if depth else ''}{joined(trail)}"
    if not last:
        return key
    list_name = trail[0][1] if trail is not None and trail[0] is not None else ""
    return f"{key} … {list_name}.{last}"


def _tree(parameters: Iterable[Parameter]) -> _Node:
    """Keys as a tree, with equal subtrees marked."""
    root = _Node()
    made = [root]
    for parameter in parameters:
        node = root
        count = numbers(parameter)
        node.count += count
        for segment in parameter.path.split("."):
            below = node.children.get(segment)
            if below is None:
                below = node.children[segment] = _Node()
                made.append(below)
            node = below
            node.count += count
        node.type = show_leaf(parameter.type) + (", frozen" if parameter.frozen else "")
    shapes: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
    for node in reversed(made):  # what is below a node was made after it
        shape = (node.type, tuple([(name, below.shape) for name, below in node.children.items()]))
        node.shape = shapes.setdefault(shape, len(shapes) + 1)
    return root


def _runs(node: _Node, depth: int, trail: Trail) -> Iterator[_Item]:
    """The children, runs of equal ones with consecutive numbers as one."""
    children = list(node.children.items())
    i = 0
    while i < len(children):
        name, below = children[i]
        j = i + 1
        start = int(name) if name.isdecimal() else None
        while start is not None and j < len(children) and _follows(children[j], start + j - i, below):
            j += 1
        yield _Item(depth, (trail, name), "" if j == i + 1 else children[j - 1][0], j - i, below)
        i = j


def _follows(child: tuple[str, _Node], number: int, first: _Node) -> bool:
    name, node = child
    return name == str(number) and node.shape == first.shape
