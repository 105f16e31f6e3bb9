"""The weights of a morphism, found by applying it to the types that it declares.

Takes a morphism expression whose head has a signature of fixed types, with arguments and plugs or without. Guarantees
the leaves that are its own, by path.

    recorded(program, ctx, "block(64){**.bias: frozen}", env)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check import table as rules
from catdl.check.builder import Builder, Bundle
from catdl.check.closing import Missing
from catdl.check.context import Context
from catdl.check.finish import finish
from catdl.check.forms import aliased, head_of
from catdl.check.scope import BadDef, Env, MorphismDef
from catdl.check.signature import FixedPart
from catdl.check.static import Refused
from catdl.diagnostics.suggest import near
from catdl.diagram.model import Parameter
from catdl.diagram.params import is_learned, leaves_of, parameters
from catdl.syntax import ast

if TYPE_CHECKING:
    from catdl.check.program import Program


def recorded(program: Program, ctx: Context, morphism: ast.Expr, env: Env) -> tuple[Parameter, ...]:
    """The own leaves of a morphism whose types are fixed. Raises Refused."""
    span = env.module.span(morphism)
    head = head_of(ctx, morphism, env)
    target = aliased(head.target) if head is not None else None
    if head is not None and head.target is None and head.name not in rules.TABLE:
        names = [name for name, found in env.module.defs.items() if isinstance(found, MorphismDef)]
        raise ctx.refuse(wrong.UnknownName(head.name_span, head.name, "morphism", near(head.name, names)))
    if isinstance(target, BadDef):
        raise Refused
    if not isinstance(target, MorphismDef):
        words = "`weights` takes a declared morphism, with its arguments and plugs: declare one for this"
        raise ctx.refuse(wrong.BadValue(span, words))
    if isinstance(morphism, ast.Name) and (closed := program.closed_diagrams.get(target)) is not None:
        return tuple(filter(is_learned, parameters(closed)))
    scheme = program.scheme(target)
    parts = scheme.domain if scheme is not None else ()
    if scheme is None or not all(isinstance(part, FixedPart) for part in parts):
        words = "the weights of a morphism are known where its types are fixed: declare one with a signature"
        raise ctx.refuse(wrong.BadValue(span, words))
    while True:
        inside = program.context(ctx.report, ctx.facts)
        b = Builder("weights")
        leaves = [leaf for part in parts if isinstance(part, FixedPart) for leaf in part.value.leaves]
        out = inside.apply(morphism, env, b, Bundle([b.input(inside.canon(leaf), None) for leaf in leaves]))
        if out.bad or inside.failed:
            raise Refused
        inside.solver.conclude(broken=False)
        b.outputs = [b.take(wire) for wire in out.wires]
        b.out_names = (None,) * len(b.outputs)
        try:
            diagram = finish(inside, b, tuple(ctx.facts.divides), program)
        except Missing as missing:
            if any(program.make(other, place, ctx.report) is None for other, place in missing.instances.items()):
                raise Refused from None
            continue
        sited = [box for box in diagram.boxes if box.site is not None]
        if len(sited) == 1:
            plugged = {path for path, _ in sited[0].plugs}
            found = tuple(leaf for leaf in leaves_of(sited[0].op) if leaf.path not in plugged)
        else:
            found = parameters(diagram)
        return tuple(filter(is_learned, found))
