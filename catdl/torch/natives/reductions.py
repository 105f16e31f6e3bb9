"""Statistics, norms and orders along axes (reductions.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _dims(c: Context) -> tuple[int, ...]:
    """Where the axes stand that the row binder A lists."""
    return c.dims(len(c.bound("A")))


def _spread(function: str) -> Lowering:
    """`var` and `std`."""

    def call(c: Context) -> str:
        dims = _dims(c)
        if not dims:  # no axes: one element
            c.let(f"{c.x()}.unsqueeze(-1)")
            return f"{c.temps[-1].name}.{function}(-1, correction={c.size('correction')})"
        return f"{c.x()}.{function}({_shown(dims)}, correction={c.size('correction')})"

    return Lowering(call, takes_dim=True)


def _shown(dims: tuple[int, ...]) -> str:
    return str(dims[0]) if len(dims) == 1 else str(tuple(sorted(dims)))


def _norm(c: Context) -> str:
    dims = _dims(c)
    if not dims:
        return f"{c.x()}.abs()"
    order = "" if c.number("p") == 2 else f", {c.size('p')}"
    return f"torch.linalg.vector_norm({c.x()}{order}, dim={_shown(dims)})"


def _norm_inf(c: Context) -> str:
    dims = _dims(c)
    return f"{c.x()}.abs().amax({_shown(dims)})" if dims else f"{c.x()}.abs()"


def _order(c: Context, name: str = "descending") -> str:
    return ", descending=True" if c.flag(name) else ""


def _topk(c: Context) -> str:
    largest = "" if c.flag("largest") else ", largest=False"
    return f"{c.x()}.topk({c.size('K')}, dim=-1{largest})"


TABLE: dict[str, Lowering] = {
    "var": _spread("var"),
    "std": _spread("std"),
    "norm": Lowering(_norm, takes_dim=True),
    "norm_inf": Lowering(_norm_inf, takes_dim=True),
    "sort": Lowering(lambda c: f"{c.x()}.sort(dim={c.dim()}{_order(c)}, stable=True)", takes_dim=True),
    "argsort": Lowering(lambda c: f"{c.x()}.argsort(dim={c.dim()}{_order(c)}, stable=True)", takes_dim=True),
    "topk": Lowering(_topk),
    "median": Lowering(lambda c: f"{c.x()}.median({c.dim()}).values", takes_dim=True),
}
