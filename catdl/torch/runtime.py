"""What generated code may import: a module whose weights have a leading axis, one slice for every index.

expert = Each(Expert, 8)
y = expert(x, in_dims=(-2,), out_dims=-2)      # x [..., E, D]
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Each(nn.Module):
    """`each[E](fresh f)`: `count` modules made by `make`, their parameters and buffers stacked under the same names."""

    def __init__(self, make: Callable[[], nn.Module], count: int) -> None:
        super().__init__()
        slices = [make() for _ in range(count)]
        template = slices[0] if slices else make()
        self.count = count
        found = [_tensors(module) for module in slices]
        for name, tensor in _tensors(template).items():
            stacked = [tensors[name].detach() for tensors in found]
            value = torch.stack(stacked) if stacked else tensor.detach().new_empty(0, *tensor.shape)
            holder, leaf = self._holder(name)
            if isinstance(tensor, nn.Parameter):
                holder._parameters[leaf] = nn.Parameter(value, tensor.requires_grad)
            else:
                holder._buffers[leaf] = value
                owner = template.get_submodule(name.rpartition(".")[0])
                holder._non_persistent_buffers_set |= owner._non_persistent_buffers_set & {leaf}
        self._ranks = {name: tensor.ndim for name, tensor in _tensors(self).items()}
        # Not a submodule: it has no weights of its own, and its names are those of the stacked ones.
        self._template = (template.to("meta"),)

    def _holder(self, name: str) -> tuple[nn.Module, str]:
        """The module that holds a tensor of this name, and what it is called there."""
        *path, leaf = name.split(".")
        holder: nn.Module = self
        for part in path:
            if part not in holder._modules:
                holder._modules[part] = nn.Module()
            child = holder._modules[part]
            assert child is not None
            holder = child
        return holder, leaf

    def reset_parameters(self) -> None:
        """Start every slice as the module itself starts."""
        with torch.no_grad():
            for index in range(self.count):
                stacked = _tensors(self)
                device = next(iter(stacked.values())).device
                module = copy.deepcopy(self._template[0]).to_empty(device=device)
                for part in module.modules():
                    reset = getattr(part, "reset_parameters", None)
                    if callable(reset):
                        reset()
                for name, tensor in _tensors(module).items():
                    stacked[name][index].copy_(tensor)

    def train(self, mode: bool = True) -> Each:
        """Set the mode of the module that is called at every index too."""
        self._template[0].train(mode)
        super().train(mode)
        return self

    def forward(self, *inputs: Any, in_dims: tuple[int | None, ...], out_dims: int | tuple[int, ...]) -> Any:
        """Call it at every index of the axis that stands at `in_dims`; results have it at `out_dims`."""
        template = self._template[0]

        def one(weights: dict[str, Tensor], *args: Any) -> Any:
            return torch.func.functional_call(template, weights, args)

        mapped = torch.vmap(one, in_dims=(0, *in_dims), out_dims=out_dims, randomness="different")
        # What a buffer holds for a batch is a state, which comes among the inputs; what was put in later is another's.
        weights = {name: tensor for name, tensor in _tensors(self).items() if tensor.ndim == self._ranks.get(name)}
        return mapped(weights, *inputs)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    return dict(module.named_parameters()) | dict(module.named_buffers())
