"""A state that goes h -> a * h + b along every sample of a packed batch, in chunks: what generated code imports.

The elements of all samples are one row, cut into chunks wherever samples begin. What each chunk does to a state is
found for all chunks side by side; then the states between them, one after the other; then those of all steps, side by
side again: some three roots of all elements, not as many steps as the longest sample has. Where a sample begins, its
state is put in the place of the one before; nothing is multiplied with 0, so a NaN of one sample reaches no other.

    last, states = T.affine_scan(a, b, h)      [B, …] and [N, …]
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from catdl.torch.segments import Segments


class Chunks:
    """How the elements of all samples are cut, and where samples begin; `reverse`: with their last elements."""

    def __init__(self, segments: Segments, reverse: bool) -> None:
        at = segments.offsets
        there = segments.sizes > 0
        ends = at[1:] - 1, at[:-1]
        first, last = ends if reverse else ends[::-1]
        self.reverse = reverse
        self.total = segments.total
        self.size = _size(self.total)
        self.count = self.total // self.size
        self.first = first[there]  # the first element of every sample that has one
        self.samples = there.nonzero().squeeze(1)
        self.last = last[there]
        rows, steps = (self.first // self.size).tolist(), (self.first % self.size).tolist()
        self.fresh = frozenset(rows)  # the chunks in which samples begin
        self.begins: dict[int, list[int]] = {}
        for row, step in zip(rows, steps, strict=True):
            self.begins.setdefault(step, []).append(row)

    def run(self, a: Tensor, b: Tensor) -> Tensor:
        """Every state: b where a sample begins, a * (the state before) + b elsewhere."""
        found = torch.empty_like(b, memory_format=torch.contiguous_format)
        whole = self.count * self.size
        state = torch.zeros_like(b[0])
        for low, count in ((whole, 1), (0, self.count)) if self.reverse else ((0, self.count), (whole, 1)):
            high = whole if low == 0 else self.total
            if low < high:
                xs, ys, outs = (x[low:high].unflatten(0, (count, -1)).unbind(1) for x in (a, b, found))
                state = self._block(xs, ys, outs, state, low // self.size)
        return found

    def _block(
        self, xs: tuple[Tensor, ...], ys: tuple[Tensor, ...], outs: tuple[Tensor, ...], state: Tensor, row: int
    ) -> Tensor:
        """Chunks of one length, of which the first one stands at a row; the last state."""
        count = len(ys[0])
        order = range(len(ys))[:: -1 if self.reverse else 1]
        begins = {k: at for k in order if (at := self._rows(k, row, count, ys[0].device)) is not None}
        states = torch.empty_like(ys[0], memory_format=torch.contiguous_format)
        if count > 1:
            x, y = torch.ones_like(states), torch.zeros_like(states)
            for k in order:
                x *= xs[k]
                torch.addcmul(ys[k], xs[k], y, out=y)
                if k in begins:
                    y[begins[k]] = ys[k][begins[k]]
            for k in range(count)[:: -1 if self.reverse else 1]:
                states[k] = state
                state = y[k] if row + k in self.fresh else torch.addcmul(y[k], x[k], state)
        else:
            states[0] = state
        for k in order:
            states = torch.addcmul(ys[k], xs[k], states, out=outs[k])
            if k in begins:
                states[begins[k]] = ys[k][begins[k]]
        return states[0 if self.reverse else -1]

    def _rows(self, step: int, row: int, count: int, device: torch.device) -> Tensor | None:
        """The chunks, counted from one of them, in which a sample begins at this step."""
        found = [at - row for at in self.begins.get(step, ()) if 0 <= at - row < count]
        return torch.tensor(found, device=device) if found else None


def _size(total: int) -> int:
    """How long a chunk is: steps are taken twice, and from chunk to chunk once."""
    return max(isqrt(total // 2), 1)


class _AffineScan(torch.autograd.Function):
    """Every state; the gradient is such a scan the other way, each step with the a of the step after it."""

    @staticmethod
    def forward(a: Tensor, b: Tensor, segments: Segments, reverse: bool) -> Tensor:
        return segments.chunks(reverse).run(a, b)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        a, _, ctx.segments, ctx.reverse = inputs
        ctx.save_for_backward(a, output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        a, states = ctx.saved_tensors
        segments, reverse = ctx.segments, ctx.reverse
        step = -1 if reverse else 1
        g = _scan(a.roll(-step, 0).conj(), grad, segments, not reverse)
        of_a = (g * states.roll(step, 0).conj()).index_fill(0, segments.chunks(reverse).first, 0)
        return of_a, g, None, None


def _scan(a: Tensor, b: Tensor, segments: Segments, reverse: bool) -> Tensor:
    made: Tensor = _AffineScan.apply(a, b, segments, reverse)  # type: ignore[no-untyped-call]
    return made


def affine_scan(segments: Segments, a: Tensor, b: Tensor, h: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """The last state of every sample and every state; axes of size 1 are repeated."""
    own = torch.broadcast_shapes(a.shape[1:], b.shape[1:], h.shape[1:])
    dtype = torch.promote_types(torch.promote_types(a.dtype, b.dtype), h.dtype)
    a, b = (x.expand(segments.total, *own).to(dtype) for x in (a, b))
    h = h.expand(segments.count, *own).to(dtype)
    size = _size(segments.total)
    if segments.longest <= 2 * size + segments.total // size:  # step by step there are no more steps
        return _steps(segments, a, b, h, reverse)
    chunks = segments.chunks(reverse)
    starts = a.index_select(0, chunks.first) * h.index_select(0, chunks.samples)
    states = _scan(a, b.index_add(0, chunks.first, starts), segments, reverse)
    return h.index_copy(0, chunks.samples, states.index_select(0, chunks.last)), states


def _steps(segments: Segments, a: Tensor, b: Tensor, h: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """Step by step, the longest samples first."""
    walk = segments.walk(reverse)
    h, states = walk.start(h), []
    for x, y in zip(walk.along(a), walk.along(b), strict=True):
        h = x * walk.alive(h) + y
        states.append(h)
    return walk.end(h), walk.join(states, b)
