"""`annotate[N](alg)`: the carrier at every node, along a var dim that the trees tell, values and gradients."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.data.nested import At
from catdl.data.tree import Tree
from catdl.diagram.interpret_ragged import interpret_ragged
from catdl.diagram.verify import verify
from catdl.driver import Compiled

SPEC = """
dim N : var, K : var, M : var, A = 3, H = 4, Class = 5
functor Sentence(X) = Real[A] + Fin(3) @ X @ X + X
object State = (h: Real[H], c: Real[H])
algebra cell : Sentence(State) -> State = [
    (a => a >> linear(H: H) & linear(H: H))
  | ((op, l, r) => (h = ((l.h >> linear) + r.h + (op >> embed(H))) >> tanh, c = l.c + r.c * l.h))
  | (s => (h = s.c, c = s.h >> linear))
]
morphism states : mu(Sentence) -> Real[N, H] @ Real[N, H] = annotate[N](cell) >> ((h, c) => (h, c))
morphism tags : mu(Sentence) -> Logits[N, Class] = annotate[N](cell) >> ((h, c) => h * c) >> linear
morphism loss : (tree: mu(Sentence), label: Fin(Class)[N]) -> Real =
    (tree, label) => cross_entropy(tags(tree), label)
morphism centred : mu(Sentence) @ Real[H] -> Real[N, H] = (tree, query) => {
    h = tree >> annotate[N]([ linear | (op, l, r) => l * query + r + (op >> embed(H)) | tanh ])
    over[N, H](h - mean[N](h))
}
morphism pooled : mu(Sentence) -> Real[H] = annotate[N](cell) >> ((h, c) => h + c) >> mean[N](empty = 0)
morphism within : mu(Sentence) @ Real[H] -> Real[H] =
    (tree, x) => x >> iterate(2, tied (h => h + (tree >> pooled)))
morphism root : mu(Sentence) -> Real[H] @ Real[H] = fold(cell) >> ((h, c) => (h, c))
functor Rose(X) = Real[A] @ X[K] + Fin(3) @ X @ X[M] + X
morphism roses : mu(Rose) @ Real[H] -> Real[N, H] = (tree, q) => tree >> annotate[N]([
    (a, hs) => tanh((a >> linear) + (sum[K](over[K, H](softmax[K](hs) * hs * q)) >> linear))
  | (op, h, hs) => h + (hs >> fold[M]([ zeros | (a, b) => tanh((a >> linear(H: H)) + b) ], carrier = Real[H]))
        + (op >> embed(H))
  | tanh
], carrier = Real[H])
morphism two : (a: mu(Sentence), b: mu(Sentence)) -> Real[N, H] =
    (a, b) => (a >> annotate[N](cell) >> ((h, _) => h)) + (b >> annotate[N](cell) >> ((h, _) => h))
