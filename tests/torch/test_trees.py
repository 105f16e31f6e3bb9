"""`TreeFold` on diagrams made by hand: node by node, level by level, keys, and what the text looks like."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import catdl
from catdl.analysis.cost import flops
from catdl.data.nested import At, trees
from catdl.data.tree import Tree
from catdl.diagram.interpret import interpret
from catdl.diagram.model import Diagram, TreeFold
from catdl.diagram.params import parameters
from catdl.diagram.verify import BrokenDiagram, verify
from catdl.torch.build import build, source
from catdl.types.sizes import show
from catdl.types.types import Child, Form, Kind, Leaf
from tests.diagram.by_hand import Hand, ax, fin, linear, real

A, H = ax("A", 3), ax("H", 4)
X = Child()
BINARY = Form("Binary", ((real(A),), (X, X)))
LABELLED = Form("Labelled", ((fin(5),), (fin(3), X, X), (X,), ()))
FAMILY = Form("Family", ((real(A),), (real(), Child((ax("I", 3),))), (X, real(A), X)))


def mu(form: Form) -> Leaf:
    return Leaf(Kind("mu", form=form), ())


def table(d: Hand, index: int, count: int, path: str) -> int:
    return d.core("gather", (d.local(path, real(ax("V", count), H)), index), real(H), axis=0)


def added(d: Hand, *wires: int) -> int:
    first, *rest = wires
    for wire in rest:
        first = d.point("add", (first, wire), real(H))
    return first


def tanh(d: Hand, wire: int) -> int:
    return d.point("tanh", (wire,), real(H))


def binary() -> Diagram:
    """Two legs: a leaf's projection, a node's two children."""
    d = Hand("cell")
    a, left, right = d.input(real(A), "a"), d.input(real(H), "left"), d.input(real(H), "right")
    node = tanh(d, added(d, linear(d, left, H, "left"), linear(d, right, H, "right", bias=False)))
    return d.done(linear(d, a, H, "leaf"), node)


def labelled() -> Diagram:
    """Four legs; the last has nothing to start from, the one before one child."""
    d = Hand("cell")
    word, op = d.input(fin(5), "word"), d.input(fin(3), "op")
    left, right, only = d.input(real(H), "left"), d.input(real(H), "right"), d.input(real(H), "only")
    node = tanh(d, added(d, linear(d, left, H, "left"), linear(d, right, H, "right"), table(d, op, 3, "ops")))
    nothing = d.core("expand", (d.literal(1),), real(H), position=0, size=4)
    return d.done(table(d, word, 5, "words"), node, linear(d, only, H, "one"), nothing)


def family() -> Diagram:
    """A place for three children, constants between children, and a leg that does not look at its node."""
    d = Hand("cell")
    leaf, weight = d.input(real(A), "leaf"), d.input(real(), "weight")
    three = d.input(real(ax("I", 3), H), "three")
    left, label, right = d.input(real(H), "left"), d.input(real(A), "label"), d.input(real(H), "right")
    mean = d.core("reduce", (three,), real(H), fn="mean", axes=(0,))
    many = d.point("mul", (mean, weight), real(H))
    pair = tanh(d, added(d, linear(d, label, H, "label"), left, linear(d, right, H, "right")))
    return d.done(linear(d, leaf, H, "leaf"), many, pair)


BODIES = {BINARY: binary, LABELLED: labelled, FAMILY: family}


def folded(form: Form, body: Diagram, *captured: Leaf) -> Diagram:
    d = Hand("net")
    tree = d.input(mu(form), "tree")
    extra = tuple(d.input(leaf, f"w{k}") for k, leaf in enumerate(captured))
    carried = len(body.outputs) // len(form.summands)
    outs = [body.wires[w].type for w in body.outputs[:carried]]
    return d.done(*d.box(TreeFold(form, body, len(captured)), (tree, *extra), *outs))


def grown(form: Form, rng: random.Random, depth: int) -> Any:
    """A random value of a tree type."""
    shallow = [k for k, parts in enumerate(form.summands) if all(isinstance(part, Leaf) for part in parts)]
    tag = rng.choice(shallow) if depth == 0 or rng.random() < 0.2 else rng.randrange(len(form.summands))
    parts: list[Any] = []
    for item in form.summands[tag]:
        if isinstance(item, Child):
            children = [grown(form, rng, depth - 1) for _ in range(item.count)]
            for size in reversed(item.sizes):
                children = [tuple(children[k : k + size]) for k in range(0, len(children), size)]
            parts.append(children[0])
        elif item.kind.size is not None:
            assert isinstance(item.kind.size, int)
            parts.append(rng.randrange(item.kind.size))
        elif item.kind.name == "Bool":
            parts.append(rng.random() < 0.5)
        else:
            parts.append(torch.randn([3] if item.axes else []).double())
    return At(tag, *parts)


def data(form: Form, count: int, depth: int = 5) -> list[Any]:
    rng = random.Random(1)
    return [grown(form, rng, depth if k else 0) for k in range(count)]


def on(tree: Tree) -> tuple[Tree, list[Tensor]]:
    """The trees with constants that gradients reach, and these."""
    tree = tree.to(torch.float64)
    floats = [part.requires_grad_() for parts in tree.constants for part in parts if part.is_floating_point()]
    return tree, floats


def random_weights(diagram: Diagram) -> torch.nn.Module:
    torch.manual_seed(0)
    model = build(diagram).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0, 0.5)
    return model


def gradients(results: tuple[Tensor, ...], traced: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    total = sum(((r * torch.randn(r.shape, dtype=r.dtype)).sum() for r in results), torch.zeros(()).double())
    found = torch.autograd.grad(total, traced, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(found, traced, strict=True)]


def as_tuple(found: Any) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


def close(found: list[Tensor] | tuple[Tensor, ...], wanted: list[Tensor] | tuple[Tensor, ...]) -> None:
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("form", BODIES, ids=lambda form: form.name)
def test_level_by_level_is_node_by_node(form: Form) -> None:
    diagram = folded(form, BODIES[form]())
    verify(diagram)
    model = random_weights(diagram)
    tree, floats = on(trees(form, data(form, 7)))
    traced = [*floats, *model.parameters()]
    found, wanted = as_tuple(model(tree)), interpret(diagram, (tree,), dict(model.named_parameters()))
    close(found, wanted)
    close(gradients(found, traced), gradients(wanted, traced))


@pytest.mark.parametrize("form", BODIES, ids=lambda form: form.name)
def test_a_batch_is_a_loop_over_its_trees(form: Form) -> None:
    model = random_weights(folded(form, BODIES[form]()))
    values = data(form, 6)
    whole = as_tuple(model(trees(form, values).to(torch.float64)))
    each = [as_tuple(model(trees(form, [value]).to(torch.float64))) for value in values]
    apart = tuple(torch.cat(parts) for parts in zip(*each, strict=True))
    close(whole, apart)
    close(gradients(whole, [*model.parameters()]), gradients(apart, [*model.parameters()]))


@pytest.mark.parametrize("form", BODIES, ids=lambda form: form.name)
def test_the_fold_is_a_homomorphism(form: Form) -> None:
    """fold . in = alg . F(fold), at every node: the square whose only solution is the fold."""
    diagram = folded(form, BODIES[form]())
    model = random_weights(diagram)
    weights = dict(model.named_parameters())

    def value_of(value: Any) -> Tensor:
        found: Tensor = model(trees(form, [value]).to(torch.float64))
        return found[0]

    op = diagram.boxes[0].op
    assert isinstance(op, TreeFold)
    for value in data(form, 5, 3):
        ins: list[Tensor] = []
        for tag, parts in enumerate(form.summands):
            for k, item in enumerate(parts):
                here = value[k] if value.summand == tag else None
                if isinstance(item, Child):
                    shape = (*item.sizes, 4)
                    subtrees = (here if item.axes else (here,)) if here is not None else ()
                    states = [value_of(subtree) for subtree in subtrees]
                    ins.append(torch.stack(states).reshape(shape) if states else torch.zeros(shape).double())
                elif item.kind.size is not None:
                    ins.append(torch.tensor(here or 0))
                else:
                    ins.append(here if here is not None else torch.zeros([3] if item.axes else []).double())
        legs = interpret(op.body, ins, weights)
        torch.testing.assert_close(value_of(value), legs[value.summand], rtol=1e-10, atol=1e-10)


def test_captured_wires_are_those_of_the_sample() -> None:
    d = Hand("cell")
    a, left, right = d.input(real(A), "a"), d.input(real(H), "left"), d.input(real(H), "right")
    query = d.input(real(H), "query")
    leaf = d.point("mul", (linear(d, a, H, "leaf"), query), real(H))
    node = tanh(d, added(d, left, d.point("mul", (right, query), real(H))))
    diagram = folded(BINARY, d.done(leaf, node), real(H))
    verify(diagram)
    model = random_weights(diagram)
    tree, floats = on(trees(BINARY, data(BINARY, 5)))
    q = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    found, wanted = as_tuple(model(tree, q)), interpret(diagram, (tree, q), dict(model.named_parameters()))
    close(found, wanted)
    traced = [*floats, q, *model.parameters()]
    close(gradients(found, traced), gradients(wanted, traced))
    with pytest.raises(ValueError, match="same leading batch axes"):
        model(tree, q[:4])


def test_a_carrier_of_two_wires() -> None:
    d = Hand("cell")
    a = d.input(real(A), "a")
    lh, lc, rh, rc = (d.input(real(H), name) for name in ("lh", "lc", "rh", "rc"))
    c = added(d, d.point("mul", (lc, rh), real(H)), d.point("mul", (lh, rc), real(H)))
    diagram = folded(BINARY, d.done(linear(d, a, H, "h"), linear(d, a, H, "c"), tanh(d, c), c))
    model = random_weights(diagram)
    tree, floats = on(trees(BINARY, data(BINARY, 5)))
    traced = [*floats, *model.parameters()]
    found, wanted = as_tuple(model(tree)), interpret(diagram, (tree,), dict(model.named_parameters()))
    close(found, wanted)
    close(gradients(found, traced), gradients(wanted, traced))
    assert "lh, rh = level.children(" in source(diagram)


def test_keys_and_text() -> None:
    diagram = folded(BINARY, binary())
    keys = ["leaf.weight", "leaf.bias", "left.weight", "left.bias", "right.weight"]
    assert sorted(p.path for p in parameters(diagram)) == sorted(keys)
    text = source(diagram)
    assert "def forward(self, tree: Tree) -> Tensor:" in text
    assert "a = tree.constants[0][0]" in text
    assert "left, right = level.children(" in text
    assert text.count("self.leaf(") == 1


def test_other_data_is_refused() -> None:
    model = build(folded(BINARY, binary()))
    with pytest.raises(
        ValueError, match=r"input tree must be trees of Binary\(X\) = Real\[A: 3\] \+ X @ X, got <2 trees"
    ):
        model(trees(LABELLED, data(LABELLED, 2)))
    with pytest.raises(ValueError, match="got tensor"):
        model(torch.zeros(3))


def test_it_costs_by_the_node() -> None:
    assert show(flops(folded(BINARY, binary()))) == "24 * Binary_0 + 64 * Binary_1"


def test_the_verifier_holds_its_types() -> None:
    body = binary()
    with pytest.raises(BrokenDiagram, match="has 3 inputs in its body, its operation 5"):
        verify(folded(Form("Wide", ((real(A),), (X, X, X, X))), body))
    with pytest.raises(BrokenDiagram, match="in its body that does not fit"):
        verify(folded(Form("Bare", ((real(),), (X, X))), body))


def test_a_tree_may_be_as_deep_as_it_likes() -> None:
    value: Any = At(0, [0.1, 0.2, 0.3])
    for _ in range(3_000):
        value = (At(0, [0.3, 0.2, 0.1]), value)
    model = random_weights(folded(BINARY, binary()))
    out = model(trees(BINARY, [At(0, [1.0, 0.0, 0.0]), value]).to(torch.float64))
    out.sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


SPEC = Path(__file__).parent.parent / "check" / "good" / "trees.cat"


def test_trees_go_through_as_they_are() -> None:
    spec = catdl.load(SPEC)["same"]
    assert "-> tuple[Tree, Tree]:" in spec.source()
    batch = spec.trees([None, (torch.ones(3), None)])
    first, second = spec.compile()(batch)
    assert first is second is batch


@pytest.mark.parametrize("name", ["list", "named", "scaled", "quad", "both", "loop", "rounds"])
def test_folds_written_in_the_language(name: str) -> None:
    diagram = catdl.load(SPEC)[name].diagram()
    verify(diagram)
    model = random_weights(diagram)
    rng = random.Random(2)
    inputs: list[Any] = []
    traced: list[Tensor] = [*model.parameters()]
    for wire in diagram.inputs:
        form = diagram.wires[wire].type.kind.form
        if form is None:
            inputs.append(torch.randn(4, 4, dtype=torch.float64, requires_grad=True))
            traced.append(inputs[-1])
        else:
            tree, floats = on(trees(form, [grown(form, rng, 4) for _ in range(4)]))
            inputs.append(tree)
            traced += floats
    found, wanted = as_tuple(model(*inputs)), interpret(diagram, inputs, dict(model.named_parameters()))
    close(found, wanted)
    close(gradients(found, traced), gradients(wanted, traced))
    assert sorted(p.path for p in parameters(diagram)) == sorted(model.state_dict())
