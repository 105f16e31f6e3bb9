"""Samples of different size as one batch without padding, from what Python programs hold, and back.

The elements of all samples lie one after the other, and the offsets of a var dim say where each begins. An index of an
element counts through the batch then; in a sample it counts from 0.

    batch = pack(ports, [(x1, s1, t1), (x2, s2, t2)])     two graphs
    y = net(*batch.inputs, **batch.offsets)
    batch.split(y, "N")                                   what each of them has
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from catdl.data.nested import trees
from catdl.data.tree import Tree
from catdl.types.dtypes import storage
from catdl.types.ragged import fin, rows
from catdl.types.sizes import short
from catdl.types.types import Leaf, show_leaf

DTYPES = {"int": torch.int64, "bool": torch.bool}


class Port(NamedTuple):
    """An input of a morphism: its type, and its name if it has one."""

    leaf: Leaf
    name: str | None = None


class Batch(NamedTuple):
    """Packed inputs in the order of the ports, and the offsets of each var dim by its name."""

    inputs: tuple[Tensor | Tree, ...]
    offsets: dict[str, Tensor]

    def to(self, *args: Any, **kwargs: Any) -> Batch:
        """The batch on another device or, in its real numbers, in another dtype; arguments as `Tensor.to` has."""

        def moved(x: Tensor) -> Tensor:
            found: Tensor = x.to(*args, **kwargs)
            return found if x.is_floating_point() else found.to(x.dtype)

        inputs = tuple(x.to(*args, **kwargs) if isinstance(x, Tree) else moved(x) for x in self.inputs)
        return Batch(inputs, {name: moved(at) for name, at in self.offsets.items()})

    def split(self, x: Tensor, dim: str) -> tuple[Tensor, ...]:
        """What each sample has of a tensor that is packed along a var dim."""
        parts: tuple[Tensor, ...] = x.split(self.offsets[dim].diff().tolist())
        return parts


def offsets_of(sizes: Iterable[int] | Tensor) -> Tensor:
    """Where each sample begins, and where the last ends: [0, 3, 3, 7] for the sizes 3, 0 and 4."""
    counts = sizes if isinstance(sizes, Tensor) else torch.tensor(list(sizes), dtype=torch.int64)
    return torch.cat((counts.new_zeros(1), counts.cumsum(0))).to(torch.int64)


def from_padded(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """[B, L, …] with the length of each sample, or a mask [B, L] of what is there: packed, and its offsets.

    Elements that are there need not come first. What stands in the padding is not looked at.
    """
    keep = lengths if lengths.dtype == torch.bool else torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    if keep.shape != x.shape[:2]:
        raise ValueError(f"lengths [B] or a mask [B, L] of {tuple(x.shape)} are needed, got {tuple(lengths.shape)}")
    if lengths.dtype != torch.bool and bool(((lengths < 0) | (lengths > x.shape[1])).any()):
        raise ValueError(f"a length lies between 0 and {x.shape[1]}, got {lengths.tolist()}")
    return x[keep], offsets_of(keep.sum(1))


def from_nested(x: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor of `torch.nested`: packed, and its offsets."""
    if not x.is_nested:
        raise ValueError("this is no nested tensor")
    if x.layout == torch.jagged:
        jagged: Any = x
        return jagged.values(), jagged.offsets().to(torch.int64)
    parts = x.unbind()
    return torch.cat(parts), offsets_of(len(part) for part in parts)


def from_graphs(batch: Any, nodes: str = "N", edges: str = "E", *more: str) -> Batch:
    """A batch of `torch_geometric`: `x`, the sources and the targets of its edges, and other fields of its nodes.

    Anything with `x`, `edge_index` and `ptr`, or `batch` in the place of `ptr`, is one. Edges are put in the order of
    their graphs. `nodes` and `edges` are the var dims that they are in the spec.
    """
    ptr = getattr(batch, "ptr", None)
    starts = offsets_of(torch.bincount(batch.batch)) if ptr is None else ptr.to(torch.int64)
    source, target = batch.edge_index
    graph = torch.bucketize(source, starts[1:], right=True)
    order = graph.argsort(stable=True)
    counts = torch.bincount(graph, minlength=len(starts) - 1)
    fields = (getattr(batch, name) for name in more)
    return Batch((batch.x, source[order], target[order], *fields), {nodes: starts, edges: offsets_of(counts)})


def from_networkx(graph: Any, x: str = "x") -> tuple[Tensor, Tensor, Tensor]:
    """One sample of a networkx graph: the attribute `x` of its nodes, the sources and the targets of its edges.

    An edge of an undirected graph is two.
    """
    place = {node: k for k, node in enumerate(graph)}
    features = torch.stack([torch.as_tensor(value) for _, value in graph.nodes(data=x)]) if place else torch.zeros(0)
    pairs = [(place[a], place[b]) for a, b in graph.edges()]
    if not graph.is_directed():
        pairs += [(b, a) for a, b in pairs if a != b]
    both = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return features, both[:, 0].contiguous(), both[:, 1].contiguous()


