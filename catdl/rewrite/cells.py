"""A body that is, up to its normal form, an Elman, GRU or LSTM cell: which one, and what its gates are made of.

The gates are the unknowns: each must be affine in the state and in what the elements give, with any weights.

    recognised(…)      Cell("gru", (reset, update, new), …)

    Elman   h' = tanh(gate), or relu
    LSTM    c' = s(f) * c + s(i) * tanh(g),  h' = s(o) * tanh(c')
    GRU     h' = (1 - s(z)) * n + s(z) * h,  n = tanh(x part + s(r) * (h part))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from catdl.rewrite.body import Need
from catdl.rewrite.graph import Graph
from catdl.rewrite.normal import Apply, Factor, Forms, Given, Mono, Piece, Poly, Times, combined, scale

ONE = Fraction(1)


@dataclass(slots=True)
class Gate:
    """An affine map: multiples of products and of vectors. None stands for the identity, in a bias for ones."""

    x: dict[Factor, list[tuple[Times | None, Fraction]]] = field(default_factory=dict)
    h: list[tuple[Times, Fraction]] = field(default_factory=list)
    bias: list[tuple[Given | None, Fraction]] = field(default_factory=list)
    inner: list[tuple[Given | None, Fraction]] = field(default_factory=list)  # beside `h`, inside of a reset


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of torch: gates in torch's order, which of the carried wires is the hidden state."""

    kernel: str
    gates: tuple[Gate, ...]
    hidden: int
    size: int


def recognised(graph: Graph, forms: Forms, news: list[Poly], sizes: list[int]) -> Cell | None:
    """The cell that the new values of what goes round are, if it is one."""
    carriers = [graph.at[wire] for wire in graph.body.carriers]
    old = [forms.factor(Given(node, Piece(0, 1, size))) for node, size in zip(carriers, sizes, strict=True)]
    match len(news):
        case 1:
            return _elman(graph, forms, news[0], old[0], sizes[0]) or _gru(graph, forms, news[0], old[0], sizes[0])
        case 2 if sizes[0] == sizes[1]:
            return _lstm(graph, forms, news, old, 0, sizes[0]) or _lstm(graph, forms, news, old, 1, sizes[0])
        case _:
            return None


def _function(forms: Forms, factor: Factor, fn: str) -> Poly | None:
    """The argument of a function."""
    atom = forms.atoms[factor]
    return atom.poly if isinstance(atom, Apply) and atom.fn == fn else None


def _elman(graph: Graph, forms: Forms, new: Poly, h: Factor, size: int) -> Cell | None:
    if len(new) != 1 or len(new[0][0]) != 1 or new[0][1] != 1:
        return None
    for fn in ("tanh", "relu"):
        poly = _function(forms, new[0][0][0], fn)
        gate = None if poly is None else _gate(graph, forms, poly, h)
        if gate is not None:
            return Cell(f"rnn_{fn}", (gate,), 0, size)
    return None


def _lstm(graph: Graph, forms: Forms, news: list[Poly], old: list[Factor], hidden: int, size: int) -> Cell | None:
    h, c = old[hidden], old[1 - hidden]
    new = news[1 - hidden]
    out = _two(forms, news[hidden])
    if out is None or _function(forms, out[1], "tanh") != new or len(new) != 2:
        return None
    kept = [mono for mono, value in new if value == 1 and c in mono and len(mono) == 2]
    added = [mono for mono, value in new if value == 1 and c not in mono]
    if len(kept) != 1 or len(added) != 1:
        return None
    forget = kept[0][1] if kept[0][0] == c else kept[0][0]
    pair = _two(forms, ((added[0], ONE),))
    if pair is None:
        return None
    polys = [_function(forms, pair[0], "sigmoid"), _function(forms, forget, "sigmoid")]
    polys += [_function(forms, pair[1], "tanh"), _function(forms, out[0], "sigmoid")]
    return _cell(graph, forms, "lstm", polys, h, hidden, size)


def _two(forms: Forms, poly: Poly) -> tuple[Factor, Factor] | None:
    """The sigmoid and the tanh whose product it is."""
    if len(poly) != 1 or poly[0][1] != 1 or len(poly[0][0]) != 2:
        return None
    a, b = poly[0][0]
    for left, right in ((a, b), (b, a)):
        if _function(forms, left, "sigmoid") is not None and _function(forms, right, "tanh") is not None:
            return left, right
    return None


