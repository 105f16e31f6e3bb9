"""The reparameterisations of the prelude: each against a reference by hand, values and gradients, and the laws."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import catdl
from catdl.diagnostics import has_errors
from tests.torch.agree import agree

DIMS = """
dim I = 4, O = 6, C = 3, H = 5, W = 5
morphism lower : () -> Keep[O, I] = over[O, I](real(index[I]) <= real(index[O]))
"""
MEAN = "param mean : Real[O, I]\nparam rho : Real[O, I]"
TURNS = "[[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]"
GROUP = [[(k + turn) % 4 for k in range(4)] for turn in range(4)]

Weights = Mapping[str, Tensor]


def compiled(expression: str, signature: str = "Real[I] -> Real[O]", params: str = "") -> nn.Module:
    """A layer in float64 with weights that no initialiser makes special; it agrees with the interpreter."""
    spec = catdl.loads(f"{DIMS}{params}\nmorphism f : {signature} = {expression}")
    assert not has_errors(spec.diagnostics), spec.diagnostics
    return agree(spec["f"].diagram())


def gram_schmidt(w: Tensor) -> Tensor:
    """Orthonormal columns, one after the other."""
    columns: list[Tensor] = []
    for column in w.T:
        for other in columns:
            column = column - (other @ column) * other
        columns.append(column / column.norm())
    return torch.stack(columns, 1)


def weight_norm(v: Tensor, g: Tensor) -> Tensor:
    """As torch has it."""
    layer = parametrizations.weight_norm(nn.Linear(v.shape[1], v.shape[0], dtype=v.dtype))
    given = {"parametrizations.weight.original0": g[:, None], "parametrizations.weight.original1": v}
    made: Tensor = torch.func.functional_call(_Read(layer), {f"layer.{k}": t for k, t in given.items()})
    return made


class _Read(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self) -> Tensor:
        """The weight that a layer computes."""
        assert isinstance(self.layer.weight, Tensor)
        return self.layer.weight


def quantised(w: Tensor, bits: int) -> Tensor:
    """As torch has it."""
    top = 2 ** (bits - 1) - 1
    scale = (w.detach().abs().amax(1) / top).float()
    return torch.fake_quantize_per_channel_affine(w.float(), scale, torch.zeros(len(w)), 0, -top, top).double()


CASES: list[tuple[str, str, Callable[[Weights], Tensor]]] = [
    ("low rank", "w => w + low_rank(2)", lambda p: p["weight"] + p["low_rank.up"] @ p["low_rank.down"]),
    ("alpha", "w => w + low_rank(2, alpha = 8)", lambda p: p["weight"] + 4 * p["low_rank.up"] @ p["low_rank.down"]),
    ("lora", "lora(2, alpha = 3)", lambda p: p["weight"] + 1.5 * p["lora.up"] @ p["lora.down"]),
    ("masked", "masked(lower)", lambda p: p["weight"].tril()),
    ("weight norm", "weight_norm", lambda p: weight_norm(p["weight"], p["weight_norm.g"])),
    ("spectral norm", "spectral_norm(400)", lambda p: p["weight"] / torch.linalg.matrix_norm(p["weight"], 2)),
    ("orthogonal", "orthogonal", lambda p: gram_schmidt(p["weight"])),
    ("positive", "positive", lambda p: F.softplus(p["weight"])),
    ("positive by exp", 'positive(by = "exp")', lambda p: p["weight"].exp()),
    (
        "generated",
        "generated(3)",
        lambda p: p["generated.weight"] @ p["generated.code"] + p["generated.bias"],
    ),
]
SQUARE: list[tuple[str, str, Callable[[Weights], Tensor]]] = [
    ("symmetric", "symmetric", lambda p: (p["weight"] + p["weight"].T) / 2),
    ("skew", "skew_symmetric", lambda p: (p["weight"] - p["weight"].T) / 2),
    ("transposed", "transposed", lambda p: p["weight"].T),
    ("orthogonal", "orthogonal", lambda p: gram_schmidt(p["weight"])),
    (
        "symmetrised",
        f"symmetrised({TURNS})",
        lambda p: torch.stack([p["weight"][g][:, g] for g in GROUP]).mean(0),
    ),
]


@pytest.mark.parametrize(
    ("step", "signature", "reference"),
    [
        *(pytest.param(step, "Real[I] -> Real[O]", wanted, id=name) for name, step, wanted in CASES),
        *(pytest.param(step, "Real[I] -> Real[I]", wanted, id=f"square {name}") for name, step, wanted in SQUARE),
    ],
)
def test_a_layer_with_the_weight_written_by_hand(
    step: str, signature: str, reference: Callable[[Weights], Tensor]
) -> None:
    model = compiled(f"linear{{weight: {step}}}", signature)
    against(model, reference, 1e-10)


def against(model: nn.Module, reference: Callable[[Weights], Tensor], tolerance: float) -> None:
    """Values and gradients of a linear layer with a weight made by hand."""
    weights = {name.removeprefix("linear."): p for name, p in model.named_parameters()}
    x = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    found = model(x)
    wanted = F.linear(x, reference(weights), weights["bias"])
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)
    seed = torch.randn_like(found)
    mine = torch.autograd.grad(found, [x, *weights.values()], seed)
    theirs = torch.autograd.grad(wanted, [x, *weights.values()], seed)
    torch.testing.assert_close(mine, theirs, rtol=10 * tolerance, atol=10 * tolerance)


def test_one_bit() -> None:
    model = compiled("linear{weight: quantised(1), bias: init(zeros)}")
    w = model.get_parameter("linear.weight")
    with torch.no_grad():
        model.get_parameter("linear.bias").zero_()
        found = model(torch.eye(4, dtype=torch.float64)).T
    torch.testing.assert_close(found, w.sign() * w.abs().mean(1, keepdim=True))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_quantised_weights_are_those_of_torch(bits: int) -> None:
    model = compiled(f"linear{{weight: quantised({bits})}}")
    against(model, lambda p: quantised(p["weight"], bits), 1e-5)
    with torch.no_grad():
        model.get_parameter("linear.bias").zero_()
        weight = model(torch.eye(4, dtype=torch.float64)).T
    for row in weight:
        assert len(row.unique()) <= 2**bits - 1
        steps = row / row.abs().max() * (2 ** (bits - 1) - 1)
        torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-6)


def test_wide_matrices_get_orthonormal_rows() -> None:
    model = compiled("linear{weight: orthogonal, bias: init(zeros)}", "Real[O] -> Real[I]")
    w = model(torch.eye(6, dtype=torch.float64)) - model(torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(w.T @ w, torch.eye(4, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("step", "reference"),
    [
        ("lora(2)", lambda p: p["weight"] + torch.einsum("or,rikl->oikl", p["lora.up"], p["lora.down"])),
        ("weight_norm", lambda p: (F.normalize(p["weight"].flatten(1)) * p["weight_norm.g"][:, None]).view(3, 3, 3, 3)),
        ("spectral_norm(400)", lambda p: p["weight"] / torch.linalg.matrix_norm(p["weight"].flatten(1), 2)),
    ],
)  # fmt: skip
def test_kernels(step: str, reference: Callable[[Weights], Tensor]) -> None:
    model = compiled(f"conv2d(C, 3, padding = 1){{weight: {step}}}", "Real[C, H, W] -> Real[C, H, W]")
    weights = {name.removeprefix("conv2d."): p for name, p in model.named_parameters()}
    x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    found, wanted = model(x), F.conv2d(x, reference(weights), weights["bias"], padding=1)
    torch.testing.assert_close(found, wanted)
    seed = torch.randn_like(found)
    mine, theirs = (torch.autograd.grad(y, list(weights.values()), seed) for y in (found, wanted))
    torch.testing.assert_close(mine, theirs)


def test_what_is_symmetrised_commutes_with_the_group() -> None:
    model = compiled(f"linear{{weight: symmetrised({TURNS}), bias: symmetrised_bias({TURNS})}}", "Real[I] -> Real[I]")
    x = torch.randn(3, 4, dtype=torch.float64)
    for turn in GROUP:
        torch.testing.assert_close(model(x[:, turn]), model(x)[:, turn])


@pytest.mark.parametrize(
    ("group", "rule", "at"),
    [
        ("[[0, 1, 2, 3], [1, 2, 3, 0]]", "a group holds", "[2, 3, 0, 1]"),  # the turn twice
        ("[[0, 1, 2, 3], [1, 2, 3, 7]]", "is no permutation", "[1, 2, 3, 7]"),
        ("[[0, 1, 2], [1, 2, 0]]", "is no permutation", "[0, 1, 2]"),
    ],
)
def test_what_is_no_group_is_refused(group: str, rule: str, at: str) -> None:
    spec = catdl.loads(f"dim I = 4\nmorphism f : Real[I] -> Real[I] = linear{{weight: symmetrised({group})}}")
    (mistake,) = spec.diagnostics
    message = mistake.parts().message
    assert mistake.code == "E0212" and rule in message and message.endswith(f": `{at}`")


@pytest.mark.parametrize(
    "group", [list(itertools.permutations(range(4))), [(*range(k, 12), *range(k)) for k in range(12)]]
)
def test_a_group_may_be_large(group: list[tuple[int, ...]]) -> None:
    text = f"linear(D, bias = false){{weight: symmetrised({[list(one) for one in group]})}}"
    assert not catdl.loads(f"dim D = {len(group[0])}\nmorphism f : Real[D] -> Real[D] = {text}").diagnostics


def test_what_a_step_asks_of_its_arguments_is_checked() -> None:
    spec = catdl.loads("dim I = 4\nmorphism f : Real[I] -> Real[I] = linear{bias: groupnorm(3)}")
    assert [mistake.code for mistake in spec.diagnostics] == ["E0207"]


MADE = """
linear(8){weight: autoregressive(4, "first")} >> relu >> linear(9){weight: autoregressive(4, "hidden")} >> relu
    >> linear(outs){weight: autoregressive(4, "last")}
