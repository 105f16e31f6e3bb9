"""Core operations as terms: each says what its result is at an index, see `docs/core.md`.

Takes a box and who reads wires as terms. Guarantees that re-indexing leaves no operation behind, and that sums and
products are in normal form; what acts on a whole axis is an operation on a function of its index.

    core(reader, frame, box, op, (i, j))
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from catdl.diagram.drive import Work
from catdl.diagram.model import Box, Core, Diagram
from catdl.laws.functions import COMPLEX_LOG
from catdl.laws.places import Places
from catdl.laws.terms import Term
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size, show
from catdl.types.types import Leaf, axis_sizes, show_kind

Indices = tuple[Term, ...]


class Frame:
    """A diagram where it is looked into: what its inputs are, and where its parameters live."""

    __slots__ = ("box", "diagram", "fixed", "lead", "made", "outer", "plugs", "prefix", "what")

    def __init__(
        self, diagram: Diagram, outer: Frame | None, box: Box | None, prefix: str, lead: Indices, fixed: Indices
    ) -> None:
        self.diagram = diagram
        self.outer = outer
        self.box = box
        self.prefix = prefix
        self.lead = lead  # the indices of `each` around it
        self.fixed = fixed  # the indices of the map that it is the body of
        self.what: tuple[str, int] = ("call", 0)
        self.plugs: dict[str, int] = {} if box is None else dict(box.plugs)
        self.made: dict[int, tuple[Box, int]] = {w: (b, k) for b in diagram.boxes for k, w in enumerate(b.outputs)}


class Reader(Protocol):
    """Who reads the wires of a frame as terms."""

    a: Places

    def at(self, frame: Frame, wire: int, places: Indices) -> Work[Term]:
        """What a wire is at these places."""
        ...

    def functions(self, frame: Frame, wires: Sequence[int], places: Indices) -> Generator[Work[Term], Term, list[Term]]:
        """Wires as functions of their indices."""
        ...

    def dummies(self, frame: Frame, places: Indices, count: int) -> tuple[int, ...]:
        """Names for indices to be bound."""
        ...

    def draw(self, frame: Frame, box: Box) -> Indices:
        """Which draw of which box that draws: an index of its own, and those of the maps around it."""
        ...


def core(r: Reader, frame: Frame, box: Box, op: Core, places: Indices) -> Work[Term]:
    """A core operation, see `docs/core.md`."""
    a, wires = r.a, frame.diagram.wires
    ins = box.inputs
    leaf = wires[box.outputs[0]].type
    attrs = dict(op.attrs)
    args: list[Term] = []
    match op.name:
        case "literal":
            return literal(r, attrs["value"])
        case "pointwise":
            align = attrs["align"]
            assert isinstance(align, tuple)
            for wire, where in zip(ins, align, strict=True):
                assert isinstance(where, tuple)
                args.append((yield r.at(frame, wire, tuple(places[k] for k in where))))  # type: ignore[index]
            fn = str(attrs["fn"])
            of_complex = fn == "log" and storage(wires[ins[0]].type.kind) == "complex"
            return a.apply(COMPLEX_LOG if of_complex else fn, args)
        case "contract":
            return (yield contract(r, frame, box, attrs, places))
        case "reduce":
            empty = attrs.get("empty")
            said = "" if empty is None else f" or {_shown(empty)}"
            return (yield reduce(r, frame, ins[0], str(attrs["fn"]) + said, _ints(attrs["axes"]), places))
        case "permute":
            perm = _ints(attrs["perm"])
            back = tuple(places[perm.index(k)] for k in range(len(perm)))
            return (yield r.at(frame, ins[0], back))
        case "split_axis":
            axis, sizes = _int(attrs["axis"]), attrs["sizes"]
            assert isinstance(sizes, tuple)
            joined = places[axis]
            for k in range(1, len(sizes)):
                joined = a.pair(joined, places[axis + k], _size(sizes[k]))
            return (yield r.at(frame, ins[0], (*places[:axis], joined, *places[axis + len(sizes) :])))
        case "merge_axes":
            axis, count = _int(attrs["axis"]), _int(attrs["count"])
            sizes_in = axis_sizes(wires[ins[0]].type)[axis : axis + count]
            parts = a.parted(places[axis], sizes_in)
            return (yield r.at(frame, ins[0], (*places[:axis], *parts, *places[axis + 1 :])))
        case "expand":
            at = _int(attrs["position"])
            return (yield r.at(frame, ins[0], (*places[:at], *places[at + 1 :])))
        case "drop":
            at = _int(attrs["axis"])
            return (yield r.at(frame, ins[0], (*places[:at], a.make("const", 0), *places[at:])))
        case "slice":
            at = _int(attrs["axis"])
            here = a.moved(places[at], _size(attrs["start"]), _size(attrs["step"]))
            return (yield r.at(frame, ins[0], (*places[:at], here, *places[at + 1 :])))
        case "window":
            at = _int(attrs["axis"])
            data = (show(_size(attrs["stride"])), show(_size(attrs["dilation"])))
            here = a.make("window", data, (places[at], places[at + 1]))
            return (yield r.at(frame, ins[0], (*places[:at], here, *places[at + 2 :])))
        case "gather":
            at = _int(attrs["axis"])
            rank = len(wires[ins[1]].type.axes)
            value = yield r.at(frame, ins[1], places[at : at + rank])
            return (yield r.at(frame, ins[0], (*places[:at], a.at(value), *places[at + rank :])))
        case "pick":
            at = _int(attrs["axis"])
            value = yield r.at(frame, ins[1], places)
            return (yield r.at(frame, ins[0], (*places[:at], a.at(value), *places[at:])))
        case "index":
            return a.place(places[0])
        case "sample":
            return a.make("draw", str(attrs["dist"]), (*r.draw(frame, box), *places))
        case "training" | "stop" | "straight":
            for wire in ins:
                args.append((yield r.at(frame, wire, places)))  # noqa: PERF401
            return a.apply(op.name, args)
        case "concat":
            at = _int(attrs["axis"])
            for wire in ins:
                args.append((yield along(r, frame, wire, at, places)))  # noqa: PERF401
            widths = tuple(show(axis_sizes(wires[w].type)[at]) for w in ins)
            return a.make("concat", widths, (places[at], *args))
        case "scan" | "pad":
            at = _int(attrs["axis"])
            inner = yield along(r, frame, ins[0], at, places)
            said = repr(tuple((key, _shown(v)) for key, v in op.attrs if key != "axis"))
            linear = (
                attrs["fn"] == "cumsum" if op.name == "scan" else attrs["mode"] != "constant" or attrs["value"] == 0
            )
            number = storage(leaf.kind) in ("float", "complex")
            what = (said, show(axis_sizes(wires[ins[0]].type)[at]), linear and number)
            return a.along(op.name, what, (places[at], inner))
        case "argmax":
            at = _int(attrs["axis"])
            inner = yield along(r, frame, ins[0], at, (*places[:at], a.make("const", 0), *places[at:]))
            width = show(axis_sizes(wires[ins[0]].type)[at])
            return a.make("argmax", (str(attrs["fn"]), width), (inner,))
        case _:
            args = yield from r.functions(frame, ins, places)
            said = repr((op.name, tuple((key, _shown(v)) for key, v in op.attrs), _kind(leaf)))
            return a.make("core", said, (*places, *args))


def literal(r: Reader, value: object) -> Term:
    """A number, a truth or a size."""
    match value:
        case bool():
            return r.a.make("truth", value)
        case int() | Fraction():
            return r.a.number(value)
        case float():
            return r.a.number(Fraction(value))
        case Poly():
            return r.a.size(value)
        case _:
            raise AssertionError(value)


def along(r: Reader, frame: Frame, wire: int, axis: int, places: Indices) -> Work[Term]:
    """A wire as a function of its index along one axis."""
    (name,) = r.dummies(frame, places, 1)
    inside = (*places[:axis], r.a.index(name), *places[axis + 1 :])
    term = yield r.at(frame, wire, inside)
    return r.a.bind("lambda", None, (term,), (name,))


def contract(r: Reader, frame: Frame, box: Box, attrs: Mapping[str, object], places: Indices) -> Work[Term]:
    """The sum of products over the letters that the result lacks."""
    ins, out = attrs["ins"], attrs["out"]
    assert isinstance(ins, tuple) and isinstance(out, tuple)
    sizes: dict[int, Size] = {}
    for wire, letters in zip(box.inputs, ins, strict=True):
        sizes.update(zip(letters, axis_sizes(frame.diagram.wires[wire].type), strict=True))
    summed = [letter for letter in sizes if letter not in out]
    names = dict(zip(summed, r.dummies(frame, places, len(summed)), strict=True))
    here = {**dict(zip(out, places, strict=True)), **{k: r.a.index(n) for k, n in names.items()}}
    made = r.a.number(1)
    for wire, letters in zip(box.inputs, ins, strict=True):
        factor = yield r.at(frame, wire, tuple(here[letter] for letter in letters))
        made = r.a.mul(made, factor)
    for letter, name in names.items():
        made = r.a.total(made, name, sizes[letter])
    return made


def reduce(r: Reader, frame: Frame, wire: int, fn: str, axes: tuple[int, ...], places: Indices) -> Work[Term]:
    """A reduction over some axes."""
    sizes = axis_sizes(frame.diagram.wires[wire].type)
    names = dict(zip(axes, r.dummies(frame, places, len(axes)), strict=True))
    rest = iter(places)
    here = tuple(r.a.index(names[k]) if k in names else next(rest) for k in range(len(sizes)))
    made = yield r.at(frame, wire, here)
    if fn == "logsumexp":
        made = r.a.apply("exp", [made])
    elif fn not in ("sum", "mean"):
        return r.a.reduce(fn, made, [(name, sizes[axis]) for axis, name in names.items()])
    for axis, name in names.items():
        made = r.a.total(made, name, sizes[axis])
        if fn == "mean":
            made = _divided(r, made, sizes[axis])
    if fn != "logsumexp":
        return made
    whole = r.a.apply("log", [made])
    r.a.note("logsumexp is the log of the sum of exponentials", "logsumexp", (), whole)
    return whole


def _divided(r: Reader, term: Term, size: Size) -> Term:
    """Over the number of elements, which is not zero: n times 1/n is one."""
    if isinstance(size, int):
        return r.a.add([(Fraction(1, size), term)]) if size else r.a.mul(term, r.a.inverse(r.a.zero))
    count = r.a.size(size)
    out: list[tuple[Fraction | int, Term]] = []
    for coef, mono in r.a.parts(term):
        out.append((coef, r.a.over_size(mono, count)))
    return r.a.add(out)


def _kind(leaf: Leaf) -> str:
    return show_kind(leaf.kind)


def _shown(value: object) -> object:
    return show(value) if isinstance(value, Poly) else value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _ints(value: object) -> tuple[int, ...]:
    assert isinstance(value, tuple)
    return tuple(_int(item) for item in value)


def _size(value: object) -> Size:
    assert isinstance(value, int | Poly)
    return value
