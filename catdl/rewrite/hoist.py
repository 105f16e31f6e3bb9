"""What a step does with its elements alone is done for all steps at once, before the fold; what it does with its state
and gives out, after it. Input projections become one matrix product, what no step changes is made once.

    fold (c . (map f)) = fold c . map f         mealy (map g . c) = map g . mealy c

A part that many steps use is a box that they share, so its weights keep their keys: neither `fold` nor `map` without
a name of its own is a segment.
"""

from __future__ import annotations

from catdl.diagram.model import Box, Fold, Global, Local, Map
from catdl.record import replace
from catdl.rewrite.applied import Law
from catdl.rewrite.body import Body, Need, is_number, reads, works
from catdl.rewrite.draft import Draft
from catdl.rewrite.pure import pure
from catdl.types.types import Leaf

LAW = Law("naturality of map", "fold[T](c . map f) = fold[T](c) . map[T](f)", False)
ONCE = Law("copying of what is constant", "map[T](f . discard) = copy . f", True)


def hoist(draft: Draft, box: Box, fold: Fold) -> Box | None:
    """The fold without what depends on elements or on nothing, which is written into the draft; None if that is nought.

    The result is a box whose outputs are some of those of `box`; the others are made by what was written.
    """
    body = Body(fold)
    moved = [b for b in body.boxes if not is_number(b) and max(map(body.needs.__getitem__, b.outputs)) < Need.CARRIER]
    moved = [b for b in moved if b.outputs]
    if not works(moved):
        return None
    once = [b for b in moved if body.needs[b.outputs[0]] is Need.NOTHING]
    steps = [b for b in moved if body.needs[b.outputs[0]] is Need.STEP]
    gone = {id(b) for b in moved}
    rest = [b for b in body.boxes if id(b) not in gone]
    outer = dict(zip((*body.carriers, *body.elements, *body.captured), box.inputs, strict=True))
    for wire in (w for b in once for w in b.outputs):
        info = body.wires[wire]
        outer[wire] = draft.wire(info.type, info.constant, info.name)
    once_reads = {w for b in once for w in reads(b)}
    for b in body.boxes:  # a number is written where it is read
        if is_number(b) and b.outputs[0] in once_reads:
            outer[b.outputs[0]] = draft.wire(body.wires[b.outputs[0]].type, True)
            draft.boxes.append(replace(b, outputs=(outer[b.outputs[0]],)))
    for b in once:
        plugs = tuple((path, outer[w]) for path, w in b.plugs)
        ports = tuple(outer[w] for w in b.inputs), tuple(outer[w] for w in b.outputs)
        draft.boxes.append(replace(b, inputs=ports[0], outputs=ports[1], plugs=plugs))
    results = _mapped(draft, body, fold, box, steps, rest, outer)
    wanted = {w for b in rest for w in reads(b)}
    kept = [
        (out, wire)
        for out, wire in zip(box.outputs[fold.carried :], body.outputs[fold.carried :], strict=True)
        if out not in results.values()
    ]
    wanted |= {*body.outputs[: fold.carried], *(wire for _, wire in kept)}
    elements = [w for w in (*body.elements, *(w for b in steps for w in b.outputs)) if w in wanted and w in outer]
    if fold.body.inputs[fold.carried : len(fold.body.inputs) - fold.captured] and not elements:
        elements = [body.elements[0]]  # they say how many steps there are
    captured = [w for w in (*body.captured, *dict.fromkeys(w for b in once for w in b.outputs)) if w in wanted]
    inputs = (*body.carriers, *elements, *captured)
    outputs = (*body.outputs[: fold.carried], *(wire for _, wire in kept))
    core = Draft(box.span, list(body.wires), rest).diagram(body.diagram, inputs, outputs)
    new = Fold(fold.axis, core, fold.carried, len(captured), fold.reverse)
    outs = (*box.outputs[: fold.carried], *(out for out, _ in kept))
    return replace(box, op=new, inputs=tuple(outer[w] for w in inputs), outputs=outs)


