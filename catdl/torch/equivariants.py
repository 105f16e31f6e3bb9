"""What generated code may import: the linear maps that commute with a group, as a constant.

basis = Equivariants("O", 3, 1, 1)
basis()                                [1, 3, 3]: the identity
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catdl.symmetry.bases import commuting_basis, family_basis
from catdl.symmetry.commuting import Told, told


class Table(nn.Module):
    """Maps as a constant, [maps, result, input].

    No parameter and nothing of the state dict: it is found anew, in double precision, when the module is cast or moved.
    """

    def __init__(self) -> None:
        super().__init__()
        table = self._tensor().to(torch.get_default_device(), torch.get_default_dtype())
        self.register_buffer("table", table, persistent=False)
        self.table: Tensor

    def _found(self) -> NDArray[Any]:
        raise NotImplementedError

    def _tensor(self) -> Tensor:
        return torch.from_numpy(self._found()).clone()  # what is remembered stays as it is

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.table.device.type != "meta":
            self.table = self._tensor().to(self.table)
        return self

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        """Come down from the meta device when `load_state_dict(assign=True)` brings the weights: none brings this."""
        super()._load_from_state_dict(state_dict, prefix, *rest)
        if self.table.device.type == "meta" and rest[0].get("assign_to_params_buffers"):
            self.table = self._tensor().to(torch.get_default_device(), self.table.dtype)

    def forward(self) -> Tensor:
        """The maps."""
        return self.table


class Equivariants(Table):
    """The maps from `ins` to `outs` axes under a known group, each side as one; axes are told by number or degrees."""

    def __init__(self, family: str, size: int, outs: int | tuple[int, ...], ins: int | tuple[int, ...]) -> None:
        self._sides = tuple((-1,) * side if isinstance(side, int) else side for side in (outs, ins))
        self._group = family, size
        super().__init__()

    def _found(self) -> NDArray[Any]:
        return family_basis(*self._group, *self._sides)


class Commuting(Table):
    """The maps that commute with generators, between axes of some sizes, each side as one.

    A generator says what it does to the axes of the result and of the input: of each which one comes in its place, and
    with that where its places come from, or a matrix. `flows` are those whose matrices hold to first order.
    """

    def __init__(
        self,
        outs: tuple[int, ...],
        ins: tuple[int, ...],
        generators: dict[str, tuple[Told, Told]],
        flows: tuple[str, ...] = (),
    ) -> None:
        self._sides = told(outs, ins, [(left, right, name in flows) for name, (left, right) in generators.items()])
        super().__init__()

    def _found(self) -> NDArray[Any]:
        return commuting_basis(self._sides)
