"""Convolutions, with torch's modules where padding is the same on both sides of every axis."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual
from catdl.torch.scope import sizes_of


def _numbers(c: Context, name: str, count: int) -> tuple[int, ...]:
    return tuple(int(text) for text in c.sizes(name, count))


def _weight(c: Context) -> tuple[int, ...]:
    leaf = c.leaf("weight")
    assert leaf is not None
    return tuple(size for size in sizes_of(leaf.type) if isinstance(size, int))


def _short(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else str(values)


def _padding(c: Context, n: int) -> tuple[tuple[int, int], ...]:
    """Zeros before and after each spatial axis."""
    value = c.raw("padding")
    kernel, dilation = _weight(c)[2:], _numbers(c, "dilation", n)
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    match value:
        case "valid":
            return ((0, 0),) * n
        case "same":
            return tuple((r // 2, r - r // 2) for r in reach)
        case "causal":
            return tuple((r, 0) for r in reach)
        case _:
            return tuple((p, p) for p in _numbers(c, "padding", n))


def _settings(c: Context, n: int, groups: int) -> str:
    """Stride, padding, dilation and groups where they are not torch's own."""
    pads = _padding(c, n)
    padding = tuple(before for before, _ in pads) if _even(pads) else (0,)
    return (
        usual("stride", _short(_numbers(c, "stride", n)), "1")
        + usual("padding", _short(padding), "0")
        + usual("dilation", _short(_numbers(c, "dilation", n)), "1")
        + usual("groups", str(groups), "1")
    )


def _even(pads: tuple[tuple[int, int], ...]) -> bool:
    return all(before == after for before, after in pads)


def _input(c: Context, n: int) -> str:
    """The input, padded here where the module cannot."""
    pads = _padding(c, n)
    if _even(pads):
        return c.x()
    flat = ", ".join(str(side) for pad in reversed(pads) for side in pad)
    return f"F.pad({c.x()}, ({flat}))"


def _groups(c: Context, depthwise: bool) -> int:
    return _weight(c)[0] if depthwise else int(c.number("groups"))


def _conv(n: int, depthwise: bool = False) -> Lowering:
    def module(c: Context) -> str:
        out, per_group, *kernel = _weight(c)
        groups = _groups(c, depthwise)
        bias = usual("bias", str(c.leaf("bias") is not None), "True")
        size = _short(tuple(kernel))
        return f"nn.Conv{n}d({per_group * groups}, {out}, {size}{_settings(c, n, groups)}{bias})"

    def call(c: Context) -> str:
        settings = _settings(c, n, _groups(c, depthwise))
        bias = f", {c.param('bias')}" if c.leaf("bias") is not None else ""
        return f"F.conv{n}d({_input(c, n)}, {c.param('weight')}{bias}{settings})"

    return Lowering(call, module, one_batch=True, axes=n + 1, inputs=lambda c: _input(c, n))


def _transposed_settings(c: Context, n: int) -> str:
    names = (("stride", "1"), ("padding", "0"), ("output_padding", "0"), ("groups", "1"), ("dilation", "1"))
    parts = []
    for name, default in names:
        values = (int(c.number(name)),) if name == "groups" else _numbers(c, name, n)
        parts.append(usual(name, _short(values), default))
    return "".join(parts)


def _transposed(n: int) -> Lowering:
    def module(c: Context) -> str:
        inp, per_group, *kernel = _weight(c)
        out = per_group * int(c.number("groups"))
        bias = usual("bias", str(c.leaf("bias") is not None), "True")
        return f"nn.ConvTranspose{n}d({inp}, {out}, {_short(tuple(kernel))}{_transposed_settings(c, n)}{bias})"

    def call(c: Context) -> str:
        bias = f", {c.param('bias')}" if c.leaf("bias") is not None else ""
        return f"F.conv_transpose{n}d({c.x()}, {c.param('weight')}{bias}{_transposed_settings(c, n)})"

    return Lowering(call, module, one_batch=True, axes=n + 1)


TABLE: dict[str, Lowering] = {
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    "conv3d": _conv(3),
    "depthwise_conv1d": _conv(1, depthwise=True),
    "depthwise_conv2d": _conv(2, depthwise=True),
    "conv_transpose1d": _transposed(1),
    "conv_transpose2d": _transposed(2),
    "conv_transpose3d": _transposed(3),
}
