"""Trees from nested tuples, s-expressions and graphs, and back; batches; what is no tree."""

from __future__ import annotations

import pickle
import random
from typing import Any

import networkx as nx
import pytest
import torch

from catdl.data.nested import At, Flat, batch, graph, nested, sexpr, trees
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


MANY = Child((Axis("K", ragged("m::K")),))
FAMILY = Form("Family", ((fin(10), MANY),))
MIXED = Form("Mixed", ((fin(20),), (fin(3), MANY), (MANY, fin(9), X)))
FAMILIES = "(3 4 (5 6) 7) 8 (0 (1 (2 (3 4 4))) 9)"


def test_the_children_of_a_row_stand_one_after_the_other() -> None:
    tree = trees(FAMILY, sexpr(FAMILIES))
    bracketed = [
        (3, [(4, []), (5, [(6, [])]), (7, [])]),
        (8, []),
        (0, [(1, [(2, [(3, [(4, []), (4, [])])])]), (9, [])]),
    ]
    assert nested(FAMILY, tree) == bracketed
    assert nested(FAMILY, tree, flat=True) == sexpr(FAMILIES)
    again = trees(FAMILY, bracketed)
    assert torch.equal(tree.tags, again.tags)
    assert torch.equal(tree.lengths[0][0], again.lengths[0][0])
    assert torch.equal(tree.constants[0][0], again.constants[0][0])


def test_words_of_rows() -> None:
    tree = trees(FAMILY, sexpr("(S (NP the cat) (VP sat))"), {"S": 0, "NP": 1, "VP": 2, "the": 3, "cat": 4, "sat": 5})
    assert nested(FAMILY, tree, flat=True) == sexpr("(0 (1 3 4) (2 5))")


def test_a_row_beside_other_parts() -> None:
    given = [5, (1, [5, (2, []), ([], 8, 19)]), ([3, 3], 0, (0, []))]
    tree = trees(MIXED, given)
    assert nested(MIXED, tree) == given
    flat = nested(MIXED, tree, flat=True)
    assert flat[0] == 5
    assert flat[1].summand == 1  # (1 5 (2) (8 19)), were it written so, might be of the third summand
    assert nested(MIXED, trees(MIXED, flat)) == given
    with pytest.raises(ValueError, match=r"a node with 4 parts may be of several .*; write At\(1, …\) or At\(2, …\)"):
        trees(MIXED, sexpr("(1 2 3 4)"))
    with pytest.raises(ValueError, match="a node with 0 parts is none of Family"):
        trees(FAMILY, sexpr("()"))


def random_family(rng: random.Random, depth: int) -> Any:
    children = [random_family(rng, depth - 1) for _ in range(rng.randrange(4) if depth else 0)]
    return Flat((rng.randrange(10), *children)) if children else rng.randrange(10)


@pytest.mark.parametrize("seed", range(5))
def test_families_there_and_back(seed: int) -> None:
    rng = random.Random(seed)
    values = [random_family(rng, 4) for _ in range(12)]
    tree = trees(FAMILY, values)
    assert nested(FAMILY, tree, flat=True) == values
    assert trees(FAMILY, nested(FAMILY, tree)).tags.tolist() == tree.tags.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_a_graph_of_any_number_of_children(seed: int) -> None:
    rng = random.Random(seed)
    tree = nx.DiGraph()
    tree.add_node(0, label=(3, [0.0, 0.5]))
    for node in range(1, 40):
        tree.add_node(node, label=(rng.randrange(10), [rng.random(), rng.random()]))
        tree.add_edge(rng.randrange(node), node)
    form = Form("Labelled", ((fin(10), real(ax("A", 2)), MANY),))
    made = trees(form, [graph(tree)])
    assert len(made.tags) == 40
    order = list(nx.bfs_tree(tree, 0))
    assert made.constants[0][0].tolist() == [tree.nodes[node]["label"][0] for node in order]
    assert torch.allclose(made.constants[0][1], torch.tensor([tree.nodes[node]["label"][1] for node in order]))
    assert made.lengths[0][0].tolist() == [tree.out_degree(node) for node in order]


def test_a_leaf_of_a_graph_may_hold_a_vector() -> None:
    tree = nx.DiGraph([("r", "a")])
    nx.set_node_attributes(tree, {"r": [1.0, 2.0], "a": [3.0, 4.0]}, "label")
    form = Form("Labelled", ((real(ax("A", 2)), MANY),))
    assert trees(form, [graph(tree)]).constants[0][0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_families_as_deep_as_one_likes() -> None:
    depth = 20_000
    made = trees(FAMILY, sexpr("(1 2 " * depth + "3" + ")" * depth))
    assert len(made.tags) == 2 * depth + 1
    assert trees(FAMILY, nested(FAMILY, made)).lengths[0][0].tolist() == made.lengths[0][0].tolist()