def _mapped(
    draft: Draft, body: Body, fold: Fold, box: Box, steps: list[Box], rest: list[Box], outer: dict[int, int]
) -> dict[int, int]:
    """Write a map of some boxes over all steps; what it makes of them that others read, by wire of the body.

    An output of the fold that it makes keeps its wire.
    """
    if not steps:
        return {}
    made = dict.fromkeys(w for b in steps for w in b.outputs)
    wanted = {w for b in rest for w in reads(b)}.union(body.outputs)
    outputs = tuple(w for w in made if w in wanted)
    read = dict.fromkeys(w for b in steps for w in reads(b))
    elements = tuple(w for w in body.elements if w in read)
    own = body.numbers()
    fixed = tuple(w for w in read if w in outer and w not in elements and w not in own)
    part = body.part(steps, (*elements, *fixed), outputs, box.span)
    given = dict(zip(reversed(body.outputs[fold.carried :]), reversed(box.outputs[fold.carried :]), strict=True))
    results: dict[int, int] = {}
    for wire in outputs:
        info = body.wires[wire]
        leaf = Leaf(info.type.kind, (fold.axis, *info.type.axes))
        results[wire] = given[wire] if wire in given else draft.wire(leaf, info.constant, info.name)
        outer[wire] = results[wire]
    inputs = tuple(outer[w] for w in (*elements, *fixed))
    draft.op(Map((fold.axis,), part, len(fixed)), inputs, tuple(results.values()))
    return results


def sink(draft: Draft, box: Box, fold: Fold) -> tuple[Box, Box] | None:
    """The fold without what its outputs are made of after its state, and that part as a box for after it."""
    body = Body(fold)
    news = body.outputs[: fold.carried]
    needed, later = set(news), []
    for b in reversed(body.boxes):
        if needed.isdisjoint(b.outputs) and b.outputs and pure(b):
            later.append(b)
        else:
            needed.update(reads(b))
    asked = {w for b in later for w in reads(b)}
    shared = [b for b in body.boxes if isinstance(b.op, Local | Global) and b.outputs[0] in asked & needed]
    later = [*shared, *reversed(later)]
    made = {w for b in later for w in b.outputs}
    pairs = list(zip(box.outputs[fold.carried :], body.outputs[fold.carried :], strict=True))
    results = {wire: out for out, wire in reversed(pairs) if wire in made}
    if not works(later) or not results:
        return None
    kept = [(out, wire) for out, wire in pairs if results.get(wire) != out]
    here = {wire: out for out, wire in kept if wire not in made}
    own = body.numbers()
    read = dict.fromkeys(w for b in later for w in reads(b) if w not in made and w not in own)
    fixed = tuple(w for w in read if w in body.captured)
    states = tuple(w for w in read if w not in body.elements and w not in fixed)
    if len(fixed) == len(read) or any(body.needs[w] is Need.NOTHING for w in states):
        return None
    outer = dict(zip((*body.elements, *body.captured), box.inputs[fold.carried :], strict=True)) | here
    extra = []
    for wire in states:
        if wire not in here:
            info = body.wires[wire]
            leaf = Leaf(info.type.kind, (fold.axis, *info.type.axes))
            outer[wire] = draft.wire(leaf, info.constant, info.name)
            extra.append((outer[wire], wire))
    steps = tuple(w for w in read if w not in fixed)
    part = body.part(later, (*steps, *fixed), tuple(results), box.span)
    gone = {id(b) for b in later}.difference(map(id, shared))
    outs = [*(pair for pair in kept if pair[1] not in made), *extra]
    if len(outs) - len(extra) != len(kept):  # one value is given out twice: no box for a copy
        return None
    rest = [b for b in body.boxes if id(b) not in gone]
    inputs = (*body.carriers, *body.elements, *body.captured)
    core = body.part([b for b in rest if not is_number(b)], inputs, (*news, *(wire for _, wire in outs)), box.span)
    new = Fold(fold.axis, core, fold.carried, fold.captured, fold.reverse)
    first = replace(box, op=new, outputs=(*box.outputs[: fold.carried], *(out for out, _ in outs)))
    ports = tuple(outer[w] for w in (*steps, *fixed))
    after = Box(Map((fold.axis,), part, len(fixed)), ports, tuple(results.values()), None, (), box.span)
    return first, after
