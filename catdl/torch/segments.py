"""What generated code may import: the elements of a batch of samples of different size, packed one after the other.

A var dim N is stored by offsets, [0, 3, 3, 7] for three samples of 3, 0 and 4 elements; tensors along it are
[N, …] for all samples together, one number for each sample is [B, …], and an index into N counts through the batch.

    N = Segments.of(offsets, "pool: N", x)
    N.sum(x)            [N, D] -> [B, D]
    N.spread(y)         [B, D] -> [N, D]
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from catdl.torch.chunked import Chunks, affine_scan
from catdl.torch.walk import Walk, fused


class Segments:
    """The samples along one var dim: `count` of them, `total` elements, of `sizes` [B] from `offsets` [B + 1]."""

    def __init__(self, offsets: Tensor, total: int | None = None) -> None:
        self.offsets = offsets
        self.count = offsets.shape[0] - 1
        self.total = int(offsets[-1]) if total is None else total
        self._sample: Tensor | None = None
        self._longest: int | None = None
        self._chunks: dict[bool, Chunks] = {}

    @classmethod
    def of(cls, offsets: Tensor | Segments, name: str, x: Tensor | None = None) -> Segments:
        """The segments that offsets mean, checked; `x` is a tensor that is packed by them. Raises ValueError."""
        if isinstance(offsets, Segments):
            return offsets
        if offsets.ndim != 1 or offsets.dtype != torch.int64 or offsets.shape[0] == 0:
            got = f"{tuple(offsets.shape)} in {offsets.dtype}"
            raise ValueError(f"{name} must be the offsets of the samples, [B + 1] in torch.int64, got {got}")
        if torch.compiler.is_compiling():
            return cls(offsets, None if x is None else x.shape[0])
        ends = offsets.tolist()
        if ends[0] != 0 or any(a > b for a, b in pairwise(ends)):
            raise ValueError(f"{name} must be offsets that begin with 0 and never fall, got {ends}")
        if x is not None and x.shape[0] != ends[-1]:
            raise ValueError(f"{name} ends at {ends[-1]}, and what is packed by it has {x.shape[0]} elements")
        return cls(offsets, ends[-1])

    def check(self, index: Tensor, by: Segments | None, name: str) -> None:
        """Every index must be one of its own sample's elements; `by` is what the index itself is packed by."""
        if torch.compiler.is_compiling():
            return
        low, high = self.offsets[:-1], self.offsets[1:]
        if by is not None:
            low, high = by.spread(low), by.spread(high)
        low, high = self._beside(low, index), self._beside(high, index)
        wrong = (index < low) | (index >= high)
        if bool(wrong.any()):
            at = tuple(wrong.nonzero()[0].tolist())
            sample = f"{int(low.expand_as(index)[at])} <= i < {int(high.expand_as(index)[at])}"
            found = f"{int(index[at])} at {list(at)}"
            raise ValueError(f"{name}: an index counts through the batch, here {sample}, got {found}")

    @property
    def sizes(self) -> Tensor:
        """How many elements each sample has."""
        return self.offsets.diff()

    @property
    def sample(self) -> Tensor:
        """The sample of each element."""
        if self._sample is None:
            places = torch.arange(self.total, device=self.offsets.device)
            self._sample = torch.bucketize(places, self.offsets[1:], right=True)
        return self._sample

    @property
    def longest(self) -> int:
        """The size of the largest sample."""
        if self._longest is None:
            self._longest = int(self.sizes.max()) if self.count else 0
        return self._longest

    @property
    def index(self) -> Tensor:
        """Every element's own index, counted through the batch."""
        return torch.arange(self.total, device=self.offsets.device)

    @property
    def place(self) -> Tensor:
        """Every element's place in its sample, from 0."""
        return self.index - self.spread(self.offsets[:-1])

    def spread(self, x: Tensor) -> Tensor:
        """What each sample has, at each of its elements."""
        return x.index_select(0, self.sample)

    def local(self, index: Tensor, by: Segments | None = None) -> Tensor:
        """An index counted from 0 in its sample; `by` is what it is packed by."""
        return index - self._starts(index, by)

    def through(self, index: Tensor, by: Segments | None = None) -> Tensor:
        """An index in its sample counted through the batch."""
        return index + self._starts(index, by)

    def _starts(self, index: Tensor, by: Segments | None) -> Tensor:
        starts = self.offsets[:-1] if by is None else by.spread(self.offsets[:-1])
        return self._beside(starts, index)

    # reductions

    def sum(self, x: Tensor) -> Tensor:
        """The sum of each sample's elements."""
        return x.new_zeros(self.count, *x.shape[1:]).index_add(0, self.sample, x)

    def mean(self, x: Tensor, empty: float = 0.0) -> Tensor:
        """The mean of each sample's elements."""
        counts = self._beside(self.sizes, x)
        found = self.sum(x) / counts.clamp(min=1)
        return found if empty == 0 else torch.where(counts == 0, empty, found)

    def max(self, x: Tensor, empty: float = 0.0) -> Tensor:
        """The largest of each sample's elements."""
        return self._extreme(x, "amax", empty)

    def min(self, x: Tensor, empty: float = 0.0) -> Tensor:
        """The smallest of each sample's elements."""
        return self._extreme(x, "amin", empty)

    def _extreme(self, x: Tensor, fn: str, empty: float) -> Tensor:
        start = x.new_full((self.count, *x.shape[1:]), empty)
        return start.scatter_reduce(0, self._beside(self.sample, x).expand_as(x), x, fn, include_self=False)

    def prod(self, x: Tensor) -> Tensor:
        """The product of each sample's elements."""
        return self.pad(x, value=1.0).prod(1)

    def any(self, x: Tensor) -> Tensor:
        """Whether any of each sample's elements holds."""
        return self.sum(x.long()) > 0

    def all(self, x: Tensor) -> Tensor:
        """Whether all of each sample's elements hold."""
        return self.sum((~x).long()) == 0

    def logsumexp(self, x: Tensor) -> Tensor:
        """log(sum(e^x)) of each sample's elements, without overflow."""
        top = self.max(x.detach())
        top = torch.where(top.isfinite(), top, 0)
        return self.sum((x - self.spread(top)).exp()).log() + top

    def softmax(self, x: Tensor) -> Tensor:
        """e^x / sum(e^x) among each sample's elements."""
        e = (x - self.spread(self.max(x.detach()))).exp()
        return e / self.spread(self.sum(e))

    def log_softmax(self, x: Tensor) -> Tensor:
        """The logarithm of softmax, without overflow."""
        return x - self.spread(self.logsumexp(x))

    def argmax(self, x: Tensor) -> Tensor:
        """The index of the first largest of each sample's elements, counted through the batch."""
        hit = x == self.spread(self.max(x))
        places = self._beside(self.index, x).expand_as(x)
        return self.min(torch.where(hit, places, self.total))

    def argmin(self, x: Tensor) -> Tensor:
        """The index of the first smallest of each sample's elements, counted through the batch."""
        hit = x == self.spread(self.min(x))
        places = self._beside(self.index, x).expand_as(x)
        return self.min(torch.where(hit, places, self.total))

    # between elements

    def scatter(self, x: Tensor, index: Tensor, fn: str = "sum") -> Tensor:
        """What shares an index combined, at each element: x [E, …], index [E]."""
        return scattered(x, index, self.total, fn)

    def reverse(self, x: Tensor) -> Tensor:
        """Each sample's elements from the last to the first."""
        return x.index_select(0, self.spread(self.offsets[:-1] + self.offsets[1:] - 1) - self.index)

    def scan(self, x: Tensor, fn: str, reverse: bool = False) -> Tensor:
        """`cumsum` and the like along each sample."""
        found: Any = getattr(torch, fn)(self.pad(self.reverse(x) if reverse else x), 1)
        values: Tensor = found if isinstance(found, Tensor) else found.values
        y = self.unpad(values)
        return self.reverse(y) if reverse else y

    def at(self, x: Tensor, start: int, step: int, size: int) -> Tensor:
        """`size` elements of each sample, [B, size, …]; a negative `start` counts from the end."""
        first = self.offsets[:-1] + start if start >= 0 else self.offsets[1:] + start
        return x[first[:, None] + step * torch.arange(size, device=x.device)]

    # recursion

    def walk(self, reverse: bool = False) -> Walk:
        """A pass over the steps of all samples."""
        return Walk(self, reverse)

    def fused(self, cell: str, x: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """torch's kernel of a cell along every sample: every state, and the last ones."""
        return fused(self, cell, x, *given)

    def affine_scan(self, a: Tensor, b: Tensor, h: Tensor, reverse: bool = False) -> tuple[Tensor, Tensor]:
        """The last state and every state of h -> a * h + b along every sample."""
        return affine_scan(self, a, b, h, reverse)

    def chunks(self, reverse: bool) -> Chunks:
        """How the samples are cut for a pass in chunks."""
        if reverse not in self._chunks:
            self._chunks[reverse] = Chunks(self, reverse)
        return self._chunks[reverse]

    # padding

    def pad(self, x: Tensor, size: int | None = None, value: float = 0.0) -> Tensor:
        """[N, …] as [B, size, …], filled up with `value`; as large as the largest sample unless said."""
        size = self.longest if size is None else size
        filled = x.new_full((self.count * size, *x.shape[1:]), value)
        filled = filled.index_copy(0, self.sample * size + self.place, x)
        return filled.reshape(self.count, size, *x.shape[1:])

    def unpad(self, x: Tensor) -> Tensor:
        """[B, size, …] as [N, …], without what stands behind each sample's elements."""
        return x.flatten(0, 1).index_select(0, self.sample * x.shape[1] + self.place)

    def _beside(self, numbers: Tensor, x: Tensor) -> Tensor:
        return numbers.reshape(-1, *(1,) * (x.ndim - 1))

    def __iter__(self) -> Iterator[slice]:
        """Where each sample's elements stand."""
        ends = self.offsets.tolist()
        return (slice(a, b) for a, b in pairwise(ends))


def scattered(x: Tensor, index: Tensor, size: int, fn: str) -> Tensor:
    """Rows of x with equal index combined: x [E, …], index [E] -> [size, …]; where none 0, for a product 1."""
    if fn == "sum":
        return x.new_zeros(size, *x.shape[1:]).index_add(0, index, x)
    start = x.new_full((size, *x.shape[1:]), 1.0 if fn == "prod" else 0.0)
    name = {"max": "amax", "min": "amin"}.get(fn, fn)
    at = index.reshape(-1, *(1,) * (x.ndim - 1)).expand_as(x)
    return start.scatter_reduce(0, at, x, name, include_self=False)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    queries: Segments,
    keys: Segments,
    *,
    causal: bool = False,
    window: int = 0,
    scale: float | None = None,
    softcap: float = 0.0,
    dropout_p: float = 0.0,
) -> Tensor:
    """Attention within each sample: q [T, …, D], k and v [U, …, D], packed by `queries` and `keys`."""
    q, k, v = (side.pad(x).movedim(1, -2) for side, x in ((queries, q), (keys, k), (keys, v)))
    steps = torch.arange(q.shape[-2], device=q.device)[:, None]
    there = torch.arange(k.shape[-2], device=q.device)
    seen = (there < keys.sizes[:, None])[:, None].expand(-1, len(steps), -1)
    if causal:
        seen = seen & (there <= steps)
    if window:
        seen = seen & ((there - steps).abs() < window)
    seen = seen.reshape(len(seen), *(1,) * (q.ndim - 3), *seen.shape[1:])
    if softcap:
        scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
        scores = (softcap * torch.tanh(scores / softcap)).masked_fill(~seen, float("-inf"))
        weights = F.softmax(scores, dim=-1).masked_fill(~seen, 0.0)
        y = F.dropout(weights, dropout_p) @ v
    else:
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=dropout_p, scale=scale)
    return queries.unpad(y.movedim(-2, 1))
