"""Activation functions and other pointwise entries (activations.cat, pointwise.cat)."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual


def _plain(function: str) -> Lowering:
    """A function of one tensor that keeps its shape."""
    return Lowering(lambda c: f"{function}({c.x()})", takes_dim=True)


def _with(function: str, *names: str) -> Lowering:
    """The same with static arguments, in the order of the function's own."""
    return Lowering(lambda c: f"{function}({c.x()}, {', '.join(c.size(name) for name in names)})", takes_dim=True)


def _along(function: str) -> Lowering:
    """A function along the axis that the signature names."""
    return Lowering(lambda c: f"{function}({c.x()}, dim={c.dim()})", takes_dim=True)


def _prelu(c: Context) -> str:
    return f"F.prelu({c.x()}, {c.param('weight')})"


def _prelu_module(c: Context) -> str | None:
    return f"nn.PReLU(init={c.size('init')})"


def _gelu(c: Context) -> str:
    kind = c.word("approximate")
    return f"F.gelu({c.x()})" if kind == "none" else f'F.gelu({c.x()}, approximate="{kind}")'


def _leaky_relu(c: Context) -> str:
    return f"F.leaky_relu({c.x()}, {c.size('slope')})"


def _rrelu(c: Context) -> str:
    return f"F.rrelu({c.x()}, {c.size('lower')}, {c.size('upper')}, {c.training})"


def _optional(function: str, name: str, default: int) -> Lowering:
    """A static argument that is not written where it is torch's own default."""

    def call(c: Context) -> str:
        return f"{function}({c.x()}{usual(name, c.size(name), repr(default))})"

    return Lowering(call, takes_dim=True)


TABLE: dict[str, Lowering] = {
    "relu": _plain("F.relu"),
    "relu6": _plain("F.relu6"),
    "leaky_relu": Lowering(_leaky_relu, takes_dim=True),
    "prelu": Lowering(_prelu, _prelu_module, takes_dim=True),
    "rrelu": Lowering(_rrelu, takes_dim=True, training=True),
    "elu": _optional("F.elu", "alpha", 1),
    "selu": _plain("F.selu"),
    "celu": _optional("F.celu", "alpha", 1),
    "gelu": Lowering(_gelu, takes_dim=True),
    "quick_gelu": Lowering(lambda c: f"{c.x()} * torch.sigmoid(1.702 * {c.x()})", takes_dim=True),
    "silu": _plain("F.silu"),
    "mish": _plain("F.mish"),
    "softsign": _plain("F.softsign"),
    "tanhshrink": _plain("F.tanhshrink"),
    "hardtanh": _with("F.hardtanh", "min", "max"),
    "hardsigmoid": _plain("F.hardsigmoid"),
    "hardswish": _plain("F.hardswish"),
    "hardshrink": _with("F.hardshrink", "bound"),
    "softshrink": _with("F.softshrink", "bound"),
    "threshold": _with("F.threshold", "bound", "value"),
    "logsigmoid": _plain("F.logsigmoid"),
    "glu": _along("F.glu"),
    "softmax": _along("F.softmax"),
    "log_softmax": _along("F.log_softmax"),
    "softmin": _along("F.softmin"),
    "square": _plain("torch.square"),
    "clamp": Lowering(lambda c: f"{c.x()}.clamp({c.size('min')}, {c.size('max')})", takes_dim=True),
    "clamp_min": Lowering(lambda c: f"{c.x()}.clamp(min={c.size('min')})", takes_dim=True),
    "clamp_max": Lowering(lambda c: f"{c.x()}.clamp(max={c.size('max')})", takes_dim=True),
    "logit": _plain("torch.logit"),
    "xlogy": Lowering(lambda c: f"torch.xlogy({c.xs()})", takes_dim=True),
    "logaddexp": Lowering(lambda c: f"torch.logaddexp({c.xs()})", takes_dim=True),
    "lerp": Lowering(lambda c: f"torch.lerp({c.xs()})", takes_dim=True),
    "frac": _plain("torch.frac"),
    "trunc": _plain("torch.trunc"),
    "sinc": _plain("torch.sinc"),
}
