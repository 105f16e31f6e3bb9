"""`equibilinear` and `couple`: compiled as defined, equivariant, complete, and what physics knows of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import catdl
from catdl.diagram.interpret import interpret
from catdl.symmetry.actions import Act, Group, size_of
from tests.symmetry.elements import Element, drawn
from tests.symmetry.test_equilinear import ACTS, DIMS, moved

SPEC = DIMS + "dim K = 7 : irrep(3), R : set\n"

# The axes of both factors and of the result, and the shape of the weight; None for `couple`.
CASES: dict[str, tuple[str, str, str, tuple[int, ...] | None]] = {
    "vectors to a number": ("X A", "X B", "A", (1, 4, 4, 6)),
    "vectors to a matrix": ("X A", "X B", "X X' A", (3, 4, 4, 6)),
    "vectors to a vector": ("V A", "V B", "V A", (1, 4, 4, 6)),
    "matrices": ("X X' A", "X A", "X B", (3, 6, 4, 4)),
    "irreps": ("L A", "L B", "L A", (1, 4, 4, 6)),
    "an irrep and a vector": ("F L A", "F V B", "V F A", (1, 4, 4, 6)),
    "momenta": ("F P A", "F P B", "F P P' A", (3, 4, 4, 6)),
    "gates": ("F X A", "F B", "F X A", (1, 4, 4, 6)),
    "one for all": ("F X A", "X B", "F B", (1, 6, 4, 6)),
    "channels": ("A", "B", "A", (1, 4, 4, 6)),
    "a cycle": ("Z A", "Z B", "Z B", (1, 6, 4, 6)),
    "pairs": ("F A", "F' B", "F F' A", (1, 4, 4, 6)),
    "two groups": ("X V A", "V X B", "A", (1, 4, 4, 6)),
    "two groups turned": ("V X A", "X L B", "V A", (1, 4, 4, 6)),
    "made of nothing": ("A", "B", "X X' A", (1, 4, 4, 6)),
    "no channels": ("X", "X", "X X'", (3, 1, 1, 1)),
    "the cross product": ("F V A", "F V A", "F A V", None),
    "two irreps": ("L", "L", "V", None),
    "the inner product": ("F X A", "X A", "A F", None),
    "inner products of two groups": ("X V A", "V X", "A", None),
    "vectors of two groups": ("X A", "L A", "A L X", None),
    "numbers": ("F A", "A B", "B F A", None),
}


def text(side: str) -> str:
    return f"Real[{', '.join(side.split())}]"


def spec(name: str) -> catdl.Compiled:
    x, y, z, weight = CASES[name]
    layer = "couple" if weight is None else "equibilinear"
    body = f"{layer}[{text(z)}]"
    return catdl.loads(f"{SPEC}\nmorphism f : {text(x)} @ {text(y)} -> {text(z)} = {body}")["f"]


def acts(side: str) -> list[Act | None]:
    return [ACTS.get(axis.rstrip("'")) for axis in side.split()]


def inputs(name: str, batch: int) -> list[Tensor]:
    sizes = {"A": 4, "B": 6, **{axis: int(str(size_of(act))) for axis, act in ACTS.items()}}
    shapes = [[sizes[axis.rstrip("'")] for axis in side.split()] for side in CASES[name][:2]]
    return [torch.randn(batch, *shape, dtype=torch.float64) for shape in shapes]


@pytest.mark.parametrize("name", CASES)
def test_it_is_its_definition_and_commutes(name: str) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    compiled = spec(name)
    module = compiled.compile().double()
    shapes = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert shapes == ({} if CASES[name][3] is None else {"equibilinear.weight": CASES[name][3]})
    xs = [x.requires_grad_() for x in inputs(name, 3)]
    weights = dict(module.named_parameters())
    got, want = module(*xs), interpret(compiled.diagram(), xs, weights)[0]
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)
    towards, of = torch.randn_like(got), [*xs, *weights.values()]
    for a, b in zip(*(torch.autograd.grad(y, of, towards) for y in (got, want)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
    elements: dict[Group, Element] = {act.group: drawn(rng, act.group) for act in ACTS.values()}
    turned = module(*(moved(x, acts(side), elements) for x, side in zip(xs, CASES[name][:2], strict=True)))
    torch.testing.assert_close(turned, moved(got, acts(CASES[name][2]), elements), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_results_start_with_the_variance_of_the_product(name: str) -> None:
    torch.manual_seed(0)
    compiled = spec(name)
    found = [compiled.compile()(*(x.float() for x in inputs(name, 200))).detach().square().mean() for _ in range(30)]
    assert float(torch.stack(found).mean()) == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("name", ["vectors to a matrix", "irreps", "momenta", "two groups turned", "matrices"])
def test_there_are_no_other_maps(name: str) -> None:
    """The dimension of what random elements keep, by an eigenvalue problem that knows nothing of how maps are made."""
    x, y, z, weight = CASES[name]
    rng = np.random.default_rng(0)
    along = [act for side in (z, x, y) for act in acts(side) if act is not None and "F" not in str(act.group)]
    size = int(np.prod([int(str(size_of(act))) for act in along]))
    gram = np.zeros((size, size))
    for _ in range(4):
        elements = {act.group: drawn(rng, act.group) for act in along}
        whole = np.eye(1)
        for k, act in enumerate(along):
            matrix = np.array(elements[act.group](act))
            lowered = k >= len([a for a in acts(z) if a is not None and "F" not in str(a.group)])
            whole = np.kron(whole, np.linalg.inv(matrix).T if lowered else matrix)
        apart = whole - np.eye(size)
        gram += apart.T @ apart
    assert weight is not None
    assert int((np.linalg.eigvalsh(gram) < 1e-8).sum()) == weight[0]


def test_vectors_couple_to_their_cross_product() -> None:
    spec_ = catdl.loads(f"{SPEC}morphism f : Real[V] @ Real[V] -> Real[V] = couple[Real[V]]")
    x, y = torch.randn(2, 20, 3, dtype=torch.float64)
    found = spec_["f"].compile().double()(x, y)
    cross = torch.linalg.cross(x, y)
    torch.testing.assert_close(found / found.norm(dim=-1, keepdim=True), cross / cross.norm(dim=-1, keepdim=True))


def test_irreps_couple_as_the_products_of_harmonics_do() -> None:
    """Harmonics of one direction, of degrees 1 and 2, couple to that of degree 3 (Gaunt's coefficients)."""
    found = catdl.loads(f"""{SPEC}
morphism coupled : Real[V] -> Real[K] = v => couple[Real[K]](v, spherical_harmonics(L)(v))
morphism third : Real[V] -> Real[K] = spherical_harmonics(K)
""")
    v = torch.nn.functional.normalize(torch.randn(50, 3, dtype=torch.float64), dim=-1)
    coupled, third = (found[name].compile().double()(v) for name in ("coupled", "third"))
    ratio = (coupled * third).sum() / (third * third).sum()
    torch.testing.assert_close(coupled, ratio * third)


@pytest.mark.parametrize(("layer", "sizes"), [
    ("(v, s) => gate[X](v, s)", [(4, 3, 2), (4, 2)]),
    ("(v, s) => norm_relu[X, A](over[F, X, A](v * s))", [(4, 3, 2), (4, 2)]),
    ("(v, s) => vectornorm[X, A](over[F, X, A](v * s))", [(4, 3, 2), (4, 2)]),
])  # fmt: skip
def test_gates_and_norms_of_vectors_are_homs(layer: str, sizes: list[tuple[int, ...]]) -> None:
    text_ = f"dim F : set, X = 3 : vector(O), A = 2\nhom f : Real[F, X, A] @ Real[F, A] -> Real[F, X, A] = {layer}"
    spec_ = catdl.loads(text_)
    assert not spec_.diagnostics
    module = spec_["f"].compile().double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_()
    v, s = (torch.randn(5, *size, dtype=torch.float64) for size in sizes)
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    turned = torch.einsum("ij,bnjc->bnic", turn, v)
    torch.testing.assert_close(module(turned, s), torch.einsum("ij,bnjc->bnic", turn, module(v, s)))


def test_a_vector_norm_leaves_lengths_of_mean_square_one() -> None:
    spec_ = catdl.loads("dim X = 3 : vector(O), A = 16\nhom f : Real[X, A] -> Real[X, A] = vectornorm[X, A]")
    y = spec_["f"].compile()(torch.randn(8, 3, 16) * 7)
    torch.testing.assert_close(y.square().sum(1).mean(1), torch.ones(8))
