"""A fold whose state goes h -> a * h + b at every index, with a and b of the elements alone, is run in two levels.

Affine maps compose to affine maps, and composition is associative: (a, b) then (c, d) is (c * a, c * b + d). So the
steps are cut into chunks, all chunks are run side by side from the identity, and the states at the ends of the chunks
follow one after the other; then all chunks run side by side again, each from its state. Products are taken in order and
nothing is divided, so a may be 0 or larger than 1. How this is done is `affine_scan` in `torch/helpers.py`,
and along a var dim, where every sample has chunks of its own, in `torch/chunked.py`.

    fold[T]([ h | (x, h) => a(x) * h + b(x) ])      affine_scan(a, b, h)
"""

from __future__ import annotations

from typing import NamedTuple, cast

from catdl.diagram.model import Box, Core, Fold, Native
from catdl.rewrite.applied import Law
from catdl.rewrite.body import Body, Need
from catdl.rewrite.draft import Draft
from catdl.rewrite.graph import Graph
from catdl.rewrite.lift import Part
from catdl.types.dtypes import storage
from catdl.types.types import Axis, Leaf

LAW = Law("associativity of composition", "(f . g) . h = f . (g . h), here of affine maps", False)

LEAST = 128
"""Fewer steps than these, where that is known, are as well taken one by one."""


class Term(NamedTuple):
    """A wire with the positions that its axes have among those of the state."""

    wire: int
    where: tuple[int, ...]


class Affine(NamedTuple):
    """a * h + b; without a it is 1, without b it is 0."""

    a: Term | None
    b: Term | None


class NotAffine(Exception):
    """The new value of a wire that goes round is no such map of the old one."""


def chunked(draft: Draft, box: Box, fold: Fold) -> bool:
    """Write the fold in two levels, if every wire that goes round is mapped so and nothing else is given out."""
    if isinstance(fold.axis.size, int) and fold.axis.size < LEAST:
        return False
    body = Body(fold)
    if not body.elements or any(storage(body.wires[w].type.kind) not in ("float", "complex") for w in body.carriers):
        return False
    graph = Graph(body)
    news = [graph.at[wire] for wire in body.outputs[: fold.carried]]
    outs = [graph.at[wire] for wire in body.outputs[fold.carried :]]
    if graph.leaves or any(out not in news for out in outs) or len(set(outs)) < len(outs) or len(set(news)) < len(news):
        return False
    part = Part(draft, graph, fold, box)
    try:
        maps = [_affine(part, graph, graph.at[old], new) for old, new in zip(body.carriers, news, strict=True)]
    except NotAffine:
        return False
    for k, (map_, new) in enumerate(zip(maps, news, strict=True)):
        assert map_.a is not None and map_.b is not None
        state = draft.leaf(box.inputs[k])
        rank = len(state.axes)
        a, b = part.steps([map_.a.wire, map_.b.wire])
        a, b = _broadcast(draft, a, map_.a.where, rank), _broadcast(draft, b, map_.b.where, rank)
        every = draft.wire(Leaf(state.kind, (fold.axis, *state.axes)), False)
        if new in outs:
            every = box.outputs[fold.carried + outs.index(new)]
        native = Native("affine_scan", (("reverse", fold.reverse),), (), (), None, None, None)
        draft.op(native, (a, b, box.inputs[k]), (box.outputs[k], every))
    return True


def _affine(part: Part, graph: Graph, old: int, new: int) -> Affine:
    """The new value as a map of the old one, its terms written into the part. Raises NotAffine."""
    found: dict[int, Affine] = {old: Affine(None, None)}
    rank = len(graph.nodes[old].type.axes)
    every = tuple(range(rank))
    stack = [new]
    inside: set[int] = set()
    while stack:
        k = stack.pop()
        if k not in inside and graph.nodes[k].need is Need.CARRIER:
            inside.add(k)
            stack += graph.nodes[k].inputs
    terms = _Terms(part, graph.nodes[old].type)
    for k in sorted(inside):
        node = graph.nodes[k]
        if k == old:
            continue
        op = node.op
        if not isinstance(op, Core) or op.name != "pointwise" or len(node.type.axes) != rank:
            raise NotAffine
        align = cast("tuple[tuple[int, ...], ...]", op["align"])
        given: list[Affine | Term] = []
        for i, where in zip(node.inputs, align, strict=True):
            if i in found and where == every:
                given.append(found[i])
            elif graph.nodes[i].need is Need.CARRIER:
                raise NotAffine
            else:
                given.append(Term(part.wire(i), where))
        found[k] = _point(terms, str(op["fn"]), given)
    result = found.get(new, Affine(None, None))
    if result.a is None or result.b is None:
        raise NotAffine
    return result


