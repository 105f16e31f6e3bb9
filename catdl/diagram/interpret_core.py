"""Core operations by their direct meaning in `docs/core.md`: indexing, broadcasting, loops.

A batched value has exactly the batch axes of the run; constants have none and are repeated where they meet one.

    core(Core("reduce", (("fn", "sum"), ("axes", (0,)))), [x], run)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

import torch
from torch import Tensor

from catdl.data.tree import Tree
from catdl.diagram.interpret_point import POINTWISE
from catdl.diagram.model import Core, Wire
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size, evaluate
from catdl.types.types import Leaf, axis_sizes

Function: TypeAlias = Callable[[Sequence[Tensor], int], tuple[Tensor, ...]]
"""A module from elsewhere: tensors with so many batch axes in front, to tensors with the same."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor; `batched`: the batch axes of the run lead. Of trees the `tensor` holds nothing but these."""

    tensor: Tensor
    batched: bool
    held: Tree | None = None

    @property
    def tree(self) -> Tree:
        """The trees that a wire of a `mu` holds."""
        assert self.held is not None
        return self.held


@dataclass(frozen=True, slots=True)
class Run:
    """What holds during an evaluation: batch axes, sizes of free dims, dtype, device, mode, and modules by target."""

    batch: tuple[int, ...]
    dims: dict[str, int]
    floating: torch.dtype
    device: torch.device
    training: bool
    externs: Mapping[str, Function] = field(default_factory=dict)

    def size(self, size: Size) -> int:
        """A size as a number."""
        if isinstance(size, int):
            return size
        value = evaluate(size, self.dims)
        assert int(value) == value
        return int(value)

    def with_batch(self, batch: tuple[int, ...]) -> Run:
        """The same inside a map."""
        return replace(self, batch=batch)

    def with_dims(self, dims: dict[str, int]) -> Run:
        """The same inside a call."""
        return self if dims is self.dims else replace(self, dims=dims)


def no_steps(wire: Wire, run: Run) -> Value:
    """What no step at all gives, and no child."""
    own = (0, *(run.size(size) for size in axis_sizes(wire.type)))
    empty = torch.empty(own if wire.constant else (*run.batch, *own), dtype=dtype_of(wire.type, run), device=run.device)
    return Value(empty, not wire.constant)


def dtype_of(leaf: Leaf, run: Run) -> torch.dtype:
    """What a type is stored as."""
    match storage(leaf.kind):
        case "float":
            return run.floating
        case "int":
            return torch.int64
        case "bool":
            return torch.bool
        case "complex":
            return run.floating.to_complex()
        case "tree":
            raise AssertionError("trees have no dtype")


class Op:
    """One core box: its inputs with equal batch axes in front, its attributes as numbers."""

    def __init__(self, core: Core, ins: list[Value], run: Run) -> None:
        self.run = run
        self.batched = any(value.batched for value in ins)
        self.batch = run.batch if self.batched else ()
        self.lead = len(self.batch)
        self.attrs = dict(core.attrs)
        self.xs = [
            value.tensor
            if value.batched or not self.batched
            else value.tensor.expand((*self.batch, *value.tensor.shape))
            for value in ins
        ]

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.xs[0]

    def __getitem__(self, name: str) -> Any:
        return self._number(self.attrs[name])

    def get(self, name: str, default: Any) -> Any:
        """An attribute that may be left out."""
        return self[name] if name in self.attrs else default

    def _number(self, value: Any) -> Any:
        if isinstance(value, Poly):
            return self.run.size(value)
        if isinstance(value, tuple):
            return tuple(self._number(item) for item in value)
        return value

    def dim(self, axis: int) -> int:
        """The dimension of an axis, counted from the front."""
        return self.lead + axis


def core(op: Core, ins: list[Value], run: Run) -> Value:
    """The output of one core box."""
    o = Op(op, ins, run)
    batched = o.batched and op.name != "across"
    return Value(_TABLE[op.name](o), batched)


def _literal(o: Op) -> Tensor:
    value = o["value"]
    if isinstance(value, bool):
        return torch.tensor(value, device=o.run.device)
    if isinstance(value, int):
        # An integer takes part in integer and in real arithmetic; torch's rules for 0-d tensors do the rest.
        return torch.tensor(value, device=o.run.device)
    number = float(Fraction(value) if not isinstance(value, float) else value)
    return torch.tensor(number, dtype=o.run.floating, device=o.run.device)


def _pointwise(o: Op) -> Tensor:
    align = o["align"]
    rank = max((max(where, default=-1) + 1 for where in align), default=0)
    lined = []
    for x, where in zip(o.xs, align, strict=True):
        order = sorted(range(len(where)), key=lambda k: where[k])
        y = x.permute((*range(o.lead), *(o.dim(k) for k in order)))
        shape = [1] * rank
        for k in order:
            shape[where[k]] = x.shape[o.dim(k)]
        lined.append(y.reshape((*o.batch, *shape)))
    return POINTWISE[o["fn"]](o.run, *lined)


