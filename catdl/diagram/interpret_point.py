"""Pointwise functions of `docs/core.md`, each on tensors that are lined up already.

POINTWISE["add"](run, x, y)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from catdl.diagram.interpret_core import Run


def _same(name: str) -> Callable[..., Tensor]:
    function: Callable[..., Tensor] = getattr(torch, name)
    return lambda _run, *xs: function(*xs)


def _bits(name: str) -> Callable[..., Tensor]:
    function: Callable[..., Tensor] = getattr(torch, f"logical_{name}")
    return lambda _run, *xs: function(*xs)


def _real(run: Run, x: Tensor) -> Tensor:
    return x.to(run.floating)


def _clamp_index(_run: Run, x: Tensor, *bounds: Any) -> Tensor:
    top = bounds[-1] - 1
    return torch.minimum(torch.maximum(x, torch.zeros_like(x)), top.expand_as(x))


_NAMES = """
    add sub mul div pow neg exp log log1p expm1 sqrt rsqrt reciprocal abs sign floor ceil round sin cos tan asin acos
    atan atan2 sinh cosh tanh asinh acosh atanh erf erfinv erfc lgamma digamma sigmoid maximum minimum eq ne lt le gt ge
    where isnan
""".split()  # noqa: SIM905

POINTWISE: dict[str, Callable[..., Tensor]] = {
    **{name: _same(name) for name in _NAMES},
    **{name: _bits(name) for name in ("and", "or", "not", "xor")},
    "mod": _same("remainder"),
    "floordiv": lambda _run, x, y: torch.div(x, y, rounding_mode="floor"),
    "softplus": lambda _run, x: torch.nn.functional.softplus(x),
    "clamp_index": _clamp_index,
    "real": _real,
    "fin": lambda _run, x: x.long(),
    "bool": lambda _run, x: x != 0,
    "isfinite": _same("isfinite"),
}
