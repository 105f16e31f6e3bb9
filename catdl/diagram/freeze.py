"""Declared parameters held still inside a diagram: no gradient reaches them from there.

Takes an operation and declared parameters by home and name; guarantees the same values and the same parameters. They
stay what they are where others use them: a table that GPT-2 reads is held still within `gpt2{**: frozen}` only.

    still(Call(gpt2), {("", "wte")})
    untrained(tuned)                    {("gpt2", "wte")}: nothing reads it but what is held still
"""

from __future__ import annotations

from catdl.diagram.model import Box, Core, Diagram, Global, Op
from catdl.diagram.params import body_of, globals_of, post_order, with_body
from catdl.record import replace

Declared = frozenset[tuple[str, str]]


def still(op: Op, names: Declared) -> Op:
    """The operation with these declared parameters held still in all that it holds."""
    body = body_of(op)
    if body is None:
        return op
    done: dict[int, Diagram] = {}
    for inner in post_order(body, lambda d: not any((p.home, p.path) in names for p in globals_of(d))):
        done[id(inner)] = _one(inner, names, done)
    return _held(op, done)


def untrained(diagram: Diagram) -> Declared:
    """The declared parameters that no gradient reaches, wherever they are read in it."""
    reached: set[tuple[str, str]] = set()
    for inner in post_order(diagram, lambda d: not globals_of(d)):
        free = [box for box in inner.boxes if isinstance(box.op, Global) and not box.op.parameter.frozen]
        names = {box.outputs[0]: _name(box.op) for box in free if isinstance(box.op, Global)}
        read = [w for box in inner.boxes if not _stops(box.op) for w in (*box.inputs, *(w for _, w in box.plugs))]
        reached.update(names[wire] for wire in (*read, *inner.outputs) if wire in names)
    return frozenset((p.home, p.path) for p in globals_of(diagram)) - reached


def _name(op: Global) -> tuple[str, str]:
    return op.parameter.home, op.parameter.path


def _stops(op: Op) -> bool:
    return isinstance(op, Core) and op.name == "stop"


def _one(diagram: Diagram, names: Declared, done: dict[int, Diagram]) -> Diagram:
    """A diagram whose inner ones are done."""
    boxes: list[Box] = []
    for box in diagram.boxes:
        op = box.op
        if isinstance(op, Global) and _name(op) in names:
            op = Global(replace(op.parameter, frozen=True))
        boxes.append(Box(_held(op, done), box.inputs, box.outputs, box.site, box.plugs, box.span))
    return Diagram(
        diagram.name,
        diagram.wires,
        diagram.inputs,
        diagram.outputs,
        tuple(boxes),
        diagram.effects,
        diagram.domain_names,
        diagram.codomain_names,
        diagram.facts,
        diagram.bounds,
        diagram.arguments,
        diagram.choices,
    )


def _held(op: Op, done: dict[int, Diagram]) -> Op:
    """An operation with the diagram that it holds, done."""
    inner = body_of(op)
    body = done.get(id(inner)) if inner is not None else None
    return op if body is None else with_body(op, body)
