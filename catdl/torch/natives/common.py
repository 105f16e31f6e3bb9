"""What the lowerings of layers share: sizes of binders, arguments that are a number or a list, keywords left out."""

from __future__ import annotations

from catdl.torch.context import Context


def count(c: Context, binder: str) -> str:
    """The number of elements along what a binder became."""
    sizes = [c.scope.size(axis.size) for axis in c.bound(binder)]
    return " * ".join(sizes) or "1"


def bias(c: Context) -> str:
    """The argument of a module's constructor that says there is no bias."""
    return "" if c.flag("bias") else ", bias=False"


def numbers(c: Context, name: str, rank: int) -> tuple[int, ...]:
    """A static argument that is a number for all spatial axes or a list with one for each."""
    value = c.raw(name)
    items = value if isinstance(value, tuple) else (value,) * rank
    return tuple(int(item) for item in items)  # type: ignore[arg-type]


def shown(values: tuple[int, ...]) -> str:
    """The same as torch takes it: one number where all are equal."""
    return str(values[0]) if len(set(values)) == 1 else str(values)


def keyword(name: str, values: tuple[int, ...], default: int) -> str:
    """`, name=values`, empty where it is torch's own default."""
    return "" if all(value == default for value in values) else f", {name}={shown(values)}"
