"""What the nodes of a body are as vectors in normal form, tensors of several axes as views of such.

Takes a graph (`graph.py`). A node that is no polynomial of vectors is None if it depends on what goes round, else an
atom: so all that is left unknown is known by its name.

    values(graph, forms)[node]      Vector((Segment(poly, 4),))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TypeAlias, cast

from catdl.diagram.model import Core
from catdl.rewrite.body import Need
from catdl.rewrite.graph import Graph, Input, Node
from catdl.rewrite.normal import Apply, Forms, Given, Piece, Poly, Times, add, combined, mul, number, scale
from catdl.types.dtypes import storage
from catdl.types.types import Leaf, axis_sizes


@dataclass(frozen=True, slots=True)
class Vector:
    """One axis, made of segments: polynomials with their sizes."""

    segments: tuple[tuple[Poly, int], ...]

    @property
    def size(self) -> int:
        """How long it is."""
        return sum(size for _, size in self.segments)


@dataclass(frozen=True, slots=True)
class View:
    """Several axes over a vector: where index 0 stands, for each axis its size and how far its indices are apart."""

    base: Vector
    offset: int
    dims: tuple[tuple[int, int], ...]


Value: TypeAlias = Vector | View | Fraction


def values(graph: Graph, forms: Forms) -> list[Value | None]:
    """The value of every node. Raises TooLarge."""
    found: list[Value | None] = []
    for k, node in enumerate(graph.nodes):
        value = _value(graph, forms, found, node)
        if node.need is not Need.CARRIER and not _plain(forms, value):
            value = None
        if value is None and (node.need is not Need.CARRIER or isinstance(node.op, Input)):
            value = _whole(forms, k, node)
        found.append(value)
    return found


def _plain(forms: Forms, value: Value | None) -> bool:
    """Whether it is a sum of multiples of atoms that are no functions; other values are better left as they are."""
    if value is None or isinstance(value, Fraction):
        return value is not None
    base = value if isinstance(value, Vector) else value.base
    monos = [mono for poly, _ in base.segments for mono, _ in poly]
    return all(len(mono) < 2 and not any(isinstance(forms.atoms[f], Apply) for f in mono) for mono in monos)


def _sizes(leaf: Leaf) -> tuple[int, ...] | None:
    """The sizes of a real tensor of fixed size."""
    sizes = axis_sizes(leaf)
    if storage(leaf.kind) != "float" or not all(isinstance(size, int) for size in sizes):
        return None
    return cast("tuple[int, ...]", sizes)


def _whole(forms: Forms, k: int, node: Node) -> Value | None:
    """A node as an atom."""
    sizes = _sizes(node.type)
    if not sizes:
        return None
    total = 1
    for size in sizes:
        total *= size
    vector = Vector(((forms.one(Given(k, Piece(0, 1, total))), total),))
    return vector if len(sizes) == 1 else View(vector, 0, _rows(sizes))


def _rows(sizes: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The axes of what stands row by row."""
    strides = list(accumulate((1, *reversed(sizes[1:])), lambda a, b: a * b))
    return tuple(zip(sizes, reversed(strides), strict=True))


def _value(graph: Graph, forms: Forms, found: list[Value | None], node: Node) -> Value | None:
    op = node.op
    if not isinstance(op, Core):
        return None
    if op.name == "literal":
        value = op["value"]
        return Fraction(value) if isinstance(value, int | Fraction) and not isinstance(value, bool) else None
    sizes = _sizes(node.type)
    if sizes is None:
        return None
    given = [found[k] for k in node.inputs]
    match op.name:
        case "pointwise":
            return _pointwise(forms, op, given, sizes)
        case "contract":
            return _contract(graph, forms, op, node, given)
        case "concat" if len(sizes) == 1:
            vectors = [value for value in given if isinstance(value, Vector)]
            joined = tuple(segment for vector in vectors for segment in vector.segments)
            return Vector(joined) if len(vectors) == len(given) else None
        case "expand" if isinstance(given[0], Fraction) and len(sizes) == 1:
            return Vector(((number(given[0]), sizes[0]),))
        case "split_axis" | "merge_axes" | "permute" | "slice" | "drop":
            return _rearranged(forms, op, given[0], sizes)
        case _:
            return None


# functions


_UNARY = {"tanh", "sigmoid"}


def _pointwise(forms: Forms, op: Core, given: list[Value | None], sizes: tuple[int, ...]) -> Value | None:
    fn = str(op["fn"])
    align = cast("tuple[tuple[int, ...], ...]", op["align"])
    tensors = [value for value in given if not isinstance(value, Fraction)]
    for value, where in zip(given, align, strict=True):
        if value is None or (not isinstance(value, Fraction) and where != tuple(range(len(sizes)))):
            return None
    if not tensors:
        return _numbers(fn, [value for value in given if isinstance(value, Fraction)])
    if len(given) == 1:
        if fn in _UNARY:
            return _each(given[0], lambda poly: forms.apply(fn, poly))
        return _each(given[0], lambda poly: scale(poly, Fraction(-1))) if fn == "neg" else None
    if len(given) != 2:
        return None
    left, right = given
    if fn == "maximum" and 0 in (left, right):
        return _each(tensors[0], lambda poly: forms.apply("relu", poly))
    match fn:
        case "add":
            return _both(left, right, add)
        case "sub":
            return _both(left, right, lambda a, b: add(a, scale(b, Fraction(-1))))
        case "mul":
            return _both(left, right, mul)
        case "div" if isinstance(right, Fraction) and right:
            return _each(left, lambda poly: scale(poly, 1 / right))
        case _:
            return None


