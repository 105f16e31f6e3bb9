"""What lowerings share: the sizes of binders."""

from __future__ import annotations

from catdl.torch.context import Context


def count(c: Context, binder: str) -> str:
    """The number of elements along what a binder became."""
    sizes = [c.scope.size(axis.size) for axis in c.bound(binder)]
    return " * ".join(sizes) or "1"
