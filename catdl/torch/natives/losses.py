"""Losses (losses.cat): one value per sample. The positions that a sample has are averaged, the batch is not."""

from __future__ import annotations

from collections.abc import Callable

from catdl.torch.context import Context
from catdl.torch.lowering import Lowering
from catdl.torch.marks import usual

NONE = 'reduction="none"'
Options = Callable[[Context], str]


def _shown(rank: int) -> str:
    return "-1" if rank == 1 else str(tuple(range(-rank, 0)))


def _average(text: str, rank: int) -> str:
    """The mean over the last `rank` axes."""
    return f"{text}.mean({_shown(rank)})" if rank else text


def _option(name: str, default: float, key: str = "") -> Options:
    """A static argument, left out where it has torch's default."""
    return lambda c: usual(key or name, c.size(name), repr(default))


def _each(function: str, *options: Options) -> Lowering:
    """A loss of tensors of one shape, averaged over all axes of a sample."""

    def call(c: Context) -> str:
        extra = "".join(option(c) for option in options)
        return _average(f"F.{function}({c.xs()}{extra}, {NONE})", c.rank())

    return Lowering(call)


def _rows(c: Context, i: int) -> str:
    """Input i as a list of vectors: torch takes no more axes before the class than one."""
    return f"{c.x(i)}.reshape(-1, {c.axis(i, -1)})"


def _ignore(c: Context) -> str | None:
    """The label that does not count, None where no label of the type is it."""
    size, ignore = c.type(1).kind.size, c.number("ignore")
    return None if isinstance(size, int) and ignore >= size else c.size("ignore")


def _by_label(c: Context, function: str, ignore: str | None, extra: str = "") -> str:
    """The loss of every position by torch's own function, 0 where the label does not count."""
    if ignore not in (None, "-100"):
        extra += f", ignore_index={ignore}"
    return f"F.{function}({_rows(c, 0)}, {c.x(1)}.reshape(-1){extra}, {NONE}).view_as({c.x(1)})"


def _per_position(c: Context, text: str, ignore: str | None) -> str:
    """The average over the positions whose label counts."""
    rank, label = c.rank(1), c.x(1)
    if not rank or ignore is None:
        return _average(text, rank)
    where = _shown(rank)
    return f"{text}.sum({where}) / ({label} != {ignore}).sum({where}).clamp(min=1)"


def _smoothed(c: Context) -> str:
    return f", label_smoothing={c.size('smoothing')}" if c.number("smoothing") else ""


def _cross_entropy(c: Context) -> str:
    ignore = _ignore(c)
    return _per_position(c, _by_label(c, "cross_entropy", ignore, _smoothed(c)), ignore)


def _nll(c: Context) -> str:
    ignore = _ignore(c)
    return _per_position(c, _by_label(c, "nll_loss", ignore), ignore)


def _weighted(c: Context) -> str:
    ignore, rank = _ignore(c), c.rank(1)
    by_sample = c.batched(2) or c.batched(0) != c.batched(1)
    if by_sample:
        c.spread_all()
    label = c.x(1)
    safe = label if ignore is None else f"{label}.where({label} != {ignore}, 0)"
    if by_sample:
        text, own = _weighted_by_sample(c, ignore, safe)
    else:
        text = _by_label(c, "cross_entropy", ignore, f"{_smoothed(c)}, weight={c.x(2)}")
        own = f"{c.x(2)}[{safe}]"
    if c.word("average") == "positions":
        return _per_position(c, text, ignore)
    if ignore is not None:
        own = f"{own}.where({label} != {ignore}, 0)"
    total = c.let(f"{own}.sum({_shown(rank)})" if rank else own, "total")
    whole = f"{text}.sum({_shown(rank)})" if rank else text
    return f"{whole} / {total}.masked_fill({total} == 0, 1)"


