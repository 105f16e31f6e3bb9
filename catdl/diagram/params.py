"""The parameters of a diagram by key: the one place that says how keys are made.

Takes a verified Diagram. A key is the path of sites from the diagram to the leaf, then the leaf's own name:

- a call, a native and an extern put their site in front, an inline call puts nothing;
- `repeat` with fresh weights adds its site and an index;
- `repeat` with tied weights, `map`, `each` and `fold` add their site where they have one; those without are
  transparent: the sites in their body stand beside those around them, and differ from these;
- `each` adds a leading axis to the type of every leaf below it;
- where the body of a repeat, map or each with a site is nothing but one named box, that box adds no segment of its own
  (`repeat(12, block)` has `block.0.…`, not `block.0.block.…`): see `sole_box`.

Leaves of two boxes with one site are listed once, plugged leaves are left out, declared parameters are listed by
`globals_of`. Cost is linear in what is listed and in the boxes of the diagrams that own something.

    parameters(mlp)      (Parameter("linear.weight", Real[64, 64], …), Parameter("linear.bias", …), …)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Emit,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Op,
    Parameter,
    Repeat,
    Store,
    TreeFold,
)
from catdl.record import replace
from catdl.source import Source, Span
from catdl.types.sizes import Bound
from catdl.types.types import Axis, Leaf

NOWHERE = Span(Source("", ""), 0, 0)


def bodies(box: Box) -> Diagram | None:
    """The diagram that a box holds, if it holds one."""
    return body_of(box.op)


def body_of(op: Op) -> Diagram | None:
    """The diagram that an operation holds, if it holds one."""
    match op:
        case Call(callee, _):
            return callee
        case Repeat() | Map() | Each() | Fold() | TreeFold():
            return op.body
        case Core() | Native() | Extern() | Global() | Local() | Store() | Emit():
            return None


def with_body(op: Op, body: Diagram) -> Op:
    """The operation with another diagram in it."""
    match op:
        case Call():
            return replace(op, callee=body)
        case Repeat() | Map() | Each() | Fold() | TreeFold():
            return replace(op, body=body)
        case _:
            raise AssertionError("it holds no diagram")


def sole_box(body: Diagram) -> Box | None:
    """The one named box that a body is, read through inline calls; None where the body is more than that.

    Declared parameters beside it do not count: `repeat(12, block{w})` has the keys of `repeat(12, block)`.
    """
    while True:
        boxes = [box for box in body.boxes if not isinstance(box.op, Global)] if len(body.boxes) < 16 else ()
        if len(boxes) != 1:
            return None
        box = boxes[0]
        if isinstance(box.op, Call) and box.op.inline and not box.plugs:
            body = box.op.callee
        elif isinstance(box.op, Call | Native | Extern) and box.site is not None:
            return box
        else:
            return None


def bared(body: Diagram, sole: Box) -> Diagram:
    """A body whose one named box, found by `sole_box`, adds no segment: its site is taken away."""
    boxes = []
    for box in body.boxes:
        if box is sole:
            boxes.append(replace(box, site=None))
        elif isinstance(box.op, Call):
            boxes.append(replace(box, op=Call(bared(box.op.callee, sole), box.op.inline)))
        else:
            boxes.append(box)
    return Diagram(
        body.name, body.wires, body.inputs, body.outputs, tuple(boxes), body.effects, body.domain_names,
        body.codomain_names, body.facts,
    )  # fmt: skip


def post_order(diagram: Diagram, known: Callable[[Diagram], bool] = lambda _: False) -> list[Diagram]:
    """Every diagram reached through boxes, each once, callees first; `known` ones are left out."""
    done: dict[int, Diagram] = {}
    opened: set[int] = set()
    stack: list[tuple[Diagram, Iterator[Box]]] = [(diagram, iter(diagram.boxes))]
    opened.add(id(diagram))
    while stack:
        current, boxes = stack[-1]
        for box in boxes:
            inner = bodies(box)
            if inner is not None and id(inner) not in opened and not known(inner):
                opened.add(id(inner))
                stack.append((inner, iter(inner.boxes)))
                break
        else:
            stack.pop()
            done[id(current)] = current
    return list(done.values())


def is_learned(parameter: Parameter) -> bool:
    """Whether a leaf is learned; a state is not."""
    return not parameter.state


def owns(diagram: Diagram) -> bool:
    """Whether any leaf belongs to it and is not plugged."""
    if diagram.memo_owns is None:
        for inner in post_order(diagram, lambda d: d.memo_owns is not None):
            inner.memo_owns = any(_box_owns(box) for box in inner.boxes)
    return bool(diagram.memo_owns)


def _box_owns(box: Box) -> bool:
    match box.op:
        case Native(params=params):
            plugged = {path for path, _ in box.plugs}
            return any(parameter.path not in plugged for parameter in params)
        case Local() | Extern():
            return True
        case _:
            inner = bodies(box)
            return inner is not None and bool(inner.memo_owns)


def bounds_of(diagram: Diagram) -> tuple[Bound, ...]:
    """What only the input can tell of it and of every diagram it holds, each once."""
    found: dict[Bound, None] = {}
    seen: set[int] = set()
    stack = [diagram]
    while stack:
        at = stack.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        found |= dict.fromkeys(at.bounds)
        stack += [inner for box in reversed(at.boxes) if (inner := bodies(box)) is not None]
    return tuple(found)


def leaf_count(diagram: Diagram) -> int:
    """How many leaves it has at most: as many as all of its boxes have, were no two of them tied and none plugged."""
    if diagram.memo_leaves is None:
        for inner in post_order(diagram, lambda d: d.memo_leaves is not None):
            inner.memo_leaves = sum(map(_box_leaves, inner.boxes))
    return diagram.memo_leaves or 0


def _box_leaves(box: Box) -> int:
    match box.op:
        case Native(params=params):
            return len(params)
        case Local():
            return 1
        case _:
            inner = bodies(box)
            count = box.op.count if isinstance(box.op, Repeat) and box.op.tie == "fresh" else 1
            return 0 if inner is None else count * (inner.memo_leaves or 0)


def globals_of(diagram: Diagram) -> tuple[Parameter, ...]:
    """The declared parameters that it reaches, in the order in which they are met."""
    if diagram.memo_globals is None:
        for inner in post_order(diagram, lambda d: d.memo_globals is not None):
            inner.memo_globals = _globals(inner)
    return diagram.memo_globals or ()


def _globals(diagram: Diagram) -> tuple[Parameter, ...]:
    found: tuple[Parameter, ...] = ()  # kept whole while nothing is added, so that a long chain of calls shares it
    seen: dict[tuple[str, str], Parameter] = {}
    for box in diagram.boxes:
        if isinstance(box.op, Global):
            more: tuple[Parameter, ...] = (box.op.parameter,)
        else:
            inner = bodies(box)
            more = (inner.memo_globals or ()) if inner is not None else ()
        if not more or more is found:
            continue
        fresh = [p for p in more if (known := seen.get((p.home, p.path))) is None or (known.frozen and not p.frozen)]
        if not fresh:
            continue
        seen.update(((p.home, p.path), p) for p in fresh)  # held still only if it is so wherever it is used
        found = tuple(seen.values()) if found else more
    return found


class _Frame(NamedTuple):
    boxes: Iterator[Box]
    prefix: str
    leading: tuple[Axis, ...]
    plugged: frozenset[str]  # whole keys


def parameters(diagram: Diagram) -> tuple[Parameter, ...]:
    """All own leaves with their keys below the diagram, in the order of the boxes."""
    if diagram.memo_parameters is None:
        diagram.memo_parameters = tuple([leaf for leaf, _, _ in stacked_parameters(diagram)])
    return diagram.memo_parameters


def stacked_parameters(diagram: Diagram) -> Iterator[tuple[Parameter, int, str]]:
    """All own leaves, each with the number of its first axes that are those of `each`, and the layer that it is of.

    That is an entry of the prelude; it is empty for what a body declares.
    """
    if owns(diagram):
        yield from _leaves(diagram.boxes)


def owner(box: Box, path: str) -> Span | None:
    """Where the box is written that a leaf below another belongs to; None where it belongs to that one itself."""
    found: Span | None = None
    while (body := bodies(box)) is not None:
        if isinstance(box.op, Repeat) and box.op.tie == "fresh":
            path = path.partition(".")[2]
        sole = sole_box(body) if box.site is not None and not isinstance(box.op, Call) else None
        if sole is not None:
            path = f"{sole.site}.{path}"
        inner = next((b for b in body.boxes if b.site is not None and path.startswith(f"{b.site}.")), None)
        if inner is None:
            break
        found, box = inner.span, inner
        path = path.removeprefix(f"{inner.site}.")
    return found


def leaves_of(op: Op, site: str | None = None) -> tuple[Parameter, ...]:
    """The own leaves of an operation that stands at a site, with their paths below it."""
    before = "" if site is None else f"{site}."
    found = (leaf for leaf, _, _ in _leaves((Box(op, (), (), site, (), NOWHERE),)))
    return tuple(replace(leaf, path=leaf.path.removeprefix(before)) for leaf in found)


def leads_of(op: Op, site: str | None = None) -> dict[str, int]:
    """How many of the first axes of each of these leaves are those of an `each` inside, by path."""
    before = "" if site is None else f"{site}."
    return {leaf.path.removeprefix(before): lead for leaf, lead, _ in _leaves((Box(op, (), (), site, (), NOWHERE),))}


def _leaves(boxes: tuple[Box, ...]) -> Iterator[tuple[Parameter, int, str]]:
    seen: set[str] = set()
    stack = [_Frame(iter(boxes), "", (), frozenset())]
    while stack:
        frame = stack[-1]
        box = next(frame.boxes, None)
        if box is None:
            stack.pop()
            continue
        match box.op:
            case Local(parameter):
                key = frame.prefix + parameter.path
                if key not in frame.plugged and key not in seen:
                    seen.add(key)
                    yield _leaf(key, parameter, frame.leading), len(frame.leading), ""
            case Native(entry=entry, params=params):
                prefix = _under(frame.prefix, box)
                plugged = _plugged(frame, box, prefix)
                for parameter in params:
                    key = prefix + parameter.path
                    if key not in plugged and key not in seen:
                        seen.add(key)
                        yield _leaf(key, parameter, frame.leading), len(frame.leading), entry
            case Core() | Extern() | Global() | Store() | Emit():
                pass
            case _:
                stack.extend(reversed(_inner_frames(frame, box)))


def _inner_frames(frame: _Frame, box: Box) -> list[_Frame]:
    body = bodies(box)
    if body is None or not owns(body):
        return []
    prefix = _under(frame.prefix, box)
    plugged = _plugged(frame, box, prefix)
    leading = frame.leading
    match box.op:
        case Call(inline=inline):
            return [_Frame(iter(body.boxes), frame.prefix if inline else prefix, leading, plugged)]
        case Repeat(count=count, tie="fresh"):
            return [_body_frame(body, f"{prefix}{i}.", leading, plugged) for i in range(count)]
        case _:
            if isinstance(box.op, Each):
                leading = (*leading, box.op.axis)
            if box.site is None:
                return [_Frame(iter(body.boxes), prefix, leading, plugged)]
            return [_body_frame(body, prefix, leading, plugged)]


def _body_frame(body: Diagram, prefix: str, leading: tuple[Axis, ...], plugged: frozenset[str]) -> _Frame:
    """The frame of a body: where it is one named box, that box without its own segment."""
    sole = sole_box(body)
    if sole is None:
        return _Frame(iter(body.boxes), prefix, leading, plugged)
    bare = Box(sole.op, sole.inputs, sole.outputs, None, sole.plugs, sole.span)
    return _Frame(iter((bare,)), prefix, leading, plugged)


def _under(prefix: str, box: Box) -> str:
    return prefix if box.site is None else f"{prefix}{box.site}."


def _plugged(frame: _Frame, box: Box, prefix: str) -> frozenset[str]:
    if not box.plugs:
        return frame.plugged
    inline = isinstance(box.op, Call) and box.op.inline
    under = frame.prefix if inline else prefix
    return frame.plugged.union(under + path for path, _ in box.plugs)


def _leaf(key: str, parameter: Parameter, leading: tuple[Axis, ...]) -> Parameter:
    leaf = parameter.type
    if leading:
        leaf = Leaf(leaf.kind, (*leading, *leaf.axes))
    return replace(parameter, path=key, type=leaf)
