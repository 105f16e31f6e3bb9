import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catdl.torch.reparameterised import Reparameterised


class Encode(nn.Module):
    """encode : Real[D: 8] -> Real[Z: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 16)
        self.linear_2 = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(x)  # [..., 16]
        x = F.relu(x)  # [..., 16]
        x = self.linear_2(x)  # [..., Z=4]
        return x


class Block(nn.Module):
    """block : Real[T, D: 8] -> Real[T, D: 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(8)
        self.linear = nn.ParameterDict(
            {"bias": nn.Parameter(torch.empty(8)), "weight": nn.Parameter(torch.empty(8, 8))}
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        nn.init.uniform_(self.linear["bias"], -(8**-0.5), 8**-0.5)
        nn.init.kaiming_uniform_(self.linear["weight"], a=math.sqrt(5))

    def forward(self, x: Tensor, linear_weight: Tensor) -> Tensor:
        x = self.layernorm(x)  # [..., T, D=8]
        x = F.linear(x, linear_weight, self.linear["bias"])  # [..., T, D=8]
        x = F.gelu(x)  # [..., T, D=8]
        return x


class Main(Reparameterised):
    """main : Real[D: 8] @ Real[D: 8] @ Real[T, D: 8] -> Real[Z: 4] @ Real[T, D: 8]."""

    _sources = ("block.linear.weight",)
    _leaves = ("block.linear.weight",)

    def __init__(self) -> None:
        super().__init__()
        self.w = Encode()
        self.block = Block()

    def _make(self) -> tuple[Tensor, ...]:
        """Make weights of parameters alone."""
        weight = 0.5 * self.block.linear.weight  # [D=8, D=8]
        return (weight,)

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        if x.shape[-1:] != (8,) or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., D=8], got {tuple(x.shape)} in {x.dtype}"
            )
        if y.shape[-1:] != (8,) or not y.is_floating_point():
            raise ValueError(
                f"main: input y must be Real[..., D=8], got {tuple(y.shape)} in {y.dtype}"
            )
        if z.ndim < 2 or z.shape[-1] != 8 or not z.is_floating_point():
            raise ValueError(
                f"main: input z must be Real[..., T, D=8], got {tuple(z.shape)} in {z.dtype}"
            )
        if y.shape[:-1] != x.shape[:-1]:
            raise ValueError(
                "main: inputs x and y must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        if z.shape[:-2] != x.shape[:-1]:
            raise ValueError(
                "main: inputs x and z must have the same leading batch axes, "
                f"got {tuple(x.shape)} and {tuple(z.shape)}"
            )
        (weight,) = self._made()  # [D=8, D=8]
        x = self.w(x)  # [..., Z=4]
        y = self.w(y)  # [..., Z=4]
        x = x - y  # [..., Z=4]
        for _ in range(3):
            y = self.block(z, weight)  # [..., T, D=8]
            z = y
        return x, z
