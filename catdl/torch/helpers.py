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

_AFFINE = '''\
class AffineScan(torch.autograd.Function):
    """s[0] = h and s[t + 1] = a[t] * s[t] + b[t] along an axis.

    `reverse`: s[T] = h and s[t] = a[t] * s[t + 1] + b[t]. The gradient is such a scan the other way.
    """

    @staticmethod
    def steps(a: Tensor, b: Tensor, h: Tensor, s: Tensor, dim: int, reverse: bool) -> Tensor:
        """Fill s one step after the other; the last state."""
        xs, ys = a.unbind(dim), b.unbind(dim)
        for k in reversed(range(len(xs))) if reverse else range(len(xs)):
            h = torch.addcmul(ys[k], xs[k], h)
            s.select(dim, k).copy_(h)
        return h

    @staticmethod
    def chunks(a: Tensor, b: Tensor, h: Tensor, s: Tensor, dim: int, reverse: bool) -> Tensor:
        """Fill s 64 steps at a time: what each chunk does, from chunk to chunk, in all; the last."""
        a, b, s = (x.unflatten(dim, (x.shape[dim] // 64, 64)) for x in (a, b, s))
        pairs = list(zip(a.unbind(dim), b.unbind(dim)))
        x, y = pairs.pop() if reverse else pairs.pop(0)
        for u, v in reversed(pairs) if reverse else pairs:
            x, y = u * x, torch.addcmul(v, u, y)
        states = torch.empty_like(s.select(dim, 0))
        last = AffineScan.steps(x, y, h, states, dim, reverse)
        starts = states.roll(-1 if reverse else 1, dim)
        starts.select(dim, -1 if reverse else 0).copy_(h)
        AffineScan.steps(a, b, starts, s, dim, reverse)
        return last

    @staticmethod
    def forward(a: Tensor, b: Tensor, h: Tensor, dim: int, reverse: bool) -> Tensor:
        count = a.shape[dim]
        shape = list(torch.broadcast_shapes(a.shape, b.shape, h.unsqueeze(dim).shape))
        shape[dim] = count + 1
        s = b.new_empty(shape)
        s.select(dim, count if reverse else 0).copy_(h)
        filled = s.narrow(dim, 0 if reverse else 1, count)
        few = count % 64  # these come first, one by one; then blocks that the cache holds
        for k in (*([0] if few else []), *range(few, count, 4096)):
            size = few if k < few else min(4096, count - k)
            start = count - k - size if reverse else k
            x, y, z = (t.narrow(dim, start, size) for t in (a, b, filled))
            run = AffineScan.steps if size < 64 else AffineScan.chunks
            h = run(x, y, h, z, dim, reverse)
        return s

    @staticmethod
    def setup_context(
        ctx: torch.autograd.function.FunctionCtx,
        inputs: tuple[Tensor, Tensor, Tensor, int, bool],
        output: Tensor,
    ) -> None:
        a, b, h, ctx.dim, ctx.reverse = inputs
        ctx.save_for_backward(a, b, h, output)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        a, b, h, s = ctx.saved_tensors
        dim, reverse, count = ctx.dim, ctx.reverse, a.shape[ctx.dim]
        old, new = (1, 0) if reverse else (0, 1)  # where a step's states before and after it start
        last = grad.select(dim, 0 if reverse else count)
        g = AffineScan.apply(a.conj(), grad.narrow(dim, old, count), last, dim, not reverse)
        of_b = g.narrow(dim, new, count)
        of_a = of_b * s.narrow(dim, old, count).conj()
        of_h = g.select(dim, count if reverse else 0)
        given = zip((of_a, of_b, of_h), (a, b, h))
        return *(x.sum_to_size(y.shape) for x, y in given), None, None


def affine_scan(
    a: Tensor, b: Tensor, h: Tensor, dim: int, reverse: bool = False
) -> tuple[Tensor, Tensor]:
    """The last and every state of h -> a[t] * h + b[t], t from the first step or from the last."""
    s = AffineScan.apply(a, b, h, dim, reverse)
    count = a.shape[dim]
    states = s.split((count, 1), dim)[0] if reverse else s.split((1, count), dim)[1]
    return s.select(dim, 0 if reverse else count), states'''

HELPERS = {
    "affine_scan": _AFFINE,
    "fused_lstm": _LSTM,
    **{f"fused_{cell}": _RNN.replace("CELL", cell) for cell in ("gru", "rnn_tanh", "rnn_relu")},
}
"""By name; `Context.use` puts one into the file. A fold of no steps gives the state that it started from."""
