"""Gather, pick and scatter as torch expressions.

gather(c, 0)      "wte[tokens]"
"""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.scope import sizes_of


def _colons(count: int) -> str:
    return ", :" * count


def gather(c: Context, axis: int) -> str:
    """x's `axis` replaced in place by all axes of the index."""
    rank, places = c.rank(0), c.rank(1)
    after = rank - axis - 1
    if not c.batched(1):
        lead = "..., " if c.batched(0) or axis else ""
        number = c.inputs[1].number
        index = c.inputs[1].text if isinstance(number, int) else c.x(1)
        return f"{c.x(0)}[{lead}{index}{_colons(after) if lead else ''}]"
    if not c.batched(0):
        # The index brings its batch axes to the front, so x's axes before `axis` go behind them.
        table = c.x(0) if axis == 0 else f"{c.x(0)}.movedim({axis}, 0)"
        text = _rows(c, table, axis)
        if axis == 0 or places == 0:
            return text
        total = axis + places + after
        source = tuple(places + k - total for k in range(axis))
        target = tuple(k - total for k in range(axis))
        return f"{text}.movedim({source}, {target})"
    x, flat = c.once(0) if axis or after else c.x(0), c.x(1)
    if places > 1:
        flat = f"{flat}.flatten(-{places})"
    dim = -after - 1
    if axis or after:
        flat = f"{flat}[...{', None' * axis}, {':' if places else 'None'}{', None' * after}]"
        behind = f", *{x}.shape[{dim + 1}:]" if after else ""
        flat = f"{flat}.expand(*{x}.shape[:{dim}], -1{behind})"
    elif places == 0:
        flat = f"{flat}.unsqueeze(-1)"
    text = f"{x}.gather({dim}, {flat})"
    if places == 0:
        return f"{text}.squeeze({dim})"
    if places > 1:
        shape = ", ".join(c.scope.size(size) for size in sizes_of(c.type(1)))
        return f"{text}.unflatten({dim}, ({shape}))"
    return text


def _rows(c: Context, table: str, axis: int) -> str:
    """A row of a table for each index; an index that is none is refused, where `table[-1]` would be the last row."""
    sizes = [c.scope.size(size) for k, size in enumerate(sizes_of(c.type(0))) if k != axis]
    match len(sizes):
        case 0:
            return f"F.embedding({c.x(1)}, {table}[:, None]).squeeze(-1)"
        case 1:
            return f"F.embedding({c.x(1)}, {table})"
        case _:
            return f"F.embedding({c.x(1)}, {table}.flatten(1)).unflatten(-1, ({', '.join(sizes)}))"


def pick(c: Context, axis: int) -> str:
    """One element along `axis` at every index of the others."""
    c.spread_all()
    dim = axis - c.rank(0)
    return f"{c.x(0)}.gather({dim}, {c.x(1)}.unsqueeze({dim})).squeeze({dim})"


_REDUCTIONS = {"sum": "sum", "prod": "prod", "max": "amax", "min": "amin", "mean": "mean"}


def scatter(c: Context, axis: int, size: object, fn: str) -> str:
    """Entries with equal index are combined."""
    c.spread_all()
    x, i, rank = c.once(0), c.x(1), c.rank(0)
    after = rank - axis - 1
    shape = [c.scope.size(s) for s in sizes_of(c.outputs[0])]
    lead = [f"*{x}.shape[:-{rank}]"] if c.batched(0) else []
    start = "new_ones" if fn == "prod" else "new_zeros"
    if axis or after:
        i = f"{i}[...{', None' * axis}, :{', None' * after}].expand_as({x})"
    target = f"{x}.{start}({', '.join((*lead, *shape))})"
    dim = -after - 1
    if fn == "sum":
        return f"{target}.scatter_add({dim}, {i}, {x})"
    return f'{target}.scatter_reduce({dim}, {i}, {x}, "{_REDUCTIONS[fn]}", include_self=False)'
