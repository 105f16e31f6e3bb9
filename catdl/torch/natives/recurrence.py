"""The fused kernels that folds of known cells become (`catdl/rewrite/kernel.py`): elements, states, weights."""

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


TABLE: dict[str, Lowering] = {
    f"torch.{cell}": Lowering(partial(_run, cell), takes_dim=True, mixed=True)
    for cell in ("lstm", "gru", "rnn_tanh", "rnn_relu")
}
