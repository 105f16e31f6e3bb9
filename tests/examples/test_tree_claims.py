"""What the examples of trees claim: TreeLSTM is that of the paper, and the value of an expression can be learned."""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

import catdl
from catdl.data.nested import sexpr
from tests.examples.test_claims import FOLDER, compiled

OPERATIONS = {"+": 0, "-": 1, "*": 2}


def grown(rng: random.Random, leaves: int) -> Any:
    """A random expression."""
    if leaves == 1:
        return rng.randrange(10)
    left = rng.randrange(1, leaves)
    return (rng.choice("+-*"), grown(rng, left), grown(rng, leaves - left))


def value_of(expr: Any) -> int:
    if isinstance(expr, int):
        return expr
    op, left, right = expr[0], value_of(expr[1]), value_of(expr[2])
    return left + right if op == "+" else left - right if op == "-" else left * right


def binary(rng: random.Random, leaves: int) -> Any:
    if leaves == 1:
        return rng.randrange(1000)
    left = rng.randrange(1, leaves)
    return (binary(rng, left), binary(rng, leaves - left))


def node_by_node(model: Any, tree: Any) -> tuple[Tensor, Tensor]:
    """The equations of the paper, recursively."""
    m = model.treelstm
    if isinstance(tree, int):
        x = m.embed.weight[tree]
        c = torch.sigmoid(m.leaf_i(x)) * torch.tanh(m.leaf_u(x))
        return torch.sigmoid(m.leaf_o(x)) * torch.tanh(c), c
    (hl, cl), (hr, cr) = node_by_node(model, tree[0]), node_by_node(model, tree[1])
    i, f, g, o, u = (m.left(hl) + m.right(hr)).chunk(5)
    c = torch.sigmoid(i) * torch.tanh(u) + torch.sigmoid(f) * cl + torch.sigmoid(g) * cr
    return torch.sigmoid(o) * torch.tanh(c), c


def test_treelstm_is_that_of_the_paper() -> None:
    rng = random.Random(0)
    sentences = [binary(rng, rng.randrange(1, 30)) for _ in range(12)]
    model: Any = compiled("treelstm", "sentiment")
    batch = catdl.load(FOLDER / "treelstm.cat")["sentiment"].trees(sentences)
    found = model(batch)
    wanted = torch.stack([model.linear(node_by_node(model, tree)[0]) for tree in sentences])
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    seed = torch.randn_like(found)
    ours = torch.autograd.grad(found, [*model.parameters()], seed)
    theirs = torch.autograd.grad(wanted, [*model.parameters()], seed)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def phrase(rng: random.Random, depth: int) -> Any:
    """A random tree of dependencies: a word and what hangs on it."""
    return (rng.randrange(1000), [phrase(rng, depth - 1) for _ in range(rng.randrange(4) if depth else 0)])


def child_sum(m: Any, tree: Any, states: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The equations of the paper, recursively; every state is kept, those of children first."""
    word, children = tree
    x = m.embed.weight[word]
    below = [child_sum(m, child, states) for child in children]
    h = sum((h for h, _ in below), torch.zeros_like(x))
    i, o, u = (m.gates_x(x) + m.gates_h(h)).chunk(3)
    c = torch.sigmoid(i) * torch.tanh(u)
    for h_k, c_k in below:
        c = c + torch.sigmoid(m.forget_x(x) + m.forget_h(h_k)) * c_k
    states.append(torch.sigmoid(o) * torch.tanh(c))
    return states[-1], c


def sorted_rows(x: Tensor) -> Tensor:
    """Rows in an order of their own."""
    return x[x[:, 0].argsort()]


def test_child_sum_treelstm_is_that_of_the_paper() -> None:
    rng = random.Random(0)
    sentences = [phrase(rng, depth) for depth in (0, 1, 2, 3, 4, 4, 0)]
    model: Any = compiled("childsum", "sentiment")
    spec = catdl.load(FOLDER / "childsum.cat")
    batch = spec["sentiment"].trees(sentences)
    every: list[list[Tensor]] = [[] for _ in sentences]
    found = model(batch)
    roots = [child_sum(model.childsum, tree, states)[0] for tree, states in zip(sentences, every, strict=True)]
    wanted = torch.stack([model.linear(h) for h in roots])
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)
    seed = torch.randn_like(found)
    ours = torch.autograd.grad(found, [*model.parameters()], seed)
    theirs = torch.autograd.grad(wanted, [*model.parameters()], seed)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    phrases: Any = compiled("childsum", "phrases")
    phrases.load_state_dict(model.state_dict())
    nodes = phrases(batch).split(batch.offsets.diff().tolist())
    for k, (mine, states) in enumerate(zip(nodes, every, strict=True)):
        torch.testing.assert_close(mine[0], wanted[k], rtol=1e-10, atol=1e-10)
        theirs_sorted = sorted_rows(torch.stack([model.linear(h) for h in states]))
        torch.testing.assert_close(sorted_rows(mine), theirs_sorted, rtol=1e-10, atol=1e-10)


def test_the_value_of_small_expressions_is_learned() -> None:
    """Trained on sums, differences and products of up to three digits, it reads those that it has not seen."""
    spec = catdl.load(FOLDER / "arithmetic.cat")["value"]
    torch.manual_seed(0)
    model = spec.compile()
    rng = random.Random(0)
    distinct = list({str(e): e for e in (grown(rng, rng.randrange(1, 4)) for _ in range(6000))}.values())
    rng.shuffle(distinct)
    held_out, seen = distinct[:400], distinct[400:]
    targets = torch.tensor([value_of(e) for e in seen], dtype=torch.float32).div(50)
    wanted = torch.tensor([value_of(e) for e in held_out], dtype=torch.float32).div(50)

    def unexplained() -> Tensor:
        """The part of the variance that is left."""
        with torch.no_grad():
            found: Tensor = model(spec.trees(held_out, OPERATIONS))
            return (found - wanted).square().mean() / wanted.var()

    assert unexplained() > 0.9
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=400)
    for _ in range(400):
        chosen = rng.sample(range(len(seen)), 256)
        batch = spec.trees([seen[k] for k in chosen], OPERATIONS)
        loss = (model(batch) - targets[chosen]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    assert unexplained() < 0.1


def test_an_expression_is_read_from_text() -> None:
    spec = catdl.load(FOLDER / "arithmetic.cat")["value"]
    batch = spec.trees(sexpr("(+ 1 (* 2 3)) 7"), OPERATIONS)
    assert repr(batch) == "<2 trees, 6 nodes of Expr(X) = Fin(10) + Fin(3) @ X @ X>"
    assert spec.compile()(batch).shape == (2,)
