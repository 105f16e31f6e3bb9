"""The parts of equivariant layers, which no entry of the prelude names (`catdl/diagram/equivariant.py`)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from catdl.symmetry.commuting import Along, Told
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


def _commuting(c: Context) -> str:
    """Of every generator what it does to the result and to the input."""
    c.scope.imports.add("Commuting")
    outs, ins, generators = (cast(Any, c.raw(name)) for name in ("outs", "ins", "generators"))
    moves = ", ".join(f'"{name}": ({_told(left)}, {_told(right)})' for name, left, right, _ in generators)
    flows = "".join(f'"{name}", ' for name, *_, flow in generators if flow)
    return f"Commuting({outs!r}, {ins!r}, {{{moves}}}{f', flows=({flows})' if flows else ''})"


def _told(side: Told) -> str:
    """For every axis the one that comes in its place, and what becomes of that."""

    def number(value: float | Fraction) -> str:
        return str(int(value)) if value == int(value) else repr(float(value))

    def one(entry: int | tuple[int, Along]) -> str:
        if isinstance(entry, int):
            return str(entry)
        axis, along = entry
        rows = [f"[{', '.join(map(number, row))}]" if not isinstance(row, int) else str(row) for row in along]
        return f"({axis}, [{', '.join(rows)}])"

    return f"[{', '.join(map(one, side))}]"


def _never(_: Context) -> str:
    raise AssertionError("a constant stands in a module")


def _circular(c: Context) -> str:
    """A convolution around a cycle by Fourier transforms, which are in single precision at least."""
    x, w, places = c.once(0), c.x(1), c.axis(0, -2)
    precise = c.let(f"torch.promote_types({x}.dtype, torch.float32)", "precise")
    waves = c.let(f"torch.fft.rfft({x}.to({precise}), dim=-2)", "waves")
    filters = c.let(f"torch.fft.rfft({w}.to({precise}), dim=-3).conj()", "filters")
    mixed = c.let(f'torch.einsum("...fi,...foi->...fo", {waves}, {filters})', "mixed")
    return f"torch.fft.irfft({mixed}, n={places}, dim=-2).to({x}.dtype)"


def _affine(c: Context) -> str:
    if c.batched(1) or c.batched(2):
        return f'torch.einsum("...j,...ij->...i", {c.x(0)}, {c.x(1)}) + {c.x(2)}'
    return f"F.linear({c.xs()})"


TABLE: dict[str, Lowering] = {
    "affine": Lowering(_affine, mixed=True),
    "circular": Lowering(_circular, mixed=True),
    "commuting": Lowering(_never, _commuting, constant=True),
    "equivariants": Lowering(_never, _equivariants, constant=True),
}
