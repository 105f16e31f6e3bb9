"""What to say of a use that is unfolded too deep: its equations never end, or they would and go too far.

Takes a use at the limit, with the scope it stands in; says what can be told from the numbers of two rounds.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.context import Context, Head
from catdl.check.names import mentioned
from catdl.check.scope import Env, MorphismDef, Static
from catdl.check.static import Refused
from catdl.check.values import as_number
from catdl.diagnostics.base import Diagnostic


def too_deep(ctx: Context, definition: MorphismDef, head: Head, limit: int) -> Diagnostic:
    """The mistake of a use that stands inside as many unfolded ones as there may be."""
    assert head.span is not None
    equations = [e for e in definition.equations if e.params]
    calls_itself = any(definition.name in mentioned([e.body]) for e in equations)
    if calls_itself and not any(approaches(ctx, definition, head, place) for place in range(len(head.args))):
        return wrong.DepthLimit(head.span, definition.name, limit)
    return wrong.UnfoldDepth(head.span, definition.name, limit, definition.head.signature is not None)


def approaches(ctx: Context, definition: MorphismDef, head: Head, place: int) -> bool:
    """Whether an argument comes nearer to a number that stops the equations than that of the use around."""
    params = [e.params[place] for e in definition.equations if e.params and place < len(e.params)]
    around = next((v for p in params if p.name and isinstance(v := head.env.local(p.name), Static)), None)
    if around is None:
        return False
    try:
        now, was = as_number(ctx.statics.value(head.args[place].value, head.env)), as_number(around.value)
        stops = [ctx.statics.value(p.literal, Env(definition.module)) for p in params if p.literal is not None]
    except Refused:
        return False
    if not isinstance(now, int) or not isinstance(was, int):
        return False
    return any(isinstance(stop, int) and (stop <= now < was or was < now <= stop) for stop in stops)
