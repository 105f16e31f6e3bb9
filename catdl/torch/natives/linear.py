"""Maps that are linear in each input, and tables."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual
from catdl.torch.scope import sizes_of


def _shape(c: Context, path: str) -> tuple[int, ...]:
    parameter = c.leaf(path)
    assert parameter is not None
    return tuple(size for size in sizes_of(parameter.type) if isinstance(size, int))


def _linear_module(c: Context) -> str:
    out, inp = _shape(c, "weight")
    bias = usual("bias", str(c.leaf("bias") is not None), "True")
    return f"nn.Linear({inp}, {out}{bias})"


def _linear(c: Context) -> str:
    bias = f", {c.param('bias')}" if c.leaf("bias") is not None else ""
    return f"F.linear({c.x()}, {c.param('weight')}{bias})"


def _bilinear_module(c: Context) -> str:
    out, left, right = _shape(c, "weight")
    bias = usual("bias", str(c.leaf("bias") is not None), "True")
    return f"nn.Bilinear({left}, {right}, {out}{bias})"


def _bilinear(c: Context) -> str:
    return f"F.bilinear({c.xs()}, {c.param('weight')}, {c.optional('bias')})"


def _embed_module(c: Context) -> str:
    count, width = _shape(c, "weight")
    return f"nn.Embedding({count}, {width})"


TABLE: dict[str, Lowering] = {
    "linear": Lowering(_linear, _linear_module),
    "bilinear": Lowering(_bilinear, _bilinear_module),
    "embed": Lowering(lambda c: f"F.embedding({c.x()}, {c.param('weight')})", _embed_module),
}
