"""The settings of a learner: which there are, what they take, and how they are read.

Takes expressions such as `adamw(lr = 1e-3)`; guarantees a `Setting` with every argument, or a mistake that says what
there is. Names, arguments and defaults are those of torch.optim, so that whoever knows one knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, TypeAlias

from catdl import diagnostics as wrong
from catdl.check.context import Context
from catdl.check.scope import Env
from catdl.check.values import as_number, show_value
from catdl.diagnostics.suggest import near
from catdl.diagram.learner import Setting, Value
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast

Sort: TypeAlias = Literal["number", "positive", "share", "count", "times", "flag", "text", "metric", "weights"]


@record
class Param:
    """An argument of a setting; without a default it has to be given."""

    name: str
    sort: Sort
    default: Value = None


def number(name: str, default: str) -> Param:
    """A number that is not negative."""
    return Param(name, "number", Fraction(default))


Settings: TypeAlias = Mapping[str, tuple[Param, ...]]

_DECAY = number("weight_decay", "0")
_BETAS = (number("beta1", "0.9"), number("beta2", "0.999"), number("eps", "1e-8"))

OPTIMIZERS: Settings = {
    "sgd": (
        Param("lr", "positive"),
        number("momentum", "0"),
        _DECAY,
        Param("nesterov", "flag", False),
    ),
    "adagrad": (
        Param("lr", "positive", Fraction("0.01")),
        number("lr_decay", "0"),
        _DECAY,
        number("eps", "1e-10"),
    ),
    "adam": (Param("lr", "positive", Fraction("0.001")), *_BETAS, _DECAY, Param("amsgrad", "flag", False)),
    "adamw": (
        Param("lr", "positive", Fraction("0.001")),
        *_BETAS,
        number("weight_decay", "0.01"),
        Param("amsgrad", "flag", False),
    ),
}

_WARMUP = Param("warmup", "count", Fraction(0))

SCHEDULES: Settings = {
    "constant": (_WARMUP,),
    "cosine": (_WARMUP, Param("to", "share", Fraction(0))),
    "linear": (_WARMUP, Param("to", "share", Fraction(0))),
    "exponential": (Param("factor", "positive"), _WARMUP),
    "step": (Param("every", "count"), Param("factor", "positive", Fraction("0.1")), _WARMUP),
}

CLIPS: Settings = {"norm": (Param("most", "positive"),), "value": (Param("most", "positive"),)}

STOPS: Settings = {
    "epochs": (Param("n", "times"),),
    "steps": (Param("n", "times"),),
    "patience": (Param("metric", "metric"), Param("n", "count")),
    "target": (Param("metric", "metric"), Param("value", "number")),
}

MOVES: Settings = {
    "every": (Param("n", "times"), Param("of", "weights")),
    "ema": (Param("decay", "share"), Param("of", "weights")),
}

AVERAGES: Settings = {"ema": (Param("decay", "share"),)}

CHOICES: Settings = {"weights": (Param("pattern", "text"),), "group": (Param("name", "text"),)}

GROUPS: Settings = {
    "group": (Param("name", "text"), Param("lr", "positive", False), Param("weight_decay", "number", False)),
    "weights": (Param("pattern", "text"), Param("lr", "positive", False), Param("weight_decay", "number", False)),
}

_WORDS: Mapping[Sort, str] = {
    "number": "a number from 0 on",
    "positive": "a number above 0",
    "share": "a number from 0 to 1",
    "count": "a whole number from 0 on",
    "times": "a whole number from 1 on",
    "flag": "true or false",
    "text": "a text",
    "metric": "the name of a metric, or `loss`",
    "weights": "the name of a declared parameter",
}


def setting(ctx: Context, expr: ast.Expr, env: Env, what: str, known: Settings) -> Setting:
    """One setting, `name(arg = value, …)`. Raises Refused."""
    span = env.module.span(expr)
    root = expr.function if isinstance(expr, ast.Call) else expr
    if not isinstance(root, ast.Name) or root.id not in known:
        name = root.id if isinstance(root, ast.Name) else span.text
        raise ctx.refuse(wrong.NoSuchSetting(env.module.span(root), what, name, tuple(known), near(name, tuple(known))))
    params = {param.name: param for param in known[root.id]}
    given: dict[str, Value] = {}
    places = iter(params)
    for arg in expr.args if isinstance(expr, ast.Call) else ():
        at = env.module.span(arg)
        name = arg.name if arg.sep == "=" and arg.name is not None else next(places, "")
        if name not in params or name in given:
            if arg.sep == "=" and arg.name is not None:
                at = Span(at.source, arg.start, arg.start + len(arg.name))
            what = f"argument of `{root.id}`"
            raise ctx.refuse(wrong.NoSuchSetting(at, what, name or at.text, tuple(params), near(name, tuple(params))))
        given[name] = value(ctx, arg.value, env, params[name])
    missing = [p.name for p in params.values() if p.name not in given and p.default is None]
    if missing:
        raise ctx.refuse(wrong.SettingMissing(span, root.id, missing[0], _WORDS[params[missing[0]].sort]))
    args = tuple((name, given.get(name, param.default)) for name, param in params.items())
    return Setting(root.id, args, span)


def value(ctx: Context, expr: ast.Expr, env: Env, param: Param) -> Value:
    """An argument at its sort. Raises Refused."""
    if param.sort in ("metric", "weights") and isinstance(expr, ast.Name):
        return expr.id
    if param.sort == "metric" and isinstance(expr, ast.Field) and isinstance(expr.base, ast.Name):
        return f"{expr.base.id}.{expr.name}"  # of one of several learners
    found = as_number(ctx.statics.value(expr, env))
    if isinstance(found, int) and not isinstance(found, bool):
        found = Fraction(found)
    if fits(found, param.sort):
        return found  # type: ignore[no-any-return]
    raise ctx.refuse(wrong.BadSetting(env.module.span(expr), param.name, _WORDS[param.sort], shown(found)))


def shown(found: object) -> str:
    """A value as it was written."""
    whole = isinstance(found, Fraction) and found.denominator == 1
    return f"`{int(found) if whole else show_value(found)}`"  # type: ignore[call-overload]


def fits(found: object, sort: Sort) -> bool:
    """Whether a value is of a sort."""
    match sort:
        case "flag":
            return isinstance(found, bool)
        case "text":
            return isinstance(found, str)
        case "metric" | "weights":
            return False
        case "number":
            return isinstance(found, Fraction) and found >= 0
        case "positive":
            return isinstance(found, Fraction) and found > 0
        case "share":
            return isinstance(found, Fraction) and 0 <= found <= 1
        case "count":
            return isinstance(found, Fraction) and found >= 0 and found.denominator == 1
        case "times":
            return isinstance(found, Fraction) and found >= 1 and found.denominator == 1
