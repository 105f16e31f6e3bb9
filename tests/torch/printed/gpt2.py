import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Positions(nn.Module):
    """positions : Real[T, D: 768] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1024, 768))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        T = x.shape[-2]
        x = x + self.weight[:T]  # [..., T, D=768]
        return x


class Attention(nn.Module):
    """attention : Real[T, D: 768] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(768, 2304)
        self.out = nn.Linear(768, 768)

    def forward(self, x: Tensor) -> Tensor:
        x = self.qkv(x)  # [..., T, 2304]
        q = x[..., :768]  # [..., T, 768]
        k = x[..., 768:1536]  # [..., T, 768]
        v = x[..., 1536:]  # [..., T, 768]
        x = q.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        x = x.transpose(-3, -2)  # [..., Head=12, T, 64]
        y = k.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        y = y.transpose(-3, -2)  # [..., Head=12, T, 64]
        z = v.unflatten(-1, (12, 64))  # [..., T, Head=12, 64]
        z = z.transpose(-3, -2)  # [..., Head=12, T, 64]
        y = F.scaled_dot_product_attention(x, y, z, is_causal=True)  # [..., Head=12, T, 64]
        x = y.transpose(-3, -2)  # [..., T, Head=12, 64]
        x = x.flatten(-2)  # [..., T, (Head 64)=768]
        x = self.out(x)  # [..., T, D=768]
        return x


class Block(nn.Module):
    """block : Real[T, D: 768] -> Real[T, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(768)
        self.attention = Attention()
        self.layernorm_2 = nn.LayerNorm(768)
        self.up = nn.Linear(768, 3072)
        self.down = nn.Linear(3072, 768)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layernorm(x)  # [..., T, D=768]
        y = self.attention(y)  # [..., T, D=768]
        x = x + y  # [..., T, D=768]
        y = self.layernorm_2(x)  # [..., T, D=768]
        y = self.up(y)  # [..., T, 3072]
        y = F.gelu(y, approximate="tanh")  # [..., T, 3072]
        y = self.down(y)  # [..., T, D=768]
        x = x + y  # [..., T, D=768]
        return x


class Gpt2(nn.Module):
    """gpt2 : Fin(50257)[T] -> Logits[T, Vocab: 50257]."""

    def __init__(self) -> None:
        super().__init__()
        self.wte = nn.Parameter(torch.empty(50257, 768))
        self.positions = Positions()
        self.block = nn.ModuleList(Block() for _ in range(12))
        self.layernorm = nn.LayerNorm(768)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.wte, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 1 or x.dtype != torch.int64:
            raise ValueError(
                "gpt2: input x must be Fin(50257)[..., T] in torch.int64, "
                f"got {tuple(x.shape)} in {x.dtype}"
            )
        T = x.shape[-1]
        if T > 1024:
            raise ValueError(f"gpt2: T must be at most 1024, got T={T}")
        x = F.embedding(x, self.wte)  # [..., T, D=768]
        x = self.positions(x)  # [..., T, D=768]
        for block in self.block:
            x = block(x)  # [..., T, D=768]
        x = self.layernorm(x)  # [..., T, D=768]
        x = F.linear(x, self.wte)  # [..., T, Vocab=50257]
        return x
