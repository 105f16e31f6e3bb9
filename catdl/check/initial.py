"""How parameters start: the initialisers, the arguments of each, and what it can fill.

Takes an initialiser as it is written and, when sizes are known, the numbers and the type of the parameter; guarantees
that torch can start the parameter so.

    param table : Real[Vocab, D] ~ normal(std = 0.02)      normal(0, 0.02)
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Start
from catdl.check.context import Context
from catdl.check.scope import Env
from catdl.diagnostics.suggest import near
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.types import Leaf, show_leaf

_GAIN = (("gain", 1),)
_KAIMING = (("a", 0), ("mode", "fan_in"), ("nonlinearity", "leaky_relu"))
FORMS: dict[str, tuple[tuple[str, int | str | None], ...]] = {
    "constant": (("value", None),),
    "eye": (),
    "fan_in_uniform": (("fan_in", None),),
    "file": (("path", None), ("key", "")),
    "kaiming_normal": _KAIMING,
    "kaiming_uniform": _KAIMING,
    "normal": (("mean", 0), ("std", 1)),
    "ones": (),
    "orthogonal": _GAIN,
    "trunc_normal": (("mean", 0), ("std", 1), ("low", -2), ("high", 2)),
    "uniform": (("low", 0), ("high", 1)),
    "xavier_normal": _GAIN,
    "xavier_uniform": _GAIN,
    "zeros": (),
}
"""The arguments of each initialiser with their defaults; None where there is none."""

_FANS = frozenset(("kaiming_normal", "kaiming_uniform", "orthogonal", "xavier_normal", "xavier_uniform"))
_MODES = ("fan_in", "fan_out")
_GAINS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")


def written(ctx: Context, name: str, args: tuple[ast.Arg, ...], env: Env, span: Span) -> Start:
    """An initialiser with its arguments in order; defaults behind the last one given stay out. Raises Refused."""
    form = FORMS[name]
    names = tuple(parameter for parameter, _ in form)
    given: dict[str, ast.Expr] = {}
    for place, arg in enumerate(args):
        where = env.module.span(arg)
        if arg.sep != "=" and place >= len(names):
            raise ctx.refuse(wrong.TooManyArguments(where, name, len(names), len(args)))
        slot = (arg.name or "") if arg.sep == "=" else names[place]
        if slot not in names:
            raise ctx.refuse(wrong.UnknownArgument(where, slot, name, near(slot, names), names))
        given[slot] = arg.value
    nodes: list[ast.Expr] = []
    last = max((names.index(slot) for slot in given), default=-1)
    for place, (slot, default) in enumerate(form):
        if slot in given:
            nodes.append(given[slot])
        elif default is None:
            raise ctx.refuse(wrong.MissingArgument(span, slot, name))
        elif place < last:
            nodes.append(
                ast.Text(default, 0, 0) if isinstance(default, str) else ast.Number(default, str(default), 0, 0)
            )
    return Start(name, tuple(nodes), env, span)


def fitting(ctx: Context, init: Start, values: tuple[float | int | str, ...], leaf: Leaf, span: Span) -> None:
    """An initialiser must be able to fill its parameter. Raises Refused."""
    own = init.span if init.span is not None and init.env.module.name else span
    names = [name for name, _ in FORMS[init.name]]
    if init.name == "file":
        wrongly = next((v for v in values if not isinstance(v, str)), None)
        if wrongly is not None or not str(values[0]).endswith((".npy", ".safetensors")):
            shown = f"`{values[0] if wrongly is None else wrongly}`"
            raise ctx.refuse(wrong.BadArgument(own, "path", "the name of a .npy or .safetensors file", shown, "file"))
        return
    for name, value in zip(names, values, strict=False):
        words = {"mode": _MODES, "nonlinearity": _GAINS}.get(name)
        if words is not None and value not in words:
            raise ctx.refuse(wrong.BadArgument(own, name, " or ".join(words), f"`{value}`", init.name))
        if words is None and isinstance(value, str):
            raise ctx.refuse(wrong.BadArgument(own, name, "a number", f'"{value}"', init.name))
    why = reason(init.name, [v for v in values if not isinstance(v, str)], leaf)
    if why:
        raise ctx.refuse(wrong.BadStart(own, init.name, why))


def reason(name: str, numbers: list[float], leaf: Leaf) -> str:
    """Why an initialiser cannot fill a parameter; empty where it can."""
    if name in ("normal", "trunc_normal") and len(numbers) > 1:
        if numbers[1] < 0:
            return f"the standard deviation {numbers[1]} is negative"
        if numbers[1] == 0 and name == "trunc_normal":
            return "a normal distribution of width 0 has nothing to cut off"
    low_high = numbers[2:] if name == "trunc_normal" else numbers if name == "uniform" else []
    if len(low_high) == 2 and low_high[0] > low_high[1]:
        return f"no number lies between {low_high[0]} and {low_high[1]}"
    if name == "fan_in_uniform" and numbers[0] <= 0:
        return f"it is given {numbers[0]} numbers that come in"
    rank = len(leaf.axes)
    if name in _FANS and rank < 2:
        sides = "an axis for what goes out and one for what comes in"
        return f"it needs {sides}, and `{show_leaf(leaf)}` has {rank or 'none'}"
    if name == "eye" and rank != 2:
        return f"it needs two axes, and `{show_leaf(leaf)}` has {rank or 'none'}"
    return ""