def _weighted_by_sample(c: Context, ignore: str | None, safe: str) -> tuple[str, str]:
    """The loss of every position and its weight where these differ from sample to sample, which torch does not take."""
    rank = c.rank(1)
    x = c.once(0)
    weight = c.let(f"{c.x(2)}{'[..., ' + 'None, ' * rank + ':]' if rank else ''}.expand_as({x})", "weight")
    place = c.let(f"{safe}.unsqueeze(-1)", "place")
    score = c.let(f"F.log_softmax({x}, dim=-1) * {weight}")
    loss = f"-{score}.gather(-1, {place}).squeeze(-1)"
    if c.number("smoothing"):
        share = c.number("smoothing")
        loss = f"{1 - share} * ({loss}) - {share} * {score}.mean(-1)"
    kept = "" if ignore is None else f".where({c.x(1)} != {ignore}, 0)"
    return f"({loss}){kept}", f"{weight}.gather(-1, {place}).squeeze(-1)"


def _soft(c: Context) -> str:
    text = f"F.cross_entropy({_rows(c, 0)}, {_rows(c, 1)}, {NONE})"
    return _average(f"{text}.view({c.x(0)}.shape[:-1])", c.rank() - 1)


def _with_logits(c: Context) -> str:
    weight = c.size("pos_weight")
    extra = "" if c.number("pos_weight") == 1 else f", pos_weight={c.x(0)}.new_tensor({weight})"
    return _average(f"F.binary_cross_entropy_with_logits({c.xs()}{extra}, {NONE})", c.rank())


def _kl(c: Context) -> str:
    return _average(f"F.kl_div({c.xs()}, {NONE}).sum(-1)", c.rank() - 1)


def _multi_margin(c: Context) -> str:
    extra = _option("p", 1)(c) + _option("margin", 1)(c)
    return f"F.multi_margin_loss({_rows(c, 0)}, {c.x(1)}.reshape(-1){extra}, {NONE}).view_as({c.x(1)})"


def _cosine(c: Context) -> str:
    extra = _option("margin", 0)(c)
    args = f"{_rows(c, 0)}, {_rows(c, 1)}, {c.x(2)}.reshape(-1)"
    return _average(f"F.cosine_embedding_loss({args}{extra}, {NONE}).view_as({c.x(2)})", c.rank(2))


def _triplet(c: Context) -> str:
    extra = _option("margin", 1)(c) + _option("p", 2)(c) + _option("eps", 1e-6)(c)
    return _average(f"F.triplet_margin_loss({c.xs()}{extra}, {NONE})", c.rank() - 1)


def _ctc(c: Context) -> str:
    frames, labels = c.axis(0, 0), c.axis(1, 0)
    scores = c.let(f"{c.x(0)}.reshape(-1, {frames}, {c.axis(0, 1)}).transpose(0, 1)")
    lengths = [f"torch.full(({scores}.shape[1],), {n}, dtype=torch.int64)" for n in (frames, labels)]
    target = f"{c.x(1)}.reshape(-1, {labels})"
    extra = _option("blank", 0)(c)
    return f"F.ctc_loss({scores}, {target}, {', '.join(lengths)}{extra}, {NONE}).view({c.x(0)}.shape[:-2])"


TABLE: dict[str, Lowering] = {
    "cross_entropy": Lowering(_cross_entropy),
    "weighted_cross_entropy": Lowering(_weighted, mixed=True),
    "soft_cross_entropy": Lowering(_soft),
    "nll_loss": Lowering(_nll),
    "binary_cross_entropy": _each("binary_cross_entropy"),
    "binary_cross_entropy_with_logits": Lowering(_with_logits),
    "mse_loss": _each("mse_loss"),
    "l1_loss": _each("l1_loss"),
    "huber_loss": _each("huber_loss", _option("delta", 1)),
    "smooth_l1_loss": _each("smooth_l1_loss", _option("beta", 1)),
    "kl_div": Lowering(_kl),
    "multi_margin_loss": Lowering(_multi_margin),
    "hinge_embedding_loss": _each("hinge_embedding_loss", _option("margin", 1)),
    "cosine_embedding_loss": Lowering(_cosine),
    "margin_ranking_loss": _each("margin_ranking_loss", _option("margin", 0)),
    "soft_margin_loss": Lowering(lambda c: _average(f"F.softplus(-{c.x(1)} * {c.x(0)})", c.rank())),
    "triplet_margin_loss": Lowering(_triplet),
    "poisson_nll_loss": _each("poisson_nll_loss"),
    "ctc_loss": Lowering(_ctc),
}
