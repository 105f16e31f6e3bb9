import torch.nn.functional as F
from torch import Tensor, nn


class Mlp(nn.Module):
    """mlp : Real[H: 8, W: 8] -> Logits[Class: 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 64)
        self.linear_2 = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != (8, 8) or not x.is_floating_point():
            raise ValueError(
                f"mlp: input x must be Real[..., H=8, W=8], got {tuple(x.shape)} in {x.dtype}"
            )
        x = x.flatten(-2)  # [..., (H W)=64]
        x = self.linear(x)  # [..., 64]
        x = F.relu(x)  # [..., 64]
        x = self.linear_2(x)  # [..., Class=10]
        return x