def _contract(o: Op) -> Tensor:
    # By broadcasting everything to one tensor over all letters and summing: slow, and nothing but the meaning.
    letters: list[int] = list(o["out"])
    for term in o["ins"]:
        letters += [i for i in dict.fromkeys(term) if i not in letters]
    total: Tensor | None = None
    for x, term in zip(o.xs, o["ins"], strict=True):
        y = x
        seen: list[int] = []
        for letter in term:  # a letter twice: the diagonal
            if letter in seen:
                first = o.dim(seen.index(letter))
                y = y.diagonal(dim1=first, dim2=o.dim(len(seen))).movedim(-1, first)
            else:
                seen.append(letter)
        order = sorted(range(len(seen)), key=lambda k: letters.index(seen[k]))
        y = y.permute((*range(o.lead), *(o.dim(k) for k in order)))
        sizes = {seen[k]: y.shape[o.lead + n] for n, k in enumerate(order)}
        y = y.reshape((*o.batch, *(sizes.get(letter, 1) for letter in letters)))
        total = y if total is None else total * y
    assert total is not None
    extra = tuple(range(o.lead + len(o["out"]), o.lead + len(letters)))
    return total.sum(extra) if extra else total


def _reduce(o: Op) -> Tensor:
    dims = tuple(o.dim(axis) for axis in o["axes"])
    if not dims:
        return o.x
    # The reduced axes as one at the end.
    keep = [d for d in range(o.x.ndim) if d not in dims]
    count = prod(o.x.shape[d] for d in dims)
    x = o.x.permute((*keep, *dims)).reshape((*(o.x.shape[d] for d in keep), count))
    if count == 0 and o["fn"] in ("max", "min", "mean"):  # what this is nothing reads, unless it is said
        return x.new_full(x.shape[:-1], float(o.get("empty", 0)))
    match o["fn"]:
        case "sum":
            return x.sum(-1)
        case "mean":
            return x.sum(-1) / x.shape[-1]
        case "prod":
            return x.prod(-1)
        case "max":
            return x.amax(-1)
        case "min":
            return x.amin(-1)
        case "any":
            return x.any(-1)
        case "all":
            return x.all(-1)
        case _ if count == 0:
            return x.sum(-1).log()
        case _:
            top = x.amax(-1, keepdim=True).detach()
            return (x - top).exp().sum(-1).log() + top.squeeze(-1)


def _argmax(o: Op) -> Tensor:
    dim = o.dim(o["axis"])
    return o.x.argmax(dim) if o["fn"] == "argmax" else o.x.argmin(dim)


def _permute(o: Op) -> Tensor:
    return o.x.permute((*range(o.lead), *(o.dim(axis) for axis in o["perm"])))


def _split(o: Op) -> Tensor:
    d = o.dim(o["axis"])
    return o.x.reshape((*o.x.shape[:d], *o["sizes"], *o.x.shape[d + 1 :]))


def _merge(o: Op) -> Tensor:
    d, count = o.dim(o["axis"]), o["count"]
    size = 1
    for k in range(count):
        size *= o.x.shape[d + k]
    return o.x.reshape((*o.x.shape[:d], size, *o.x.shape[d + count :]))


def _expand(o: Op) -> Tensor:
    d = o.dim(o["position"])
    return torch.stack([o.x] * o["size"], d) if o["size"] else o.x.unsqueeze(d)[_at(d, slice(0, 0))]


def _at(d: int, item: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * d, item)


def _drop(o: Op) -> Tensor:
    return o.x.select(o.dim(o["axis"]), 0)


def _take(x: Tensor, d: int, places: list[int]) -> Tensor:
    return x[_at(d, torch.tensor(places, dtype=torch.int64, device=x.device))]


def _slice(o: Op) -> Tensor:
    return _take(o.x, o.dim(o["axis"]), [o["start"] + k * o["step"] for k in range(o["size"])])


def _pad(o: Op) -> Tensor:
    d, before, after, mode = o.dim(o["axis"]), o["before"], o["after"], o["mode"]
    n = o.x.shape[d]
    places = range(-before, n + after)
    if mode == "constant":
        value = o.get("value", 0) or 0
        blank = torch.full_like(
            o.x.narrow(d, 0, 0).sum(d, keepdim=True).to(o.x.dtype),
            float(value) if not isinstance(value, bool) else value,
        )
        parts = [blank] * before + [o.x] + [blank] * after if min(before, after) >= 0 else [_take(o.x, d, list(places))]
        return torch.cat(parts, d)
    if mode == "replicate":
        return _take(o.x, d, [min(max(p, 0), n - 1) for p in places])
    if mode == "circular":
        return _take(o.x, d, [p % n for p in places])
    return _take(o.x, d, [(n - 1) - abs((n - 1) - abs(p)) for p in places])


def _window(o: Op) -> Tensor:
    d = o.dim(o["axis"])
    rows = [_take(o.x, d, [i * o["stride"] + k * o["dilation"] for k in range(o["size"])]) for i in range(o["count"])]
    return torch.stack(rows, d)


