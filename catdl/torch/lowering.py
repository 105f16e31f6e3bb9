"""What the native lowering of a prelude entry is: see `docs/natives.md`.

Lowering(lambda c: f"F.relu({c.x()})")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from catdl.diagram.model import Native
    from catdl.torch.context import Context

Result: TypeAlias = "str | tuple[str, ...]"
"""One expression (it unpacks where the entry has several outputs), or one expression per output."""


@dataclass(frozen=True, slots=True)
class Lowering:
    """How an entry is written in torch.

    `call` gives the functional form. `module` gives the constructor of the module form, or None where this use has
    none; its leaves must be named as the entry's parameters are. The module form is used where the entry owns all
    its leaves, the functional form where one is plugged.
    """

    call: Callable[[Context], Result]
    module: Callable[[Context], str | None] | None = None
    takes_dim: bool = False  # reads `c.dim()`; otherwise the named axes are moved to the end around it
    one_batch: bool = False  # works with exactly one leading batch axis
    axes: int | None = None  # with one_batch: how many axes follow it; further ones are flattened into it
    mixed: bool = False  # takes inputs without batch axes beside inputs with them
    inputs: Callable[[Context], str] | None = None  # what the module form is called with; `c.xs()` unless given
    training: bool | Callable[[Native], bool] = False  # reads `c.training`: (this use) behaves differently in training
    constant: bool = False  # its module holds a table that is made once: the module form is used without parameters
    statistics: tuple[str, ...] = ()  # leaves that are buffers: the module form is used even without parameters

    @property
    def state(self) -> bool:
        """Whether it keeps something from one call to the next."""
        return bool(self.statistics)

    def trains(self, native: Native) -> bool:
        """Whether this use behaves differently in training."""
        return self.training if isinstance(self.training, bool) else self.training(native)
