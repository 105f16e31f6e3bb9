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
    training: bool,
) -> Tensor:
    """expert : Real[D: 4] -> Real[D: 4]."""
    x = F.linear(x, linear_weight, linear_bias)  # [..., 6]
    x = F.group_norm(x, 2, groupnorm_weight, groupnorm_bias)  # [..., 6]
    x = F.dropout(x, 0.1, training)  # [..., 6]
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
    training: bool,
) -> Tensor:
    """each : (x: Real[T, D: 4]) -> Real[T, D: 4]."""
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
        training,
    )
    x = x.unflatten(0, (-1, T))  # [..., T, D=4]
    return x


def each2(
    a: Tensor,
    expert_2_groupnorm_bias: Tensor,
    expert_2_groupnorm_weight: Tensor,
    expert_2_linear_bias: Tensor,
    expert_2_linear_weight: Tensor,
    expert_2_linear_2_bias: Tensor,
    expert_2_linear_2_weight: Tensor,
    training: bool,
) -> Tensor:
    """each : (a: Real[T, D: 4]) -> Real[T, D: 4]."""
    T = a.shape[-2]
    a = a.flatten(0, 1)  # [..., D=4]
    # [..., D=4]
    x = expert(
        a,
        expert_2_groupnorm_bias,
        expert_2_groupnorm_weight,
        expert_2_linear_bias,
        expert_2_linear_weight,
        expert_2_linear_2_bias,
        expert_2_linear_2_weight,
        training,
    )
    x = x.unflatten(0, (-1, T))  # [..., T, D=4]
    return x


def plain(
    x: Tensor,
    linear_bias: Tensor,
    linear_weight: Tensor,
    linear_2_bias: Tensor,
    linear_2_weight: Tensor,
) -> Tensor:
    """plain : Real[D: 4] -> Real[D: 4]."""
    x = F.linear(x, linear_weight, linear_bias)  # [..., 6]
    x = F.relu(x)  # [..., 6]
    x = F.linear(x, linear_2_weight, linear_2_bias)  # [..., D=4]
    return x


def each3(
    b: Tensor,
    plain_linear_bias: Tensor,
    plain_linear_weight: Tensor,
    plain_linear_2_bias: Tensor,
    plain_linear_2_weight: Tensor,
) -> Tensor:
    """each : (b: Real[T, D: 4]) -> Real[T, D: 4]."""
    # [..., D=4]
    x = plain(b, plain_linear_bias, plain_linear_weight, plain_linear_2_bias, plain_linear_2_weight)
    return x


def each4(
    x: Tensor,
    plain_2_linear_bias: Tensor,
    plain_2_linear_weight: Tensor,
    plain_2_linear_2_bias: Tensor,
    plain_2_linear_2_weight: Tensor,
) -> Tensor:
    """each : Real[T, D: 4] -> Real[T, D: 4]."""
    # [..., D=4]
    x = plain(
        x,
        plain_2_linear_bias,
        plain_2_linear_weight,
        plain_2_linear_2_bias,
        plain_2_linear_2_weight,
    )
    return x