def _concat(o: Op) -> Tensor:
    return torch.cat(o.xs, o.dim(o["axis"]))


def _flat(x: Tensor, lead: int) -> Tensor:
    return x.reshape(prod(x.shape[:lead]), *x.shape[lead:])


def _gather(o: Op) -> Tensor:
    xs, places = _flat(o.xs[0], o.lead), _flat(o.xs[1], o.lead)
    rows = [x[_at(o["axis"], i)] for x, i in zip(xs, places, strict=True)]
    if not rows:
        sample = o.xs[0].new_zeros(o.xs[0].shape[o.lead :])[_at(o["axis"], o.xs[1].new_zeros(o.xs[1].shape[o.lead :]))]
        return sample.expand((*o.batch, *sample.shape))
    y = torch.stack(rows)
    return y.reshape((*o.batch, *y.shape[1:]))


def _pick(o: Op) -> Tensor:
    d = o.dim(o["axis"])
    n = o.xs[0].shape[d]
    chosen = o.xs[1].unsqueeze(d) == _along(torch.arange(n, device=o.x.device), d, o.xs[0].ndim)
    return torch.where(chosen, o.xs[0], torch.zeros((), dtype=o.x.dtype, device=o.x.device)).sum(d).to(o.x.dtype)


def _along(x: Tensor, d: int, ndim: int) -> Tensor:
    return x.reshape((*(1,) * d, -1, *(1,) * (ndim - d - 1)))


def _scatter(o: Op) -> Tensor:
    fn, axis, size = o["fn"], o["axis"], o["size"]
    rows = []
    for x, places in zip(_flat(o.xs[0], o.lead), _flat(o.xs[1], o.lead), strict=True):
        cells = []
        for k in range(size):
            part = x[_at(axis, places == k)]
            if part.shape[axis] == 0:
                blank = x.select(axis, 0) * 0 if x.shape[axis] else part.sum(axis)
                cells.append(blank + 1 if fn == "prod" else blank)
            elif fn == "mean":
                cells.append(part.mean(axis))
            else:
                cells.append({"sum": part.sum, "prod": part.prod, "max": part.amax, "min": part.amin}[fn](axis))
        rows.append(torch.stack(cells, axis) if cells else x.narrow(axis, 0, 0))
    y = torch.stack(rows)
    return y.reshape((*o.batch, *y.shape[1:]))


def _index(o: Op) -> Tensor:
    return torch.arange(o["size"], device=o.run.device)


def _scan(o: Op) -> Tensor:
    d = o.dim(o["axis"])
    x = o.x.flip(d) if o.get("reverse", False) else o.x
    match o["fn"]:
        case "cumsum":
            y = x.cumsum(d)
        case "cumprod":
            y = x.cumprod(d)
        case "cummax":
            y = x.cummax(d).values
        case "cummin":
            y = x.cummin(d).values
        case _:
            y = x.logcumsumexp(d)
    return y.flip(d) if o.get("reverse", False) else y


def _sample(o: Op) -> Tensor:
    like = o.x
    match o["dist"]:
        case "normal":
            return torch.randn_like(like)
        case "uniform":
            return torch.rand_like(like)
        case "exponential":
            return torch.empty_like(like).exponential_()
        case _:
            return -torch.empty_like(like).exponential_().log()


def _training(o: Op) -> Tensor:
    return o.xs[0] if o.run.training else o.xs[1]


def _across(o: Op) -> Tensor:
    keep = o["keep"]
    dims = [*range(o.lead), *(o.dim(k) for k in range(o.x.ndim - o.lead) if k not in keep)]
    kept = [o.dim(k) for k in keep]
    x = o.x.permute((*sorted(kept), *dims)).reshape((*(o.x.shape[d] for d in sorted(kept)), -1))
    match o["fn"]:
        case "sum":
            return x.sum(-1)
        case "mean":
            return x.mean(-1)
        case _:
            return ((x - x.mean(-1, keepdim=True)) ** 2).mean(-1)


def _stop(o: Op) -> Tensor:
    return o.x.detach()


def _straight(o: Op) -> Tensor:
    return o.xs[1].detach() + (o.xs[0] - o.xs[0].detach())


_TABLE: dict[str, Callable[[Op], Tensor]] = {
    "literal": _literal,
    "pointwise": _pointwise,
    "contract": _contract,
    "reduce": _reduce,
    "argmax": _argmax,
    "permute": _permute,
    "split_axis": _split,
    "merge_axes": _merge,
    "expand": _expand,
    "drop": _drop,
    "slice": _slice,
    "pad": _pad,
    "window": _window,
    "concat": _concat,
    "gather": _gather,
    "pick": _pick,
    "scatter": _scatter,
    "index": _index,
    "scan": _scan,
    "sample": _sample,
    "training": _training,
    "across": _across,
    "stop": _stop,
    "straight": _straight,
}
