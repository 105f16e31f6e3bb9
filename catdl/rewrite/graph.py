"""A body as one graph of core operations: calls and natives are entered, leaves stand with their whole keys.

Takes the body of a fold taken apart (`body.py`). What cannot be entered (a loop, a map, an entry without definition)
and what is no function is a node without meaning. A node that is a wire of the body says so.

    graph = Graph(body)
    graph.nodes[graph.at[wire]]      Node(Core("contract", …), (3, 4), Real[H], …)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from catdl.diagram.feed import whole
from catdl.diagram.model import Box, Call, Core, Diagram, Global, Local, Native, Parameter
from catdl.diagram.params import leaves_of
from catdl.record import replace
from catdl.rewrite.body import Body, Need
from catdl.rewrite.pure import pure
from catdl.types.types import Leaf


@dataclass(frozen=True, slots=True)
class Input:
    """A wire that the body is given."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """What is not looked into."""


Op: TypeAlias = Core | Local | Global | Input | Opaque


@dataclass(frozen=True, slots=True)
class Node:
    """One result: of a core operation, of a leaf, or given."""

    op: Op
    inputs: tuple[int, ...]
    type: Leaf
    need: Need
    constant: bool
    wire: int | None  # of the body, where it is one


class _Frame:
    __slots__ = ("at", "boxes", "diagram", "outer", "plugs", "prefix", "top")

    def __init__(
        self, diagram: Diagram, boxes: Iterator[Box], at: dict[int, int], prefix: str, plugs: dict[str, int],
        outer: Box | None, top: bool,
    ) -> None:  # fmt: skip
        self.diagram = diagram
        self.boxes = boxes
        self.at = at
        self.prefix = prefix
        self.plugs = plugs  # path below the diagram -> node
        self.outer = outer
        self.top = top


class Graph:
    """The nodes in an order in which each stands after what it reads; `leaves` are all own leaves met."""

    __slots__ = ("_around", "at", "body", "leaves", "nodes", "whole")

    def __init__(self, body: Body) -> None:
        self.body = body
        self.nodes: list[Node] = []
        self.leaves: dict[str, int] = {}
        self.at: dict[int, int] = {}
        self.whole = True  # whether no leaf lies in what is not looked into
        base = body.diagram
        nameless = (None,) * len(base.inputs), (None,) * len(base.outputs)
        self._around = Diagram(base.name, tuple(body.wires), base.inputs, (), (), frozenset(), *nameless, ())
        for wire in (*body.carriers, *body.elements, *body.captured):
            self.at[wire] = self._node(Input(), (), wire)
        top = _Frame(body.diagram, iter(body.boxes), self.at, "", {}, None, True)
        stack = [top]
        while stack:
            frame = stack[-1]
            box = next(frame.boxes, None)
            if box is not None:
                self._box(frame, box, stack)
                continue
            stack.pop()
            if frame.outer is not None:
                results = (frame.at[wire] for wire in frame.diagram.outputs)
                for wire, node in zip(frame.outer.outputs, results, strict=True):
                    stack[-1].at[wire] = node
                    if stack[-1].top and self.nodes[node].wire is None:
                        self.nodes[node] = _with_wire(self.nodes[node], wire)

    def _node(self, op: Op, inputs: tuple[int, ...], wire: int) -> int:
        info = self.body.wires[wire]
        self.nodes.append(Node(op, inputs, info.type, self.body.needs[wire], info.constant, wire))
        return len(self.nodes) - 1

    def _box(self, frame: _Frame, box: Box, stack: list[_Frame]) -> None:
        inputs = tuple(frame.at[wire] for wire in box.inputs)
        match box.op:
            case Core() if pure(box):
                self._made(frame, box, box.op, inputs)
            case Local(parameter):
                self._leaf(frame, box, parameter, parameter.path, None)
            case Global():
                self._made(frame, box, box.op, ())
            case Call(callee, inline) if pure(box):
                before = "" if inline else f"{box.site}." if box.site is not None else ""
                plugs = self._plugs(frame, box, before)
                at = dict(zip(callee.inputs, inputs, strict=True))
                stack.append(_Frame(callee, iter(callee.boxes), at, frame.prefix + before, plugs, box, False))
            case Native(definition=definition) if definition is not None and pure(box):
                before = f"{box.site}." if box.site is not None else ""
                plugs = self._plugs(frame, box, before)
                for parameter in box.op.params:
                    if parameter.path not in plugs:
                        path = before + parameter.path
                        plugs[parameter.path] = self._own(frame.prefix + path, parameter, box.op)
                inside = whole(box.op, definition.diagram(), box, self._around if frame.top else frame.diagram)
                at = dict(zip(inside.inputs, inputs, strict=True))
                stack.append(_Frame(inside, iter(inside.boxes), at, frame.prefix + before, plugs, box, False))
            case _:
                self.whole &= not leaves_of(box.op, box.site)
                self._made(frame, box, Opaque(), inputs)

    def _plugs(self, frame: _Frame, box: Box, before: str) -> dict[str, int]:
        found = {p.removeprefix(before): node for p, node in frame.plugs.items() if p.startswith(before)}
        return found | {path: frame.at[wire] for path, wire in box.plugs}

    def _made(self, frame: _Frame, box: Box, op: Op, inputs: tuple[int, ...]) -> None:
        for wire in box.outputs:
            info = frame.diagram.wires[wire] if not frame.top else self.body.wires[wire]
            need = max((self.nodes[k].need for k in inputs), default=Need.NOTHING)
            if isinstance(op, Opaque):
                need = max(need, *(self.nodes[frame.at[w]].need for _, w in box.plugs), Need.NOTHING)
                need = need if pure(box) else Need.CARRIER
            constant = all(self.nodes[k].constant for k in inputs) if inputs else info.constant
            self.nodes.append(Node(op, inputs, info.type, need, constant, wire if frame.top else None))
            frame.at[wire] = len(self.nodes) - 1

    def _leaf(self, frame: _Frame, box: Box, parameter: Parameter, path: str, holder: Native | None) -> None:
        node = frame.plugs.get(path)
        if node is None:
            node = self._own(frame.prefix + path, parameter, holder)
        frame.at[box.outputs[0]] = node
        if frame.top and self.nodes[node].wire is None:
            self.nodes[node] = _with_wire(self.nodes[node], box.outputs[0])

    def _own(self, key: str, parameter: Parameter, holder: Native | None) -> int:
        """The node of an own leaf; boxes that share a site share it."""
        if key not in self.leaves:
            op = Local(replace(parameter, path=key), holder)
            self.nodes.append(Node(op, (), parameter.type, Need.NOTHING, True, None))
            self.leaves[key] = len(self.nodes) - 1
        return self.leaves[key]


def _with_wire(node: Node, wire: int) -> Node:
    return Node(node.op, node.inputs, node.type, node.need, node.constant, wire)
