"""Trees from nested tuples, s-expressions and graphs, and back; batches; what is no tree."""

from __future__ import annotations

import pickle
import random
from typing import Any

import networkx as nx
import pytest
import torch

from catdl.data.nested import At, batch, graph, nested, sexpr, trees
from catdl.types.ragged import ragged
from catdl.types.types import Axis, Child, Form
from tests.diagram.by_hand import ax, fin, real

X = Child()
EXPR = Form("e::Expr", ((fin(10),), (fin(3), X, X)))
WORDS = {"+": 0, "-": 1, "*": 2}
TEXT = "(+ 1 (* 2 3)) 7 (* (+ 1 1) (+ 2 (* 3 4)))"


def random_expr(rng: random.Random, leaves: int) -> Any:
    if leaves == 1:
        return rng.randrange(10)
    left = rng.randrange(1, leaves)
    return (rng.randrange(3), random_expr(rng, left), random_expr(rng, leaves - left))


def test_nodes_stand_breadth_first() -> None:
    tree = trees(EXPR, sexpr(TEXT), WORDS)
    assert tree.tags.tolist() == [1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0]
    assert tree.constants[0][0].tolist() == [7, 1, 2, 3, 1, 1, 2, 3, 4]
    assert tree.constants[1][0].tolist() == [0, 2, 2, 0, 0, 2]
    assert repr(tree) == "<3 trees, 15 nodes of Expr(X) = Fin(10) + Fin(3) @ X @ X>"


def test_there_and_back() -> None:
    rng = random.Random(0)
    values = [random_expr(rng, rng.randrange(1, 30)) for _ in range(20)]
    assert nested(EXPR, trees(EXPR, values)) == values


def test_a_batch_of_batches_is_one_batch() -> None:
    rng = random.Random(1)
    values = [random_expr(rng, rng.randrange(1, 30)) for _ in range(9)]
    whole = trees(EXPR, values)
    joined = batch([trees(EXPR, values[:2]), trees(EXPR, []), trees(EXPR, values[2:])])
    assert torch.equal(joined.tags, whole.tags)
    assert nested(EXPR, joined) == values
    with pytest.raises(ValueError, match="different functors"):
        batch([whole, trees(Form("Other", ((fin(10),), (X, X))), [3])])


def test_summands_alike_are_told_by_at() -> None:
    alike = Form("Alike", ((fin(4),), (fin(2), X, X), (fin(3), X, X), ()))
    values = [At(1, 1, 3, At(2, 2, None, 0)), None]
    assert nested(alike, trees(alike, values)) == values
    with pytest.raises(ValueError, match=r"tree 0: a node with 3 parts may be of several .*; write At\(1, …\) or At\("):
        trees(alike, [(1, 3, 0)])


def test_children_at_an_axis_and_tensors_at_a_node() -> None:
    form = Form("Quad", ((real(ax("A", 2)),), (real(), Child((ax("I", 2), ax("J", 2))))))
    leaves = [torch.tensor([float(k), 0.5]) for k in range(4)]
    value = (2.5, ((leaves[0], leaves[1]), (leaves[2], leaves[3])))
    tree = trees(form, [value])
    assert tree.constants[0][0].tolist() == [[0.0, 0.5], [1.0, 0.5], [2.0, 0.5], [3.0, 0.5]]
    (back,) = nested(form, tree)
    assert back[0] == 2.5
    assert [leaf.tolist() for row in back[1] for leaf in row] == tree.constants[0][0].tolist()
    with pytest.raises(ValueError, match="tree 0: a place for 2 children holds 1"):
        trees(form, [(2.5, ((leaves[0], leaves[1]),))])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (("+", 1, (1, 2, 30)), "tree 0, node 1.1: 30 is no Fin\\(10\\)"),
        (("/", 1, 2), "tree 0: no number is known for the word `/`"),
        ((0, 1), "tree 0: a node with 2 parts is none of Expr"),
        ((0, 1, True), "tree 0, node 1: True is no Fin\\(10\\)"),
        ((0, 1, 2.5), "tree 0, node 1: 2.5 is no Fin\\(10\\)"),
        (At(5, 1), "tree 0: no summand 5 with 1 part in Expr"),
        ({}, "tree 0: dict is no Fin\\(10\\)"),
    ],
)
def test_what_is_no_tree(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trees(EXPR, [value], WORDS)


def test_brackets_are_counted() -> None:
    assert sexpr("(a (b) -2 0.5) ()") == [("a", ("b",), -2, 0.5), ()]
    with pytest.raises(ValueError, match="2 brackets are never closed"):
        sexpr("(+ (1 2")
    with pytest.raises(ValueError, match="never opened"):
        sexpr("1)")


def test_a_graph_is_a_tree() -> None:
    tree = nx.DiGraph([("r", "a"), ("r", "b"), ("b", "c"), ("b", "d")])
    nx.set_node_attributes(tree, {"r": 0, "a": 4, "b": 2, "c": 5, "d": 6}, "label")
    value = graph(tree)
    assert value == (0, 4, (2, 5, 6))
    assert nested(EXPR, trees(EXPR, [value])) == [value]
    with pytest.raises(ValueError, match="more than one parent"):
        graph(nx.DiGraph([("r", "a"), ("r", "b"), ("a", "c"), ("b", "c")]))
    with pytest.raises(ValueError, match="one root, this graph 2 nodes"):
        graph(nx.DiGraph([("r", "a"), ("s", "b")]))


def test_it_moves_and_pickles() -> None:
    form = Form("Real", ((real(),), (fin(2), X)))
    tree = trees(form, [(1, 0.5), 2.0]).to(torch.float64)
    assert tree.constants[0][0].dtype == torch.float64
    assert tree.constants[1][0].dtype == tree.tags.dtype == torch.int64
    copy = pickle.loads(pickle.dumps(tree))
    assert nested(form, copy) == [(1, 0.5), 2.0]
    assert copy.shape == (2,)


def test_deep_trees_need_no_stack() -> None:
    value: Any = 1
    for _ in range(20_000):
        value = (0, 2, value)
    tree = trees(EXPR, [value])
    assert len(tree.tags) == 40_001
    (back,) = nested(EXPR, tree)
    for _ in range(20_000):
        back = back[2]
    assert back == 1


ROSE = Form("e::Rose", ((fin(10), Child((Axis("K", ragged("e::K")),))), (fin(3), X, X)))


def test_a_node_may_have_a_row_of_children() -> None:
    values: list[Any] = [At(0, 7, [At(0, 1, []), At(1, 2, At(0, 3, []), At(0, 4, [At(0, 5, [])])), At(0, 6, [])])]
    values += [At(0, 8, []), At(1, 0, At(0, 1, []), At(0, 2, []))]
    tree = trees(ROSE, values)
    assert tree.lengths[0][0].tolist() == [3, 0, 0, 0, 0, 0, 0, 1, 0]
    assert tree.arities.sum() == len(tree.tags) - 3
    assert nested(ROSE, tree) == values
    assert nested(ROSE, batch([trees(ROSE, values[:1]), trees(ROSE, values[1:])])) == values
    assert [nested(ROSE, tree.one(k)) for k in range(3)] == [[value] for value in values]
    with pytest.raises(ValueError, match="tree 0: a place for a row of children holds int"):
        trees(ROSE, [At(0, 7, 3)])
