import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Positions(nn.Module):
    """positions : Real[T, D: 4] -> Real[T, D: 4]."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.weight, 0.0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        T = x.shape[-2]
        x = x + self.weight[:T]  # [..., T, D=4]
        return x


class LinearOnto(nn.Module):
    """linear_onto : Real[T, D: 4] -> Real[T, H: 2, K: 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2, 3, 4))
        self.bias = nn.Parameter(torch.empty(2, 3))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.uniform_(self.weight, -(4**-0.5), 4**-0.5)
        nn.init.uniform_(self.bias, -(4**-0.5), 4**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        # [..., T, H=2, K=3]
        x = F.linear(x, self.weight.flatten(0, 1), self.bias.flatten()).unflatten(-1, (2, 3))
        return x


class Main(nn.Module):
    """main : Real[T, D: 4] -> Real[T, D: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = Positions(9)
        self.first = LinearOnto()
        self.linear = nn.Linear(6, 4)
        self.positions_2 = Positions(7)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 4 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., T, D=4], got {tuple(x.shape)} in {x.dtype}"
            )
        T = x.shape[-2]
        if T > 7:
            raise ValueError(f"main: T must be at most 7, got T={T}")
        x = self.positions(x)  # [..., T, D=4]
        x = self.first(x)  # [..., T, H=2, K=3]
        x = x.flatten(-2)  # [..., T, (H K)=6]
        x = self.linear(x)  # [..., T, D=4]
        x = self.positions_2(x)  # [..., T, D=4]
        return x
