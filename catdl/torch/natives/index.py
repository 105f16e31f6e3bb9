"""Tables, triangles, one-hot vectors, masks and outer products (index.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _like(c: Context) -> str:
    return f"dtype={c.scope.dtype()}{c.scope.device()}"


def _values(c: Context) -> str:
    numbers = c.raw("numbers")
    assert isinstance(numbers, tuple)
    return f"torch.tensor([{', '.join(c.expr(n) for n in numbers)}], {_like(c)})"


def _arange(c: Context) -> str:
    start, step, size = c.size("start"), c.size("step"), c.out_axis(-1)
    counted = f"torch.arange({size}, {_like(c)})"
    if c.number("step") != 1:
        counted = f"{step} * {counted}"
    return counted if c.number("start") == 0 else f"{start} + {counted}"


def _linspace(c: Context) -> str:
    return f"torch.linspace({c.size('start')}, {c.size('stop')}, {c.out_axis(-1)}, {_like(c)})"


def _eye(c: Context) -> str:
    return f"torch.eye({c.out_axis(-2)}, {c.out_axis(-1)}, {_like(c)})"


def _one_hot(c: Context) -> str:
    return f"F.one_hot({c.x()}, {c.out_axis(-1)}).to({c.scope.dtype()})"


def _triangle(function: str) -> Lowering:
    def call(c: Context) -> str:
        diagonal = "" if c.number("diagonal") == 0 else f", {c.size('diagonal')}"
        return f"torch.{function}({c.x()}{diagonal})"

    return Lowering(call)


def _outer(c: Context) -> str:
    left, right = c.rank(0), c.rank(1)
    first = c.x(0) + (f"[..., {', '.join(['None'] * right)}]" if right else "")
    second = c.x(1)
    if left and c.batched(1):
        second = f"{second}[..., {', '.join(['None'] * left + [':'] * right)}]"
    return f"{first} * {second}"


TABLE: dict[str, Lowering] = {
    "values": Lowering(_values),
    "arange": Lowering(_arange),
    "linspace": Lowering(_linspace),
    "eye": Lowering(_eye),
    "one_hot": Lowering(_one_hot),
    "tril": _triangle("tril"),
    "triu": _triangle("triu"),
    "masked_fill": Lowering(lambda c: f"{c.x(0)}.masked_fill({c.x(1)}, {c.size('value')})"),
    "outer": Lowering(_outer),
}
