"""A fold over trees by its meaning: node by node, each after its children.

results = yield from fold_trees(op, trees, captured, run, at_node)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import prod
from typing import TypeAlias

import torch

from catdl.data.tree import Tree
from catdl.diagram.drive import Work
from catdl.diagram.interpret_core import Run, Value, no_steps
from catdl.diagram.legs import carriers, leg
from catdl.diagram.model import Diagram, TreeFold
from catdl.types.ragged import row
from catdl.types.types import Axis, Leaf

Results: TypeAlias = list[Value]
AtNode: TypeAlias = "Callable[[Diagram, Results, Run], Work[Results]]"


def fold_trees(
    op: TreeFold, tree: Tree, captured: Sequence[Value], run: Run, at_node: AtNode
) -> Generator[Work[Results], Results, Results]:
    """The carrier at the root of each tree, or at every node; `at_node` runs a leg on what stands at a node."""
    legs = [leg(op, summand) for summand in range(len(op.form.summands))]
    tags: list[int] = tree.tags.tolist()
    single = run.with_batch(())
    arities: list[int] = tree.arities.tolist()
    sample = _samples(arities, tree.count)
    fields = [[iter(reversed(part.unbind())) for part in parts] for parts in tree.constants]
    lengths = [[iter(reversed(part.tolist())) for part in parts] for parts in tree.lengths]
    made: list[Results] = [[] for _ in tags]
    last = len(tags)  # where the children of the nodes after this one start
    for node in range(len(tags) - 1, -1, -1):
        tag = tags[node]
        last -= arities[node]
        ins: Results = []
        child, field, length, dims = last, iter(fields[tag]), iter(lengths[tag]), dict(run.dims)
        for item in op.form.summands[tag]:
            if isinstance(item, Leaf):
                ins.append(Value(next(next(field)), True))
                continue
            sizes = item.sizes
            if item.row is not None:
                sizes = (next(next(length)),)
                dims[_dim(item.row)] = sizes[0]
            states = made[child : child + prod(sizes)]
            child += len(states)
            for k in range(carriers(op)):
                some = [state[k].tensor for state in states]
                whole = torch.stack(some) if some else no_steps(op.body.wires[op.body.outputs[k]], single).tensor
                ins.append(Value(whole.reshape(*sizes, *whole.shape[1:]), True))
        ins += [Value(v.tensor[sample[node]], True) if v.batched else v for v in captured]
        made[node] = yield at_node(legs[tag], ins, single.with_dims(dims))
    if op.axis is None:
        return [Value(torch.stack([each[k].tensor for each in made[: tree.count]]), True) for k in range(carriers(op))]
    order = sorted(range(len(made)), key=sample.__getitem__)  # of each tree, in one run all of one size
    results = []
    for k in range(carriers(op)):
        whole = torch.stack([made[node][k].tensor for node in order])
        results.append(Value(whole.unflatten(0, (tree.count, -1)), True))
    return results


def _samples(arities: list[int], count: int) -> list[int]:
    """The tree that each node stands in."""
    sample = list(range(count))
    for node, arity in enumerate(arities):
        sample += [sample[node]] * arity
    return sample


def _dim(axis: Axis) -> str:
    name = row(axis.size)
    assert name is not None
    return name
