"""Normalisations."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual
from catdl.torch.scope import sizes_of


def _shape(c: Context) -> str:
    leaf = c.leaf("weight")
    assert leaf is not None
    sizes = [str(size) for size in sizes_of(leaf.type)]
    return sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"


def _eps(c: Context, default: float) -> str:
    return usual("eps", repr(c.number("eps")), repr(default))


def _named(c: Context, count: int) -> str:
    """The sizes of the normalised axes, which stand at the end."""
    sizes = ", ".join(c.axis(0, k) for k in range(-count, 0))
    return f"({sizes},)" if count == 1 else f"({sizes})"


def _layer_module(c: Context) -> str | None:
    if c.leaf("weight") is None:
        return None
    bias = usual("bias", str(c.leaf("bias") is not None), "True")
    return f"nn.LayerNorm({_shape(c)}{_eps(c, 1e-5)}{bias})"


def _layer(c: Context) -> str:
    rank = len(c.bound("A"))
    leaves = ""
    if c.leaf("weight") is not None or c.leaf("bias") is not None:
        leaves = f", {c.optional('weight')}, {c.optional('bias')}"
    return f"F.layer_norm({c.x()}, {_named(c, rank)}{leaves}{_eps(c, 1e-5)})"


def _rms_module(c: Context) -> str:
    return f"nn.RMSNorm({_shape(c)}, eps={c.number('eps')!r})"


def _rms(c: Context) -> str:
    return f"F.rms_norm({c.x()}, {_named(c, 1)}, {c.optional('weight')}, {c.number('eps')!r})"


def _lone(c: Context, per_group: int) -> bool:
    """Whether there may be one element to take the mean of: torch refuses it, where the definition gives 0."""
    spatial = [c.fixed(0, position) for position in c.dims(c.rank())[1:]]
    return per_group == 1 and all(size is None or size == 1 for size in spatial)


def _per_group(c: Context) -> int:
    """The channels of a group; 1 where that is not known."""
    channels = c.fixed(0, c.dims(c.rank())[0])
    return 1 if channels is None else channels // int(c.number("groups"))


def _group_module(c: Context) -> str | None:
    if _lone(c, _per_group(c)):
        return None
    return f"nn.GroupNorm({c.number('groups')}, {_shape(c)}{_eps(c, 1e-5)})"


def _group(c: Context) -> str:
    function = "torch" if _lone(c, _per_group(c)) else "F"  # the one in F refuses one element
    return f"{function}.group_norm({c.x()}, {c.number('groups')}{_leaves(c)}{_eps(c, 1e-5)})"


def _leaves(c: Context) -> str:
    return f", {c.param('weight')}, {c.param('bias')}" if c.leaf("weight") is not None else ""


def _instance_module(c: Context) -> str | None:
    """A group for each channel: `nn.InstanceNorm` gives a wrong gradient for one sample with its channels last."""
    return None if _lone(c, 1) else f"nn.GroupNorm({_shape(c)}, {_shape(c)}{_eps(c, 1e-5)})"


def _instance(c: Context) -> str:
    function = "torch" if _lone(c, 1) else "F"  # the one in F refuses one element
    return f"{function}.group_norm({c.x()}, {c.axis(0, c.dims(c.rank())[0])}{_leaves(c)}{_eps(c, 1e-5)})"


def _spatial(c: Context) -> int:
    return c.rank() - 1


def _batch_module(c: Context) -> str:
    moved = usual("momentum", repr(c.number("momentum")), "0.1")
    affine = "" if c.leaf("weight") is not None else ", affine=False"
    channels = c.axis(0, c.dims(c.rank())[0])
    return f"nn.BatchNorm{max(_spatial(c), 1)}d({channels}{_eps(c, 1e-5)}{moved}{affine})"


def _batch(c: Context) -> str:
    """With plugged leaves. What is plugged for a running statistic is not moved."""
    mean, var = (
        f"{c.param(name)}.detach().clone()" if name in c.plugged else c.param(name)
        for name in ("running_mean", "running_var")
    )
    if "running_mean" not in c.plugged:
        count = c.buffer("num_batches_tracked", "torch.tensor(0)")
        c.scope.write(f"if {c.training}:")
        c.scope.write(f"    {count}.add_(1)")
    leaves = f"{mean}, {var}, {c.optional('weight')}, {c.optional('bias')}"
    moved = usual("momentum", repr(c.number("momentum")), "0.1")
    return f"F.batch_norm({c.x()}, {leaves}, {c.training}{moved}{_eps(c, 1e-5)})"


def _normalize(c: Context) -> str:
    order = "" if c.number("p") == 2 else f", p={c.size('p')}"
    return f"F.normalize({c.x()}{order}, dim={c.dim()}{_eps(c, 1e-12)})"


TABLE: dict[str, Lowering] = {
    "layernorm": Lowering(_layer, _layer_module),
    "layernorm_over": Lowering(_layer, _layer_module),
    "rmsnorm": Lowering(_rms, _rms_module),
    "groupnorm": Lowering(_group, _group_module, one_batch=True),
    "instancenorm": Lowering(_instance, _instance_module, one_batch=True),
    "batchnorm": Lowering(
        _batch, _batch_module, one_batch=True, training=True, statistics=("running_mean", "running_var")
    ),
    "normalize": Lowering(_normalize, takes_dim=True),
}
