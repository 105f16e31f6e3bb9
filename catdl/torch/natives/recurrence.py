"""What folds become (`catdl/rewrite`): torch's fused kernels, of elements, states, weights; scans of affine maps."""

from __future__ import annotations

from functools import partial

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.scope import Value


def _run(cell: str, c: Context) -> str:
    ref = c.batch_ref()
    if ref is not None and not c.batched():
        c.inputs[0] = Value(c.spread(0, ref), c.type(), ref.batched)
    c.use(f"fused_{cell}")
    return f"fused_{cell}({c.xs()})"


def _affine(c: Context) -> str:
    ref = c.batch_ref()
    if ref is not None and not c.batched(2):
        c.inputs[2] = Value(c.spread(2, ref), c.type(2), ref.batched)
    c.use("affine_scan")
    return f"affine_scan({c.xs()}, {-c.rank()}{', reverse=True' if c.flag('reverse') else ''})"


TABLE: dict[str, Lowering] = {
    "affine_scan": Lowering(_affine, takes_dim=True, mixed=True),
    **{
        f"torch.{cell}": Lowering(partial(_run, cell), takes_dim=True, mixed=True)
        for cell in ("lstm", "gru", "rnn_tanh", "rnn_relu")
    },
}
