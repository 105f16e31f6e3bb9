"""Where the gradient of a loss comes to, and where it stops.

Takes a Diagram and which of its results a gradient comes from; guarantees that what it calls cut off is so: a box is
taken to pass a gradient from every result to every input that is a real or complex number, unless it is made not to,
and a box that holds a diagram as if all its results were wanted.

    reached(loss, {0}).inputs          # the inputs that the loss can be lowered by
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catdl.diagram.model import Box, Core, Diagram, Extern, Global, Local, Native, Parameter, Store, TreeFold
from catdl.diagram.params import bodies, globals_of, is_learned, leaves_of, owns, post_order
from catdl.record import record, replace
from catdl.types.types import Leaf

FLAT = frozenset({"sign", "floor", "ceil", "round", "trunc", "floordiv", "stop"})
"""Operations whose derivative is zero wherever they have one, or is told to be."""


@record
class Reach:
    """What a gradient from the results comes to: inputs, by place; boxes with weights that it does not; where it stops.

    `taught`: whether it comes to any weight. `declared`: the declared parameters that it comes to, by name; `loose`:
    those with a place that it does not come to, and a box there. One is taught if any place that reads it is.
    """

    inputs: frozenset[int]
    taught: bool
    untaught: tuple[Box, ...]
    stops: tuple[Box, ...]
    declared: frozenset[str]
    loose: tuple[tuple[str, Box], ...]


def reached(diagram: Diagram, wanted: Iterable[int], *, gradient: bool = True) -> Reach:
    """What these of its results depend on, by a gradient or, without one, in any way."""
    known: dict[int, Reach] = {}
    for inner in post_order(diagram):
        if inner is not diagram:
            known[id(inner)] = _walk(inner, inner.outputs, known, gradient)
    places = set(wanted)
    found = _walk(diagram, tuple(w for k, w in enumerate(diagram.outputs) if k in places), known, gradient)
    lost = tuple(box for name, box in found.loose if name not in found.declared)
    return replace(found, untaught=(*found.untaught, *lost))


def carries(leaf: Leaf) -> bool:
    """Whether a gradient can go along a wire of this type."""
    return leaf.kind.name.rpartition("::")[2] not in ("Fin", "Bool", "Keep", "Drop")


def _walk(diagram: Diagram, outputs: tuple[int, ...], known: dict[int, Reach], gradient: bool) -> Reach:
    """Backward along the boxes."""
    wires = diagram.wires

    def live(found: Iterable[int]) -> list[int]:
        return [w for w in found if not gradient or carries(wires[w].type)]

    alive = set(live(outputs))
    taught = False
    untaught: dict[str, Box] = {}
    stops: list[Box] = []
    reached_sites: set[str] = set()
    declared: set[str] = set()
    loose: dict[str, Box] = {}
    for box in reversed(diagram.boxes):
        if isinstance(box.op, Store):
            if not gradient:
                alive.update(box.inputs)
            continue
        if alive.isdisjoint(box.outputs):
            for name in _declared(box):
                loose.setdefault(name, box)
            if _learns(box) and not (isinstance(box.op, Local) and not box.outputs):
                untaught.setdefault(box.site or str(box.outputs), box)
            elif gradient and any(carries(wires[w].type) for w in box.inputs) and not _carried(diagram, box):
                stops.append(box)
            continue
        if box.site is not None:
            reached_sites.add(box.site)
        alive.update(live(w for _, w in box.plugs))
        body = bodies(box)
        if body is not None:
            inner = known[id(body)]
            stops += inner.stops
            declared |= inner.declared
            for name, each in inner.loose:
                loose.setdefault(name, each)
            if not _given(box):
                taught |= inner.taught
                for each in inner.untaught:
                    untaught.setdefault(f"{box.site}.{each.site}", each)
            whole = isinstance(box.op, TreeFold) or len(box.inputs) != len(body.inputs)
            alive.update(live(w for k, w in enumerate(box.inputs) if whole or k in inner.inputs))
            continue
        declared.update(_declared(box))
        taught |= _learns(box) or bool(declared)
        match box.op:
            case Core() | Native() if gradient and _name(box.op) in FLAT:
                stops.append(box)
            case Core(name="sample"):  # drawn in the shape of a wire, whatever stands in it
                stops.append(box)
            case Core(name="straight"):
                alive.update(live(box.inputs[:1]) if gradient else box.inputs)
            case _:
                alive.update(live(box.inputs))
    lost = tuple(box for at, box in untaught.items() if at.split(".")[0] not in reached_sites or "." in at)
    inputs = frozenset(k for k, w in enumerate(diagram.inputs) if w in alive)
    return Reach(inputs, taught, lost, tuple(stops), frozenset(declared), tuple(loose.items()))


def _declared(box: Box) -> Iterator[str]:
    """The declared parameters that a box is, or that what it holds reads, where they are learned."""
    if isinstance(box.op, Global):
        found: tuple[Parameter, ...] = (box.op.parameter,)
    else:
        body = bodies(box)
        found = globals_of(body) if body is not None else ()
    return (p.path for p in found if is_learned(p) and not p.frozen)


def _given(box: Box) -> bool:
    """Whether all weights of a box come from outside, so that it has none of its own."""
    plugged = {path for path, _ in box.plugs}
    return bool(plugged) and all(leaf.path in plugged for leaf in leaves_of(box.op, box.site) if is_learned(leaf))


def _name(op: Core | Native) -> str:
    """What an operation does."""
    if isinstance(op, Native):
        return op.entry
    return str(op["fn"]) if op.name == "pointwise" else op.name


def _carried(diagram: Diagram, box: Box) -> bool:
    """Whether a box gives anything that a gradient could come back along."""
    return any(carries(diagram.wires[w].type) for w in box.outputs)


def _learns(box: Box) -> bool:
    """Whether a box has weights of its own that are learned."""
    match box.op:
        case Local(parameter):
            return is_learned(parameter) and not parameter.frozen
        case Native(params=params):
            plugged = {path for path, _ in box.plugs}
            return any(is_learned(p) and not p.frozen and p.path not in plugged for p in params)
        case Extern():
            return True
        case _:
            body = bodies(box)
            if body is None or not owns(body):
                return False
            plugged = {path for path, _ in box.plugs}
            return any(is_learned(p) and not p.frozen and p.path not in plugged for p in leaves_of(box.op))
