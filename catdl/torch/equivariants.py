"""What generated code may import: the linear maps that commute with a group, as a constant.

basis = Equivariants("O", 3, 1, 1)
basis()                                [1, 3, 3]: the identity
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from catdl.symmetry.bases import family_basis


class Equivariants(nn.Module):
    """The maps from `ins` to `outs` axes, each side as one, [maps, result, input]; axes are told by number or degrees.

    No parameter and nothing of the state dict: it is found anew, in double precision, when the module is cast or moved.
    """

    def __init__(self, family: str, size: int, outs: int | tuple[int, ...], ins: int | tuple[int, ...]) -> None:
        super().__init__()
        self._sides = tuple((-1,) * side if isinstance(side, int) else side for side in (outs, ins))
        self._group = family, size
        self.register_buffer(
            "table", self._found().to(torch.get_default_device(), torch.get_default_dtype()), persistent=False
        )
        self.table: Tensor

    def _found(self) -> Tensor:
        return torch.from_numpy(family_basis(*self._group, *self._sides)).clone()  # what is remembered stays as it is

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.table.device.type != "meta":
            self.table = self._found().to(self.table)
        return self

    def forward(self) -> Tensor:
        """The maps."""
        return self.table
