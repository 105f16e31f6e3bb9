"""Pointwise core operations as torch expressions, and numbers folded.

Numbers that are known are computed while compiling; numbers that depend on sizes become Python arithmetic.

    pointwise(c, "add", ((0, 1), (1,)))     "x + b"
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction

from catdl.torch.context import Context
from catdl.torch.scope import Mode, Number, Value
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "**",
    "mod": "%",
    "floordiv": "//",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "xor": "^",
}
_TENSOR_ONLY = {"maximum": "torch.maximum", "minimum": "torch.minimum", "atan2": "torch.atan2"}
_NUMERIC: dict[str, Callable[..., Number]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: Fraction(a) / b if isinstance(b, int | Fraction) and b and not isinstance(a, float) else a / b,
    "neg": operator.neg,
    "mod": operator.mod,
    "floordiv": operator.floordiv,
    "maximum": max,
    "minimum": min,
    "abs": abs,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "sqrt": math.sqrt,
    "rsqrt": lambda a: 1 / math.sqrt(a),
    "reciprocal": lambda a: Fraction(1) / a if not isinstance(a, float) else 1 / a,
    "exp": math.exp,
    "log": math.log,
    "real": lambda a: a,
}
_SCALAR_CALL = {"sqrt": "math.sqrt({})", "exp": "math.exp({})", "log": "math.log({})", "rsqrt": "1 / math.sqrt({})"}


def number_text(value: Number) -> str:
    """A known number as Python writes it."""
    if isinstance(value, Fraction):
        value = int(value) if value.denominator == 1 else float(value)
    if isinstance(value, int) and abs(value) >= 2**63:  # torch takes no larger integer
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def literal(c: Context, value: int | Fraction | bool | float | Size) -> Value:
    """A literal: a Python number."""
    if isinstance(value, Poly):
        return Value(c.scope.size(value), c.outputs[0], Mode.CONSTANT, scalar=True)
    return Value(number_text(value), c.outputs[0], Mode.CONSTANT, scalar=True, number=value)


def fold(c: Context, fn: str) -> Value | None:
    """A pointwise operation on Python numbers only; None where it is left to torch."""
    numbers = [value.number for value in c.inputs]
    if fn in _NUMERIC and all(number is not None for number in numbers):
        try:
            result = _NUMERIC[fn](*numbers)
        except (ArithmeticError, ValueError):
            return None
        if not isinstance(result, complex):
            return Value(number_text(result), c.outputs[0], Mode.CONSTANT, scalar=True, number=result)
    text = _scalar_text(c, fn)
    if text is None:
        return None
    if len(text) > 60:
        text = c.scope.keep(text, "n")
    return Value(text, c.outputs[0], Mode.CONSTANT, scalar=True)


def _scalar_text(c: Context, fn: str) -> str | None:
    texts = [value.text for value in c.inputs]
    if fn == "real":
        return texts[0]
    if fn == "neg":
        return f"-{_tight(texts[0])}"
    if fn in _SCALAR_CALL:
        c.use("math")
        return _SCALAR_CALL[fn].format(texts[0])
    if fn in ("maximum", "minimum"):
        return f"{fn[:3]}({texts[0]}, {texts[1]})"
    if fn in ("add", "sub", "mul", "div", "floordiv", "mod"):
        return f"{_tight(texts[0])} {INFIX[fn]} {_tight(texts[1])}"
    return None


def _tight(text: str) -> str:
    """An operand that needs no thought about precedence."""
    return text if text.replace(".", "").replace("_", "").isalnum() else f"({text})"


def pointwise(c: Context, fn: str, align: tuple[tuple[int, ...], ...]) -> str | Value:
    """The operation at every index, inputs lined up with the output's axes."""
    if all(value.scalar for value in c.inputs):
        folded = fold(c, fn)
        if folded is not None:
            return folded
    rank = c.out_rank()
    texts = [
        _tight(value.text) if value.scalar else aligned(value.text, where, rank, bool(value.batched))
        for value, where in zip(c.inputs, align, strict=True)
    ]
    return _apply(c, fn, texts)


def aligned(text: str, where: tuple[int, ...], rank: int, batched: bool) -> str:
    """A tensor whose axis k belongs at output position where[k], shaped to be broadcast there."""
    order = sorted(range(len(where)), key=lambda k: where[k])
    if order != list(range(len(where))):
        count = len(where)
        text = f"{text}.movedim({tuple(k - count for k in order)}, {tuple(range(-count, 0))})"
    present = set(where)
    start = 0 if batched else min(present, default=rank)
    first = next((p for p in range(start, rank) if p not in present), rank)
    if first == rank:
        return text
    items = [":" if p in present else "None" for p in range(first, rank)]
    return f"{text}[..., {', '.join(items)}]"


def _apply(c: Context, fn: str, texts: list[str]) -> str:
    if fn == "floordiv" and storage(c.outputs[0].kind) == "float":  # `//` has no derivative in torch, not even zero
        return f'torch.div({_called(c, 0, texts)}, {texts[1]}, rounding_mode="floor")'
    if fn in INFIX:
        return f"{texts[0]} {INFIX[fn]} {texts[1]}"
    if fn == "neg":
        return f"-{texts[0]}"
    if fn == "not":
        return f"~{texts[0]}"
    if fn == "real":
        return f"{_called(c, 0, texts)}.to({c.scope.dtype()})"
    if fn == "bool":
        return f"{_called(c, 0, texts)} != 0"
    if fn == "fin":
        return f"{_called(c, 0, texts)}.long()"
    if fn in ("maximum", "minimum"):
        return _extreme(c, fn, texts)
    if fn == "clamp_index":
        size = c.outputs[0].kind.size
        top = c.scope.size(size) if size is not None else "1"
        last = f"{int(top) - 1}" if top.isdigit() else f"{top} - 1"
        return f"{texts[0]}.clamp(0, {last})"
    if fn == "where":
        # Of two numbers torch would take a dtype of its own.
        first = c.tensor(c.inputs[1]) if c.inputs[1].scalar and c.inputs[2].scalar else texts[1]
        return f"torch.where({_called(c, 0, texts)}, {first}, {texts[2]})"
    args = [_called(c, i, texts) for i in range(len(texts))]
    if fn == "softplus":
        return f"F.softplus({args[0]})"
    return f"torch.{fn}({', '.join(args)})"


def _called(c: Context, i: int, texts: list[str]) -> str:
    return c.tensor(c.inputs[i]) if c.inputs[i].scalar else texts[i]


def _extreme(c: Context, fn: str, texts: list[str]) -> str:
    bound = "min" if fn == "maximum" else "max"
    for here, other in ((0, 1), (1, 0)):
        if c.inputs[other].scalar and not c.inputs[here].scalar:
            return f"{texts[here]}.clamp({bound}={c.inputs[other].text})"
    return f"torch.{fn}({_called(c, 0, texts)}, {_called(c, 1, texts)})"
