"""What fills an axis up is a value of the kind, or what comes out means less.

`pad` and `shift` put numbers beside those that come in. Twelve is no index below ten; a row of zeros is no `Probs`,
though each zero is a `Prob`.

    fitting(kinds, Kind("Std"), -1)     Real, the nearest kind above that has -1
    value : fill(K)                     a static argument that is a value of K, where K keeps what each number means
"""

from __future__ import annotations

from fractions import Fraction

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding
from catdl.check.context import Context
from catdl.check.kinds import Kinds
from catdl.check.scope import Static
from catdl.check.values import show_value
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Poly, Size, show, sub
from catdl.types.types import Axis, Kind, label_of

LEAST = {"Positive": 0, "Fin": 0, "Bool": 0}
MOST = {"Prob": 1, "Probs": 1, "LogProb": 0, "LogProbs": 0, "Bool": 1}
SUM_TO_ONE = "Probs"


def admits(kinds: Kinds, kind: Kind, value: object) -> bool:
    """Whether a number is of a kind, as far as numbers say."""
    above = kinds.above(kind.name)
    if above[-1] in ("Fin", "Bool") and not isinstance(value, (int, Poly)):
        return False
    if not isinstance(value, (int, float, Fraction)):
        return True  # sizes are counts
    if isinstance(kind.size, int) and value >= kind.size:
        return False
    return all(LEAST.get(name, value) <= value <= MOST.get(name, value) for name in above)


def fitting(kinds: Kinds, kind: Kind, value: object) -> Kind | None:
    """The nearest kind at or above one that has a number; None if none has."""
    names = kinds.above(kind.name)
    found = (kind if name == kind.name else Kind(name, kind.size) for name in names)
    return next((k for k in found if admits(kinds, k, value)), None)


def filled(ctx: Context, kind: Kind, value: object, span: Span, function: str) -> Kind:
    """The kind of what is filled up with a number. Raises Refused."""
    found = fitting(ctx.kinds, kind, value)
    size = kind.size
    if found is None:
        wanted = "true or false" if size is None else f"an index below {show(size)}"
        raise ctx.refuse(wrong.BadArgument(span, "value", wanted, show_value(value), function))
    if size is not None and value != 0 and isinstance(value, (int, Poly)):
        known: Size = sub(sub(size, 1), value)
        if not isinstance(known, int):
            ctx.bounds.append((known, span, f"what `{function}` fills up with must be an index below {show(size)}"))
    return found


def padded(ctx: Context, kind: Kind, axis: Axis, mode: object, value: object, span: Span) -> Kind:
    """The kind of what is padded along an axis. Raises Refused."""
    if mode == "constant":
        kind = filled(ctx, kind, value, span, "pad")
    if kind.axis is None:
        return kind
    own = label_of(kind.axis) == label_of(axis.label)
    if mode == "constant":
        whole = own and value == 0 and SUM_TO_ONE in ctx.kinds.above(kind.name)
    else:
        whole = not own
    return kind if whole else element(ctx.kinds, kind)


def element(kinds: Kinds, kind: Kind) -> Kind:
    """What each number of a kind means by itself."""
    name = kinds.element(kind.name)
    return kind if name == kind.name else Kind(name, kind.size)


def check_fills(binding: Binding) -> None:
    """Make the kinds of results what the arguments of sort `fill(K)` let them be. Raises Refused."""
    for param in binding.definition.head.params or ():
        match param.sort:
            case ast.Call(ast.Name("fill"), (ast.Arg(value=ast.Name(name)),)):
                kind, given = binding.names.get(name), binding.names.get(param.name or "")
                if isinstance(kind, Kind) and isinstance(given, Static):
                    ctx, told = binding.ctx, binding.definition.name
                    kept = filled(ctx, kind, given.value, binding.span, told)
                    binding.names[name] = element(ctx.kinds, kept)
            case _:
                pass
