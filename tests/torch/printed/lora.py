import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catdl.torch.reparameterised import Reparameterised


class Adapter(nn.Module):
    """adapter : () -> Real[O: 8, I: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(2, 8))
        self.up = nn.Parameter(torch.empty(8, 2))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.normal_(self.down, 0.0, 0.02)
        nn.init.zeros_(self.up)

    def forward(self) -> Tensor:
        x = self.up @ self.down  # [O=8, I=8]
        return x


class Linear(Reparameterised):
    """linear : Real[T, D: 8] -> Real[T, D: 8]."""

    _sources = ("weight", "adapter")
    _leaves = ("weight",)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(8, 8), requires_grad=False)
        self.bias = nn.Parameter(torch.empty(8), requires_grad=False)
        self.adapter = Adapter()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        nn.init.uniform_(self.bias, -(8**-0.5), 8**-0.5)

    def _make(self) -> tuple[Tensor, ...]:
        """Make weights of parameters alone."""
        x: Tensor = self.adapter()  # [8, 8]
        weight = self.weight + x  # [D=8, D=8]
        return (weight,)

    def forward(self, x: Tensor) -> Tensor:
        (weight,) = self._made()  # [D=8, D=8]
        x = F.linear(x, weight, self.bias)  # [..., T, D=8]
        return x


class Block(nn.Module):
    """block : Real[T, D: 8] -> Real[T, D: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(8)
        self.q = Linear()
        self.out = nn.Linear(8, 8)
        self.layernorm.requires_grad_(False)
        self.out.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layernorm(x)  # [..., T, D=8]
        y = self.q(y)  # [..., T, D=8]
        y = F.relu(y)  # [..., T, D=8]
        y = self.out(y)  # [..., T, D=8]
        x = x + y  # [..., T, D=8]
        return x


class Net(nn.Module):
    """net : Real[T, D: 8] -> Real[T, D: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.ModuleList(Block() for _ in range(3))
        self.head = nn.Linear(8, 8)
        self.head.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)  # [..., T, D=8]
        x = self.head(x)  # [..., T, D=8]
        return x


class Main(Reparameterised):
    """main : Real[T, D: 8] -> Real[T, D: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Net()

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != 8 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., T, D=8], got {tuple(x.shape)} in {x.dtype}"
            )
        x = self.net(x)  # [..., T, D=8]
        return x
