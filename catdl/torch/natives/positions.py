"""Positions added to features, turned into them, or added to scores (positions.cat)."""

from __future__ import annotations

import math

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.natives.common import count


def _positions(c: Context) -> str:
    weight, steps = c.param("weight"), c.axis(0, -2)
    return f"{c.x()} + {weight}" if steps == c.size("N") else f"{c.x()} + {weight}[:{steps}]"


def _table(c: Context, function: str, made: str) -> str:
    """A variable that holds a function of the angles in the dtype of the features.

    Made once in a function, for queries and keys alike.
    """
    x = c.x()
    settings = tuple((name, c.size(name)) for name in ("base", "factor") if c.has(name))
    key = (made, function, c.axis(0, -2), c.axis(0, -1), settings)

    def expression() -> str:
        angle = c.scope.shared(("angle", *key[2:]), "angle", lambda: _angles(c))
        return f"{function.format(angle)}.to({x}.dtype)"

    return c.scope.shared(key, made, expression)


def _angles(c: Context) -> str:
    """The angle of every step and frequency, in at least single precision."""
    x, half = c.x(), c.fixed(0, -1)
    features = c.axis(0, -1)
    frequencies = str(half // 2) if half is not None else f"({features}) // 2"
    rate = repr(math.log(c.number("base")) * -2)
    dtype = c.let(f"torch.promote_types({x}.dtype, torch.float32)", "precise")
    like = f"dtype={dtype}, device={x}.device"
    step = c.let(f"torch.arange({c.axis(0, -2)}, {like})", "step")
    frequency = c.let(f"torch.exp(torch.arange({frequencies}, {like}) * ({rate} / {features}))", "frequency")
    slower = f" / {c.size('factor')}" if c.has("factor") and c.number("factor") != 1 else ""
    return f"{step}[:, None] * {frequency}{slower}"


def _sinusoidal(c: Context) -> str:
    pair = "(torch.sin({0}), torch.cos({0}))"
    halves = c.word("convention") == "half"
    whole = f"torch.cat({pair}, dim=-1)" if halves else f"torch.stack({pair}, dim=-1).flatten(-2)"
    return f"{c.x()} + {_table(c, whole, 'table')}"


def _rotary(c: Context) -> str:
    x, cos, sin = c.x(), _table(c, "torch.cos({})", "cos"), _table(c, "torch.sin({})", "sin")
    if c.word("convention") == "half":
        pair = c.let(f"{x}.chunk(2, dim=-1)", "pair")
        a, b = f"{pair}[0]", f"{pair}[1]"
        return f"torch.cat(({a} * {cos} - {b} * {sin}, {b} * {cos} + {a} * {sin}), dim=-1)"
    a, b = c.let(f"{x}[..., 0::2]", "even"), c.let(f"{x}[..., 1::2]", "odd")
    return f"torch.stack(({a} * {cos} - {b} * {sin}, {b} * {cos} + {a} * {sin}), dim=-1).flatten(-2)"


def _t5_bias(c: Context) -> str:
    weight = c.param("weight")
    buckets, both = int(c.number("buckets")), c.flag("bidirectional")
    half = buckets // 2 if both else buckets
    exact = half // 2
    like = f"device={weight}.device"
    ahead = c.let(f"torch.arange({count(c, 'U')}, {like}) - torch.arange({count(c, 'T')}, {like})[:, None]", "ahead")
    far = c.let(f"{ahead}.abs()" if both else f"(-{ahead}).clamp(min=0)", "far")
    widen = repr(math.log(c.number("max_distance") / exact))
    precise = f"torch.promote_types({weight}.dtype, torch.float32)"  # a bucket's edge must not be rounded away
    steps = f"(torch.log({far}.clamp(min=1).to({precise}) / {exact}) / {widen} * {half - exact}).long()"
    bucket = f"torch.where({far} < {exact}, {far}, ({exact} + {steps}).clamp(max={half - 1}))"
    if both:
        bucket = f"{bucket} + {half} * ({ahead} > 0)"
    bucket = c.let(bucket, "bucket")
    return f"{weight}[{bucket}].permute(2, 0, 1)"


def _alibi(c: Context) -> str:
    heads = c.raw("H")
    number = int(c.expr(heads))
    whole = 1 << (number.bit_length() - 1)
    octaves = [(h + 1) * 8 / whole if h < whole else (2 * (h - whole) + 1) * 4 / whole for h in range(number)]
    slopes = ", ".join(repr(-(2.0**-octave)) for octave in octaves)
    dtype, device = c.scope.dtype(), c.scope.device()
    steps = [f"torch.arange({count(c, name)}{device})" for name in ("T", "U")]
    slope = c.let(f"torch.tensor([{slopes}], dtype={dtype}{device})", "slope")
    return f"{slope}[:, None, None] * ({steps[0]}[:, None] - {steps[1]}).abs()"


TABLE: dict[str, Lowering] = {
    "positions": Lowering(_positions),
    "sinusoidal": Lowering(_sinusoidal),
    "rotary": Lowering(_rotary),
    "t5_bias": Lowering(_t5_bias),
    "alibi": Lowering(_alibi),
}
