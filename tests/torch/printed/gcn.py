import torch
import torch.nn.functional as F
from torch import Tensor, nn


def smooth(x: Tensor, source: Tensor, target: Tensor, size: int) -> Tensor:
    """smooth : (Real[N, size], source: Fin(N)[E], target: Fin(N)[E]) -> Real[N, size]."""
    E = source.shape[-1]
    N = x.shape[-2]
    y = torch.ones(E, dtype=x.dtype, device=x.device)  # [E]
    z = y.expand(*target.shape[:-1], -1)
    y = z.new_zeros(*z.shape[:-1], N).scatter_add(-1, target, z)  # [..., N]
    scale = torch.rsqrt(y)  # [..., N]
    sent = x * scale[..., None]  # [..., N, size]
    # [..., E, size]
    sent = sent.gather(-2, source[..., :, None].expand(*sent.shape[:-2], -1, *sent.shape[-1:]))
    # [..., N, size]
    x = sent.new_zeros(*sent.shape[:-2], N, size).scatter_add(
        -2, target[..., :, None].expand_as(sent), sent
    )
    x = x * scale[..., None]  # [..., N, size]
    return x


class Gcn(nn.Module):
    """gcn : (Real[N, Word: 1433], source: Fin(N)[E], target: Fin(N)[E]) -> Logits[N, Class: 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(1433, 16, bias=False)
        self.second = nn.Linear(16, 7, bias=False)

    def forward(self, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 1433 or not x.is_floating_point():
            raise ValueError(
                f"gcn: input x must be Real[..., N, Word=1433], got {tuple(x.shape)} in {x.dtype}"
            )
        if source.ndim < 1 or source.dtype != torch.int64:
            raise ValueError(
                "gcn: input source must be Fin(N)[..., E] in torch.int64, "
                f"got {tuple(source.shape)} in {source.dtype}"
            )
        E = source.shape[-1]
        if target.shape[-1:] != (E,) or target.dtype != torch.int64:
            raise ValueError(
                "gcn: input target must be Fin(N)[..., E] in torch.int64, "
                f"got {tuple(target.shape)} in {target.dtype}"
            )
        if source.shape[:-1] != x.shape[:-2]:
            raise ValueError(
                "gcn: inputs x and source must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(source.shape)}"
            )
        if target.shape[:-1] != x.shape[:-2]:
            raise ValueError(
                "gcn: inputs x and target must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(target.shape)}"
            )
        x = F.dropout(x, 0.5, self.training)  # [..., N, Word=1433]
        x = self.first(x)  # [..., N, Hidden=16]
        x = smooth(x, source, target, size=16)  # [..., N, Hidden=16]
        hidden = F.relu(x)  # [..., N, Hidden=16]
        x = F.dropout(hidden, 0.5, self.training)  # [..., N, Hidden=16]
        x = self.second(x)  # [..., N, Class=7]
        x = smooth(x, source, target, size=7)  # [..., N, Class=7]
        return x
