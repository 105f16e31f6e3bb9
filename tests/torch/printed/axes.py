import torch
from torch import Tensor, nn


class Narrow(nn.Module):
    """narrow : Real[T, in_features] -> Real[T, out_features]."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.empty(in_features))
        self.layernorm = nn.LayerNorm(in_features)
        self.linear = nn.Linear(in_features, out_features)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.gain, 0.0, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layernorm(x)  # [..., T, in_features]
        x = x * self.gain  # [..., T, in_features]
        x = self.linear(x)  # [..., T, out_features]
        x = torch.tanh(x)  # [..., T, out_features]
        return x


class First(nn.Module):
    """first : Real[T, A: 4] -> Real[T, B: 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = Narrow(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x)  # [..., T, B=6]
        return x


class Second(nn.Module):
    """second : Real[T, B: 6] -> Real[T, C: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = Narrow(6, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.narrow(x)  # [..., T, C=8]
        return x


class Main(nn.Module):
    """main : Real[T, A: 4] -> Real[T, C: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = First()
        self.second = Second()

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 4 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., T, A=4], got {tuple(x.shape)} in {x.dtype}"
            )
        x = self.first(x)  # [..., T, B=6]
        x = self.second(x)  # [..., T, C=8]
        return x