def _cell(
    graph: Graph, forms: Forms, kernel: str, polys: list[Poly | None], h: Factor, hidden: int, size: int
) -> Cell | None:
    gates = [None if poly is None else _gate(graph, forms, poly, h) for poly in polys]
    found = tuple(gate for gate in gates if gate is not None)
    return Cell(kernel, found, hidden, size) if len(found) == len(polys) else None


def _gru(graph: Graph, forms: Forms, new: Poly, h: Factor, size: int) -> Cell | None:
    values = dict(new)
    if len(new) != 3:
        return None
    for mono in values:
        if len(mono) != 2 or h not in mono or mono == (h, h):
            continue
        update = mono[0] if mono[1] == h else mono[1]
        poly = _function(forms, update, "sigmoid")
        kept = values[mono] == 1  # s(z) * h; else (1 - s(z)) * h, whose gate is that of -z, for 1 - s(z) = s(-z)
        rest: dict[Mono, Fraction] = {key: value for key, value in values.items() if key != mono}
        if not kept and rest.pop((h,), Fraction(0)) != 1:
            continue
        candidates = {f for key in rest for f in key if f != update}
        if poly is None or len(candidates) != 1:
            continue
        n = candidates.pop()
        wanted = [((n,), ONE), ((n, update), -ONE)] if kept else [((n, update), ONE)]
        if values[mono] != (1 if kept else -1) or combined(rest.items()) != combined(wanted):
            continue
        inner = _function(forms, n, "tanh")
        found = None if inner is None else _reset(graph, forms, inner, h)
        if found is None:
            return None
        z = _gate(graph, forms, poly if kept else scale(poly, -ONE), h)
        r, gate = found
        reset = _gate(graph, forms, r, h)
        return None if z is None or reset is None else Cell("gru", (reset, z, gate), 0, size)
    return None


def _reset(graph: Graph, forms: Forms, poly: Poly, h: Factor) -> tuple[Poly, Gate] | None:
    """The gate r and the affine map of which it scales the part of the state: x part + s(r) * (h part)."""
    plain = [(mono, value) for mono, value in poly if not _sigmoids(forms, mono)]
    scaled = [(mono, value) for mono, value in poly if _sigmoids(forms, mono)]
    resets = {factor for mono, _ in scaled for factor in _sigmoids(forms, mono)}
    outside = _gate(graph, forms, combined(plain), h)
    if len(resets) != 1 or outside is None or outside.h:
        return None
    reset = resets.pop()
    rest = []
    for mono, value in scaled:
        left = list(mono)
        left.remove(reset)
        rest.append((tuple(left), value))
    inside = _gate(graph, forms, combined(rest), h)
    r = _function(forms, reset, "sigmoid")
    if inside is None or inside.x or not inside.h or r is None:
        return None
    return r, Gate(outside.x, inside.h, outside.bias, inside.bias)


def _sigmoids(forms: Forms, mono: Mono) -> list[Factor]:
    return [factor for factor in mono if _function(forms, factor, "sigmoid") is not None]


def _gate(graph: Graph, forms: Forms, poly: Poly, h: Factor) -> Gate | None:
    """An affine map of the state and of what does not go round; None where it is something else."""
    gate = Gate()
    for mono, value in poly:
        if not mono:
            gate.bias.append((None, value))
            continue
        atom = forms.atoms[mono[0]]
        if len(mono) != 1 or isinstance(atom, Apply):
            return None
        given = forms.atoms[atom.factor] if isinstance(atom, Times) else atom
        if not isinstance(given, Given):
            return None
        node = graph.nodes[given.node]
        if isinstance(atom, Times) and atom.factor == h:
            gate.h.append((atom, value))
        elif node.need is Need.CARRIER:
            return None
        elif isinstance(atom, Times):
            gate.x.setdefault(atom.factor, []).append((atom, value))
        elif node.need is Need.NOTHING and node.constant:
            gate.bias.append((given, value))
        else:
            gate.x.setdefault(mono[0], []).append((None, value))
    return gate