"""


@pytest.mark.parametrize(
    ("expression", "outs"),
    [(MADE.replace("outs", "4"), 4), (MADE.replace("outs", "8"), 8), ('linear{weight: autoregressive(4, "only")}', 4)],
)
def test_made_has_a_triangular_jacobian(expression: str, outs: int) -> None:
    model = compiled(expression, f"Real[I] -> Real[{outs}]")
    jacobians = [torch.autograd.functional.jacobian(model, x) for x in torch.randn(20, 4, dtype=torch.float64)]
    sees = torch.stack(jacobians).abs().amax(0) > 0
    assert torch.equal(sees, torch.ones(4, 4, dtype=torch.bool).tril(-1).repeat(outs // 4, 1))


def test_weights_that_differ_from_sample_to_sample() -> None:
    for step in ("spectral_norm(5)", "orthogonal", "quantised(4)", "transposed >> transposed"):
        compiled(
            f"(w, x) => x >> linear(O, bias = false){{weight = w >> {step}}}", "(w: Real[O, I], x: Real[I]) -> Real[O]"
        )


# random weights


def test_a_gaussian_weight_is_drawn_for_every_use_in_evaluation_too() -> None:
    spec = catdl.loads(f"{DIMS}\nmorphism f : Real[I] ~> Real[O] = linear{{**: bayesian}}")
    model = spec["f"].compile().double().eval()
    assert set(model.state_dict()) == {
        *("linear.weight", "linear.bias", "linear.bayesian.rho", "linear.bayesian_2.rho"),
    }
    torch.manual_seed(0)
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for p in weights.values():
            p.normal_()
        x = torch.randn(4, dtype=torch.float64)
        drawn = torch.stack([model(x) for _ in range(4000)])
        assert (drawn[0] != drawn[1]).all()
        deviation = F.softplus(weights["linear.bayesian.rho"]), F.softplus(weights["linear.bayesian_2.rho"])
        variance = (deviation[0] ** 2) @ x**2 + deviation[1] ** 2
        mean = F.linear(x, weights["linear.weight"], weights["linear.bias"])
    assert ((drawn.mean(0) - mean).abs() < 5 * (variance / 4000).sqrt()).all()
    torch.testing.assert_close(drawn.var(0), variance, rtol=0.15, atol=0)
    model(x).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_one_draw_for_the_whole_batch() -> None:
    spec = catdl.loads(
        f"{DIMS}{MEAN}\nmorphism f : Real[I] ~> Real[O] = linear{{weight = gaussian(mean, softplus(rho))}}"
    )
    model = spec["f"].compile()
    y = model(torch.ones(3, 4))
    assert torch.equal(y[0], y[1]) and not torch.equal(y, model(torch.ones(3, 4)))


def test_the_divergence_of_gaussian_weights() -> None:
    model = compiled("gaussian_kl(mean, softplus(rho), prior = 0.5)", "() -> Nats", MEAN)
    mean, rho = model.get_parameter("mean"), model.get_parameter("rho")
    own = torch.distributions.Normal(mean, F.softplus(rho))
    prior = torch.distributions.Normal(torch.zeros_like(mean), 0.5 * torch.ones_like(mean))
    wanted = torch.distributions.kl_divergence(own, prior).sum()
    torch.testing.assert_close(model(), wanted)
    mine, theirs = (torch.autograd.grad(value, [mean, rho]) for value in (model(), wanted))
    torch.testing.assert_close(mine, theirs)


# laws


def outputs(expression: str, weights: Weights | None = None) -> tuple[nn.Module, Tensor]:
    """A layer's outputs on fixed inputs, with given weights."""
    spec = catdl.loads(f"{DIMS}\nmorphism f : Real[I] -> Real[O] = {expression}")
    assert not has_errors(spec.diagnostics), spec.diagnostics
    model = spec["f"].compile().double()
    if weights is not None:
        model.load_state_dict(weights)
    torch.manual_seed(1)
    return model, model(torch.randn(3, 4, dtype=torch.float64))


