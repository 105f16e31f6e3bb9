"""`equilinear`: the compiled layer is its definition, commutes with what acts on its axes, and starts as it should."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from torch import Tensor

import catdl
from catdl.diagram.interpret import interpret
from catdl.symmetry.actions import ROTATIONS, Act, Cyclic, Group, Matrices, Symmetric, size_of
from catdl.types.types import Axis
from tests.symmetry.elements import Element, drawn
from tests.torch.test_ragged import compare

DIMS = """
dim S = 5 : set, F : set, M = 3 : set, Z = 6 : cycle, Y = 4 : cycle
dim X = 3 : vector(O), V = 3 : vector(SO), P = 4 : vector(Lorentz), L = 5 : irrep(2), A = 4, B = 6
dim W = 120 : cycle
"""

ACTS = {
    "S": Act(Symmetric("S", 5)),
    "F": Act(Symmetric("F", 7)),
    "M": Act(Symmetric("M", 3)),
    "Z": Act(Cyclic("Z", 6)),
    "Y": Act(Cyclic("Y", 4)),
    "W": Act(Cyclic("W", 120)),
    "X": Act(Matrices("O", 3)),
    "V": Act(ROTATIONS),
    "P": Act(Matrices("Lorentz", 4)),
    "L": Act(ROTATIONS, 2),
}

# The axes of the input's leaves and of the result's, and the shapes of the parameters.
CASES: dict[str, tuple[str, str, dict[str, tuple[int, ...]]]] = {
    "deep sets": ("S A", "S B", {"weight": (2, 6, 4), "bias": (1, 6)}),
    "free sets": ("F A", "F B", {"weight": (2, 6, 4), "bias": (1, 6)}),
    "pooled": ("F A", "B", {"weight": (1, 6, 4), "bias": (1, 6)}),
    "graphs": ("S S' A", "S S' B", {"weight": (15, 6, 4), "bias": (2, 6)}),
    "free graphs": ("F F' A", "F F' B", {"weight": (15, 6, 4), "bias": (2, 6)}),
    "turned round": ("F F' A", "B F' F", {"weight": (15, 6, 4), "bias": (2, 6)}),
    "to nodes": ("F F' A", "F B", {"weight": (5, 6, 4), "bias": (1, 6)}),
    "to edges": ("A F", "F F'", {"weight": (5, 1, 4), "bias": (2, 1)}),
    "three axes": ("F F' F''", "F", {"weight": (15, 1, 1), "bias": (1, 1)}),
    "small set": ("M M' A", "M M'", {"weight": (14, 1, 4), "bias": (2, 1)}),
    "two sets": ("S A F", "F S B", {"weight": (4, 6, 4), "bias": (1, 6)}),
    "cycle": ("Z A", "Z B", {"weight": (6, 6, 4), "bias": (1, 6)}),
    "long cycle": ("A W", "W B", {"weight": (120, 6, 4), "bias": (1, 6)}),
    "no channels": ("Z", "Z", {"weight": (6, 1, 1), "bias": (1, 1)}),
    "torus": ("Z Y A", "Z B Y", {"weight": (24, 6, 4), "bias": (1, 6)}),
    "pairs around": ("Z Z'", "Z A", {"weight": (36, 4, 1), "bias": (1, 4)}),
    "around": ("Z A", "A", {"weight": (1, 4, 4), "bias": (1, 4)}),
    "vectors": ("X A", "X B", {"weight": (1, 6, 4)}),
    "matrices": ("X X' A", "X X' B", {"weight": (3, 6, 4), "bias": (1, 6)}),
    "trace": ("X X'", "A", {"weight": (1, 4, 1), "bias": (1, 4)}),
    "cross": ("V V' A", "V A", {"weight": (1, 4, 4)}),
    "momenta": ("F P A", "F P B", {"weight": (2, 6, 4)}),
    "irreps": ("V L A", "L B", {"weight": (1, 6, 4)}),
    "all at once": ("F Z X A", "X F B Z", {"weight": (12, 6, 4)}),
    "channels": ("A", "B", {"weight": (1, 6, 4), "bias": (1, 6)}),
    "sums": ("F A, X", "F X B, B", {"weight_0_1": (1, 6, 1), "weight_1_0": (1, 6, 4), "bias_1": (1, 6)}),
}


def spec(name: str) -> catdl.Compiled:
    sides = [" @ ".join(f"Real[{', '.join(leaf.split())}]" for leaf in side.split(",")) for side in CASES[name][:2]]
    return catdl.loads(f"{DIMS}\nmorphism f : {sides[0]} -> {sides[1]} = equilinear[{sides[1]}]")["f"]


def acts(side: str) -> list[list[Act | None]]:
    return [[ACTS.get(axis.rstrip("'")) for axis in leaf.split()] for leaf in side.split(",")]


def inputs(name: str, batch: int) -> list[Tensor]:
    sizes = {"A": 4, "B": 6, **{axis: int(str(size_of(act))) for axis, act in ACTS.items()}}
    leaves = CASES[name][0].split(",")
    shapes = [[sizes[axis.rstrip("'")] for axis in leaf.split()] for leaf in leaves]
    return [torch.randn(batch, *shape, dtype=torch.float64) for shape in shapes]


def moved(x: Tensor, along: list[Act | None], elements: dict[Group, Element]) -> Tensor:
    for k, act in enumerate(along):
        if act is not None:
            matrix = torch.from_numpy(np.array(elements[act.group](act)))
            x = torch.tensordot(x, matrix, dims=([k + 1], [1])).movedim(-1, k + 1)
    return x


def results(found: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", CASES)
def test_it_is_its_definition_and_commutes(name: str) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    compiled = spec(name)
    module = compiled.compile().double()
    state = {k.removeprefix("equilinear."): tuple(v.shape) for k, v in module.state_dict().items()}
    assert state == CASES[name][2]
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight))
    xs = [x.requires_grad_() for x in inputs(name, 3)]
    weights = dict(module.named_parameters())
    got = results(module(*xs))
    want = interpret(compiled.diagram(), xs, weights)
    for a, b in zip(got, want, strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12 * max(1.0, float(b.detach().abs().max())))
    towards = [torch.randn_like(y) for y in got]
    of = [*xs, *weights.values()]
    for a, b in zip(*(torch.autograd.grad(y, of, towards) for y in (got, want)), strict=True):
        assert torch.allclose(a, b, rtol=1e-9, atol=1e-10)
    elements = {act.group: drawn(rng, act.group) for act in ACTS.values()}
    sides = [acts(side) for side in CASES[name][:2]]
    turned = results(module(*(moved(x, along, elements) for x, along in zip(xs, sides[0], strict=True))))
    for a, b in zip(turned, (moved(y, along, elements) for y, along in zip(got, sides[1], strict=True)), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-12 * max(1.0, float(b.detach().abs().max())))


@pytest.mark.parametrize("name", [name for name in CASES if " F" not in f" {CASES[name][0]}"])
def test_results_start_with_the_variance_of_the_input(name: str) -> None:
    torch.manual_seed(0)
    module = spec(name).compile()
    xs = [x.float() for x in inputs(name, 64)]
    squares = [0.0, 0.0]
    with torch.no_grad():
        for _ in range(400):
            for part in module.modules():
                reset = getattr(part, "reset_parameters", None)
                if reset is not None:
                    reset()
            for k, y in enumerate(results(module(*xs))):
                squares[k] += float(y.square().mean()) / 400
    inside = [float(torch.cat([x.flatten() for x in xs]).square().mean())]
    for found in squares[: len(CASES[name][1].split(","))]:
        assert found == pytest.approx(inside[0], rel=0.25)


@pytest.mark.parametrize("name", ["free graphs", "long cycle", "torus", "matrices", "irreps", "all at once", "sums"])
def test_it_is_a_module_like_any_other(name: str) -> None:
    torch.manual_seed(0)
    module = spec(name).compile().eval()
    xs = inputs(name, 3)
    want = results(copy.deepcopy(module).double()(*xs))
    for other in (copy.deepcopy(module), module.double().float()):  # the basis is found anew, not rounded
        assert all(map(torch.equal, results(other.double()(*xs)), want))
    module.double()
    with torch.no_grad():
        first, again = results(module(*xs)), results(module(*xs))  # the second time with what was kept
    assert all(map(torch.equal, first, again)) and all(map(torch.equal, first, want))
    exported = torch.export.export(module, tuple(xs)).module()
    assert all(torch.allclose(a, b) for a, b in zip(results(exported(*xs)), want, strict=True))
    faster = torch.compile(module, backend="aot_eager", fullgraph=True)
    assert all(torch.allclose(a, b) for a, b in zip(results(faster(*xs)), want, strict=True))
    saved = io.BytesIO()
    torch.save(module.state_dict(), saved)
    saved.seek(0)
    with torch.device("meta"):
        empty = spec(name).compile().double()
    loaded = empty.to_empty(device="cpu").eval()
    loaded.load_state_dict(torch.load(saved))
    assert all(map(torch.equal, results(loaded(*xs)), want))


def test_maps_of_sets_hold_for_every_size() -> None:
    """A set that is smaller than a map has axes has fewer maps; those of a free one are still maps."""
    module = spec("free graphs").compile().double()
    for size in (1, 2, 3, 9):
        x = torch.randn(2, size, size, 4, dtype=torch.float64)
        order = torch.randperm(size)
        assert torch.allclose(module(x)[:, order][:, :, order], module(x[:, order][:, :, order]))


def test_weights_are_tied_plugged_stacked_and_repeated() -> None:
    text = f"""{DIMS}
    dim E = 3
    param w : Real[2, 4, 4]
    morphism plugged : Real[S, A] -> Real[S, A] = equilinear(bias = false){{w}}
    morphism rounds : Real[S, X, A] -> Real[S, X, A] = repeat(2, fresh equilinear)
    morphism tied_ : Real[S, A] -> Real[S, A] = iterate(2, tied equilinear)
    morphism experts : Real[E, X, A] -> Real[E, X, B] = each[E](fresh equilinear(B))
    morphism rings : Real[E, Z, A] -> Real[E, Z, B] = each[E](fresh equilinear(B))
    morphism longer : Real[E, W, A] -> Real[E, W, B] = each[E](fresh equilinear(B))
    morphism quick : Real[W, A] @ Real[120, 4, 4] -> Real[W, A] = (x, v) => x >> equilinear(bias = false){{weight = v}}
    morphism moved : Real[Z, A] @ Real[1, 4] -> Real[Z, A] = (x, v) => x >> equilinear{{bias = v}}
    morphism fast : Real[Z, A] @ Real[6, 4, 4] -> Real[Z, A] = (x, v) => x >> equilinear(bias = false){{weight = v}}
    """
    loaded = catdl.loads(text)
    shapes = {
        name: {k: tuple(v.shape) for k, v in loaded[name].compile().state_dict().items()}
        for name in ("plugged", "rounds", "tied_", "experts", "rings", "longer", "quick", "moved", "fast")
    }
    assert shapes == {
        "plugged": {"w": (2, 4, 4)},
        "rounds": {"equilinear.0.weight": (2, 4, 4), "equilinear.1.weight": (2, 4, 4)},
        "tied_": {"equilinear.weight": (2, 4, 4), "equilinear.bias": (1, 4)},
        "experts": {"equilinear.weight": (3, 1, 6, 4)},
        "rings": {"equilinear.weight": (3, 6, 6, 4), "equilinear.bias": (3, 1, 6)},
        "longer": {"equilinear.weight": (3, 120, 6, 4), "equilinear.bias": (3, 1, 6)},
        "quick": {},
        "moved": {"equilinear.weight": (6, 4, 4)},
        "fast": {},
    }
    for name in shapes:
        compiled = loaded[name]
        module = compiled.compile().double()
        xs = [torch.randn(2, *[int(str(a.size)) for a in leaf.axes if isinstance(a, Axis)], dtype=torch.float64)
              for leaf in (compiled.diagram().wires[w].type for w in compiled.diagram().inputs)]  # fmt: skip
        want = interpret(compiled.diagram(), xs, dict(module.named_parameters()))
        assert all(torch.allclose(a, b) for a, b in zip(results(module(*xs)), want, strict=True)), name


@pytest.mark.parametrize(
    "signature",
    ["Real[N, A] -> Real[N, B]", "Real[N, A] -> Real[B]", "Real[N, X, A] -> Real[N, X, B]", "Real[A] -> Real[N, B]"],
)
def test_sets_of_different_sizes_are_packed(signature: str) -> None:
    domain, _, codomain = signature.partition(" -> ")
    head = "dim N : var set, A = 4, B = 3, X = 3 : vector(O)"
    if domain == "Real[A]":  # the sizes of the samples are told by another input
        text = f"morphism f : Real[A] @ Real[N, B] -> Real[N, B] = (x, y) => (x >> equilinear[{codomain}]) + y"
    else:
        text = f"morphism f : {signature} = equilinear[{codomain}]"
    compare(catdl.loads(f"{head}\n{text}")["f"].diagram())
