"""What a body computes without what goes round, written outside of its fold: leaves and constants once, the rest by a
map over all steps.

lift = Lift(draft, graph, fold, box)
lift.step(node)      the wire of all its values, with the fold's axis in front
"""

from __future__ import annotations

from typing import cast

from catdl.diagram.model import Box, Fold, Map, Op
from catdl.record import replace
from catdl.rewrite.body import Need, reads
from catdl.rewrite.draft import Draft
from catdl.rewrite.graph import Graph, Opaque
from catdl.types.types import Leaf


class Part:
    """Boxes that a map over all steps will hold: some of a body's, and new ones beside them, on its wires."""

    __slots__ = ("_box", "_draft", "_fold", "_graph", "_here", "_outer", "inner")

    def __init__(self, draft: Draft, graph: Graph, fold: Fold, box: Box) -> None:
        body = graph.body
        self._draft = draft
        self._graph = graph
        self._fold = fold
        self._box = box
        self._outer = _outer(graph, box)
        self._here = {k: node.wire for k, node in enumerate(graph.nodes) if node.wire is not None}
        self.inner = Draft(box.span, list(body.wires))

    def wire(self, node: int) -> int:
        """A node as a wire; what is none of the body is written as operations."""
        for k in above(self._graph, node, self._here):
            found = self._graph.nodes[k]
            made = self._here[k] = self.inner.wire(found.type, found.constant)
            self.inner.op(cast("Op", found.op), tuple(self._here[i] for i in found.inputs), (made,))
        return self._here[node]

    def steps(self, wires: list[int]) -> list[int]:
        """These wires at all steps, as wires of the diagram around: given, repeated, or made by one map."""
        body = self._graph.body
        made: dict[int, int] = {}
        mapped: list[int] = []
        for wire in wires:
            given = self._outer.get(wire)
            if given is not None and wire in body.elements:
                made[wire] = given
            elif not self._above([wire])[1].intersection(body.elements):
                made[wire] = self._draft.expand(self._once(wire), self._fold.axis)
            else:
                mapped.append(wire)
        if mapped:
            results = list(dict.fromkeys(mapped))
            boxes, read = self._above(results)
            inputs = [w for w in (*body.elements, *body.captured) if w in read]
            fixed = sum(w in body.captured for w in inputs)
            part = Draft(self._box.span, self.inner.wires, boxes).diagram(body.diagram, tuple(inputs), tuple(results))
            for wire in results:
                info = self.inner.wires[wire]
                leaf = Leaf(info.type.kind, (self._fold.axis, *info.type.axes))
                made[wire] = self._draft.wire(leaf, info.constant, info.name)
            op = Map((self._fold.axis,), part, fixed)
            self._draft.op(op, tuple(self._outer[w] for w in inputs), tuple(made[w] for w in results))
        return [made[wire] for wire in wires]

    def _once(self, wire: int) -> int:
        """A wire that no element changes, in the diagram around."""
        at = dict(self._outer)
        for box in self._above([wire])[0]:
            at |= {w: self._draft.wire(self.inner.wires[w].type, self.inner.wires[w].constant) for w in box.outputs}
            inputs, outputs = tuple(at[w] for w in box.inputs), tuple(at[w] for w in box.outputs)
            plugs = tuple((path, at[w]) for path, w in box.plugs)
            self._draft.boxes.append(replace(box, inputs=inputs, outputs=outputs, plugs=plugs))
        return at[wire]

    def _above(self, wires: list[int]) -> tuple[list[Box], set[int]]:
        """The boxes that make some wires, and all wires that these read."""
        wanted, chosen = set(wires), []
        for box in reversed([*self._graph.body.boxes, *self.inner.boxes]):
            if not wanted.isdisjoint(box.outputs):
                wanted.update(reads(box))
                chosen.append(box)
        return chosen[::-1], wanted


class Lift:
    """Nodes of a graph, all of whose leaves it writes first, as wires of the diagram around it."""

    __slots__ = ("_box", "_constants", "_draft", "_fold", "_graph", "_maker", "_outer", "_steps")

    def __init__(self, draft: Draft, graph: Graph, fold: Fold, box: Box) -> None:
        self._draft = draft
        self._graph = graph
        self._fold = fold
        self._box = box
        self._outer = _outer(graph, box)
        self._maker = {wire: b for b in graph.body.boxes for wire in b.outputs}
        self._constants: dict[int, int] = {}
        self._steps: dict[int, int] = {}
        for node in graph.leaves.values():  # all of them, in order: keys stay where they were
            self._constants[node] = draft.wire(graph.nodes[node].type, True)
            draft.op(cast("Op", graph.nodes[node].op), (), (self._constants[node],))

    def constant(self, node: int) -> int:
        """A node that no step changes."""
        for k in above(self._graph, node, self._constants):
            found = self._graph.nodes[k]
            if found.wire in self._outer:
                self._constants[k] = self._outer[found.wire]
                continue
            inputs = tuple(self._constants[i] for i in found.inputs)
            wire = self._constants[k] = self._draft.wire(found.type, found.constant)
            if isinstance(found.op, Opaque):
                assert found.wire is not None
                box = self._maker[found.wire]
                outs = tuple(wire if w == found.wire else self._draft.wire(found.type, True) for w in box.outputs)
                self._draft.op(box.op, inputs, outs)
            else:
                self._draft.op(cast("Op", found.op), inputs, (wire,))
        return self._constants[node]

    def step(self, node: int) -> int:
        """A node that elements change, or a constant, at every step."""
        if node not in self._steps:
            if self._graph.nodes[node].need is Need.NOTHING:
                self._steps[node] = self._draft.expand(self.constant(node), self._fold.axis)
            else:
                part = Part(self._draft, self._graph, self._fold, self._box)
                self._steps[node] = part.steps([part.wire(node)])[0]
        return self._steps[node]


def _outer(graph: Graph, box: Box) -> dict[int | None, int]:
    """The wires that a body is given, as wires of the diagram around."""
    body = graph.body
    return dict(zip((*body.carriers, *body.elements, *body.captured), box.inputs, strict=True))


def above(graph: Graph, node: int, known: dict[int, int]) -> list[int]:
    """What a node is made of and itself, in order, without what is known."""
    found: set[int] = set()
    stack = [node]
    while stack:
        k = stack.pop()
        if k not in found and k not in known:
            found.add(k)
            stack += graph.nodes[k].inputs
    return sorted(found)
