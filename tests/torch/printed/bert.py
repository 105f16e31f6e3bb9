import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Positions(nn.Module):
    """positions : Real[T, D: 768] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(512, 768))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        T = x.shape[-2]
        x = x + self.weight[:T]  # [..., T, D=768]
        return x


class Embedding(nn.Module):
    """embedding : Fin(30522)[T] @ Fin(2)[T] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.word = nn.Embedding(30522, 768)
        self.part = nn.Embedding(2, 768)
        self.positions = Positions()
        self.layernorm = nn.LayerNorm(768, eps=1e-12)

    def forward(self, token: Tensor, part: Tensor) -> Tensor:
        words: Tensor = self.word(token)  # [..., T, D=768]
        parts: Tensor = self.part(part)  # [..., T, D=768]
        x = words + parts  # [..., T, D=768]
        x = self.positions(x)  # [..., T, D=768]
        x = self.layernorm(x)  # [..., T, D=768]
        x = F.dropout(x, 0.1, self.training)  # [..., T, D=768]
        return x


class Attention(nn.Module):
    """attention : Real[T, D: 768] @ Keep[T] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(768, 768)
        self.key = nn.Linear(768, 768)
        self.value = nn.Linear(768, 768)
        self.out = nn.Linear(768, 768)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        T = x.shape[-2]
        y: Tensor = self.query(x)  # [..., T, D=768]
        y = y.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        q = y.transpose(-3, -2)  # [..., Head=12, T, 64]
        y = self.key(x)  # [..., T, D=768]
        y = y.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        y = y.transpose(-3, -2)  # [..., Head=12, T, 64]
        x = self.value(x)  # [..., T, D=768]
        x = x.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        x = x.transpose(-3, -2)  # [..., Head=12, T, 64]
        mask = keep.unsqueeze(-2).expand(*keep.shape[:-1], T, -1)  # [..., T, T'=T]
        # [..., Head=12, T, 64]
        y = F.scaled_dot_product_attention(
            q, y, x, attn_mask=mask[..., None, :, :], dropout_p=0.1 if self.training else 0.0
        )
        x = y.transpose(-3, -2)  # [..., T, Head=12, 64]
        x = x.flatten(-2)  # [..., T, (Head 64)=768]
        x = self.out(x)  # [..., T, D=768]
        return x


class Sublayer(nn.Module):
    """sublayer : (x: Real[T, D: 768], keep: Keep[T]) -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.layernorm = nn.LayerNorm(768, eps=1e-12)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        y: Tensor = self.attention(x, keep)  # [..., T, D=768]
        y = F.dropout(y, 0.1, self.training)  # [..., T, D=768]
        x = x + y  # [..., T, D=768]
        x = self.layernorm(x)  # [..., T, D=768]
        return x


class FeedForward(nn.Module):
    """feed_forward : Real[T, D: 768] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(768, 3072)
        self.down = nn.Linear(3072, 768)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(x)  # [..., T, 3072]
        x = F.gelu(x)  # [..., T, 3072]
        x = self.down(x)  # [..., T, D=768]
        return x


class Sublayer2(nn.Module):
    """sublayer : (x: Real[T, D: 768]) -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.feed_forward = FeedForward()
        self.layernorm = nn.LayerNorm(768, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.feed_forward(x)  # [..., T, D=768]
        y = F.dropout(y, 0.1, self.training)  # [..., T, D=768]
        x = x + y  # [..., T, D=768]
        x = self.layernorm(x)  # [..., T, D=768]
        return x


class Repeat(nn.Module):
    """repeat : (x: Real[T, D: 768], keep: Keep[T]) -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.sublayer = Sublayer()
        self.sublayer_2 = Sublayer2()

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        x = self.sublayer(x, keep)  # [..., T, D=768]
        x = self.sublayer_2(x)  # [..., T, D=768]
        return x


class Bert(nn.Module):
    """bert : (token: Fin(30522)[T], part: Fin(2)[T], keep: Keep[T]) -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = Embedding()
        self.layer = nn.ModuleList(Repeat() for _ in range(12))

    def forward(self, token: Tensor, part: Tensor, keep: Tensor) -> Tensor:
        if token.ndim < 1 or token.dtype != torch.int64:
            raise ValueError(
                "bert: input token must be Fin(30522)[..., T] in torch.int64, "
                f"got {tuple(token.shape)} in {token.dtype}"
            )
        T = token.shape[-1]
        if part.shape[-1:] != (T,) or part.dtype != torch.int64:
            raise ValueError(
                "bert: input part must be Fin(2)[..., T] in torch.int64, "
                f"got {tuple(part.shape)} in {part.dtype}"
            )
        if keep.shape[-1:] != (T,) or keep.dtype != torch.bool:
            raise ValueError(
                "bert: input keep must be Keep[..., T] in torch.bool, "
                f"got {tuple(keep.shape)} in {keep.dtype}"
            )
        if part.shape[:-1] != token.shape[:-1]:
            raise ValueError(
                "bert: inputs token and part must have the same leading batch axes, "
                f"got {tuple(token.shape)} and {tuple(part.shape)}"
            )
        if keep.shape[:-1] != token.shape[:-1]:
            raise ValueError(
                "bert: inputs token and keep must have the same leading batch axes, "
                f"got {tuple(token.shape)} and {tuple(keep.shape)}"
            )
        if T > 512:
            raise ValueError(f"bert: T must be at most 512, got T={T}")
        x: Tensor = self.embedding(token, part)  # [..., T, D=768]
        for layer in self.layer:
            x = layer(x, keep)  # [..., T, D=768]
        return x