def test_plugging_the_identity_changes_nothing() -> None:
    plain, wanted = outputs("linear(8) >> tanh >> linear")
    _, found = outputs("(linear(8) >> tanh >> linear)", plain.state_dict())
    for plugs in ("**: w => w", "weight: id"):
        model, found = outputs(f"linear(8){{{plugs}}} >> tanh >> linear{{{plugs}}}", plain.state_dict())
        assert torch.equal(found, wanted)
        assert list(model.state_dict()) == list(plain.state_dict())


def test_a_composite_is_plugging_twice() -> None:
    once, wanted = outputs("linear{weight: w => w >> lora(2) >> positive >> weight_norm}")
    twice, found = outputs("linear{weight: lora(2)}{weight: positive}{weight: weight_norm}", once.state_dict())
    assert torch.equal(found, wanted)
    listed, found = outputs("linear{weight: lora(2), weight: positive, weight: weight_norm}", once.state_dict())
    assert torch.equal(found, wanted)
    assert list(once.state_dict()) == list(twice.state_dict()) == list(listed.state_dict())


def test_lora_starts_as_the_layer_it_changes() -> None:
    plain, wanted = outputs("linear")
    for step in ("w => w + low_rank(2)", "lora(2)"):
        spec = catdl.loads(f"{DIMS}\nmorphism f : Real[I] -> Real[O] = linear{{weight: {step}}}")
        model = spec["f"].compile().double()
        assert model.load_state_dict(plain.state_dict(), strict=False).unexpected_keys == []
        torch.manual_seed(1)
        assert torch.equal(model(torch.randn(3, 4, dtype=torch.float64)), wanted)
