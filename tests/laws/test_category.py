"""The laws of the category on compiled networks that share their weights: two texts, one map."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import catdl
from catdl.diagram.model import Diagram
from catdl.torch.build import build
from tests.laws.agreement import close, gradients
from tests.torch.agree import sample

DIMS = "dim N = 3, A = 4, B = 2, T\n"
# Every layer has a declared parameter, so that the sides of a law have the same weights under the same names.
NAMED = """
param wf : Real[4, 4] ~ normal(0, 1)
param bf : Real[A] ~ normal(0, 1)
param wg : Real[4, 4] ~ normal(0, 1)
param wh : Real[B, A] ~ normal(0, 1)
param wk : Real[2, 2] ~ normal(0, 1)
morphism f : Real[A] -> Real[A] = linear(A){weight = wf, bias = bf} >> tanh
morphism g : Real[A] -> Real[A] = x => x * sin(x >> linear(A, bias = false){weight = wg})
morphism h : Real[A] -> Real[B] = linear(B, bias = false){weight = wh} >> gelu
morphism k : Real[B] -> Real[B] = linear(B, bias = false){weight = wk} >> softmax
morphism u : Real[B] -> Real[B] @ Real = x => (x * x, sum[B](x))
"""
X, Y, XY = "Real[A]", "Real[B]", "Real[A] @ Real[B]"
LAWS = [
    ("associativity", f"{X} -> {Y}", "(f >> g) >> h", "f >> (g >> h)"),
    ("associativity of three", f"{X} -> {Y}", "((f >> g) >> h) >> k", "f >> (g >> (h >> k))"),
    ("left unit", f"{X} -> {Y}", "id >> h", "h"),
    ("right unit", f"{X} -> {Y}", "h >> id", "h"),
    ("unit of the tensor product", f"{X} @ {X} -> {X} @ {Y}", "(f @ id) >> (id @ h)", "f @ h"),
    ("interchange", f"{XY} -> {Y} @ {Y}", "(f @ k) >> (h @ k)", "(f >> h) @ (k >> k)"),
    ("interchange, the other order", f"{XY} -> {Y} @ {Y}", "(id @ k) >> (h @ id)", "(h @ id) >> (id @ k)"),
    ("associativity of the tensor product", f"{X} @ {X} @ {Y} -> {X} @ {X} @ {Y}", "(f @ g) @ k", "f @ (g @ k)"),
    ("identities are parallel", f"{XY} -> {XY}", "id @ id", "id"),
    ("naturality of swap", f"{XY} -> {Y} @ {Y}", "(h @ k) >> swap", "swap >> (k @ h)"),
    ("swap is its own inverse", f"{XY} -> {XY}", "swap >> swap", "id"),
    ("naturality of copy", f"{X} -> {Y} @ {Y}", "h >> copy", "copy >> (h @ h)"),
    ("copy is commutative", f"{X} -> {X} @ {X}", "f >> copy >> swap", "f >> copy"),
    ("copy is associative", f"{X} -> {X} @ {X} @ {X}", "f >> copy >> (copy @ id)", "f >> copy >> (id @ copy)"),
    ("copy has a unit", f"{X} -> {X}", "f >> copy >> (id @ discard)", "f"),
    ("naturality of discard", f"{XY} -> {Y}", "(f @ id) >> (discard @ k)", "discard @ k"),
    ("fan-out", f"{X} -> {X} @ {Y}", "f & h", "copy >> (f @ h)"),
    ("first of a fan-out", f"{X} -> {X}", "(f & h) >> (id @ discard)", "f"),
    ("fan-out after", f"{X} -> {X} @ {Y}", "g >> (f & h)", "(g >> f) & (g >> h)"),
    ("application is composition", f"{X} -> {Y}", "x => h(f(x))", "f >> h"),
    ("a lambda is what it does", f"{X} -> {Y}", "x => x >> f >> h", "f >> h"),
    ("wires are copies", f"{X} -> {X} @ {Y}", "x => (x >> f, x >> h)", "f & h"),
    ("products by wires", f"{XY} -> {Y} @ {X}", "(x, y) => (y >> k, x >> f)", "(f @ k) >> swap"),
    ("a block names parts", f"{X} -> {X} @ {Y}", "x => { y = x >> f\n (y, y >> h) }", "f >> (id & h)"),
    ("map of a composition", "Real[N, A] -> Real[N, B]", "map[N](f >> h)", "map[N](f) >> map[N](h)"),
    ("map of the identity", "Real[N, A] -> Real[N, A]", "map[N](id)", "id"),
    ("map over a free dim", "Real[T, A] -> Real[T, B]", "map[T](f >> h)", "map[T](f) >> map[T](h)"),
    (
        "map of maps",
        "Real[N, T, A] -> Real[N, T, B]",
        "map[N](map[T](f >> h))",
        "map[N](map[T](f)) >> map[N](map[T](h))",
    ),
    ("map of a pair", "Real[N, A] -> Real[N, A] @ Real[N, B]", "map[N](f & h)", "map[N](f) & map[N](h)"),
    (
        "map of parallel maps",
        "Real[N, A] @ Real[N, B] -> Real[N, A] @ Real[N, B]",
        "map[N](f @ k)",
        "map[N](f) @ map[N](k)",
    ),
    ("repeat is composition", f"{X} -> {X}", "repeat(3, f)", "f >> f >> f"),
    ("no rounds", f"{X} -> {X}", "repeat(0, f) >> g", "g"),
    ("rounds add up", f"{X} -> {X}", "iterate(2, tied f) >> iterate(3, tied f)", "iterate(5, tied f)"),
    ("chain is composition", f"{X} -> {Y}", "chain([f, g, h])", "f >> g >> h"),
    ("a pair that was made", f"{Y} -> {Y} @ Real", "k >> u >> (k @ id)", "k >> u >> ((x, y) => (x >> k, y))"),
    (
        "permutations compose",
        "Real[N, A, B] -> Real[B, N, A]",
        "permute[A, B, N] >> permute[B, N, A]",
        "permute[B, N, A]",
    ),
    (
        "merge then split",
        "Real[N, A] -> Real[N, A]",
        'rearrange("n a -> (n a)") >> rearrange("(n a) -> n a", n = N)',
        "id",
    ),
]


def network(signature: str, body: str) -> tuple[nn.Module, Diagram]:
    spec = catdl.loads(f"{DIMS}{NAMED}morphism law : {signature} = {body}\n")
    spec.sound()
    diagram = spec["law"].diagram()
    return build(diagram).double().eval(), diagram


def run(model: nn.Module, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    found = model(*inputs)
    return found if isinstance(found, tuple) else (found,)


def inputs_of(diagram: Diagram, batch: tuple[int, ...]) -> list[Tensor]:
    dims = {"T": 5, "<string>::T": 5}
    return [sample(diagram.wires[w].type, batch, dims).requires_grad_() for w in diagram.inputs]


@pytest.mark.parametrize(("signature", "left", "right"), [law[1:] for law in LAWS], ids=[law[0] for law in LAWS])
def test_both_sides_are_one_map(signature: str, left: str, right: str) -> None:
    """Values and gradients, of the inputs and of every weight."""
    torch.manual_seed(0)
    one, diagram = network(signature, left)
    two, other = network(signature, right)
    weights: dict[str, Tensor] = {}
    for model in (one, two):
        for key, parameter in model.named_parameters():
            weights.setdefault(key, torch.randn_like(parameter))
    for model in (one, two):
        model.load_state_dict({key: weights[key] for key in model.state_dict()})
    assert [diagram.wires[w].type for w in diagram.inputs] == [other.wires[w].type for w in other.inputs]
    for batch in ((), (2, 3)):
        inputs = inputs_of(diagram, batch)
        found, wanted = run(one, inputs), run(two, inputs)
        for a, b in zip(found, wanted, strict=True):
            close(a, b)
        common = [key for key in dict(one.named_parameters()) if key in dict(two.named_parameters())]
        ones = gradients(found, [*inputs, *(one.get_parameter(key) for key in common)])
        twos = gradients(wanted, [*inputs, *(two.get_parameter(key) for key in common)])
        for a, b in zip(ones, twos, strict=True):
            close(a, b)


ENDOS = st.sampled_from(
    ["f", "g", "id", "tanh", "f >> g", "x => x + (x >> f)", "repeat(2, g)", "linear(A){weight = wf, bias = bf}"]
)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(ENDOS, ENDOS, ENDOS)
def test_random_maps_obey(a: str, b: str, c: str) -> None:
    """Associativity, interchange, and the naturality of copy and swap."""
    pairs = [
        (f"(({a}) >> ({b})) >> ({c})", f"({a}) >> (({b}) >> ({c}))", f"{X} -> {X}"),
        (f"(({a}) @ ({b})) >> (({b}) @ ({c}))", f"(({a}) >> ({b})) @ (({b}) >> ({c}))", f"{X} @ {X} -> {X} @ {X}"),
        (f"({a}) >> copy >> (({b}) @ ({c}))", f"(({a}) >> ({b})) & (({a}) >> ({c}))", f"{X} -> {X} @ {X}"),
        (f"(({a}) @ ({b})) >> swap", f"swap >> (({b}) @ ({a}))", f"{X} @ {X} -> {X} @ {X}"),
        (f"map[N](({a}) >> ({b}))", f"map[N]({a}) >> map[N]({b})", "Real[N, A] -> Real[N, A]"),
    ]
    for left, right, signature in pairs:
        test_both_sides_are_one_map(signature, left, right)


def test_random_maps_are_not_copied() -> None:
    """Copying what a random map yields is one draw, running it twice is two; discarding it is harmless."""
    text = DIMS + "morphism noisy : Real[A] ~> Real[A] = x => x + normal_like(x)\n"
    text += "morphism once : Real[A] ~> Real[A] @ Real[A] = noisy >> copy\n"
    text += "morphism twice : Real[A] ~> Real[A] @ Real[A] = copy >> (noisy @ noisy)\n"
    spec = catdl.loads(text)
    spec.sound()
    x = torch.randn(7, 4)
    one, two = spec["once"].compile(), spec["twice"].compile()
    a, b = one(x)
    assert torch.equal(a, b)
    a, b = two(x)
    assert not torch.equal(a, b)


def test_copies_of_a_network_are_that_network() -> None:
    """deepcopy, pickle, and a saved state in a module built anew; twins of a weight stay twins."""
    torch.manual_seed(1)
    body = "repeat(2, f >> layernorm >> linear(A)) >> (id & h) >> (linear(A){weight = wf} @ k)"
    model, diagram = network(f"{X} -> {X} @ {Y}", body)
    inputs = inputs_of(diagram, (3,))
    wanted = run(model, inputs)
    stored = io.BytesIO()
    torch.save(model.state_dict(), stored)
    stored.seek(0)
    fresh, _ = network(f"{X} -> {X} @ {Y}", body)
    fresh.load_state_dict(torch.load(stored))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), fresh):
        assert list(other.state_dict()) == list(model.state_dict())
        assert len(list(other.parameters())) == len(list(model.parameters()))
        for a, b in zip(run(other, inputs), wanted, strict=True):
            assert torch.equal(a, b)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(1)
    for a, b in zip(run(model, inputs), wanted, strict=True):
        assert torch.equal(a, b)
