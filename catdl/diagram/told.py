"""Which free dims a diagram has to know while it runs, and which of them its inputs tell.

Takes checked Diagrams; gives for each dim that is needed and not told the first box that needs it. A part of another
diagram may need dims that its own inputs do not tell: those of the whole do.

    untold(diagram)     {"m::T": the span of `expand[T]`}     of `Real[D] -> Real[T, D] = expand[T]`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catdl.diagram.model import Box, Core, Diagram, Each, Extern, Map, Native, TreeFold
from catdl.diagram.params import bodies, post_order
from catdl.source import Span
from catdl.types.ragged import bare, is_ragged, row
from catdl.types.sizes import Poly, Size, Sym
from catdl.types.types import Leaf, axis_sizes

Needs = dict[str, Span]


def linear_in(size: Poly) -> tuple[str, int, int] | None:
    """The dim, factor and rest of a size c * T + d, which tells T; None for one of another form."""
    terms = [(mono, coef) for mono, coef in size.terms if mono.pairs]
    rest = next((coef for mono, coef in size.terms if not mono.pairs), 0)
    if len(terms) != 1:
        return None
    mono, coef = terms[0]
    atom, power = mono.pairs[0]
    if mono.degree != 1 or power != 1 or not isinstance(atom, Sym) or coef.denominator != 1:
        return None
    if rest.denominator != 1 or coef <= 0:
        return None
    return atom.name, int(coef), int(rest)


def untold(diagram: Diagram, memo: dict[int, Needs] | None = None) -> Needs:
    """The dims that a diagram needs and that its own inputs do not tell, each with the first box that needs it.

    `memo` keeps what the diagrams inside need, for those that share them.
    """
    needs = needed(diagram, {} if memo is None else memo)
    if not needs:
        return needs
    told = padded(diagram).keys() | {
        found[0]
        for i in diagram.inputs
        for size in axis_sizes(diagram.wires[i].type)
        if isinstance(size, Poly) and (found := linear_in(size)) is not None
    }
    return {name: span for name, span in needs.items() if name not in told and not is_ragged(name)}


def padded(diagram: Diagram) -> dict[str, set[str]]:
    """The free dims that var dims are filled up to, `pad[N -> T]`, each with these: as large as the largest sample."""
    found: dict[str, set[str]] = {}
    for inner in post_order(diagram):
        for box in inner.boxes:
            if isinstance(box.op, Core) and box.op.name == "pad":
                at = box.op["axis"]
                assert isinstance(at, int)
                old, new = (axis_sizes(inner.wires[wires[0]].type)[at] for wires in (box.inputs, box.outputs))
                name, dim = row(old), bare(new)
                if name is not None and dim is not None:
                    found.setdefault(dim, set()).add(name)
    return found


def by_trees(diagram: Diagram) -> dict[str, tuple[int, ...]]:
    """The var dims of the nodes of trees, each with the inputs, by position, whose trees it is made of."""
    made: dict[int, tuple[dict[int, int], dict[str, tuple[int, ...]]]] = {}
    for inner in post_order(diagram):
        at = {wire: k for k, wire in enumerate(inner.inputs) if inner.wires[wire].type.kind.form is not None}
        dims: dict[str, dict[int, None]] = {}
        for box in inner.boxes:
            body = bodies(box)
            if isinstance(box.op, TreeFold):
                name = None if box.op.axis is None else row(box.op.axis.size)
                if name is not None:
                    dims.setdefault(name, {})[at[box.inputs[0]]] = None
            elif body is not None and id(body) in made:
                through, below = made[id(body)]
                at |= {box.outputs[k]: at[box.inputs[port]] for k, port in through.items() if box.inputs[port] in at}
                for name, ports in below.items():
                    dims.setdefault(name, {}).update((at[box.inputs[port]], None) for port in ports)
        through = {k: at[wire] for k, wire in enumerate(inner.outputs) if wire in at}
        made[id(inner)] = through, {name: tuple(ports) for name, ports in dims.items()}
    return made[id(diagram)][1]


def needed(root: Diagram, memo: dict[int, Needs]) -> Needs:
    """The dims that a diagram and those inside it need; innermost first, without recursion."""
    stack = [(root, False)]
    while stack:
        diagram, ready = stack.pop()
        if id(diagram) in memo:
            continue
        inner = list({id(body): body for box in diagram.boxes if (body := bodies(box)) is not None}.values())
        waiting = [] if ready else [body for body in inner if id(body) not in memo]
        if waiting:
            stack.append((diagram, True))
            stack += [(body, False) for body in waiting]
            continue
        memo[id(diagram)] = own(diagram, memo)
    return memo[id(root)]


def own(diagram: Diagram, memo: dict[int, Needs]) -> Needs:
    """The dims that the boxes of a diagram need, those inside them included."""
    out: Needs = {}
    seen: set[int] = set()
    for box in diagram.boxes:
        if id(box.op) in seen:
            continue  # one operation stands for all its uses on the same types
        seen.add(id(box.op))
        body = bodies(box)
        for name in memo[id(body)] if body is not None else ():
            out.setdefault(name, box.span)
        for name in reads(diagram, box):
            out.setdefault(name, box.span)
    return out


def reads(diagram: Diagram, box: Box) -> Iterator[str]:
    """The dims whose size a box itself asks for, beyond the sizes that its inputs have."""
    match box.op:
        case Core(attrs=attrs):
            here = {size for leaf in types(diagram, box.inputs) for size in axis_sizes(leaf)}
            yield from names(size for _, value in attrs for size in sizes(value) if size not in here)
        case Map(axes=axes):
            here = {size for leaf in types(diagram, box.inputs) for size in axis_sizes(leaf)}
            yield from names(axis.size for axis in axes if axis.size not in here)
        case Native(args=args):
            # A layer computes the sizes of its result from those of its input.
            known = set(names(size for leaf in types(diagram, box.inputs) for size in axis_sizes(leaf)))
            made = [size for leaf in types(diagram, box.outputs) for size in axis_sizes(leaf)]
            made += [size for _, value in args for size in sizes(value)]
            yield from (name for name in names(made) if name not in known)
        case Extern():
            # What a foreign module gives is compared with the declared sizes.
            yield from names(size for leaf in types(diagram, box.outputs) for size in axis_sizes(leaf))
        case Each():
            pass  # its axis is fixed
        case _:
            pass


def types(diagram: Diagram, wires: tuple[int, ...]) -> Iterator[Leaf]:
    """The types of some wires."""
    return (diagram.wires[i].type for i in wires)


def names(found: Iterable[Size]) -> Iterator[str]:
    """The dims in some sizes, in a fixed order."""
    for size in found:
        if isinstance(size, Poly):
            yield from sorted(size.syms)


def sizes(value: object) -> Iterator[Size]:
    """The sizes in an attribute."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack += part
        elif isinstance(part, Poly):
            yield part
