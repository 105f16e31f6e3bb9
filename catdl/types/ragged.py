"""Dims of the class `var`: one size for every sample, as the nodes of graphs have.

The size of such a dim is a sym that says so in its name, as those of other classes do; whoever meets a size can ask it.

    ragged("main::N")     the size of `dim N : var`, shown as `N`
    rows(Real[N, D])      "main::var::N": N is the axis along which samples differ
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl.types.poly import Mono, Poly, Size, Sym, sym
from catdl.types.rebuild import free_syms
from catdl.types.types import Axis, Leaf

MARK = "::var::"


def ragged(label: str) -> Poly:
    """The size of a var dim by its label."""
    module, _, name = label.rpartition("::")
    return sym(f"{module}{MARK}{name}")


def is_ragged(name: str) -> bool:
    """Whether a sym is the size of a var dim."""
    return MARK in name


def ragged_syms(size: Size) -> frozenset[str]:
    """The var dims that a size mentions."""
    if isinstance(size, int):
        return frozenset()
    return frozenset(filter(is_ragged, free_syms(size)))


def bare(size: Size) -> str | None:
    """The sym that a size is and nothing more; None for any other."""
    if not isinstance(size, Poly) or len(size.terms) != 1:
        return None
    mono, coef = size.terms[0]
    atom = mono.pairs[0][0] if isinstance(mono, Mono) and mono.degree == 1 else None
    return atom.name if coef == 1 and isinstance(atom, Sym) else None


def row(size: Size) -> str | None:
    """The var dim that a size is; None for any other size."""
    name = bare(size)
    return name if name is not None and is_ragged(name) else None


def places(leaf: Leaf) -> list[int]:
    """The positions of the axes whose size depends on var dims."""
    return [k for k, axis in enumerate(leaf.axes) if isinstance(axis, Axis) and ragged_syms(axis.size)]


def rows(leaf: Leaf) -> str | None:
    """The var dim of a closed type, whose elements lie packed one sample after the other; None without one."""
    return next((name for axis in leaf.axes if isinstance(axis, Axis) and (name := row(axis.size)) is not None), None)


def fin(leaf: Leaf) -> str | None:
    """The var dim that the numbers of a type are indices of."""
    return None if leaf.kind.size is None else row(leaf.kind.size)


def mentioned(value: object) -> frozenset[str]:
    """The var dims in an attribute or a static argument."""
    found: set[str] = set()
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack += part
        elif isinstance(part, Axis):
            found |= ragged_syms(part.size)
        elif isinstance(part, Poly):
            found |= ragged_syms(part)
    return frozenset(found)


def of_leaves(leaves: Iterable[Leaf]) -> frozenset[str]:
    """The var dims that some closed types mention."""
    found: set[str] = set()
    for leaf in leaves:
        found |= mentioned(leaf.axes)
        found |= mentioned((leaf.kind.size,))
    return frozenset(found)
