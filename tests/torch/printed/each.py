import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def expert(
    x: Tensor,
    groupnorm_bias: Tensor,
    groupnorm_weight: Tensor,
    linear_bias: Tensor,
    linear_weight: Tensor,
    linear_2_bias: Tensor,
    linear_2_weight: Tensor,
    p: float,
) -> Tensor:
    """expert : Real[D: 4] -> Real[D: 4]."""
    x = F.linear(x, linear_weight, linear_bias)  # [..., _]
    x = F.group_norm(x, 2, groupnorm_weight, groupnorm_bias)  # [..., _]
    x = F.leaky_relu(x, p)  # [..., _]
    x = F.linear(x, linear_2_weight, linear_2_bias)  # [..., D=4]
    return x


def each(
    x: Tensor,
    expert_groupnorm_bias: Tensor,
    expert_groupnorm_weight: Tensor,
    expert_linear_bias: Tensor,
    expert_linear_weight: Tensor,
    expert_linear_2_bias: Tensor,
    expert_linear_2_weight: Tensor,
    p: float,
) -> Tensor:
    """each : Real[T, D: 4] -> Real[T, D: 4]."""
    T = x.shape[-2]
    x = x.flatten(0, 1)  # [..., D=4]
    # [..., D=4]
    x = expert(
        x,
        expert_groupnorm_bias,
        expert_groupnorm_weight,
        expert_linear_bias,
        expert_linear_weight,
        expert_linear_2_bias,
        expert_linear_2_weight,
        p=p,
    )
    x = x.unflatten(0, (-1, T))  # [..., T, D=4]
    return x


class Experts(nn.Module):
    """experts : Real[E: 3, T, D: 4] -> Real[E: 3, T, D: 4]."""

    def __init__(self, f: int, p: float) -> None:
        super().__init__()
        self.f = f
        self.p = p
        self.expert = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, f, 4))),
                        ("bias", nn.Parameter(torch.empty(3, f))),
                    ]
                ),
                "groupnorm": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, f))),
                        ("bias", nn.Parameter(torch.empty(3, f))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, f))),
                        ("bias", nn.Parameter(torch.empty(3, 4))),
                    ]
                ),
            }
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        for index in range(len(self.expert["linear"]["weight"])):
            nn.init.kaiming_uniform_(self.expert["linear"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.expert["linear"]["bias"], -(4**-0.5), 4**-0.5)
        nn.init.ones_(self.expert["groupnorm"]["weight"])
        nn.init.zeros_(self.expert["groupnorm"]["bias"])
        for index in range(len(self.expert["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.expert["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.expert["linear_2"]["bias"], -(self.f**-0.5), self.f**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        # [..., E=3, T, D=4]
        x = torch.vmap(each, in_dims=(-3, 0, 0, 0, 0, 0, 0), out_dims=-3, randomness="different")(
            x,
            self.expert["groupnorm"]["bias"],
            self.expert["groupnorm"]["weight"],
            self.expert["linear"]["bias"],
            self.expert["linear"]["weight"],
            self.expert["linear_2"]["bias"],
            self.expert["linear_2"]["weight"],
            p=self.p,
        )
        return x


def plain(
    x: Tensor,
    linear_bias: Tensor,
    linear_weight: Tensor,
    linear_2_bias: Tensor,
    linear_2_weight: Tensor,
    p: float,
) -> Tensor:
    """plain : Real[D: 4] -> Real[D: 4]."""
    x = F.linear(x, linear_weight, linear_bias)  # [..., _]
    x = F.leaky_relu(x, p)  # [..., _]
    x = F.linear(x, linear_2_weight, linear_2_bias)  # [..., D=4]
    return x


def each2(
    x: Tensor,
    plain_linear_bias: Tensor,
    plain_linear_weight: Tensor,
    plain_linear_2_bias: Tensor,
    plain_linear_2_weight: Tensor,
    p: float,
) -> Tensor:
    """each : Real[T, D: 4] -> Real[T, D: 4]."""
    # [..., T, D=4]
    x = plain(
        x, plain_linear_bias, plain_linear_weight, plain_linear_2_bias, plain_linear_2_weight, p=p
    )
    return x


class Plains(nn.Module):
    """plains : Real[E: 3, T, D: 4] -> Real[E: 3, T, D: 4]."""

    def __init__(self, f: int, p: float) -> None:
        super().__init__()
        self.f = f
        self.p = p
        self.plain = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, f, 4))),
                        ("bias", nn.Parameter(torch.empty(3, f))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, f))),
                        ("bias", nn.Parameter(torch.empty(3, 4))),
                    ]
                ),
            }
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the parameters that no submodule starts."""
        for index in range(len(self.plain["linear"]["weight"])):
            nn.init.kaiming_uniform_(self.plain["linear"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain["linear"]["bias"], -(4**-0.5), 4**-0.5)
        for index in range(len(self.plain["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.plain["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain["linear_2"]["bias"], -(self.f**-0.5), self.f**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        # [..., E=3, T, D=4]
        x = torch.vmap(each2, in_dims=(-3, 0, 0, 0, 0), out_dims=-3, randomness="different")(
            x,
            self.plain["linear"]["bias"],
            self.plain["linear"]["weight"],
            self.plain["linear_2"]["bias"],
            self.plain["linear_2"]["weight"],
            p=self.p,
        )
        return x


class Main(nn.Module):
    """main : Real[E: 3, T, D: 4] -> Real[E: 3, T, D: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = Experts(6, 0.1)
        self.experts_2 = Experts(8, 0.2)
        self.plains = Plains(6, 0.3)
        self.plains_2 = Plains(5, 0.4)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 3 or x.shape[-3] != 3 or x.shape[-1] != 4 or not x.is_floating_point():
            raise ValueError(
                f"main: input x must be Real[..., E=3, T, D=4], got {tuple(x.shape)} in {x.dtype}"
            )
        T = x.shape[-2]
        batch = x.shape[:-3]
        x = x.reshape(-1, 3, T, 4)  # [..., E=3, T, D=4]
        x = self.experts(x)  # [..., E=3, T, D=4]
        x = self.experts_2(x)  # [..., E=3, T, D=4]
        x = self.plains(x)  # [..., E=3, T, D=4]
        x = self.plains_2(x)  # [..., E=3, T, D=4]
        return x.reshape(*batch, 3, T, 4)
