import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    """conv : Real[C: in_channels, H, W] -> Real[C: c, H, W]."""

    def __init__(self, in_channels: int, c: int, k: int, s: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, k, stride=s, padding=k // 2, bias=False)
        self.batchnorm = nn.BatchNorm2d(c)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d(x)  # [..., C=c, H, W]
        x = self.batchnorm(x)  # [..., C=c, H, W]
        return x


class Stem(nn.Module):
    """stem : Real[C: 3, H, W] -> Real[C: 64, H: (H + 3) // 4, W: (W + 3) // 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = Conv(3, 64, 7, s=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [..., C=64, H=(H + 1) // 2, W=(W + 1) // 2]
        x = F.relu(x)  # [..., C=64, H=(H + 1) // 2, W=(W + 1) // 2]
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [..., C=64, H=(H + 3) // 4, W=(W + 3) // 4]
        return x


class Shortcut(nn.Module):
    """shortcut : (x: Real[C: i, H, W]) -> Real[C: c, H, W]."""

    def __init__(self, i: int, c: int, s: int) -> None:
        super().__init__()
        self.conv = Conv(i, c, 1, s=s)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [..., C=c, H, W]
        return x


class Bottleneck(nn.Module):
    """bottleneck : (x: Real[C: i, H, W]) -> Real[C: c, H, W]."""

    def __init__(self, i: int, c: int, s: int) -> None:
        super().__init__()
        self.narrow = Conv(i, c // 4, 1, s=1)
        self.middle = Conv(c // 4, c // 4, 3, s=s)
        self.widen = Conv(c // 4, c, 1, s=1)
        self.shortcut = Shortcut(i, c, s)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(x)  # [..., C=c // 4, H, W]
        y = F.relu(y)  # [..., C=c // 4, H, W]
        y = self.middle(y)  # [..., C=c // 4, H, W]
        y = F.relu(y)  # [..., C=c // 4, H, W]
        y = self.widen(y)  # [..., C=c, H, W]
        x = self.shortcut(x)  # [..., C=c, H, W]
        x = y + x  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        return x


class Bottleneck2(nn.Module):
    """bottleneck : (x: Real[C: c, H, W]) -> Real[C: c, H, W]."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.narrow = Conv(c, c // 4, 1, s=1)
        self.middle = Conv(c // 4, c // 4, 3, s=1)
        self.widen = Conv(c // 4, c, 1, s=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(x)  # [..., C=c // 4, H, W]
        y = F.relu(y)  # [..., C=c // 4, H, W]
        y = self.middle(y)  # [..., C=c // 4, H, W]
        y = F.relu(y)  # [..., C=c // 4, H, W]
        y = self.widen(y)  # [..., C=c, H, W]
        x = y + x  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        return x


class BottleneckStage(nn.Module):
    """bottleneck_stage : Real[C: i, H, W] -> Real[C: c, H, W]."""

    def __init__(self, i: int, c: int, s: int, n: int) -> None:
        super().__init__()
        self.first = Bottleneck(i, c, s)
        self.bottleneck = nn.ModuleList(Bottleneck2(c) for _ in range(n - 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)  # [..., C=c, H, W]
        for bottleneck in self.bottleneck:
            x = bottleneck(x)  # [..., C=c, H, W]
        return x


class Head(nn.Module):
    """head : Real[C: 2048, H: (H + 31) // 32, W: (W + 31) // 32] -> Real[Class: 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = x.mean((-2, -1))  # [..., C=2048]
        x = self.linear(x)  # [..., Class=1000]
        return x


class Resnet50(nn.Module):
    """resnet50 : Real[C: 3, H, W] -> Logits[Class: 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        self.stage = nn.ModuleList(
            [
                BottleneckStage(64, 256, 1, n=3),
                BottleneckStage(256, 512, 2, n=4),
                BottleneckStage(512, 1024, 2, n=6),
                BottleneckStage(1024, 2048, 2, n=3),
            ]
        )
        self.head = Head()

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 3 or x.shape[-3] != 3 or not x.is_floating_point():
            raise ValueError(
                f"resnet50: input x must be Real[..., C=3, H, W], got {tuple(x.shape)} in {x.dtype}"
            )
        H = x.shape[-2]
        W = x.shape[-1]
        batch = x.shape[:-3]
        x = x.reshape(-1, 3, H, W)  # [..., C=3, H, W]
        x = self.stem(x)  # [..., C=64, H=(H + 3) // 4, W=(W + 3) // 4]
        x = self.stage[0](x)  # [..., C=256, H=(H + 3) // 4, W=(W + 3) // 4]
        x = self.stage[1](x)  # [..., C=512, H=(H + 7) // 8, W=(W + 7) // 8]
        x = self.stage[2](x)  # [..., C=1024, H=(H + 15) // 16, W=(W + 15) // 16]
        x = self.stage[3](x)  # [..., C=2048, H=(H + 31) // 32, W=(W + 31) // 32]
        x = self.head(x)  # [..., Class=1000]
        return x.reshape(*batch, 1000)
