"""The native lowerings of the prelude's entries, by name. Each file holds a plain table; `docs/natives.md` says how.

find("relu")      Lowering(...)
"""

from __future__ import annotations

from catdl.torch.lowering import Lowering
from catdl.torch.natives import (
    activation,
    attention,
    conv,
    dense,
    dropout,
    equivariant,
    index,
    linalg,
    linear,
    losses,
    norm,
    pool,
    positions,
    recurrence,
    reductions,
    shape,
    signal,
)

TABLE: dict[str, Lowering] = {
    **activation.TABLE,
    **attention.TABLE,
    **conv.TABLE,
    **dense.TABLE,
    **dropout.TABLE,
    **equivariant.TABLE,
    **index.TABLE,
    **linalg.TABLE,
    **linear.TABLE,
    **losses.TABLE,
    **norm.TABLE,
    **pool.TABLE,
    **positions.TABLE,
    **recurrence.TABLE,
    **reductions.TABLE,
    **shape.TABLE,
    **signal.TABLE,
}


def find(entry: str) -> Lowering | None:
    """The lowering of an entry, None where its definition is used."""
    return TABLE.get(entry)