def _numbers(fn: str, given: list[Fraction]) -> Fraction | None:
    match fn, given:
        case "add", [a, b]:
            return a + b
        case "sub", [a, b]:
            return a - b
        case "mul", [a, b]:
            return a * b
        case "div", [a, b] if b:
            return a / b
        case "neg", [a]:
            return -a
        case _:
            return None


def _each(value: Value | None, fn: Callable[[Poly], Poly]) -> Value | None:
    match value:
        case Vector(segments):
            return Vector(tuple((fn(poly), size) for poly, size in segments))
        case View(base, offset, dims):
            inner = _each(base, fn)
            return View(inner, offset, dims) if isinstance(inner, Vector) else None
        case _:
            return None


def _both(left: Value | None, right: Value | None, fn: Callable[[Poly, Poly], Poly]) -> Value | None:
    match left, right:
        case Vector(a), Vector(b) if [size for _, size in a] == [size for _, size in b]:
            return Vector(tuple((fn(x, y), size) for (x, size), (y, _) in zip(a, b, strict=True)))
        case View(a, at, dims), View(b, other, others) if (at, dims) == (other, others):
            inner = _both(a, b, fn)
            return View(inner, at, dims) if isinstance(inner, Vector) else None
        case ((Vector() | View()), Fraction()):
            return _each(left, lambda poly: fn(poly, number(right)))
        case Fraction(), (Vector() | View()):
            return _each(right, lambda poly: fn(number(left), poly))
        case _:
            return None


# products with matrices


def _contract(graph: Graph, forms: Forms, op: Core, node: Node, given: list[Value | None]) -> Value | None:
    """A constant matrix, of two axes or more, times a vector."""
    if len(given) != 2:
        return None
    ins, out = cast("tuple[tuple[int, ...], ...]", op["ins"]), cast("tuple[int, ...]", op["out"])
    for x, w in ((0, 1), (1, 0)):
        vector, matrix = given[x], graph.nodes[node.inputs[w]]
        sizes = _sizes(matrix.type)
        if not isinstance(vector, Vector) or matrix.need is not Need.NOTHING or not matrix.constant or sizes is None:
            continue
        letters = ins[w]
        if len(ins[x]) != 1 or ins[x][0] not in letters or len(set(letters)) != len(letters) or len(letters) < 2:
            continue
        axis = letters.index(ins[x][0])
        rest = tuple(letter for letter in letters if letter != ins[x][0])
        if sorted(rest) != sorted(out):
            continue
        rows = tuple(size for k, size in enumerate(sizes) if k != axis)
        base = _product(forms, vector, node.inputs[w], axis, rows)
        if base is None:
            return None
        placed = dict(zip(rest, _rows(rows), strict=True))
        return base if len(rows) == 1 else View(base, 0, tuple(placed[letter] for letter in out))
    return None


def _product(forms: Forms, vector: Vector, matrix: int, axis: int, rows: tuple[int, ...]) -> Vector | None:
    total = 1
    for size in rows:
        total *= size
    terms = []
    start = 0
    for poly, size in vector.segments:
        for mono, value in poly:
            if len(mono) != 1 or isinstance(forms.atoms[mono[0]], Apply):
                return None
            times = Times(matrix, axis, Piece(0, 1, total), Piece(start, 1, size), mono[0])
            terms.append(((forms.factor(times),), value))
        start += size
    return Vector(((combined(terms), total),))


# axes


def _rearranged(forms: Forms, op: Core, value: Value | None, sizes: tuple[int, ...]) -> Value | None:
    match value:
        case Vector():
            view = View(value, 0, ((value.size, 1),))
        case View():
            view = value
        case _:
            return None
    dims = list(view.dims)
    offset = view.offset
    match op.name:
        case "split_axis":
            axis, parts = cast("int", op["axis"]), cast("tuple[int, ...]", op["sizes"])
            dims[axis : axis + 1] = [(size, stride * dims[axis][1]) for size, stride in _rows(parts)]
        case "merge_axes":
            axis, count = cast("int", op["axis"]), cast("int", op["count"])
            merged = dims[axis : axis + count]
            if not merged or any(a[1] != b[0] * b[1] for a, b in pairwise(merged)):
                return None
            total = 1
            for size, _ in merged:
                total *= size
            dims[axis : axis + count] = [(total, merged[-1][1])]
        case "permute":
            dims = [dims[p] for p in cast("tuple[int, ...]", op["perm"])]
        case "slice":
            axis, start, step = (cast("int", op[name]) for name in ("axis", "start", "step"))
            offset += start * dims[axis][1]
            dims[axis] = (sizes[axis], step * dims[axis][1])
        case _:
            del dims[cast("int", op["axis"])]
    if len(dims) != 1:
        return View(view.base, offset, tuple(dims)) if dims else None
    return _taken(forms, view.base, Piece(offset, dims[0][1], dims[0][0]))


def _taken(forms: Forms, vector: Vector, at: Piece) -> Vector | None:
    """Some indices of a vector: a piece of one segment, or of several that follow each other."""
    last = at.start + (at.size - 1) * at.step
    low, high = min(at.start, last), max(at.start, last)
    found = []
    start = 0
    for poly, size in vector.segments:
        if start <= low and high < start + size and at.size:
            return Vector(((forms.piece(poly, Piece(at.start - start, at.step, at.size)), at.size),))
        begin, end = max(low, start), min(high + 1, start + size)
        if begin < end:
            found.append((forms.piece(poly, Piece(begin - start, 1, end - begin)), end - begin))
        start += size
    return Vector(tuple(found)) if at.step == 1 and found else None
