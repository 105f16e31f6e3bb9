"""A batch of trees as tensors, and the order in which a fold climbs it. Generated code imports this.

The nodes stand breadth first, the roots of all trees in front: so the children of the nodes of one depth, one after the
other, are the nodes of the next, and the summand that made each node says the whole shape. A fold takes a depth at a
time, the deepest first, all trees at once: what it needs are the states of one depth, which it has just made.

    tree.levels                        [Level, …, Level], the deepest with children first, the roots last
    tree.by_level(0, x)                the rows of leg 0 at each level, in that order
    left, right = level.children(h)    the states of the children, place by place
    h = level.join(leaf, node)         those of this level, where the level above wants them
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

Places = tuple[tuple[tuple[int, ...] | None, ...], ...]
"""For each summand its places for children, each with the sizes of its axes: () for one child, None for a row of them,
as many as the node has."""


class Level:
    """The nodes of one depth of all trees, summand by summand."""

    __slots__ = ("_counts", "_lengths", "_order", "_places", "_rows")

    def __init__(
        self,
        counts: list[int],
        rows: list[int],
        places: list[tuple[int, ...]],
        order: Tensor,
        lengths: list[Tensor],
    ) -> None:
        self._counts = counts
        self._rows = rows
        self._places = places
        self._order = order
        self._lengths = lengths

    def count(self, summand: int) -> int:
        """How many nodes a summand made."""
        return self._counts[summand]

    def children(self, states: Tensor) -> tuple[Tensor, ...]:
        """The states of all children, place by place: a row for each node that has the place, or for each child."""
        parts = states.split(self._rows)
        return tuple(_along(part, sizes) for part, sizes in zip(parts, self._places, strict=True))

    def offsets(self, number: int) -> Tensor:
        """Where the children of each node begin at a place for a row of them, of which this is the number."""
        lengths = self._lengths[number]
        return torch.cat((lengths.new_zeros(1), lengths.cumsum(0)))

    def join(self, *rows: Tensor) -> Tensor:
        """What the legs made of the nodes, summand by summand, in the order in which the parents have them."""
        whole = torch.cat(rows) if len(rows) > 1 else rows[0]
        return whole.index_select(0, self._order)


def _along(part: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Rows with the axes of their place in front of their own."""
    if not sizes:
        return part
    count = prod(sizes)
    return part.reshape(part.shape[0] // count if count else 0, *sizes, *part.shape[1:])


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the depths follow each other: `rows[d][s]` nodes of summand s, and their order for the depth above."""

    rows: list[list[int]]
    children: list[list[int]]  # how many children stand at each place of the nodes of a depth
    orders: list[Tensor]
    sample: Tensor  # the tree that each node stands in
    places: Tensor  # of each node, tree after tree, among the states of all levels, the deepest first


class Tree:
    """Trees of one functor: `tags[i]` is the summand of node i; `constants[s]` are the fields of its nodes, in order.

    `lengths[s]` say, for each place for a row of children, how many each node has.

    `form` is the functor as one writes it. Like a tensor it has a `device` and a `shape`, that of its one batch axis;
    `to` moves it and casts its numbers.
    """

    def __init__(
        self,
        tags: Tensor,
        constants: Sequence[Sequence[Tensor]],
        places: Places,
        count: int,
        form: str,
        lengths: Sequence[Sequence[Tensor]] | None = None,
    ) -> None:
        self.tags = tags
        self.lengths = tuple(() for _ in places) if lengths is None else tuple(map(tuple, lengths))
        self.constants = tuple(tuple(fields) for fields in constants)
        self.places = places
        self.count = count
        self.form = form

    def __repr__(self) -> str:
        """`<64 trees, 8128 nodes of Expr(X) = …>`."""
        return f"<{self.count} trees, {len(self.tags)} nodes of {self.form}>"

    def __len__(self) -> int:
        """The number of trees."""
        return self.count

    @property
    def shape(self) -> torch.Size:
        """The batch axes, one."""
        return torch.Size((self.count,))

    @property
    def device(self) -> torch.device:
        """Where its numbers are."""
        return self.tags.device

    def to(self, *args: object, **kwargs: object) -> Tree:
        """The trees on another device or, in their real numbers, in another dtype; arguments as `Tensor.to` has."""

        def moved(tensor: Tensor) -> Tensor:
            found: Tensor = tensor.to(*args, **kwargs)  # type: ignore[call-overload]
            return found if tensor.is_floating_point() else found.to(tensor.dtype)

        return self._each(moved)

    def pin_memory(self) -> Tree:
        """The trees in memory that a GPU reads directly; a `DataLoader` calls it."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: object) -> Tree:
        assert callable(change)
        constants = [[change(field) for field in fields] for fields in self.constants]
        lengths = [[change(row) for row in rows] for rows in self.lengths]
        return Tree(change(self.tags), constants, self.places, self.count, self.form, lengths)

    # how a fold climbs

    @cached_property
    def _plan(self) -> _Plan:
        return _plan(self)

    @property
    def arities(self) -> Tensor:
        """How many children each node has."""
        return _children(self)[2]

    @property
    def loose(self) -> bool:
        """Whether a node with places for children may have none: then every level is climbed, the deepest too."""
        return any(each and all(sizes is None for sizes in each) for each in self.places)

    @property
    def bottom(self) -> Level:
        """The deepest level, which has no children."""
        plan = self._plan
        return Level(plan.rows[-1], [], [], plan.orders[-1], [])

    @property
    def levels(self) -> Iterator[Level]:
        """The levels that may have children, the deepest first."""
        plan = self._plan
        shapes = [sizes or () for each in self.places for sizes in each]
        rows = [(s, lengths) for s, each in enumerate(self.lengths) for lengths in each]
        split = [lengths.split([counts[s] for counts in plan.rows]) for s, lengths in rows]
        for depth in range(len(plan.rows) - (1 if self.loose else 2), -1, -1):
            lengths = [parts[depth] for parts in split]
            yield Level(plan.rows[depth], plan.children[depth], shapes, plan.orders[depth], lengths)

    def rows(self, summand: int) -> int:
        """How many nodes a summand made."""
        return sum(each[summand] for each in self._plan.rows)

    def by_level(self, summand: int, values: Tensor) -> Iterator[Tensor]:
        """What belongs to the nodes of a summand by level, the deepest first; where it has children, as `levels`."""
        rows = [each[summand] for each in self._plan.rows]
        if self.places[summand] and not self.loose:
            rows.pop()
        parts: tuple[Tensor, ...] = values.split(rows)
        return reversed(parts)

    def samples(self, summand: int) -> Tensor:
        """The tree that each node of a summand stands in."""
        return self._plan.sample[self.tags == summand]

    @property
    def offsets(self) -> Tensor:
        """Where the nodes of each tree begin when they stand tree after tree, [B + 1]."""
        sizes = torch.bincount(self._plan.sample, minlength=self.count)
        return torch.cat((sizes.new_zeros(1), sizes.cumsum(0)))

    def nodes(self, levels: list[Tensor]) -> Tensor:
        """The states of all levels, the deepest first, tree after tree, those of a tree breadth first."""
        return torch.cat(levels).index_select(0, self._plan.places)

    def one(self, number: int) -> Tree:
        """One of the trees, as a batch."""
        sample = self._plan.sample
        own = [self.samples(summand) == number for summand in range(len(self.places))]
        constants = [[field[kept] for field in fields] for kept, fields in zip(own, self.constants, strict=True)]
        lengths = [[row[kept] for row in rows] for kept, rows in zip(own, self.lengths, strict=True)]
        return Tree(self.tags[sample == number], constants, self.places, 1, self.form, lengths)


def depths(arities: Tensor, count: int) -> list[int]:
    """The number of nodes at each depth, from how many children each has; of no trees, one depth without nodes."""
    ends = (arities.cumsum(0) + count).tolist()
    sizes, end = [count], count
    while end and ends[end - 1] > end:
        sizes.append(ends[end - 1] - end)
        end = ends[end - 1]
    return sizes


def _children(tree: Tree) -> tuple[Tensor, Tensor, Tensor]:
    """For each place of each node, node after node, its number among all and its children; these for each node."""
    tags = tree.tags.cpu()
    counts = torch.tensor([len(each) for each in tree.places], dtype=torch.int64)
    firsts = counts.cumsum(0) - counts
    owned = counts[tags]
    starts = owned.cumsum(0) - owned
    within = torch.arange(int(owned.sum())) - torch.repeat_interleave(starts, owned)
    number = torch.repeat_interleave(firsts[tags], owned) + within
    held = torch.tensor([prod(sizes or ()) for each in tree.places for sizes in each], dtype=torch.int64)[number]
    for summand, each in enumerate(tree.places):
        rows = iter(tree.lengths[summand])
        for place, sizes in enumerate(each):
            if sizes is None:
                held[starts[tags == summand] + place] = next(rows).cpu()
    ends = torch.cat((held.new_zeros(1), held.cumsum(0)))
    return number, held, ends[starts + owned] - ends[starts]


def _plan(tree: Tree) -> _Plan:
    tags, count, device = tree.tags.cpu(), tree.count, tree.device
    number, held, arities = _children(tree)
    sizes = depths(arities, count)
    deep, kinds, total = len(sizes), len(tree.places), len(tags)
    depth = torch.repeat_interleave(torch.arange(deep), torch.tensor(sizes))
    rows = torch.bincount(depth * kinds + tags, minlength=deep * kinds).reshape(deep, kinds)
    # Where a node stands among those of its depth, summand by summand.
    by_summand = torch.argsort(depth * kinds + tags, stable=True)
    row = torch.empty(total, dtype=torch.int64)
    row[by_summand] = torch.arange(total)
    row -= (torch.tensor(sizes).cumsum(0) - torch.tensor(sizes))[depth]
    # Children go by the place where they stand, then by parent.
    places = sum(map(len, tree.places))
    parent = torch.repeat_interleave(torch.arange(total), arities)
    key = depth[parent] * places + torch.repeat_interleave(number, held)
    per_place = torch.bincount(key, minlength=deep * places).reshape(deep, places)
    children = torch.argsort(key, stable=True) + count
    order = torch.cat((row[:count], row[children])).to(device)
    above = torch.cat((torch.arange(count), parent))
    while not torch.equal(further := above[above], above):
        above = further
    # Levels are climbed from the deepest to the roots, and within each nodes stand as their parents want them.
    climbed = torch.cat(torch.cat((torch.arange(count), children)).split(sizes)[::-1])
    at = torch.empty(total, dtype=torch.int64)
    at[climbed] = torch.arange(total)
    packed = at[torch.argsort(above, stable=True)]
    return _Plan(rows.tolist(), per_place.tolist(), list(order.split(sizes)), above.to(device), packed.to(device))