def _point(terms: _Terms, fn: str, given: list[Affine | Term]) -> Affine:
    """A pointwise function of affine maps and of terms, where that is affine."""
    match fn, given:
        case "neg", [Affine(a, b)]:
            return Affine(terms.neg(a), None if b is None else terms.neg(b))
        case "add" | "sub", [left, right]:
            x = left if isinstance(left, Affine) else None
            y = right if isinstance(right, Affine) else None
            a = terms.a(x, y, fn)
            return Affine(a, terms.sum(x.b if x else cast("Term", left), y.b if y else cast("Term", right), fn))
        case "mul", [Affine(a, b), Term() as e] | [Term() as e, Affine(a, b)]:
            return Affine(e if a is None else terms.two("mul", a, e), None if b is None else terms.two("mul", b, e))
        case "div", [Affine(a, b), Term() as e]:
            return Affine(
                terms.two("div", terms.one() if a is None else a, e), None if b is None else terms.two("div", b, e)
            )
        case "where", [Term() as test, left, right]:
            pairs = [(x.a or terms.one(), x.b) if isinstance(x, Affine) else (terms.zero(), x) for x in (left, right)]
            a = terms.where(test, pairs[0][0], pairs[1][0])
            return Affine(a, terms.where(test, pairs[0][1] or terms.zero(), pairs[1][1] or terms.zero()))
        case _:
            raise NotAffine


class _Terms:
    """Arithmetic of terms, each as small as its axes allow."""

    __slots__ = ("_axes", "_kind", "_part")

    def __init__(self, part: Part, leaf: Leaf) -> None:
        self._part = part
        self._kind = leaf.kind
        self._axes = tuple(axis for axis in leaf.axes if isinstance(axis, Axis))

    def _apply(self, fn: str, given: list[Term]) -> Term:
        where = tuple(sorted({p for term in given for p in term.where}))
        leaf = Leaf(self._kind, tuple(self._axes[p] for p in where))
        align = tuple(tuple(where.index(p) for p in term.where) for term in given)
        return Term(self._part.inner.point(fn, tuple(term.wire for term in given), leaf, align), where)

    def two(self, fn: str, left: Term, right: Term) -> Term:
        """A function of two terms."""
        return self._apply(fn, [left, right])

    def where(self, test: Term, left: Term, right: Term) -> Term:
        """One term or the other."""
        return self._apply("where", [test, left, right])

    def one(self) -> Term:
        """The number 1."""
        return Term(self._part.inner.literal(1, self._kind), ())

    def zero(self) -> Term:
        """The number 0."""
        return Term(self._part.inner.literal(0, self._kind), ())

    def neg(self, term: Term | None) -> Term:
        """The negative; None is 1."""
        return self._apply("neg", [self.one() if term is None else term])

    def a(self, x: Affine | None, y: Affine | None, fn: str) -> Term | None:
        """What the state is multiplied with in a sum or difference."""
        if y is None:
            assert x is not None
            return x.a
        right = y.a or self.one()
        if x is None:
            return y.a if fn == "add" else self.neg(y.a)
        return self.two(fn, x.a or self.one(), right)

    def sum(self, x: Term | None, y: Term | None, fn: str) -> Term | None:
        """A sum or difference of which either may be nought."""
        if y is None:
            return x
        if x is None:
            return y if fn == "add" else self.neg(y)
        return self.two(fn, x, y)


def _broadcast(draft: Draft, wire: int, where: tuple[int, ...], rank: int) -> int:
    """A term at all steps with an axis of size 1 for each axis of the state that it lacks."""
    for position in range(rank):
        if position not in where:
            axes = list(draft.axes(wire))
            axes.insert(position + 1, Axis("one", 1))
            leaf = Leaf(draft.leaf(wire).kind, tuple(axes))
            wire = draft.core("expand", (wire,), leaf, position=position + 1, size=1)
    return wire