class Main(nn.Module):
    """main : Real[E: 3, T, D: 4] -> Real[E: 3, T, D: 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.expert = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 6, 4))),
                        ("bias", nn.Parameter(torch.empty(3, 6))),
                    ]
                ),
                "groupnorm": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 6))),
                        ("bias", nn.Parameter(torch.empty(3, 6))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, 6))),
                        ("bias", nn.Parameter(torch.empty(3, 4))),
                    ]
                ),
            }
        )
        self.expert_2 = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 8, 4))),
                        ("bias", nn.Parameter(torch.empty(3, 8))),
                    ]
                ),
                "groupnorm": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 8))),
                        ("bias", nn.Parameter(torch.empty(3, 8))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, 8))),
                        ("bias", nn.Parameter(torch.empty(3, 4))),
                    ]
                ),
            }
        )
        self.plain = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 6, 4))),
                        ("bias", nn.Parameter(torch.empty(3, 6))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, 6))),
                        ("bias", nn.Parameter(torch.empty(3, 4))),
                    ]
                ),
            }
        )
        self.plain_2 = nn.ModuleDict(
            {
                "linear": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 5, 4))),
                        ("bias", nn.Parameter(torch.empty(3, 5))),
                    ]
                ),
                "linear_2": nn.ParameterDict(
                    [
                        ("weight", nn.Parameter(torch.empty(3, 4, 5))),
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
        nn.init.uniform_(self.expert["linear"]["bias"], -0.5, 0.5)
        nn.init.ones_(self.expert["groupnorm"]["weight"])
        nn.init.zeros_(self.expert["groupnorm"]["bias"])
        for index in range(len(self.expert["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.expert["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.expert["linear_2"]["bias"], -0.408248290463863, 0.408248290463863)
        for index in range(len(self.expert_2["linear"]["weight"])):
            nn.init.kaiming_uniform_(self.expert_2["linear"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.expert_2["linear"]["bias"], -0.5, 0.5)
        nn.init.ones_(self.expert_2["groupnorm"]["weight"])
        nn.init.zeros_(self.expert_2["groupnorm"]["bias"])
        for index in range(len(self.expert_2["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.expert_2["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.expert_2["linear_2"]["bias"], -0.3535533905932738, 0.3535533905932738)
        for index in range(len(self.plain["linear"]["weight"])):
            nn.init.kaiming_uniform_(self.plain["linear"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain["linear"]["bias"], -0.5, 0.5)
        for index in range(len(self.plain["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.plain["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain["linear_2"]["bias"], -0.408248290463863, 0.408248290463863)
        for index in range(len(self.plain_2["linear"]["weight"])):
            nn.init.kaiming_uniform_(self.plain_2["linear"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain_2["linear"]["bias"], -0.5, 0.5)
        for index in range(len(self.plain_2["linear_2"]["weight"])):
            nn.init.kaiming_uniform_(self.plain_2["linear_2"]["weight"][index], a=math.sqrt(5))
        nn.init.uniform_(self.plain_2["linear_2"]["bias"], -0.4472135954999579, 0.4472135954999579)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 3 or x.shape[-3] != 3 or x.shape[-1] != 4:
            raise ValueError(f"main: input x must be [..., E=3, T, D=4], got {tuple(x.shape)}")
        T = x.shape[-2]
        batch = x.shape[:-3]
        x = x.reshape(-1, 3, T, 4)  # [..., E=3, T, D=4]
        # [..., E=3, T, D=4]
        a = torch.vmap(each, in_dims=(-3, 0, 0, 0, 0, 0, 0, None), out_dims=-3, randomness="different")(
            x,
            self.expert["groupnorm"]["bias"],
            self.expert["groupnorm"]["weight"],
            self.expert["linear"]["bias"],
            self.expert["linear"]["weight"],
            self.expert["linear_2"]["bias"],
            self.expert["linear_2"]["weight"],
            self.training,
        )
        # [..., E=3, T, D=4]
        b = torch.vmap(each2, in_dims=(-3, 0, 0, 0, 0, 0, 0, None), out_dims=-3, randomness="different")(
            a,
            self.expert_2["groupnorm"]["bias"],
            self.expert_2["groupnorm"]["weight"],
            self.expert_2["linear"]["bias"],
            self.expert_2["linear"]["weight"],
            self.expert_2["linear_2"]["bias"],
            self.expert_2["linear_2"]["weight"],
            self.training,
        )
        # [..., E=3, T, D=4]
        x = torch.vmap(each3, in_dims=(-3, 0, 0, 0, 0), out_dims=-3, randomness="different")(
            b,
            self.plain["linear"]["bias"],
            self.plain["linear"]["weight"],
            self.plain["linear_2"]["bias"],
            self.plain["linear_2"]["weight"],
        )
        # [..., E=3, T, D=4]
        x = torch.vmap(each4, in_dims=(-3, 0, 0, 0, 0), out_dims=-3, randomness="different")(
            x,
            self.plain_2["linear"]["bias"],
            self.plain_2["linear"]["weight"],
            self.plain_2["linear_2"]["bias"],
            self.plain_2["linear_2"]["weight"],
        )
        return x.reshape(*batch, 3, T, 4)
