"""Axes moved and images resized and sampled (shape.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering

MODES = {
    "nearest": ("nearest", "nearest"),
    "nearest-exact": ("nearest-exact", "nearest-exact"),
    "linear": ("linear", "bilinear"),
    "cubic": ("", "bicubic"),
}


def _shift(c: Context) -> str:
    n, dim = int(c.number("n")), c.dim()
    if n == 0:
        return c.x()
    after = -1 - dim  # axes after the one that is moved
    index = f"[..., {'{}'}{', :' * after}]"
    zeros, amounts = "0, 0, " * after, f"{max(n, 0)}, {max(-n, 0)}"
    value = "" if c.number("value") == 0 else f", value={c.size('value')}"
    kept = index.format(f":-{n}" if n > 0 else f"{-n}:")
    size = c.fixed(0, dim)
    if size is None and abs(n) > 1:  # nothing may be left, and to cut first would then cut too little
        return f"F.pad({c.x()}, ({zeros}{amounts}){value}){kept}"
    if size is not None and abs(n) >= size:
        return f"torch.full_like({c.x()}, {c.size('value')})"
    return f"F.pad({c.x()}{kept}, ({zeros}{amounts}){value})"


def _roll(c: Context) -> str:
    return f"{c.x()}.roll({c.size('n')}, {c.dim()})"


def _mode(c: Context, rank: int) -> str:
    mode = c.word("mode")
    if mode == "nearest":
        return ""
    corners = ", align_corners=True" if c.flag("align_corners") and mode in ("linear", "cubic") else ""
    return f', mode="{MODES[mode][rank - 1]}"{corners}'


def _interpolate(rank: int) -> Lowering:
    def call(c: Context) -> str:
        sizes = c.sizes("size", rank)
        text = sizes[0] if len(set(sizes)) == 1 else f"({', '.join(sizes)})"
        return _resized(c, rank, f"size={text}")

    return Lowering(call, one_batch=True, axes=rank + 1)


def _resized(c: Context, rank: int, to: str) -> str:
    x, extra = c.x(), rank + 1 - c.rank()
    if rank == 1 and c.word("mode") == "cubic":  # torch knows it for images only
        flat = _stretch(f"{x}.unsqueeze(-2)", extra, f"size=(1, {c.sizes('size', 1)[0]}){_mode(c, 2)}")
        return f"{flat}.squeeze(-2)"
    return _stretch(x, extra, f"{to}{_mode(c, rank)}")


def _stretch(x: str, extra: int, options: str) -> str:
    """Torch wants channels: where there are none, one is made for the call."""
    wide = f"{x}.unsqueeze(1)" if extra > 0 else x
    return f"F.interpolate({wide}, {options})" + (".squeeze(1)" if extra > 0 else "")


def _upsample(c: Context) -> str:
    scales = c.sizes("scale", 2)
    text = scales[0] if len(set(scales)) == 1 else f"({', '.join(scales)})"
    return _resized(c, 2, f"scale_factor={text}")


def _grid_sample(c: Context) -> str:
    mode = "" if c.word("mode") == "linear" else f', mode="{c.word("mode")}"'
    padding = "" if c.word("padding") == "zeros" else f', padding_mode="{c.word("padding")}"'
    return f"F.grid_sample({c.x()}, {c.x(1)}{mode}{padding}, align_corners={c.flag('align_corners')})"


TABLE: dict[str, Lowering] = {
    "shift": Lowering(_shift, takes_dim=True),
    "roll": Lowering(_roll, takes_dim=True),
    "pixel_shuffle": Lowering(lambda c: f"F.pixel_shuffle({c.x()}, {c.size('r')})"),
    "pixel_unshuffle": Lowering(lambda c: f"F.pixel_unshuffle({c.x()}, {c.size('r')})"),
    "interpolate1d": _interpolate(1),
    "interpolate": _interpolate(2),
    "upsample": Lowering(_upsample, one_batch=True, axes=3),
    "grid_sample": Lowering(_grid_sample, one_batch=True, axes=3),
}
