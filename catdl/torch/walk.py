"""Recursion along packed samples: what generated code does at every step for those that are that long.

Samples are taken longest first, so that those which go on are the first ones, and a step has no padding. `index` says
where the element of every step stands among all elements, step by step.

    walk = T.walk()
    h = walk.start(h)
    for x_t in walk.along(x):      # [samples that are that long, …]
        h = f(walk.alive(h), x_t)
    h = walk.end(h)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from catdl.torch.segments import Segments


class Walk:
    """One pass over the steps of all samples; `reverse`: the last element first."""

    def __init__(self, segments: Segments, reverse: bool = False) -> None:
        sizes, offsets = segments.sizes, segments.offsets
        self.order = sizes.argsort(descending=True, stable=True)
        self.rank = self.order.argsort()
        ends = sizes[self.order].tolist()
        counts = torch.bincount(sizes, minlength=1)
        self.live = segments.count  # samples in the step that is taken
        self.lives: list[int] = (segments.count - counts.cumsum(0))[:-1].tolist()
        self.ends: list[int] = ends
        steps = torch.tensor(self.lives, dtype=torch.int64, device=offsets.device)
        place = torch.arange(len(self.lives), device=offsets.device).repeat_interleave(
            steps, output_size=segments.total
        )
        sample = self.order[torch.arange(segments.total, device=offsets.device) - (steps.cumsum(0) - steps)[place]]
        self.index = offsets[1:][sample] - 1 - place if reverse else offsets[:-1][sample] + place
        self._ended: dict[int, list[Tensor]] = {}
        self._inverse: Tensor | None = None

    def start(self, x: Tensor) -> Tensor:
        """What each sample has, the longest sample first."""
        return x.index_select(0, self.order)

    def along(self, x: Tensor) -> Iterator[Tensor]:
        """The elements of each step."""
        for part in x.index_select(0, self.index).split(self.lives) if self.lives else ():
            self.live = part.shape[0]
            yield part

    def steps(self) -> Iterator[int]:
        """The steps, where there are no elements."""
        for k, live in enumerate(self.lives):
            self.live = live
            yield k

    def alive(self, x: Tensor, slot: int = 0) -> Tensor:
        """A state of the samples that go on; those of the others are laid aside, each wire in a slot of its own."""
        if x.shape[0] > self.live:
            self._ended.setdefault(slot, []).append(x[self.live :])
            return x[: self.live]
        return x

    def narrow(self, x: Tensor) -> Tensor:
        """What each sample has, for those that go on."""
        return x[: self.live]

    def end(self, x: Tensor, slot: int = 0) -> Tensor:
        """The last state of every sample, in the order of the samples."""
        return torch.cat([x, *reversed(self._ended.pop(slot, []))]).index_select(0, self.rank)

    def join(self, steps: list[Tensor], nothing: Tensor) -> Tensor:
        """What every step gave, at its element; `nothing` where there was no step."""
        return self.scatter(torch.cat(steps)) if steps else nothing

    def scatter(self, x: Tensor) -> Tensor:
        """Elements step by step put in the order of the samples."""
        if self._inverse is None:
            self._inverse = self.index.argsort()
        return x.index_select(0, self._inverse)


def fused(segments: Segments, cell: str, x: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
    """torch's kernel of a cell along every sample: every state, and the last ones. `given`: states, then weights.

    On a GPU it is the one for packed sequences. On a CPU that one takes step after step, thirty times slower than
    the dense one, which is therefore run on blocks of samples that are all alive from one end to the other.
    """
    count = 2 if cell == "lstm" else 1
    states = [state.expand(segments.count, -1) for state in given[:count]]
    run = packed if x.is_cuda else in_blocks
    return run(segments, cell, x, states, given[count:])


def packed(
    segments: Segments, cell: str, x: Tensor, states: list[Tensor], weights: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """By torch's kernel for packed sequences."""
    if segments.total == 0:
        return x.new_zeros(0, states[0].shape[-1]), *states
    walk = segments.walk()
    live = walk.lives[0]
    ordered = [walk.start(state) for state in states]
    first = [state[None, :live] for state in ordered]
    sizes = torch.tensor(walk.lives)
    kernel: Any = getattr(torch, cell)
    hx: Any = tuple(first) if len(first) == 2 else first[0]
    y, *last = kernel(x[walk.index], sizes, hx, weights, len(weights) == 4, 1, 0.0, torch.is_grad_enabled(), False)
    whole = [torch.cat((end[0], state[live:])) for end, state in zip(last, ordered, strict=True)]
    return walk.scatter(y), *(state.index_select(0, walk.rank) for state in whole)


def in_blocks(
    segments: Segments, cell: str, x: Tensor, states: list[Tensor], weights: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """By the dense kernel on blocks: every block ends where a sample does, so that no state is lost in it.

    Where there are many lengths, all but the rest of each length by a number near its root come first, then the rests:
    about twice the root of the longest are the blocks then, however many samples there are.
    """
    sizes = segments.sizes
    root = max(int(segments.longest**0.5), 1)
    parts = [sizes] if len(set(sizes.tolist())) <= 4 * root else [sizes // root * root, sizes % root]
    starts = segments.offsets[:-1]
    outs: list[Tensor] = [x.new_zeros(0, states[0].shape[-1])]
    places: list[Tensor] = [starts[:0]]
    kernel: Any = getattr(torch, cell)
    train = torch.is_grad_enabled()
    for part in parts:
        order = part.argsort(descending=True, stable=True)
        ends, begin = part[order].tolist(), starts[order]
        states = [state.index_select(0, order) for state in states]
        ended: list[list[Tensor]] = [[] for _ in states]
        live = len(ends)
        for low, high in pairwise((0, *sorted({end for end in ends if end}))):
            while ends[live - 1] <= low:
                live -= 1
            for k, state in enumerate(states):
                ended[k].append(state[live:])
                states[k] = state[:live]
            place = (begin[:live, None] + torch.arange(low, high, device=x.device)).flatten()
            block = x.index_select(0, place).reshape(live, high - low, -1)
            first: Any = tuple(state[None] for state in states) if len(states) == 2 else states[0][None]
            y, *last = kernel(block, first, weights, len(weights) == 4, 1, 0.0, train, False, True)
            states = [state[0] for state in last]
            outs.append(y.flatten(0, 1))
            places.append(place)
        rank = order.argsort()
        states = [torch.cat((s, *reversed(e))).index_select(0, rank) for s, e in zip(states, ended, strict=True)]
        starts = starts + part
    return torch.cat(outs).index_select(0, torch.cat(places).argsort()), *states
