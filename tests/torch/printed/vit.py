import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Positions(nn.Module):
    """positions : Real[N: 197, D: 768] -> Real[N: 197, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(197, 768))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.weight  # [..., N=197, D=768]
        return x


class Embedding(nn.Module):
    """embedding : Real[C: 3, H: 224, W: 224] -> Real[N: 197, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(3, 768, 16, stride=16)
        self.positions = Positions()

    def forward(self, image: Tensor, answer: Tensor) -> Tensor:
        x: Tensor = self.conv2d(image)  # [..., D=768, H=14, W=14]
        x = x.movedim(-3, -1)  # [..., H=14, W=14, D=768]
        x = x.flatten(-3, -2)  # [..., (H W)=196, D=768]
        x = torch.cat((answer.expand(*x.shape[:-2], -1, -1), x), dim=-2)  # [..., N=197, D=768]
        x = self.positions(x)  # [..., N=197, D=768]
        return x


class Attention(nn.Module):
    """attention : Real[N: 197, D: 768] -> Real[N: 197, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(768, 2304)
        self.out = nn.Linear(768, 768)

    def forward(self, x: Tensor) -> Tensor:
        x = self.qkv(x)  # [..., N=197, 2304]
        q = x[..., :768]  # [..., N=197, 768]
        k = x[..., 768:1536]  # [..., N=197, 768]
        v = x[..., 1536:]  # [..., N=197, 768]
        x = q.unflatten(-1, (12, 64))  # [..., N=197, Head=12, 64]
        x = x.transpose(-3, -2)  # [..., Head=12, N=197, 64]
        y = k.unflatten(-1, (12, 64))  # [..., N=197, Head=12, 64]
        y = y.transpose(-3, -2)  # [..., Head=12, N=197, 64]
        z = v.unflatten(-1, (12, 64))  # [..., N=197, Head=12, 64]
        z = z.transpose(-3, -2)  # [..., Head=12, N=197, 64]
        y = F.scaled_dot_product_attention(x, y, z)  # [..., Head=12, N=197, 64]
        x = y.transpose(-3, -2)  # [..., N=197, Head=12, 64]
        x = x.flatten(-2)  # [..., N=197, (Head 64)=768]
        x = self.out(x)  # [..., N=197, D=768]
        return x


class Block(nn.Module):
    """block : Real[N: 197, D: 768] -> Real[N: 197, D: 768]."""

    def __init__(self) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(768)
        self.attention = Attention()
        self.layernorm_2 = nn.LayerNorm(768)
        self.up = nn.Linear(768, 3072)
        self.down = nn.Linear(3072, 768)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layernorm(x)  # [..., N=197, D=768]
        y = self.attention(y)  # [..., N=197, D=768]
        x = x + y  # [..., N=197, D=768]
        y = self.layernorm_2(x)  # [..., N=197, D=768]
        y = self.up(y)  # [..., N=197, 3072]
        y = F.gelu(y)  # [..., N=197, 3072]
        y = self.down(y)  # [..., N=197, D=768]
        x = x + y  # [..., N=197, D=768]
        return x


class Vit(nn.Module):
    """vit : Real[C: 3, H: 224, W: 224] -> Logits[Class: 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.empty(1, 768))
        self.embedding = Embedding()
        self.block = nn.ModuleList(Block() for _ in range(12))
        self.layernorm = nn.LayerNorm(768)
        self.linear = nn.Linear(768, 1000)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.zeros_(self.answer)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-3:] != (3, 224, 224) or not x.is_floating_point():
            raise ValueError(
                "vit: input x must be Real[..., C=3, H=224, W=224], "
                f"got {tuple(x.shape)} in {x.dtype}"
            )
        batch = x.shape[:-3]
        x = x.reshape(-1, 3, 224, 224)  # [..., C=3, H=224, W=224]
        x = self.embedding(x, self.answer)  # [..., N=197, D=768]
        for block in self.block:
            x = block(x)  # [..., N=197, D=768]
        x = self.layernorm(x)  # [..., N=197, D=768]
        x = x[..., :1, :]  # [..., N=1, D=768]
        x = x.squeeze(-2)  # [..., D=768]
        x = self.linear(x)  # [..., Class=1000]
        return x.reshape(*batch, 1000)
