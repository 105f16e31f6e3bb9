"""What generated code may import: attention inside `torch.vmap`, for which torch has no rule on a CPU.

Left to itself, torch calls its kernel at one index after the other and warns. An axis that is mapped over is one of the
batch to attention, so all indices are one call of the kernel.

    torch.vmap(block)(x)      inside: mapped_attention(q, k, v, is_causal=True)
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def mapped_attention(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, **options: Any) -> Tensor:
    """`F.scaled_dot_product_attention`, whether it is mapped or not."""
    if torch.compiler.is_compiling():  # what its own definition is made of has all rules
        mask = None if attn_mask is None else attn_mask[None]
        return F.scaled_dot_product_attention(q[None], k[None], v[None], mask, **options)[0]
    if not any(map(torch._C._functorch.is_batchedtensor, (q, k, v))):
        return F.scaled_dot_product_attention(q, k, v, attn_mask, **options)
    if attn_mask is not None:
        attn_mask = attn_mask.expand(*q.shape[:-1], k.shape[-2])
    made: Tensor = _Attention.apply(q, k, v, attn_mask, options)  # type: ignore[no-untyped-call]
    return made


class _Attention(torch.autograd.Function):
    """Attention with a rule for `torch.vmap`, which calls torch's own, with its gradient."""

    @staticmethod
    def forward(*inputs: Any) -> Tensor:
        """Not called: all it is given is mapped."""
        raise NotImplementedError

    @staticmethod
    def setup_context(*_: Any) -> None:
        """It saves nothing."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[Tensor, int]:
        """The mapped axis first, one of the batch; the kernel takes one axis of these before the heads."""
        *tensors, options = inputs
        count: int = info.batch_size
        q, k, v, mask = (_first(x, dim, count) for x, dim in zip(tensors, in_dims, strict=False))
        assert q is not None
        batch = q.shape[:-3]
        parts = (
            (q, k, v, mask) if len(batch) < 2 else (None if x is None else x.flatten(0, -4) for x in (q, k, v, mask))
        )
        made: Tensor = F.scaled_dot_product_attention(*parts, **options)
        return made.reshape(*batch, *made.shape[-3:]), 0


def _first(x: Tensor | None, dim: int | None, count: int) -> Tensor | None:
    if x is None:
        return None
    return x.expand(count, *x.shape) if dim is None else x.movedim(dim, 0)
