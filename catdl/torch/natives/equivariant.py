"""The constants of equivariant layers, which no entry of the prelude names (`catdl/diagram/equivariant.py`)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _equivariants(c: Context) -> str:
    c.scope.imports.add("Equivariants")
    family, size, outs, ins = (c.raw(name) for name in ("family", "size", "outs", "ins"))
    return f'Equivariants("{family}", {size}, {_axes(outs)}, {_axes(ins)})'


def _axes(degrees: object) -> str:
    """As many axes as there are where the group's own matrices turn all, else the degree of each."""
    assert isinstance(degrees, tuple)
    return str(len(degrees)) if set(degrees) <= {-1} else repr(degrees)


def _never(_: Context) -> str:
    raise AssertionError("a constant stands in a module")


TABLE: dict[str, Lowering] = {"equivariants": Lowering(_never, _equivariants, constant=True)}
