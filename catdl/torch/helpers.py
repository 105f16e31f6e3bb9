"""Functions that the generated file holds where it uses them: what torch has, in the form that the file needs."""

from __future__ import annotations

_RNN = '''\
def fused_CELL(x: Tensor, h: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
    """torch.CELL from h along x [..., T, A]: every h [..., T, H], the last [..., H]."""
    *batch, steps, width = x.shape
    size = h.shape[-1]
    h = h.expand(*batch, size).reshape(1, -1, size)
    if steps > 0:
        x, train = x.reshape(-1, steps, width), torch.is_grad_enabled()
        y, h = torch.CELL(x, h, weights, len(weights) == 4, 1, 0.0, train, False, True)
    else:
        y = x.new_empty(0)
    return y.reshape(*batch, steps, size), h.reshape(*batch, size)'''

_LSTM = '''\
def fused_lstm(
    x: Tensor, h: Tensor, c: Tensor, *weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """torch.lstm from (h, c) along x [..., T, A]: every h [..., T, H], the last h and c [..., H]."""
    *batch, steps, width = x.shape
    size = h.shape[-1]
    h, c = (state.expand(*batch, size).reshape(1, -1, size) for state in (h, c))
    if steps > 0:
        x, train = x.reshape(-1, steps, width), torch.is_grad_enabled()
        y, h, c = torch.lstm(x, (h, c), weights, len(weights) == 4, 1, 0.0, train, False, True)
    else:
        y = x.new_empty(0)
    return y.reshape(*batch, steps, size), h.reshape(*batch, size), c.reshape(*batch, size)'''

HELPERS = {
    "fused_lstm": _LSTM,
    **{f"fused_{cell}": _RNN.replace("CELL", cell) for cell in ("gru", "rnn_tanh", "rnn_relu")},
}
"""By name; `Context.use` puts one into the file. A fold of no steps gives the state that it started from."""