"""
LOADED = catdl.loads(SPEC)
NAMES = ("states", "tags", "loss", "centred", "pooled", "within", "two", "roses")


def grown(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.2:
        return At(0, torch.randn(3, dtype=torch.float64))
    if rng.random() < 0.3:
        return At(2, grown(rng, depth - 1))
    return (rng.randrange(3), grown(rng, depth - 1), grown(rng, depth - 1))


def bunched(rng: random.Random, depth: int) -> Any:
    """A random tree whose nodes have any number of children."""
    row = [bunched(rng, depth - 1) for _ in range(rng.randrange(4) if depth else 0)]
    if depth == 0 or rng.random() < 0.6:
        return At(0, torch.randn(3, dtype=torch.float64), row)
    return (
        At(2, bunched(rng, depth - 1)) if rng.random() < 0.3 else At(1, rng.randrange(3), bunched(rng, depth - 1), row)
    )


def values(name: str = "", count: int = 5) -> list[Any]:
    rng = random.Random(3)
    torch.manual_seed(3)
    make = bunched if name == "roses" else grown
    return [make(rng, 4 if k else 0) for k in range(count)]


def model_of(spec: Compiled) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = spec.compile().double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    return model


def batch_of(name: str, samples: list[Any]) -> tuple[list[Any], list[Tensor]]:
    """The inputs of a morphism on trees, and those that gradients reach."""
    spec = LOADED[name]
    tree = spec.trees(samples).to(torch.float64)
    traced = [part.requires_grad_() for parts in tree.constants for part in parts if part.is_floating_point()]
    inputs: list[Any] = [tree]
    torch.manual_seed(2)
    if name in ("centred", "within", "roses"):
        inputs.append(torch.randn(len(samples), 4, dtype=torch.float64, requires_grad=True))
        traced.append(inputs[-1])
    if name == "loss":
        inputs.append(torch.randint(0, 5, (len(tree.tags),)))
    if name == "two":
        inputs.append(tree)
    return inputs, traced


def gradients(results: tuple[Tensor, ...], traced: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    total = sum(((r * torch.randn(r.shape, dtype=r.dtype)).sum() for r in results), torch.zeros(()).double())
    found = torch.autograd.grad(total, traced, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(found, traced, strict=True)]


def as_tuple(found: Any) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


def close(found: Any, wanted: Any) -> None:
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_states_of_all_nodes_are_those_of_each_tree(name: str) -> None:
    diagram = LOADED[name].diagram()
    verify(diagram)
    model = model_of(LOADED[name])
    inputs, leaves = batch_of(name, values(name))
    traced = [*leaves, *model.parameters()]
    found = as_tuple(model(*inputs))
    wanted = interpret_ragged(diagram, inputs, dict(model.named_parameters()), {})
    close(found, wanted)
    close(gradients(found, traced), gradients(wanted, traced))


def subtrees(value: Any) -> list[Any]:
    """Every subtree of a tree, breadth first."""
    queue = [value]
    for node in queue:
        queue += [part for part in node if isinstance(part, tuple)]
    return queue


def test_a_node_has_the_fold_of_its_subtree() -> None:
    """annotate at a node = fold of the subtree that hangs there: what names it."""
    samples = values()
    states, root = model_of(LOADED["states"]), model_of(LOADED["root"])
    root.load_state_dict(states.state_dict())
    tree = LOADED["states"].trees(samples).to(torch.float64)
    found = states(tree)
    every = [subtree for sample in samples for subtree in subtrees(sample)]
    wanted = root(LOADED["root"].trees(every).to(torch.float64))
    close(found, wanted)
    assert tree.offsets.tolist() == [0, *torch.tensor([len(subtrees(s)) for s in samples]).cumsum(0).tolist()]


def test_keys_are_those_of_the_fold() -> None:
    assert model_of(LOADED["states"]).state_dict().keys() == model_of(LOADED["root"]).state_dict().keys()


def test_labels_of_nodes_are_packed_with_their_trees() -> None:
    spec = LOADED["loss"]
    samples = values()
    sizes = [len(subtrees(sample)) for sample in samples]
    labels = [torch.arange(size) % 5 for size in sizes]
    batch = spec.pack(list(zip(samples, labels, strict=True)))
    assert not batch.offsets and isinstance(batch.inputs[0], Tree)
    assert spec.compile()(*batch.inputs, **batch.offsets).shape == (5,)
    with pytest.raises(ValueError, match=r"sample 1: label has 1 along N, another"):
        spec.pack([(samples[0], labels[0]), (samples[1], labels[0][:1])])


def test_what_the_trees_do_not_have_is_refused() -> None:
    model = model_of(LOADED["loss"])
    tree = LOADED["loss"].trees(values()).to(torch.float64)
    with pytest.raises(ValueError, match=r"input label must have as many elements as `N` says, got 2 and \d+"):
        model(tree, torch.tensor([0, 1]))
    two = model_of(LOADED["two"])
    with pytest.raises(ValueError, match="inputs a and b must have as many nodes in each tree: `N`"):
        two(tree, tree.one(1))


def test_a_deep_tree_is_annotated() -> None:
    value: Any = At(0, [0.1, 0.2, 0.3])
    for _ in range(2_000):
        value = At(2, value)
    out = model_of(LOADED["pooled"])(LOADED["pooled"].trees([value]).to(torch.float64))
    assert bool(out.isfinite().all())


def test_a_tree_has_a_node_so_the_largest_has_a_value() -> None:
    spec = catdl.loads(SPEC + "morphism top : mu(Sentence) -> Real[H] = states >> ((h, c) => h * c) >> max[N]\n")
    top, states = spec["top"].compile().double(), spec["states"].compile().double()
    states.load_state_dict({key.removeprefix("states."): value for key, value in top.state_dict().items()})
    leaves = [At(0, torch.randn(3, dtype=torch.float64)) for _ in range(3)]
    given = [leaves[0], At(1, 2, leaves[1], At(2, leaves[2]))]
    for tree in given:
        batch = spec["top"].trees([tree]).to(torch.float64)
        h, c = states(batch)
        assert torch.equal(top(batch), (h * c).amax(0, keepdim=True))
