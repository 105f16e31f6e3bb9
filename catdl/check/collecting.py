"""`collect(f)`: what f gives, and the record of all that is emitted in it.

Takes a morphism expression and the types that come in, which must be known. Guarantees a closed diagram whose outputs
are those of f, then what it emits, under the names of the boxes on the way.

    y, extra = x >> collect(net{**: bayesian})      extra.hidden.weight.kl, …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, W
from catdl.check.closing import Missing
from catdl.check.context import Context
from catdl.check.emit import closed_leaf
from catdl.check.finish import finish
from catdl.check.inner import settle
from catdl.check.plugs import reads_no_wire
from catdl.check.scope import Env
from catdl.check.sources import declared
from catdl.check.static import Refused
from catdl.check.zonk import zonk_leaf
from catdl.diagram.collect import collected
from catdl.diagram.model import VARIABLE, Box, Call, Diagram, Extern, Global
from catdl.diagram.params import post_order
from catdl.syntax import ast

if TYPE_CHECKING:
    from catdl.check.program import Program


def collecting(
    program: Program, ctx: Context, morphism: ast.Expr, env: Env, b: Builder, wires: list[W], label: str | None
) -> Bundle:
    """A morphism applied to wires, with what it emits. Raises Refused."""
    span = env.module.span(morphism)
    if any(not closed_leaf(wire.leaf) for wire in wires):
        raise ctx.refuse(wrong.Undetermined(span, "the type that `collect` is given", "write it in a signature"))
    reads_no_wire(ctx, morphism, env, span)
    diagram = applied(program, ctx, morphism, env, wires)
    segment, plugs = "collect", list[tuple[str, W]]()
    params = {box.outputs[0]: box.op.parameter for box in diagram.boxes if isinstance(box.op, Global)}
    others = [box for box in diagram.boxes if not isinstance(box.op, Global)]
    only = others[0] if len(others) == 1 else None
    if (
        only is not None
        and isinstance(only.op, Call)
        and (only.inputs, only.outputs) == (diagram.inputs, diagram.outputs)
        and all(wire in params for _, wire in only.plugs)
    ):  # a call stands under its own name, and what is plugged into it stays so
        plugs = [(path, declared(b, params[wire], span)) for path, wire in only.plugs]
        segment, diagram = only.site or only.op.callee.name, only.op.callee
    made, names = collected(diagram)
    if any(variable(box) for inner in post_order(diagram) for box in inner.boxes):
        raise Refused  # what an argument emits is known where it is given
    if not names:
        raise ctx.refuse(wrong.BadValue(span, f"nothing is emitted in `{span.text}`: there is nothing to collect"))
    outputs = [W(b, made.wires[w].type, made.wires[w].constant, None, span) for w in made.outputs]
    for wire in outputs:
        wire.origin = segment
    b.emit(Call(made, False), [b.take(wire) for wire in wires], outputs, segment, span, label).plugs = plugs
    b.effects |= made.effects
    count = len(outputs) - len(names)
    out = Bundle(outputs, ((None,) * count + names))
    out.groups = ((None, count), (None, len(names)))
    return out


def variable(box: Box) -> bool:
    """Whether a box stands for an argument of a morphism that is checked by itself."""
    return isinstance(box.op, Extern) and box.op.target.startswith(VARIABLE)


def applied(program: Program, ctx: Context, morphism: ast.Expr, env: Env, wires: list[W]) -> Diagram:
    """The diagram of a morphism on wires of known types, with all that it needs. Raises Refused."""
    while True:
        inside = program.context(ctx.report, ctx.facts)
        b = Builder("collect")
        entered = [b.input(zonk_leaf(ctx, wire.leaf), wire.name, wire.constant, wire.where) for wire in wires]
        out = inside.apply(morphism, env, b, Bundle(entered))
        if out.bad or inside.failed:
            raise Refused
        inside.solver.conclude(broken=False)
        b.outputs = [b.take(wire) for wire in out.wires]
        b.out_names = (None,) * len(b.outputs)
        settle(inside, b)
        try:
            return finish(inside, b, tuple(ctx.facts.divides), program)
        except Missing as missing:
            if any(program.make(other, place, ctx.report) is None for other, place in missing.instances.items()):
                raise Refused from None
