"""Noise that is there in training only."""

from __future__ import annotations

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering


def _p(c: Context) -> str:
    return repr(c.number("p"))


def _channel(c: Context) -> str:
    name = "F.dropout" if c.rank() < 2 else f"F.dropout{c.rank() - 1}d" if c.rank() <= 4 else "torch.feature_dropout"
    return f"{name}({c.x()}, {_p(c)}, {c.training})"


def _path(c: Context) -> str:
    rank = c.rank()
    lead = f"{c.x()}.shape[:-{rank}]" if rank else f"{c.x()}.shape"
    keep = f"F.dropout({c.x()}.new_ones({lead}), {_p(c)}, {c.training})"
    return f"{c.x()} * {keep}[...{', None' * rank}]" if rank else f"{c.x()} * {keep}"


TABLE: dict[str, Lowering] = {
    "dropout": Lowering(lambda c: f"F.dropout({c.x()}, {_p(c)}, {c.training})", training=True),
    "alpha_dropout": Lowering(lambda c: f"F.alpha_dropout({c.x()}, {_p(c)}, {c.training})", training=True),
    "channel_dropout": Lowering(_channel, training=True, one_batch=True),
    "drop_path": Lowering(_path, training=True),
}
