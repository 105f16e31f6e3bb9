"""Linear maps onto and from several axes (linear.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _onto(c: Context) -> str:
    axes = c.bound("O")
    weight, given = c.param("weight"), c.param("bias") if c.flag("bias") else ""
    if len(axes) == 1:
        return f"F.linear({c.x()}, {weight}{given and ', '}{given})"
    last = len(axes) - 1
    flat_weight = f"{weight}.flatten(0, {last})" if axes else f"{weight}.unsqueeze(0)"
    flat_bias = given and (f", {given}.flatten()" if axes else f", {given}.unsqueeze(0)")
    sizes = ", ".join(c.scope.size(axis.size) for axis in axes)
    back = f".unflatten(-1, ({sizes}))" if axes else ".squeeze(-1)"
    return f"F.linear({c.x()}, {flat_weight}{flat_bias}){back}"


def _from(c: Context) -> str:
    weight, given = c.param("weight"), f", {c.param('bias')}" if c.flag("bias") else ""
    rank = len(c.bound("I"))
    if rank == 0:
        return f"F.linear({c.x()}.unsqueeze(-1), {weight}.unsqueeze(-1){given})"
    if rank == 1:
        return f"F.linear({c.x()}, {weight}{given})"
    return f"F.linear({c.x()}.flatten({-rank}), {weight}.flatten(1){given})"


TABLE: dict[str, Lowering] = {
    "linear_onto": Lowering(_onto),
    "linear_from": Lowering(_from),
}
