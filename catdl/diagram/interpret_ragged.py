"""The meaning of a Diagram with var dims: every sample by itself.

Takes packed tensors, the elements of all samples one after the other, and the offsets of every var dim; runs the
reference interpreter on each sample apart and packs what comes out. Indices of elements count through the whole batch
outside and from 0 inside a sample. A free dim that a var dim is padded to is as large as the largest sample.

    interpret_ragged(pool, (x,), params, {"N": tensor([0, 3, 3, 7])})     three samples, of 3, 0 and 4 elements
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from catdl.data.tree import Tree
from catdl.diagram.interpret import interpret
from catdl.diagram.model import Core, Diagram
from catdl.diagram.params import post_order
from catdl.diagram.told import by_trees, padded
from catdl.types.ragged import fin, of_leaves, places, rows
from catdl.types.sizes import short
from catdl.types.types import Leaf


def interpret_ragged(
    diagram: Diagram,
    inputs: Sequence[Tensor | Tree],
    params: Mapping[str, Tensor],
    offsets: Mapping[str, Tensor],
    *,
    training: bool = False,
) -> tuple[Tensor, ...]:
    """The outputs, packed along their var axes, with one batch axis where they have none."""
    if training and any(isinstance(b.op, Core) and b.op.name == "across" for d in post_order(diagram) for b in d.boxes):
        raise NotImplementedError("what crosses the batch has no meaning for one sample")
    dims = sorted(of_leaves(wire.type for inner in post_order(diagram) for wire in inner.wires))
    grown = {dim: at[0] for dim, at in by_trees(diagram).items()}
    starts = {dim: _starts(dim, grown, inputs, offsets) for dim in dims if dim in grown or short(dim) in offsets}
    count = len(next(iter(starts.values()))) - 1
    largest = {dim: max((b - a for a, b in pairwise(at)), default=0) for dim, at in starts.items()}
    free = {dim: max(largest[name] for name in names) for dim, names in padded(diagram).items()}
    results: list[tuple[Tensor, ...]] = []
    for k in range(count):
        sizes = {dim: at[k + 1] - at[k] for dim, at in starts.items()}
        given: list[Tensor | Tree] = []
        for wire, tensor in zip(diagram.inputs, inputs, strict=True):
            if isinstance(tensor, Tree):
                given.append(tensor.one(k))
                continue
            leaf, constant = diagram.wires[wire].type, diagram.wires[wire].constant
            dim, index = rows(leaf), fin(leaf)
            own = tensor if constant else tensor[k] if dim is None else tensor[starts[dim][k] : starts[dim][k + 1]]
            own = own if index is None else own - starts[index][k]
            given.append(own if constant else own[None])
        outs = interpret(diagram, given, params, training=training, batch=(1,), dims={**free, **sizes})
        shown = zip(outs, _outputs(diagram), strict=True)
        results.append(tuple(_global(out[0], leaf, starts, k) for out, leaf in shown))
    return tuple(
        torch.cat(column) if rows(leaf) is not None else torch.stack(column)
        for column, leaf in zip(zip(*results, strict=True), _outputs(diagram), strict=True)
    )


def _starts(
    dim: str, grown: Mapping[str, int], inputs: Sequence[Tensor | Tree], offsets: Mapping[str, Tensor]
) -> list[int]:
    """Where samples begin along a var dim: given, or told by trees."""
    tree = inputs[grown[dim]] if dim in grown else None
    found: list[int] = (offsets[short(dim)] if not isinstance(tree, Tree) else tree.offsets).tolist()
    return found


def _outputs(diagram: Diagram) -> list[Leaf]:
    return [diagram.wires[wire].type for wire in diagram.outputs]


def _global(out: Tensor, leaf: Leaf, starts: Mapping[str, list[int]], k: int) -> Tensor:
    """A result of one sample with its var axis in front and its indices counted through the batch."""
    index = fin(leaf)
    out = out if index is None else out + starts[index][k]
    return out.movedim(places(leaf)[0], 0) if rows(leaf) is not None else out
