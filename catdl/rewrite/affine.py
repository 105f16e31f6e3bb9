"""A fold whose state goes h -> a * h + b at every index, with a and b of the elements alone, is run in two levels.

Affine maps compose to affine maps, and composition is associative: (a, b) then (c, d) is (c * a, c * b + d). So the
steps are cut into chunks, all chunks are run side by side from the identity, and the states at the ends of the chunks
follow one after the other. Products are taken in order and nothing is divided, so a may be 0 or larger than 1. A last
chunk that is not full is filled with the identity, (1, 0).

    T steps      64 steps of all chunks at once, then T / 64 steps from chunk to chunk
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, cast

from catdl.diagram.model import Box, Call, Core, Diagram, Fold, Map
from catdl.rewrite.applied import Law
from catdl.rewrite.body import Body, Need
from catdl.rewrite.draft import Draft
from catdl.rewrite.graph import Graph
from catdl.rewrite.lift import Part
from catdl.types.dtypes import storage
from catdl.types.ragged import ragged_syms
from catdl.types.sizes import add, floordiv, mul, sub
from catdl.types.types import Axis, Leaf

LAW = Law("associativity of composition", "(f . g) . h = f . (g . h), here of affine maps", False)

CHUNK = 64
"""Steps in a chunk: of 4096 steps 64 + 64 are taken one after the other."""

LEAST = 2 * CHUNK
"""Fewer steps than these, where that is known, are as well taken one by one."""


Places: TypeAlias = "tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]"
"""Where the axes of a, of b and of both stand among those of the state."""


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
    if ragged_syms(fold.axis.size):  # chunks of one sample would have other borders than those of the next
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
        a, b = part.steps([map_.a.wire, map_.b.wire])
        out = (box.outputs[fold.carried + outs.index(new)],) if new in outs else ()
        start = box.inputs[k]
        inside = _chunks(draft, fold, (a, b, start), map_.a.where, map_.b.where, bool(out))
        draft.op(Call(inside, False), (a, b, start), (box.outputs[k], *out))
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


def _chunks(
    around: Draft, fold: Fold, given: tuple[int, int, int], of_a: tuple[int, ...], of_b: tuple[int, ...], all_: bool
) -> Diagram:
    """The two levels as a diagram: a, b at all steps, the start -> the last state, all of them if wanted."""
    d = Draft(around.span)
    names = zip(given, ("a", "b", "h"), strict=True)
    a, b, start = (d.wire(around.leaf(w), around.wires[w].constant, name) for w, name in names)
    state, size = d.leaf(start), fold.axis.size
    rank = len(state.axes)
    count = floordiv(add(size, CHUNK - 1), CHUNK)
    chunk, chunks = Axis("step", CHUNK), Axis("chunk", count)
    x, y = (_cut(d, wire, chunks, chunk, value) for wire, value in ((a, 1), (b, 0)))
    both = tuple(sorted({*of_a, *of_b}))
    firsts = _level(d, fold, x, y, (of_a, of_b, both), state, chunks, chunk, all_)
    body = Draft(d.span)
    h = body.wire(state, False, "h")
    p, q = (body.wire(Leaf(d.leaf(w).kind, d.axes(w)[1:]), d.wires[w].constant) for w in firsts[:2])
    new = _step(body, p, q, h, of_a, both, tuple(range(rank)), state)
    outputs = (new, h) if all_ else (new,)
    base = _base(fold)
    inner = body.diagram(base, (h, p, q), outputs)
    last = d.wire(state, False, "h")
    starts: tuple[int, ...] = (d.wire(Leaf(state.kind, (chunks, *state.axes)), False),) if all_ else ()
    d.op(Fold(chunks, inner, 1, 0, fold.reverse), (start, *firsts[:2]), (last, *starts))
    if not all_:
        return d.diagram(base, (a, b, start), (last,))
    full = Leaf(state.kind, (chunks, chunk, *state.axes))
    at = tuple((0, 1, *(p + 2 for p in where)) for where in (of_a, both))
    grown = d.point("mul", (firsts[2], starts[0]), full, (at[0], (0, *range(2, rank + 2))))
    states = d.point("add", (grown, firsts[3]), full, (tuple(range(rank + 2)), at[1]))
    merged = d.merge(states, 0, Axis(fold.axis.label, mul(count, CHUNK)), 2)
    return d.diagram(base, (a, b, start), (last, d.slice(merged, 0, 0, size)))


def _cut(d: Draft, wire: int, chunks: Axis, chunk: Axis, value: int) -> int:
    """The steps in chunks; the last is filled."""
    axes = d.axes(wire)
    total = mul(chunks.size, CHUNK)
    if total != axes[0].size:
        leaf = Leaf(d.leaf(wire).kind, (Axis(axes[0].label, total), *axes[1:]))
        after = sub(total, axes[0].size)
        wire = d.core("pad", (wire,), leaf, axis=0, before=0, after=after, mode="constant", value=value)
    return d.split(wire, 0, (chunks, chunk))


def _level(
    d: Draft, fold: Fold, a: int, b: int, of: Places, state: Leaf, chunks: Axis, chunk: Axis, all_: bool
) -> tuple[int, ...]:
    """All chunks side by side, each from the identity: its last map, and all of its maps if wanted."""
    of_a, of_b, both = of
    every = tuple(axis for axis in state.axes if isinstance(axis, Axis))
    grown = Leaf(d.leaf(a).kind, tuple(every[p] for p in of_a))
    moved = Leaf(state.kind, tuple(every[p] for p in both))
    body = Draft(d.span)
    p, q = body.wire(grown, False, "a"), body.wire(moved, False, "b")
    x, y = body.wire(grown, False, "a_t"), body.wire(Leaf(d.leaf(b).kind, d.axes(b)[2:]), False, "b_t")
    if d.wires[a].constant and not d.wires[b].constant:  # products for all samples at once
        alone = Draft(d.span, list(body.wires))
        first = alone.diagram(_base(fold), (p, x), (alone.point("mul", (x, p), grown),))
        second = body.diagram(_base(fold), (q, x, y), (_step(body, x, y, q, of_a, of_b, both, moved),))
        lasts = _side(d, fold, first, (a,), ((grown, 1),), chunks, chunk, all_)
        others = _side(d, fold, second, (a, b), ((moved, 0),), chunks, chunk, all_)
        return tuple(wire for pair in zip(lasts, others, strict=True) for wire in pair)
    outputs = body.point("mul", (x, p), grown), _step(body, x, y, q, of_a, of_b, both, moved)
    inner = body.diagram(_base(fold), (p, q, x, y), outputs)
    return _side(d, fold, inner, (a, b), ((grown, 1), (moved, 0)), chunks, chunk, all_)


def _side(
    d: Draft, fold: Fold, body: Diagram, given: tuple[int, ...], carried: tuple[tuple[Leaf, int], ...],
    chunks: Axis, chunk: Axis, all_: bool,
) -> tuple[int, ...]:  # fmt: skip
    """A fold along every chunk from the numbers `carried`; the last values, then all of them if wanted."""
    if all_:
        body = Diagram(
            body.name, body.wires, body.inputs, (*body.outputs, *body.outputs), body.boxes, body.effects,
            body.domain_names, (None,) * (2 * len(body.outputs)), body.facts,
        )  # fmt: skip
    part = Draft(d.span)
    inside = tuple(part.wire(Leaf(d.leaf(w).kind, d.axes(w)[1:]), d.wires[w].constant) for w in given)
    starts = tuple(
        part.full(value, tuple(axis for axis in leaf.axes if isinstance(axis, Axis)), leaf.kind)
        for leaf, value in carried
    )
    constant = d.constant(given)
    results = tuple(part.wire(leaf, constant) for leaf, _ in carried)
    results += tuple(part.wire(Leaf(leaf.kind, (chunk, *leaf.axes)), constant) for leaf, _ in carried) if all_ else ()
    part.op(Fold(chunk, body, len(carried), 0, fold.reverse), (*starts, *inside), results)
    made = tuple(d.wire(Leaf(part.leaf(w).kind, (chunks, *part.axes(w))), constant) for w in results)
    return d.op(Map((chunks,), part.diagram(_base(fold), inside, results), 0), given, made)


def _step(
    d: Draft, a: int, b: int, h: int, of_a: tuple[int, ...], of_b: tuple[int, ...], of_h: tuple[int, ...], leaf: Leaf
) -> int:
    """a * h + b, each with its own axes among those of the state."""
    places = tuple(tuple(of_h.index(p) for p in where) for where in (of_a, of_b))
    every = tuple(range(len(of_h)))
    grown = d.point("mul", (a, h), leaf, (places[0], every))
    return d.point("add", (grown, b), leaf, (every, places[1]))


def _base(fold: Fold) -> Diagram:
    return Diagram("affine_scan", (), (), (), (), fold.body.effects, (), (), ())
