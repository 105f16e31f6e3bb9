import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    """conv : Real[C: in_channels, H, W] -> Real[C: c, H, W]."""

    def __init__(self, in_channels: int, c: int, k: int, s: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, k, stride=s, padding=k // 2, bias=False)
        self.groupnorm = nn.GroupNorm(2, c)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d(x)  # [..., C=c, H, W]
        x = self.groupnorm(x)  # [..., C=c, H, W]
        return x


class Way(nn.Module):
    """way : (x: Real[C: in_channels, H: (H + 1) // 2, W: (W + 1) // 2]) -> Real[C: c, H, W]."""

    def __init__(self, in_channels: int, c: int, s: int) -> None:
        super().__init__()
        self.conv = Conv(in_channels, c, 1, s=s)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [..., C=c, H, W]
        return x


class Block(nn.Module):
    """block : (x: Real[C: i, H: (H + 1) // 2, W: (W + 1) // 2]) -> Real[C: c, H, W]."""

    def __init__(self, i: int, c: int, s: int) -> None:
        super().__init__()
        self.narrow = Conv(i, c // 2, 1, s=1)
        self.widen = Conv(c // 2, c, 3, s=s)
        self.way = Way(i, c, s)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(x)  # [..., C=c // 2, H=(H + 1) // 2, W=(W + 1) // 2]
        y = F.relu(y)  # [..., C=c // 2, H=(H + 1) // 2, W=(W + 1) // 2]
        y = self.widen(y)  # [..., C=c, H, W]
        x = self.way(x)  # [..., C=c, H, W]
        x = y + x  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        return x


class Block2(nn.Module):
    """block : (x: Real[C: c, H, W]) -> Real[C: c, H, W]."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.narrow = Conv(c, c // 2, 1, s=1)
        self.widen = Conv(c // 2, c, 3, s=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(x)  # [..., C=c // 2, H, W]
        y = F.relu(y)  # [..., C=c // 2, H, W]
        y = self.widen(y)  # [..., C=c, H, W]
        x = y + x  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        return x


class Stage(nn.Module):
    """stage : Real[C: i, H: (H + 1) // 2, W: (W + 1) // 2] -> Real[C: c, H, W]."""

    def __init__(self, i: int, c: int, s: int, n: int) -> None:
        super().__init__()
        self.first = Block(i, c, s)
        self.block = nn.ModuleList(Block2(c) for _ in range(n - 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)  # [..., C=c, H, W]
        for block in self.block:
            x = block(x)  # [..., C=c, H, W]
        return x


class Main(nn.Module):
    """main : Real[C: 3, H, W] -> Logits[Class: 5]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = Conv(3, 4, 5, s=2)
        self.stage = nn.ModuleList([Stage(4, 8, 1, n=2), Stage(8, 12, 2, n=3)])
        self.linear = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 3 or x.shape[-3] != 3 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., C=3, H, W], got {tuple(x.shape)} in {x.dtype}"
            )
        H = x.shape[-2]
        W = x.shape[-1]
        batch = x.shape[:-3]
        x = x.reshape(-1, 3, H, W)  # [..., C=3, H, W]
        x = self.conv(x)  # [..., C=4, H=(H + 1) // 2, W=(W + 1) // 2]
        x = self.stage[0](x)  # [..., C=8, H=(H + 1) // 2, W=(W + 1) // 2]
        x = self.stage[1](x)  # [..., C=12, H=(H + 3) // 4, W=(W + 3) // 4]
        x = x.mean((-2, -1))  # [..., C=12]
        x = self.linear(x)  # [..., Class=5]
        return x.reshape(*batch, 5)
