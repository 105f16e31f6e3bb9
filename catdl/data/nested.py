"""Trees from what Python programs hold, and back: nested tuples and lists, s-expressions, networkx graphs.

How a node is written follows its summand: `(3, left, right)` for `Fin(10) @ X @ X`, `3` alone for `Fin(10)`, `None`
for `()`, `(a, [child, child])` for a row of children. Which summand a node is of is told by how many parts it has;
where two have as many, `At(1, …)` says it. In s-expressions and graphs children stand one after the other, `(a b c)`.
Nothing here goes into itself, so a tree may be as deep as it likes.

    trees(form, [(0, 1, (2, 3, 4))])      <1 trees of 5 nodes>
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import torch
from torch import Tensor

from catdl.data.tree import Places, Tree, depths
from catdl.types.dtypes import storage
from catdl.types.types import Axis, Child, Form, Leaf, show_form, show_leaf

SHOWN = 12
"""How many steps of the way to a node are told."""

Nested: TypeAlias = Any
"""A number, a tensor or None for a node of constants alone; a tuple or list for one with more parts."""


class At(tuple[Any, ...]):
    """A node of the summand of this number: `At(1, 3, left, right)`."""

    summand: int

    def __new__(cls, summand: int, *parts: Nested) -> At:
        """The parts are those of the summand, in order."""
        self = super().__new__(cls, parts)
        self.summand = summand
        return self


class Flat(tuple[Any, ...]):
    """A node whose row of children, if it has one, stands in no brackets: `(a, child, child)`."""

    __slots__ = ()


def places(form: Form) -> Places:
    """The places for children in each summand, by the sizes of their axes."""
    return tuple(
        tuple(None if item.row is not None else item.sizes for item in parts if isinstance(item, Child))
        for parts in form.summands
    )


def _sizes(axes: Sequence[object]) -> tuple[int, ...]:
    sizes = []
    for axis in axes:
        assert isinstance(axis, Axis) and isinstance(axis.size, int), "the numbers in a node have fixed sizes"
        sizes.append(axis.size)
    return tuple(sizes)


def trees(form: Form, values: Iterable[Nested], words: Mapping[str, int] | None = None) -> Tree:
    """A batch of trees. `words` says which number a word stands for. Raises ValueError for what is no such tree."""
    made = _Made(form, words or {})
    queue: list[Nested] = list(values)
    above: list[int] = [-1] * len(queue)
    count, done = len(queue), 0
    while done < len(queue):  # breadth first: a node's children come after all that was met before it
        try:
            found = made.node(queue[done])
        except ValueError as wrong:
            raise ValueError(f"{_where(above, done)}: {wrong}") from None
        queue[done] = None
        queue += found
        above += [done] * len(found)
        done += 1
    return made.tree(count)


def _where(above: list[int], node: int) -> str:
    """`tree 3, node 0.1`: by which child of which; of a deep node the last steps."""
    steps: list[str] = []
    while above[node] >= 0:
        first = above.index(above[node])
        steps.append(str(node - first))
        node = above[node]
    if not steps:
        return f"tree {node}"
    return f"tree {node}, node {'…' if len(steps) > SHOWN else ''}{'.'.join(reversed(steps[:SHOWN]))}"


class _Made:
    """The tensors of a batch under way."""

    def __init__(self, form: Form, words: Mapping[str, int]) -> None:
        self.form = form
        self.words = words
        self.tags: list[int] = []
        self.fields: list[list[list[Any]]] = [
            [[] for part in parts if isinstance(part, Leaf)] for parts in form.summands
        ]
        self.lengths: list[list[list[int]]] = [
            [[] for part in parts if isinstance(part, Child) and part.row is not None] for parts in form.summands
        ]

    def node(self, value: Nested) -> list[Nested]:
        """Take in a node; its children in order."""
        tag, parts = self._summand(value)
        children: list[Nested] = []
        fields, lengths = iter(self.fields[tag]), iter(self.lengths[tag])
        for item, part in zip(self.form.summands[tag], parts, strict=True):
            if isinstance(item, Leaf):
                next(fields).append(self._constant(item, part))
            elif item.row is not None:
                if not isinstance(part, tuple | list):
                    raise ValueError(f"a place for a row of children holds {_held(part)}")
                next(lengths).append(len(part))
                children += part
            else:
                children += _many(part, item.sizes)
        self.tags.append(tag)
        return children

    def _summand(self, value: Nested) -> tuple[int, Sequence[Nested]]:
        forms = self.form.summands
        if isinstance(value, At):
            if not 0 <= value.summand < len(forms) or len(value) != len(forms[value.summand]):
                raise ValueError(f"no summand {value.summand} with {_parts(len(value))} in {show_form(self.form)}")
            return value.summand, value
        alone = not isinstance(value, tuple | list)
        parts: Sequence[Nested] = value if not alone else () if value is None else (value,)
        fitting = _fitting(self.form, len(parts), alone, isinstance(value, Flat))
        if len(fitting) == 1:
            form = forms[fitting[0]]
            return fitting[0], _bracketed(form, parts) if alone or isinstance(value, Flat) else parts
        found = f"a node with {_parts(len(parts))}"
        if not fitting:
            raise ValueError(f"{found} is none of {show_form(self.form)}")
        which = " or ".join(f"At({k}, …)" for k in fitting)
        raise ValueError(f"{found} may be of several summands of {show_form(self.form)}; write {which}")

    def _constant(self, leaf: Leaf, value: Any) -> Any:
        if isinstance(value, str):
            if value not in self.words:
                raise ValueError(f"no number is known for the word `{value}`")
            value = self.words[value]
        shape, size = _sizes(leaf.axes), leaf.kind.size
        if not shape and isinstance(value, bool | int | float):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if size is None or (whole and isinstance(size, int) and 0 <= value < size):
                return value
        else:
            try:
                tensor = torch.as_tensor(value)
            except (TypeError, ValueError, RuntimeError):
                raise ValueError(f"{type(value).__name__} is no {show_leaf(leaf)}") from None
            integral = not tensor.is_floating_point() and not tensor.is_complex() and tensor.dtype != torch.bool
            inside = size is None or (
                integral and isinstance(size, int) and bool(((tensor >= 0) & (tensor < size)).all())
            )
            if tuple(tensor.shape) == shape and inside:
                return tensor
            value = f"of shape {list(tensor.shape)}" if tuple(tensor.shape) != shape else tensor.tolist()
        raise ValueError(f"{value} is no {show_leaf(leaf)}")

    def tree(self, count: int) -> Tree:
        """All that was taken in."""
        constants = []
        for parts, fields in zip(self.form.summands, self.fields, strict=True):
            leaves = [part for part in parts if isinstance(part, Leaf)]
            constants.append([_stacked(leaf, field) for leaf, field in zip(leaves, fields, strict=True)])
        tags = torch.tensor(self.tags, dtype=torch.int64)
        lengths = [[torch.tensor(row, dtype=torch.int64) for row in rows] for rows in self.lengths]
        return Tree(tags, constants, places(self.form), count, show_form(self.form), lengths)


def _fitting(form: Form, count: int, alone: bool, flat: bool) -> list[int]:
    """The summands that a node with so many parts may be of. What stands alone has no children."""
    if not alone and not flat:
        return [k for k, parts in enumerate(form.summands) if len(parts) == count]
    rows = [_row(parts) is not None for parts in form.summands]
    wide = [k for k, parts in enumerate(form.summands) if rows[k] and len(parts) - 1 <= count]
    exact = [k for k, parts in enumerate(form.summands) if not rows[k] and len(parts) == count]
    if not alone:
        return exact + wide
    if count == 1 and len(exact) > 1:
        exact = [k for k in exact if isinstance(form.summands[k][0], Leaf)]
    return exact or [k for k in wide if len(form.summands[k]) - 1 == count]


def _row(parts: Sequence[Leaf | Child]) -> int | None:
    """Where the one row of children stands in a summand."""
    found = [k for k, part in enumerate(parts) if isinstance(part, Child) and part.row is not None]
    return found[0] if len(found) == 1 else None


def _bracketed(form: Sequence[Leaf | Child], parts: Sequence[Nested]) -> Sequence[Nested]:
    """The parts of a node, its row of children as one of them."""
    at = _row(form)
    if at is None:
        return parts
    end = len(parts) - (len(form) - 1 - at)
    return (*parts[:at], list(parts[at:end]), *parts[end:])


def _many(part: Nested, sizes: tuple[int, ...]) -> list[Nested]:
    """The children at one place."""
    found = [part]
    for size in sizes:
        for each in found:
            if not isinstance(each, tuple | list) or len(each) != size:
                raise ValueError(f"a place for {size} children holds {_held(each)}")
        found = [child for each in found for child in each]
    return found


def _held(value: Nested) -> str:
    return str(len(value)) if isinstance(value, tuple | list) else type(value).__name__


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"


def _stacked(leaf: Leaf, values: list[Any]) -> Tensor:
    stored = storage(leaf.kind)
    dtype = {"int": torch.int64, "bool": torch.bool}.get(stored, torch.get_default_dtype())
    if not leaf.axes:
        return torch.tensor(values, dtype=dtype)
    if not values:
        return torch.empty((0, *_sizes(leaf.axes)), dtype=dtype)
    return torch.stack(values).to(dtype)


def nested(form: Form, tree: Tree, flat: bool = False) -> list[Nested]:
    """The trees as `trees` takes them, a tuple for each node; `flat` ones as s-expressions and graphs give them."""
    tags: list[int] = tree.tags.tolist()
    fields = [
        [iter(reversed(part.tolist() if part.ndim == 1 else part.unbind())) for part in parts]
        for parts in tree.constants
    ]
    rows = [[iter(reversed(row.tolist())) for row in each] for each in tree.lengths]
    arities: list[int] = tree.arities.tolist()
    made: list[Nested] = [None] * len(tags)
    last = len(tags)
    for node in range(len(tags) - 1, -1, -1):
        tag = tags[node]
        own = iter(fields[tag])
        children = iter(made[last - arities[node] : last])
        last -= arities[node]
        many = iter(rows[tag])
        parts: list[Nested] = []
        for k, item in enumerate(form.summands[tag]):
            if isinstance(item, Leaf):
                parts.append(next(next(own)))
            elif item.row is not None:
                row = [next(children) for _ in range(next(next(many)))]
                parts += row if flat and k == _row(form.summands[tag]) else [row]
            else:
                parts.append(_grouped(children, item.sizes))
        made[node] = _node(form, tag, parts, arities[node], flat)
    return made[: tree.count]


def _node(form: Form, tag: int, parts: list[Nested], arity: int, flat: bool) -> Nested:
    """A node as it is written: alone where it can be, with its summand where its parts do not say it."""
    bare = arity == 0 and len(parts) == (0 if not form.summands[tag] else 1)
    if bare and not (parts and isinstance(parts[0], list)) and _fitting(form, len(parts), True, False) == [tag]:
        return parts[0] if parts else None
    if _fitting(form, len(parts), False, flat) != [tag]:
        return At(tag, *_bracketed(form.summands[tag], parts)) if flat else At(tag, *parts)
    return Flat(parts) if flat else tuple(parts)


def _grouped(children: Any, sizes: tuple[int, ...]) -> Nested:
    found = [next(children) for _ in range(prod(sizes))]
    for size in reversed(sizes):
        found = [tuple(found[k : k + size]) for k in range(0, len(found), size)]
    return found[0]


def batch(parts: Sequence[Tree]) -> Tree:
    """Batches of trees of one functor as one; what a `DataLoader` needs to collate."""
    if not parts:
        raise ValueError("a batch of no trees has no functor")
    first = parts[0]
    if any(part.form != first.form for part in parts):
        raise ValueError("trees of different functors stand in no batch")
    depth = torch.cat([_depth(part) for part in parts])
    tags = torch.cat([part.tags for part in parts])
    orders = [
        torch.argsort(depth[tags.cpu() == summand], stable=True).to(first.device)
        for summand in range(len(first.places))
    ]
    constants, lengths = (
        [
            [torch.cat(column)[order] for column in zip(*columns, strict=True)]
            for order, columns in zip(orders, zip(*whole, strict=True), strict=True)
        ]
        for whole in ([part.constants for part in parts], [part.lengths for part in parts])
    )
    order = torch.argsort(depth, stable=True).to(first.device)
    return Tree(tags[order], constants, first.places, sum(part.count for part in parts), first.form, lengths)


def _depth(tree: Tree) -> Tensor:
    sizes = depths(tree.arities.cpu(), tree.count)
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))


def sexpr(text: str) -> list[Nested]:
    """The s-expressions of a text as nested tuples: `(+ 1 (* 2 x))` is `("+", 1, ("*", 2, "x"))`."""
    stack: list[list[Nested]] = [[]]
    for token in text.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) == 1:
                raise ValueError("a bracket closes that was never opened")
            whole = Flat(stack.pop())
            stack[-1].append(whole)
        else:
            stack[-1].append(_atom(token))
    if len(stack) > 1:
        raise ValueError(f"{_brackets(len(stack) - 1)} never closed")
    return stack[0]


def _brackets(count: int) -> str:
    return "a bracket is" if count == 1 else f"{count} brackets are"


def _atom(token: str) -> int | float | str:
    readers: tuple[Callable[[str], int | float], ...] = (int, float)
    for read in readers:
        try:
            return read(token)
        except ValueError:
            continue
    return token


def graph(tree: Any, label: str = "label", root: Any = None) -> Nested:
    """A rooted networkx graph, edges from parent to child, as nested tuples: what a node is called, then its children.

    `label` is the attribute of what a node holds, a value or a tuple of values; children stand in the order of the
    edges. Without `root` it is the one node that no edge leads to.
    """
    if root is None:
        roots = [node for node, degree in tree.in_degree() if degree == 0]
        if len(roots) != 1:
            raise ValueError(f"a tree has one root, this graph {len(roots)} nodes that no edge leads to")
        root = roots[0]
    order, seen = [root], {root}
    for node in order:
        for child in tree.successors(node):
            if child in seen:
                raise ValueError(f"the node {child!r} has more than one parent")
            seen.add(child)
            order.append(child)
    if len(order) != len(tree):
        raise ValueError(f"{len(tree) - len(order)} nodes hang together with no root")
    made: dict[Any, Nested] = {}
    for node in reversed(order):
        children = [made.pop(child) for child in tree.successors(node)]
        held = tree.nodes[node].get(label)
        fields = held if isinstance(held, tuple) else () if held is None else (held,)
        alone = not children and len(fields) == 1 and not isinstance(fields[0], tuple | list)
        made[node] = fields[0] if alone else Flat((*fields, *children))
    return made[root]
