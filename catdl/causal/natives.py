"""Entries of the prelude that are judged by a rule of their own; all others go by their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from catdl.causal.core import Sizes, Time, reduced
from catdl.causal.states import LOW, STILL, Band, Broken, Rule, Steps, around, least, meet
from catdl.diagram.model import Native

Results = Sequence[Steps | Broken]


def by_rule(time: Time, op: Native, ins: list[Steps], given: list[Sizes], made: list[Sizes]) -> Results | None:
    """The results of an entry by its own rule; None where its definition says it. Named axes stand at the end."""
    match op.entry:
        case "attend" | "grouped_attend":
            return [_attend(time, op, ins, given)]
        case "softmax" | "log_softmax":
            return [_softmax(time, op.entry, ins[0], given[0])]
        case _ if op.definition is None:
            return _repeated(time, op, ins, given, made)
        case _:
            return None


def _attend(time: Time, op: Native, ins: list[Steps], sizes: list[Sizes]) -> Steps | Broken:
    """Each query by the keys that it sees."""
    q, k, v = ins[:3]
    more = ins[3:]  # a mask, a bias: along queries and keys
    summed = any(state.lags[-1].moves or time.grows(one[-1]) for state, one in ((q, sizes[0]), (k, sizes[1])))
    if summed or any(lag.moves for state in more for lag in state.lags[:-2]):
        return Broken(Rule.WHOLE)
    lag = reduce(meet, (state.lags[-2] for state in (q, *more)))
    keys = reduce(meet, (k.lags[-2], v.lags[-2], *(state.lags[-1] for state in more)))
    if keys.moves or time.grows(sizes[1][-2]):
        rank = len(more[0].lags) if more and op.arg("mask") is True else 0
        masks = more[0].bands if rank else ()
        seen = [band.after for band in masks if (band.row, band.col) == (rank - 2, rank - 1) and band.value == 0]
        if op.arg("causal") is True:
            seen.append(0)
        if not seen:
            return Broken(Rule.SEES)
        lag = meet(lag, keys.later(-min(seen)))
    lead = least([state.lags[:-2] for state in (q, k, v)])
    return Steps((*lead, lag, v.lags[-1]), around(ins))


def _softmax(time: Time, entry: str, x: Steps, sizes: Sizes) -> Steps | Broken:
    """Along the time only where a mask leaves each step those up to itself; what is shut out becomes 0."""
    at = len(x.lags) - 1
    rest = reduced(time, "softmax", (at,), x, sizes)
    if isinstance(rest, Broken):
        return rest
    shut = [band for band in x.bands if band.col == at and band.value <= LOW and band.inside and band.after >= 0]
    bands = tuple(Band(b.row, b.col, b.after, 0, b.inside) for b in shut) if entry == "softmax" else ()
    return Steps((*rest.lags, time.fresh(sizes[at])), x.hidden, None, bands)


def _repeated(time: Time, op: Native, ins: list[Steps], given: list[Sizes], made: list[Sizes]) -> Results:
    """Of what is computed elsewhere, over leading axes."""
    lead = sum(len(row) for _, row in op.binds if isinstance(row, tuple))
    over = least([state.lags[:lead] for state in ins])
    inner = [pair for x, one in zip(ins, given, strict=True) for pair in zip(x.lags[lead:], one[lead:], strict=True)]
    if any(lag.moves or time.grows(size) for lag, size in inner):
        return [Broken(Rule.FOREIGN)] * len(made)
    return [Steps((*over, *map(time.fresh, sizes[lead:])), around(ins)) for sizes in made]


def as_said(time: Time, ins: list[Steps], given: list[Sizes], made: list[Sizes]) -> Results:
    """Of a morphism that is any hom: what it gives along the time reads no later step of what it takes along it."""
    lead = STILL
    for x, sizes in zip(ins, given, strict=True):
        for lag, size in zip(x.lags, sizes, strict=True):
            if time.more(size) == 0:
                lead = meet(lead, lag)
            elif lag.moves or time.grows(size):
                return [Broken(Rule.FOREIGN)] * len(made)
    results: list[Steps | Broken] = []
    for sizes in made:
        along = [time.more(size) == 0 for size in sizes]
        lags = (meet(lead, time.fresh(size)) if here else STILL for size, here in zip(sizes, along, strict=True))
        unread = lead.moves and not any(along)
        results.append(Broken(Rule.FOREIGN) if unread else Steps(tuple(lags), around(ins)))
    return results
