import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Twice(nn.Module):
    """twice : Real[C: in_channels, H, W] -> Real[C: c, H, W]."""

    def __init__(self, in_channels: int, c: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, 3, padding=1)
        self.conv2d_2 = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d(x)  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        x = self.conv2d_2(x)  # [..., C=c, H, W]
        x = F.relu(x)  # [..., C=c, H, W]
        return x


class Unet(nn.Module):
    """unet : Real[C: 512, H: H / 16, W: W / 16] -> Real[C: 1024, H: H / 16, W: W / 16]."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = Twice(512, 1024)

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(x)  # [..., C=1024, H=H / 16, W=W / 16]
        return x


class Unet2(nn.Module):
    """unet : (x: Real[C: 256, H: H / 8, W: W / 8]) -> Real[C: 512, H: H / 8, W: W / 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = Twice(256, 512)
        self.unet = Unet()
        self.up = nn.ConvTranspose2d(1024, 512, 2, stride=2)
        self.decode = Twice(1024, 512)

    def forward(self, x: Tensor) -> Tensor:
        skip: Tensor = self.encode(x)  # [..., C=512, H=H / 8, W=W / 8]
        x = F.max_pool2d(skip, 2)  # [..., C=512, H=H / 16, W=W / 16]
        x = self.unet(x)  # [..., C=1024, H=H / 16, W=W / 16]
        deep: Tensor = self.up(x)  # [..., C=512, H=H / 8, W=W / 8]
        x = torch.cat((skip, deep), dim=-3)  # [..., C=1024, H=H / 8, W=W / 8]
        x = self.decode(x)  # [..., C=512, H=H / 8, W=W / 8]
        return x


class Unet3(nn.Module):
    """unet : (x: Real[C: 128, H: H / 4, W: W / 4]) -> Real[C: 256, H: H / 4, W: W / 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = Twice(128, 256)
        self.unet = Unet2()
        self.up = nn.ConvTranspose2d(512, 256, 2, stride=2)
        self.decode = Twice(512, 256)

    def forward(self, x: Tensor) -> Tensor:
        skip: Tensor = self.encode(x)  # [..., C=256, H=H / 4, W=W / 4]
        x = F.max_pool2d(skip, 2)  # [..., C=256, H=H / 8, W=W / 8]
        x = self.unet(x)  # [..., C=512, H=H / 8, W=W / 8]
        deep: Tensor = self.up(x)  # [..., C=256, H=H / 4, W=W / 4]
        x = torch.cat((skip, deep), dim=-3)  # [..., C=512, H=H / 4, W=W / 4]
        x = self.decode(x)  # [..., C=256, H=H / 4, W=W / 4]
        return x


class Unet4(nn.Module):
    """unet : (x: Real[C: 64, H: H / 2, W: W / 2]) -> Real[C: 128, H: H / 2, W: W / 2]."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = Twice(64, 128)
        self.unet = Unet3()
        self.up = nn.ConvTranspose2d(256, 128, 2, stride=2)
        self.decode = Twice(256, 128)

    def forward(self, x: Tensor) -> Tensor:
        skip: Tensor = self.encode(x)  # [..., C=128, H=H / 2, W=W / 2]
        x = F.max_pool2d(skip, 2)  # [..., C=128, H=H / 4, W=W / 4]
        x = self.unet(x)  # [..., C=256, H=H / 4, W=W / 4]
        deep: Tensor = self.up(x)  # [..., C=128, H=H / 2, W=W / 2]
        x = torch.cat((skip, deep), dim=-3)  # [..., C=256, H=H / 2, W=W / 2]
        x = self.decode(x)  # [..., C=128, H=H / 2, W=W / 2]
        return x


class Unet5(nn.Module):
    """unet : (x: Real[C: 1, H, W]) -> Real[C: 64, H, W]."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = Twice(1, 64)
        self.unet = Unet4()
        self.up = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.decode = Twice(128, 64)

    def forward(self, x: Tensor) -> Tensor:
        skip: Tensor = self.encode(x)  # [..., C=64, H, W]
        x = F.max_pool2d(skip, 2)  # [..., C=64, H=H / 2, W=W / 2]
        x = self.unet(x)  # [..., C=128, H=H / 2, W=W / 2]
        deep: Tensor = self.up(x)  # [..., C=64, H, W]
        x = torch.cat((skip, deep), dim=-3)  # [..., C=128, H, W]
        x = self.decode(x)  # [..., C=64, H, W]
        return x


class Segment(nn.Module):
    """segment : Real[C: 1, H, W] -> Logits(Class)[Class: 2, H, W]."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = Unet5()
        self.conv2d = nn.Conv2d(64, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 3 or x.shape[-3] != 1 or not x.is_floating_point():
            raise ValueError(
                f"segment: input x must be Real[..., C=1, H, W], got {tuple(x.shape)} in {x.dtype}"
            )
        H = x.shape[-2]
        W = x.shape[-1]
        if H % 16 != 0:
            raise ValueError(f"segment: 16 must divide H, got H={H}")
        if W % 16 != 0:
            raise ValueError(f"segment: 16 must divide W, got W={W}")
        if H < 16:
            raise ValueError(f"segment: H must be at least 16, got H={H}")
        if W < 16:
            raise ValueError(f"segment: W must be at least 16, got W={W}")
        batch = x.shape[:-3]
        x = x.reshape(-1, 1, H, W)  # [..., C=1, H, W]
        x = self.unet(x)  # [..., C=64, H, W]
        x = self.conv2d(x)  # [..., Class=2, H, W]
        return x.reshape(*batch, 2, H, W)
