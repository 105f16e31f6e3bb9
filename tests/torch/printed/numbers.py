import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled(x: Tensor, n: float, s: float) -> Tensor:
    """scaled : Real[T, D: 12] -> Real[T, D: 12]."""
    y = x * s  # [..., T, D=12]
    x = -y  # [..., T, D=12]
    x = torch.exp(x)  # [..., T, D=12]
    y = y * y  # [..., T, D=12]
    z = x + y  # [..., T, D=12]
    x = z / n  # [..., T, D=12]
    y = torch.sin(z)  # [..., T, D=12]
    x = x + y  # [..., T, D=12]
    return x


class Heads(nn.Module):
    """heads : Real[T, D: 12] -> Real[T, D: 12]."""

    def __init__(self, size: int, h: int, up: float) -> None:
        super().__init__()
        self.size = size
        self.h = h
        self.up_ = up
        self.up = nn.Linear(12, 12)
        self.linear = nn.Linear(12, 12)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.up(x)  # [..., T, D=12]
        y = y.unflatten(-1, (self.h, self.size))  # [..., T, h, size]
        a = y.transpose(-3, -2)  # [..., h, T, size]
        y = F.softmax(a, dim=-2)  # [..., h, T, size]
        y = y.transpose(-3, -2)  # [..., T, h, size]
        y = y.flatten(-2)  # [..., T, 12]
        y = F.dropout(y, self.up_, self.training)  # [..., T, 12]
        b: Tensor = self.linear(y)  # [..., T, D=12]
        x = scaled(x, n=2, s=0.5)  # [..., T, D=12]
        x = b + x  # [..., T, D=12]
        y = scaled(b, n=1.75, s=0.25)  # [..., T, D=12]
        x = x + y  # [..., T, D=12]
        return x


class Bare(nn.Module):
    """bare : Real[T, D: 12] -> Real[T, D: 12]."""

    def __init__(self, b: bool, p: float) -> None:
        super().__init__()
        self.p = p
        self.linear = nn.Linear(12, 12, bias=b)

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(x)  # [..., T, D=12]
        x = F.leaky_relu(x, self.p)  # [..., T, D=12]
        return x


class Main(nn.Module):
    """main : Real[T, D: 12] -> Real[T, D: 12]."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = Heads(6, 2, 0.1)
        self.heads_2 = Heads(4, 3, 0.2)
        self.bare = Bare(True, 0.1)
        self.bare_2 = Bare(False, 0.3)
        self.bare_3 = Bare(False, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 12 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., T, D=12], got {tuple(x.shape)} in {x.dtype}"
            )
        x = self.heads(x)  # [..., T, D=12]
        x = self.heads_2(x)  # [..., T, D=12]
        x = scaled(x, n=3.5, s=2)  # [..., T, D=12]
        x = self.bare(x)  # [..., T, D=12]
        x = self.bare_2(x)  # [..., T, D=12]
        x = self.bare_3(x)  # [..., T, D=12]
        return x