def pack(ports: Sequence[Port], samples: Iterable[Any], grown: Mapping[str, int] | None = None) -> Batch:
    """Samples as a batch for these ports. A sample holds what each port is given, in order or by name.

    `grown` are the var dims of the nodes of trees, with the ports of these: their offsets need not be given.

    Values are tensors, arrays or nested lists, as one sample has them; of one port a sample may be the value itself.
    Raises ValueError where a sample does not fit, and says which.
    """
    listed = [_values(ports, sample, k) for k, sample in enumerate(samples)]
    forests = {p: trees(form, [values[p] for values in listed]) for p, port in enumerate(ports)
               if (form := port.leaf.kind.form) is not None}  # fmt: skip
    columns = [
        [] if p in forests else [_tensor(port, values[p], k) for k, values in enumerate(listed)]
        for p, port in enumerate(ports)
    ]
    sizes = {dim: forests[p].offsets.diff().tolist() for dim, p in (grown or {}).items()}
    for port, column in zip(ports, columns, strict=True):
        dim = rows(port.leaf)
        if dim is None:
            continue
        found = [len(x) for x in column]
        known = sizes.setdefault(dim, found)
        for k, (here, there) in enumerate(zip(found, known, strict=True)):
            if here != there:
                raise ValueError(f"sample {k}: {_called(ports, port)} has {here} along {short(dim)}, another {there}")
    for port in ports:
        index = fin(port.leaf)
        if index is not None and index not in sizes:
            raise ValueError(f"no input has the axis {short(index)}, which {_called(ports, port)} is an index of")
    starts = {dim: offsets_of(found) for dim, found in sizes.items()}
    inputs = [
        forests[p] if p in forests else _packed(ports, port, column, starts)
        for p, (port, column) in enumerate(zip(ports, columns, strict=True))
    ]
    return Batch(tuple(inputs), {short(dim): at for dim, at in starts.items() if dim not in (grown or {})})


def _values(ports: Sequence[Port], sample: Any, k: int) -> list[Any]:
    """What a sample gives to each port."""
    if isinstance(sample, Mapping):
        names = [port.name for port in ports]
        if set(names) != set(sample):
            raise ValueError(f"sample {k} has {_listed(sample)}, and the inputs are {_listed(names)}")
        return [sample[name] for name in names]
    if len(ports) == 1 and not (isinstance(sample, tuple) and len(sample) == 1):
        return [sample]
    if not isinstance(sample, tuple | list) or len(sample) != len(ports):
        count = len(sample) if isinstance(sample, tuple | list) else 1
        raise ValueError(f"sample {k} has {count} values, and there are {len(ports)} inputs")
    return list(sample)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(str(name) for name in names) or "nothing"


def _called(ports: Sequence[Port], port: Port) -> str:
    return port.name or f"input {list(ports).index(port)}"


def _tensor(port: Port, value: Any, k: int) -> Tensor:
    """A value as the tensor that a port wants of one sample."""
    wanted = DTYPES.get(storage(port.leaf.kind))
    try:
        x = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"sample {k}: {port.name or 'an input'} is no tensor: {error}") from None
    own = len(port.leaf.axes)
    if x.numel() == 0 and x.ndim < own:
        sizes = [axis.size if isinstance(axis.size, int) else 0 for axis in port.leaf.axes]  # type: ignore[union-attr]
        x = x.reshape(0, *sizes[1:])
    if wanted is None:
        real = x.is_floating_point() and isinstance(value, Tensor)  # a list or an array says no dtype of the module's
        x = x if real or x.is_complex() else x.to(torch.get_default_dtype())
    elif x.numel() == 0 or (x.dtype != wanted and wanted == torch.int64 and not x.is_floating_point()):
        x = x.to(wanted)
    if x.ndim != own or (wanted is not None and x.dtype != wanted):
        found = f"{tuple(x.shape)} in {x.dtype}"
        raise ValueError(f"sample {k}: {port.name or 'an input'} must be {show_leaf(port.leaf)}, got {found}")
    return x


def _packed(ports: Sequence[Port], port: Port, column: list[Tensor], starts: Mapping[str, Tensor]) -> Tensor:
    """What all samples give to a port as one tensor."""
    index = fin(port.leaf)
    if index is not None:
        at = starts[index].tolist()
        for k, x in enumerate(column):
            size = at[k + 1] - at[k]
            if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < size:
                worst = int(x.max()) if int(x.max()) >= size else int(x.min())
                raise ValueError(f"sample {k}: {_called(ports, port)} holds {worst}, and it has {size} {short(index)}")
        column = [x + start for x, start in zip(column, at[:-1], strict=True)]
    if not column:
        sizes = [axis.size if isinstance(axis.size, int) else 0 for axis in port.leaf.axes]  # type: ignore[union-attr]
        lead = [0] if rows(port.leaf) is None else []
        dtype = DTYPES.get(storage(port.leaf.kind), torch.get_default_dtype())
        return torch.zeros(*lead, *sizes, dtype=dtype)
    try:
        return torch.cat(column) if rows(port.leaf) is not None else torch.stack(column)
    except RuntimeError as error:
        raise ValueError(f"the samples of {_called(ports, port)} do not fit together: {error}") from None
