"""`step[T](f)`: the step machine of a causal morphism, which takes a sequence in pieces of any length.

Takes a morphism expression and the types that come in, which must be known, with a time of free size among their axes.
Guarantees a closed diagram of the same type with the same parameters; one that reads later steps is refused with the
first box at which it does.

    ids >> step[T](gpt2)      gpt2 of what has come so far, at the steps that come
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.causal.core import Time
from catdl.causal.flows import NotStepped
from catdl.causal.kept import along
from catdl.causal.machine import stepped
from catdl.check.builder import Builder, Bundle, W
from catdl.check.closing import Instance
from catdl.check.collecting import applied
from catdl.check.context import Context, Pieces
from catdl.check.emit import closed_leaf
from catdl.check.plugs import reads_no_wire
from catdl.check.scope import Env, MorphismDef
from catdl.check.sources import declared
from catdl.diagram.model import Call, Definition, Diagram, Global, Native, Static
from catdl.diagram.params import NOWHERE, bounds_of
from catdl.syntax import ast
from catdl.types.sizes import add
from catdl.types.types import Axis, plain

if TYPE_CHECKING:
    from catdl.check.program import Program


def stepping(
    program: Program,
    ctx: Context,
    morphism: ast.Expr,
    env: Env,
    b: Builder,
    wires: list[W],
    pieces: Pieces,
) -> Bundle:
    """A morphism applied to a piece of a sequence. Raises Refused."""
    span = env.module.span(morphism)
    if any(not closed_leaf(wire.leaf) for wire in wires):
        raise ctx.refuse(wrong.Undetermined(span, "the type that `step` is given", "write it in a signature"))
    reads_no_wire(ctx, morphism, env, span)
    axis, where = pieces.time, pieces.where
    assert isinstance(axis.label, str)
    if isinstance(axis.size, int):
        name = plain(axis.label)
        why = f"`{name}` has a fixed size, and so would its pieces"
        raise ctx.refuse(wrong.NotStepped(where, span.text, why, f"leave the size open: `dim {name} : time`", where))
    diagram = applied(program, ctx, morphism, env, wires)
    told = along(diagram, axis.label, axis.size)
    if told.loss is not None:
        loss = told.loss
        at = span if loss.span is NOWHERE else loss.span
        what = f"`{loss.name}`" if loss.name else "this"
        raise ctx.refuse(
            wrong.StepReadsAhead(at, span.text, plain(axis.label), what, loss.rule.how, loss.rule.instead, span)
        )
    plugs: list[tuple[str, W]] = []
    params = {box.outputs[0]: box.op.parameter for box in diagram.boxes if isinstance(box.op, Global)}
    others = [box for box in diagram.boxes if not isinstance(box.op, Global)]
    only = others[0] if len(others) == 1 else None
    segment = "step"
    if (
        only is not None
        and isinstance(only.op, Call)
        and (only.inputs, only.outputs) == (diagram.inputs, diagram.outputs)
        and all(wire in params for _, wire in only.plugs)
    ):  # a call stands under its own name, and what is plugged into it stays so
        plugs = [(path, declared(b, params[wire], span)) for path, wire in only.plugs]
        segment, diagram = only.site or only.op.callee.name, only.op.callee
    bounds = [number for number in (pieces.most, bound(diagram, axis)) if number is not None]
    try:
        made = stepped(diagram, Time(axis.size), min(bounds, default=None), Remaking(program, ctx))
    except NotStepped as error:
        place = span if error.span is NOWHERE else error.span
        raise ctx.refuse(wrong.NotStepped(place, span.text, error.why, error.instead, span)) from None
    outputs = [W(b, made.wires[w].type, made.wires[w].constant, None, span) for w in made.outputs]
    for wire in outputs:
        wire.origin = segment
    inline = pieces.alone and not plugs
    box = b.emit(Call(made, inline), [b.take(wire) for wire in wires], outputs, segment, span, pieces.label)
    box.plugs = plugs
    b.effects |= made.effects
    names = made.codomain_names
    return Bundle(outputs, names if any(names) else None)


def bound(diagram: Diagram, axis: Axis) -> int | None:
    """The number of steps that a morphism takes at most, if it says one."""
    found = [
        rest
        for fact in bounds_of(diagram)
        if fact.op == ">=" and fact.right == 0 and isinstance(rest := add(fact.left, axis.size), int)
    ]
    return min(found, default=None)


class Remaking:
    """Entries of the prelude with other static arguments and axes."""

    def __init__(self, program: Program, ctx: Context) -> None:
        self.program = program
        self.ctx = ctx

    def __call__(self, op: Native, args: Mapping[str, Static], binds: Mapping[str, Axis | tuple[Axis, ...]]) -> Native:
        """The entry, with its definition at these."""
        definition = self.program.entry(op.entry)
        assert isinstance(definition, MorphismDef)
        static = tuple((name, args.get(name, value)) for name, value in op.args)
        bound = tuple(({**dict(op.binds), **binds}).items())
        make = self.program.definition(Instance(definition, static, bound, self.ctx.facts))
        return Native(op.entry, static, bound, op.params, op.at_in, op.at_out, Definition(make), op.emits)
