"""Attention, through torch's fused kernel wherever it can say what is meant."""

from __future__ import annotations

from catdl.diagram.model import Native
from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.pointwise import aligned
from catdl.types.subrow import places
from catdl.types.types import Axis


def _drops(native: Native) -> bool:
    return bool(native.arg("dropout_p"))


def _number(c: Context, name: str) -> int | float:
    return c.number(name) if c.has(name) else 0


def _is(c: Context, name: str) -> bool:
    return c.has(name) and c.flag(name)


def _port(c: Context, name: str) -> str | None:
    """The mask or the bias, shaped to stand beside the scores."""
    if not _is(c, name):
        return None
    i = 4 if name == "bias" and _is(c, "mask") else 3
    lead = [axis for axis in c.type(0).axes[:-2] if isinstance(axis, Axis)]
    where = places([axis for axis in c.type(i).axes[:-2] if isinstance(axis, Axis)], lead)
    assert where is not None, "the checker has matched them"
    return aligned(c.x(i), (*where, len(lead), len(lead) + 1), len(lead) + 2, c.batched(i))


def _near(c: Context) -> str | None:
    """The mask of causality and of the window; None where there is neither."""
    causal, window = _is(c, "causal"), _number(c, "window")
    if not causal and not window:
        return None
    steps, keys = c.axis(0, -2), c.axis(1, -2)
    text = f"torch.ones({steps}, {keys}, dtype=torch.bool, device={c.x(0)}.device)"
    if causal:
        text += ".tril()"
    if window:
        text += f".triu({1 - int(window)})" if causal else f".triu({1 - int(window)}).tril({int(window) - 1})"
    return text


def _mask(c: Context, fused: bool) -> str | None:
    """What the scores are masked with or what is added to them."""
    keep = _port(c, "mask")
    only_causal = _is(c, "causal") and not _number(c, "window") and keep is None and not _is(c, "bias")
    near = None if fused and only_causal else _near(c)
    if near is not None:
        keep = near if keep is None else f"{keep} & {near}"
    bias = _port(c, "bias")
    if bias is None:
        return keep
    return bias if keep is None else f'{bias}.masked_fill(~({keep}), float("-inf"))'


def _fused(c: Context, grouped: bool) -> str:
    mask = _mask(c, fused=True)
    parts = [c.x(0), c.x(1), c.x(2)]
    if mask is not None:
        parts.append(f"attn_mask={c.let(mask, 'mask') if len(mask) > 40 else mask}")
    if p := _number(c, "dropout_p"):
        parts.append(f"dropout_p={p!r} if {c.training} else 0.0")
    if mask is None and _is(c, "causal"):
        parts.append("is_causal=True")
    if scale := _number(c, "scale"):
        parts.append(f"scale={scale!r}")
    if grouped:
        parts.append("enable_gqa=True")
    if c.scope.mapped:
        c.scope.imports.add("mapped_attention")
        return f"mapped_attention({', '.join(parts)})"
    return f"F.scaled_dot_product_attention({', '.join(parts)})"


def _capped(c: Context, grouped: bool) -> str:
    """With softcap, which the fused kernel has not."""
    keys, values = c.x(1), c.x(2)
    heads, steps = c.type(0).axes[:-2], (*c.type(0).axes[:-1], c.type(1).axes[-2])
    if grouped:
        times = f"{c.axis(0, -3)} // {c.axis(1, -3)}"
        keys = c.let(f"{keys}.repeat_interleave({times}, -3)", "keys", (*heads, *c.type(1).axes[-2:]))
        values = c.let(f"{values}.repeat_interleave({times}, -3)", "values", (*heads, *c.type(2).axes[-2:]))
    scale = _number(c, "scale")
    factor = f" * {scale!r}" if scale else f" * {c.axis(0, -1)} ** -0.5"
    cap = repr(_number(c, "softcap"))
    scores = c.let(f"{cap} * torch.tanh({c.x(0)} @ {keys}.mT{factor} / {cap})", "scores", steps)
    mask = _mask(c, fused=False)
    if mask is not None and _is(c, "bias"):
        scores = c.let(f"{scores} + {mask}", "scores", steps)
    elif mask is not None:
        scores = c.let(f'{scores}.masked_fill(~({mask}), float("-inf"))', "scores", steps)
    weights = c.let(f"F.softmax({scores}, dim=-1).nan_to_num()", "weights", steps)
    if p := _number(c, "dropout_p"):
        weights = c.let(f"F.dropout({weights}, {p!r}, {c.training})", "weights", steps)
    return f"{weights} @ {values}"


def _attend(grouped: bool) -> Lowering:
    def call(c: Context) -> str:
        c.spread_all((0, 1, 2))
        return _capped(c, grouped) if _number(c, "softcap") else _fused(c, grouped)

    return Lowering(call, mixed=True, training=_drops)


TABLE: dict[str, Lowering] = {
    "attend": _attend(grouped=False),
    "grouped_attend": _attend(grouped=True),
}
