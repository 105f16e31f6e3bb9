"""A fold over trees by its meaning: node by node, each after its children.

results = yield from fold_trees(op, trees, captured, run, at_node)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias

import torch

from catdl.data.tree import Tree
from catdl.diagram.drive import Work
from catdl.diagram.interpret_core import Run, Value
from catdl.diagram.legs import carriers, leg
from catdl.diagram.model import Diagram, TreeFold
from catdl.types.types import Child, Leaf

Results: TypeAlias = list[Value]
AtNode: TypeAlias = "Callable[[Diagram, Results, Run], Work[Results]]"


def fold_trees(
    op: TreeFold, tree: Tree, captured: Sequence[Value], run: Run, at_node: AtNode
) -> Generator[Work[Results], Results, Results]:
    """The carrier at the root of each tree, or at every node; `at_node` runs a leg on what stands at a node."""
    legs = [leg(op, summand) for summand in range(len(op.form.summands))]
    tags: list[int] = tree.tags.tolist()
    single = run.with_batch(())
    sample = _samples(op, tags, tree.count)
    fields = [[iter(reversed(part.unbind())) for part in parts] for parts in tree.constants]
    made: list[Results] = [[] for _ in tags]
    last = len(tags)  # where the children of the nodes after this one start
    for node in range(len(tags) - 1, -1, -1):
        tag = tags[node]
        last -= _arity(op, tag)
        ins: Results = []
        child, field = last, iter(fields[tag])
        for item in op.form.summands[tag]:
            if isinstance(item, Leaf):
                ins.append(Value(next(next(field)), True))
                continue
            states = made[child : child + item.count]
            child += len(states)
            for k in range(carriers(op)):
                whole = torch.stack([state[k].tensor for state in states])
                ins.append(Value(whole.reshape(*item.sizes, *whole.shape[1:]), True))
        ins += [Value(v.tensor[sample[node]], True) if v.batched else v for v in captured]
        made[node] = yield at_node(legs[tag], ins, single)
    if op.axis is None:
        return [Value(torch.stack([each[k].tensor for each in made[: tree.count]]), True) for k in range(carriers(op))]
    order = sorted(range(len(made)), key=sample.__getitem__)  # of each tree, in one run all of one size
    results = []
    for k in range(carriers(op)):
        whole = torch.stack([made[node][k].tensor for node in order])
        results.append(Value(whole.unflatten(0, (tree.count, -1)), True))
    return results


def _samples(op: TreeFold, tags: list[int], count: int) -> list[int]:
    """The tree that each node stands in."""
    sample = list(range(count))
    for node, tag in enumerate(tags):
        sample += [sample[node]] * _arity(op, tag)
    return sample


def _arity(op: TreeFold, tag: int) -> int:
    return sum(item.count for item in op.form.summands[tag] if isinstance(item, Child))
