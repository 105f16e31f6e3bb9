import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """attention : (x: Real[N, in_features], source: Fin(N)[E], target: Fin(N)[E])
    -> Real[N, Head: k, f].
    """

    def __init__(self, in_features: int, k: int, f: int) -> None:
        super().__init__()
        self.k = k
        self.f = f
        self.asks = nn.Parameter(torch.empty(k, f))
        self.offers = nn.Parameter(torch.empty(k, f))
        self.linear = nn.Linear(in_features, k * f, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.xavier_uniform_(self.asks)
        nn.init.xavier_uniform_(self.offers)

    def forward(self, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        N = x.shape[-2]
        x = self.linear(x)  # [..., N, k * f]
        h = x.unflatten(-1, (self.k, self.f))  # [..., N, Head=k, f]
        x = torch.einsum("...ijk,jk->...ij", h, self.asks)  # [..., N, Head=k]
        # [..., E, Head=k]
        asked = x.gather(-2, target[..., :, None].expand(*x.shape[:-2], -1, *x.shape[-1:]))
        x = torch.einsum("...ijk,jk->...ij", h, self.offers)  # [..., N, Head=k]
        # [..., E, Head=k]
        offered = x.gather(-2, source[..., :, None].expand(*x.shape[:-2], -1, *x.shape[-1:]))
        x = asked + offered  # [..., E, Head=k]
        x = F.leaky_relu(x, 0.2)  # [..., E, Head=k]
        # [..., N, Head=k]
        y = x.new_zeros(*x.shape[:-2], N, self.k).scatter_reduce(
            -2, target[..., :, None].expand_as(x), x, "amax", include_self=False
        )
        y = y.detach()  # [..., N, Head=k]
        # [..., E, Head=k]
        top = y.gather(-2, target[..., :, None].expand(*y.shape[:-2], -1, *y.shape[-1:]))
        x = x - top  # [..., E, Head=k]
        e = torch.exp(x)  # [..., E, Head=k]
        # [..., N, Head=k]
        x = e.new_zeros(*e.shape[:-2], N, self.k).scatter_add(
            -2, target[..., :, None].expand_as(e), e
        )
        # [..., E, Head=k]
        x = x.gather(-2, target[..., :, None].expand(*x.shape[:-2], -1, *x.shape[-1:]))
        weight = e / x  # [..., E, Head=k]
        # [..., E, Head=k, f]
        x = h.gather(-3, source[..., :, None, None].expand(*h.shape[:-3], -1, *h.shape[-2:]))
        message = x * weight[..., None]  # [..., E, Head=k, f]
        # [..., N, Head=k, f]
        x = message.new_zeros(*message.shape[:-3], N, self.k, self.f).scatter_add(
            -3, target[..., :, None, None].expand_as(message), message
        )
        return x


class Gat(nn.Module):
    """gat : (Real[N, Word: 1433], source: Fin(N)[E], target: Fin(N)[E]) -> Logits[N, Class: 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Attention(1433, 8, 8)
        self.second = Attention(64, 1, 7)

    def forward(self, x: Tensor, source: Tensor, target: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 1433 or not x.is_floating_point():
            raise ValueError(
                f"gat: input x must be Real[..., N, Word=1433], got {tuple(x.shape)} in {x.dtype}"
            )
        if source.ndim < 1 or source.dtype != torch.int64:
            raise ValueError(
                "gat: input source must be Fin(N)[..., E] in torch.int64, "
                f"got {tuple(source.shape)} in {source.dtype}"
            )
        E = source.shape[-1]
        if target.shape[-1:] != (E,) or target.dtype != torch.int64:
            raise ValueError(
                "gat: input target must be Fin(N)[..., E] in torch.int64, "
                f"got {tuple(target.shape)} in {target.dtype}"
            )
        if source.shape[:-1] != x.shape[:-2]:
            raise ValueError(
                "gat: inputs x and source must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(source.shape)}"
            )
        if target.shape[:-1] != x.shape[:-2]:
            raise ValueError(
                "gat: inputs x and target must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(target.shape)}"
            )
        x = F.dropout(x, 0.6, self.training)  # [..., N, Word=1433]
        x = self.first(x, source, target)  # [..., N, Head=8, Hidden=8]
        x = x.flatten(-2)  # [..., N, (Head Hidden)=64]
        h = F.elu(x)  # [..., N, (Head Hidden)=64]
        x = F.dropout(h, 0.6, self.training)  # [..., N, (Head Hidden)=64]
        x = self.second(x, source, target)  # [..., N, Head=1, Class=7]
        x = x.mean(-2)  # [..., N, Class=7]
        return x
