"""Pools over spatial axes."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual


def _short(values: tuple[str, ...]) -> str:
    return values[0] if len(set(values)) == 1 else f"({', '.join(values)})"


def _settings(c: Context, n: int) -> str:
    """Kernel, and stride, padding and rounding where they are not torch's own."""
    kernel = c.sizes("kernel", n)
    text = _short(kernel)
    if (stride := c.sizes("stride", n)) != kernel:
        text += f", stride={_short(stride)}"
    up = usual("ceil_mode", str(c.flag("ceil_mode")), "False")
    return text + usual("padding", _short(c.sizes("padding", n)), "0") + up


def _max(n: int) -> Lowering:
    def call(c: Context) -> str:
        dilated = usual("dilation", _short(c.sizes("dilation", n)), "1")
        return f"F.max_pool{n}d({c.x()}, {_settings(c, n)}{dilated})"

    return Lowering(call, one_batch=True, axes=n + 1)


def _avg(n: int) -> Lowering:
    def call(c: Context) -> str:
        whole = "" if c.flag("count_include_pad") else ", count_include_pad=False"
        return f"F.avg_pool{n}d({c.x()}, {_settings(c, n)}{whole})"

    return Lowering(call, one_batch=True, axes=n + 1)


def _adaptive(name: str, n: int) -> Lowering:
    def call(c: Context) -> str:
        return f"F.adaptive_{name}_pool{n}d({c.x()}, {_short(c.sizes('size', n))})"

    return Lowering(call, one_batch=True, axes=n + 1)


TABLE: dict[str, Lowering] = {
    **{f"maxpool{n}d": _max(n) for n in (1, 2, 3)},
    **{f"avgpool{n}d": _avg(n) for n in (1, 2, 3)},
    **{f"adaptive_{name}pool{n}d": _adaptive(name, n) for name in ("avg", "max") for n in (1, 2, 3)},
}
