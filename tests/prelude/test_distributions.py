"""Distributions: densities, entropies, divergences and moments against torch and scipy, chance told from no chance."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor
from torch import distributions as known

import catdl
from catdl.diagnostics.text import render
from catdl.laws.verdict import Proved

scipy_special = pytest.importorskip("scipy.special")

DIMS = {"T": 3, "Z": 4, "C": 5, "K": 2}
FAMILY = {
    "Normal": ("Normal[T, Z]", "Real[T, Z]"),
    "Bernoulli": ("Bernoulli[T, Z]", "Real[T, Z]"),
    "Categorical": ("Categorical[T, C]", "Fin(C)[T]"),
    "NormalMixture": ("NormalMixture[K, Z]", "Real[Z]"),
    "VonMisesFisher": ("VonMisesFisher[X]", "Real[X]"),
}
DRAWS = 40_000


def module(name: str, ending: str, *, n: int = 3) -> torch.nn.Module:
    """An operation on a family of distributions, compiled: `Q` is the family, `Y` what is drawn."""
    law, drawn = FAMILY[name]
    line = "morphism f : " + ending.replace("Q", law).replace("Y", drawn)
    dims = [f"{dim} = {size}" for dim, size in {**DIMS, "X": n}.items() if re.search(rf"\b{dim}\b", line)]
    found = catdl.loads(f"dim {', '.join(dims)}\n{line}\n")
    assert found.diagnostics == [], render(found.diagnostics)
    return found["f"].compile().double()


def draw(*shape: int) -> Tensor:
    """Numbers with a gradient."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def parameters(name: str, batch: int) -> tuple[tuple[Tensor, ...], known.Distribution, Tensor]:
    """Some parameters, torch's distribution of them, and something that it may draw."""
    match name:
        case "Normal":
            mean, std = draw(batch, 3, 4), draw(batch, 3, 4).exp()
            law: known.Distribution = known.Independent(known.Normal(mean, std), 2)
            return (mean, std), law, law.sample()
        case "Bernoulli":
            odds = draw(batch, 3, 4)
            law = known.Independent(known.Bernoulli(logits=odds), 2)
            return (odds,), law, law.sample()
        case "Categorical":
            scores = draw(batch, 3, 5)
            law = known.Independent(known.Categorical(logits=scores), 1)
            return (scores,), law, law.sample()
        case _:
            scores, mean, std = draw(batch, 2), draw(batch, 2, 4), draw(batch, 2, 4).exp()
            parts = known.Independent(known.Normal(mean, std), 1)
            law = known.MixtureSameFamily(known.Categorical(logits=scores), parts)
            return (scores, mean, std), law, law.sample()


@pytest.mark.parametrize("name", ["Normal", "Bernoulli", "Categorical", "NormalMixture"])
def test_log_prob(name: str) -> None:
    torch.manual_seed(1)
    given, law, y = parameters(name, 6)
    found = module(name, "Q @ Y -> Real = log_prob")(*given, y)
    wanted = law.log_prob(y)
    torch.testing.assert_close(found, wanted)
    ours = torch.autograd.grad(found.sum(), given, retain_graph=True)
    torch.testing.assert_close(ours, torch.autograd.grad(wanted.sum(), given))


@pytest.mark.parametrize("name", ["Normal", "Bernoulli", "Categorical"])
def test_entropy_and_divergence(name: str) -> None:
    torch.manual_seed(2)
    given, law, _ = parameters(name, 6)
    others, base, _ = parameters(name, 6)
    torch.testing.assert_close(module(name, "Q -> Nats = entropy")(*given), law.entropy())
    found = module(name, "Q @ Q -> Nats = kl")(*given, *others)
    torch.testing.assert_close(found, known.kl_divergence(law, base))
    torch.testing.assert_close(module(name, "Q @ Q -> Nats = kl")(*given, *given), torch.zeros(6, dtype=torch.float64))


@pytest.mark.parametrize("name", ["Normal", "Bernoulli", "Categorical", "NormalMixture"])
def test_samples_have_the_moments(name: str) -> None:
    torch.manual_seed(3)
    given, law, _ = parameters(name, 1)
    wide = tuple(part.detach().expand(DRAWS, *part.shape[1:]) for part in given)
    y = module(name, "Q ~> Y = sample".replace("Y", "Bool[T, Z]") if name == "Bernoulli" else "Q ~> Y = sample")(*wide)
    theirs = law.expand((DRAWS,)).sample()
    ours, theirs = y.double().reshape(DRAWS, -1), theirs.double().reshape(DRAWS, -1)
    for power in (1, 2):
        error = (ours**power).mean(0) - (theirs**power).mean(0)
        spread = ((ours**power).var(0) + (theirs**power).var(0)) / DRAWS
        assert (error.abs() <= 5 * spread.sqrt()).all()


def bessel(n: int, k: float) -> tuple[float, float]:
    """The logarithm of the density's constant, and the mean cosine, with scipy's Bessel functions."""
    order = n / 2 - 1
    low, high = (scipy_special.ive(v, k) for v in (order, order + 1))
    return order * math.log(k) - n / 2 * math.log(2 * math.pi) - math.log(low) - k, high / low


@pytest.mark.parametrize("n", [2, 3, 5, 20, 64])
@pytest.mark.parametrize("k", [0.01, 1.0, 20.0, 500.0])
def test_directions(n: int, k: float) -> None:
    torch.manual_seed(4)
    constant, cosine = bessel(n, k)
    area = math.log(2) + n / 2 * math.log(math.pi) - math.lgamma(n / 2)
    direction = torch.nn.functional.normalize(torch.randn(1, n, dtype=torch.float64), dim=-1)
    x = torch.nn.functional.normalize(torch.randn(1, n, dtype=torch.float64), dim=-1)
    kappa = torch.tensor([k], dtype=torch.float64, requires_grad=True)
    along = float((direction * x).sum())
    found = module("VonMisesFisher", "Q @ Y -> Real = log_prob", n=n)(direction, kappa, x)
    assert found.item() == pytest.approx(k * along + constant, abs=1e-9)
    assert torch.autograd.grad(found.sum(), kappa)[0].item() == pytest.approx(along - cosine, abs=1e-9)
    entropy = module("VonMisesFisher", "Q -> Nats = entropy", n=n)(direction, kappa)
    assert entropy.item() == pytest.approx(-constant - k * cosine, abs=1e-9)
    apart = module("VonMisesFisher", "Q -> Nats = q => kl(q, uniform_sphere[X])", n=n)(direction, kappa)
    assert apart.item() == pytest.approx(k * cosine + constant + area, abs=1e-9)


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("k", [0.5, 6.0, 80.0])
def test_drawn_directions(n: int, k: float) -> None:
    """Of length 1, with the mean and the spread of the law, and the derivative of the mean by the concentration."""
    torch.manual_seed(5)
    _, cosine = bessel(n, k)
    slope = 1 - cosine**2 - (n - 1) / k * cosine
    direction = torch.nn.functional.normalize(torch.randn(n, dtype=torch.float64), dim=-1)
    kappa = torch.tensor(k, dtype=torch.float64, requires_grad=True)
    y = module("VonMisesFisher", "Q ~> Y = sample", n=n)(direction.expand(DRAWS, n), kappa.expand(DRAWS))
    torch.testing.assert_close(y.norm(dim=-1), torch.ones(DRAWS, dtype=torch.float64))
    along = y @ direction
    assert abs(float(along.mean().detach()) - cosine) <= 5 * float(along.std().detach()) / DRAWS**0.5
    assert float(along.var().detach()) == pytest.approx(slope, rel=0.08)
    assert float(torch.autograd.grad(along.mean(), kappa)[0]) == pytest.approx(slope, rel=0.05)


def test_a_divergence_of_directions_by_its_definition() -> None:
    torch.manual_seed(6)
    direction, base = (torch.nn.functional.normalize(torch.randn(5, dtype=torch.float64), dim=-1) for _ in range(2))
    k, c = torch.tensor(7.0, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)
    wide = (direction.expand(DRAWS, 5), k.expand(DRAWS)), (base.expand(DRAWS, 5), c.expand(DRAWS))
    y = module("VonMisesFisher", "Q ~> Y = sample", n=5)(*wide[0])
    log_prob = module("VonMisesFisher", "Q @ Y -> Real = log_prob", n=5)
    apart = log_prob(*wide[0], y) - log_prob(*wide[1], y)
    found = module("VonMisesFisher", "Q @ Q -> Nats = kl", n=5)(direction[None], k[None], base[None], c[None])
    assert abs(float(apart.mean()) - found.item()) <= 5 * float(apart.std()) / DRAWS**0.5


TWICE = """
dim Z = 4
morphism once : Normal[Z] ~> Real[Z] @ Real[Z] = q => {
    z ~ q
    (z, z)
}
morphism twice : Normal[Z] ~> Real[Z] @ Real[Z] = q => {
    z ~ q
    y ~ q
    (z, y)
}
law drawn : once == twice
"""


def test_copying_a_draw_is_not_drawing_twice() -> None:
    spec = catdl.loads(TWICE)
    assert spec.diagnostics == []
    mean, std = torch.zeros(100, 4), torch.ones(100, 4)
    z, y = spec["once"].compile()(mean, std)
    assert torch.equal(z, y)
    z, y = spec["twice"].compile()(mean, std)
    assert not torch.isclose(z, y).any()
    assert not isinstance(spec.laws(1)["drawn"], Proved)


def test_what_a_file_calls_sample_is_not_meant() -> None:
    text = "dim Z = 4\nmorphism sample : Real[Z] -> Real[Z] = relu\nmorphism f : Normal[Z] ~> Real[Z] = q => {\n"
    spec = catdl.loads(text + "    z ~ q\n    sample(z)\n}\n")
    assert spec.diagnostics == [], render(spec.diagnostics)
    assert (spec["f"].compile()(torch.zeros(50, 4), torch.ones(50, 4)) >= 0).all()


def test_normal_from() -> None:
    text = "dim Z = 4\nmorphism f : Real[Z] @ {} -> Normal[Z] = normal_from\n"
    mean, s = torch.zeros(1, 4), torch.full((1, 4), 0.7)
    for kind, given in (("LogVar", 2 * s.log()), ("LogStd", s.log()), ("Var", s * s)):
        torch.testing.assert_close(catdl.loads(text.format(f"{kind}[Z]"))["f"].compile()(mean, given), (mean, s))


OWN = """
kind Rate : free Positive
dim Z = 4
morphism exponential_sample[..S] : Rate[..S] ~> Positive[..S] = rate => as[Positive](exponential_like(rate) / rate)
morphism exponential_log_prob[..S] : Rate[..S] @ Real[..S] -> Real = (rate, x) => sum[..S](log(rate) - rate * x)
overload sample : Rate = exponential_sample
overload log_prob : Rate @ Real = exponential_log_prob
morphism f : Rate[Z] ~> Positive[Z] = q => {
    z ~ q
    z
}
morphism g : Rate[Z] @ Real[Z] -> Real = log_prob
"""


def test_a_family_of_ones_own() -> None:
    spec = catdl.loads(OWN)
    assert spec.diagnostics == [], render(spec.diagnostics)
    torch.manual_seed(7)
    rate = torch.full((20_000, 4), 2.5)
    assert float(spec["f"].compile()(rate).mean()) == pytest.approx(0.4, rel=0.02)
    x = torch.rand(3, 4)
    wanted = known.Independent(known.Exponential(rate[:3]), 1).log_prob(x)
    torch.testing.assert_close(spec["g"].compile()(rate[:3], x), wanted)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("overload sample : Rate = nothing", "E0101"),
        ("overload sample : Rate -> Rate", "E0208"),
        ("overload exp : Rate = exponential_sample", "E0208"),
        ("overload sample : Real @ Std = exponential_sample", "E0208"),
        ("object Mine[..S, A] = (Real[..S, A] @ Real[B])", "E0101"),
        ("object Mine[..S, A] = Real[..S, A]\nmorphism h : Mine -> Real = sum[..]", "E0208"),
        ("object Mine[..S, ..R] = Real[..S, ..R]\nmorphism h : Mine[Z] -> Real = sum[..]", "E0208"),
        ("object Mine[A] = Real[A]\nmorphism h : Mine[Z, Z] -> Real = sum[..]", "E0203"),
    ],
)
def test_overloads_that_are_none(line: str, code: str) -> None:
    kept = OWN.partition("overload")[0]
    found = catdl.loads(f"{kept}{line}\n").diagnostics
    assert code in {mistake.code for mistake in found}


def test_a_distribution_beside_others_is_one_port() -> None:
    text = """
dim Z = 3
morphism told : Normal[Z] @ Real[Z] -> Real = (q, z) => log_prob(q, z) + sum[Z](q.mean)
morphism generic[..S] : (q: Normal[..S], z: Real[..S]) -> Real = (q, z) => log_prob(q, z) + sum[..](q.mean)
morphism named : Normal[Z] @ Real[Z] -> Real = generic
morphism wires : Normal[Z] @ Real[Z] -> Real = (mean, std, z) => log_prob((mean, std), z) + sum[Z](mean)
morphism apart[..S] : Normal[..S] @ Bernoulli[..S] @ Normal[..S] -> Nats = (q, odds, p) => kl(q, p) + entropy(odds)
morphism closed : Normal[Z] @ Bernoulli[Z] @ Normal[Z] -> Nats = apart
"""
    spec = catdl.loads(text)
    assert spec.diagnostics == [], render(spec.diagnostics)
    torch.manual_seed(0)
    mean, std, z, other, width = torch.randn(5, 4, 3, dtype=torch.float64).unbind()
    std, width = std.exp(), width.exp()
    q, p = known.Normal(mean, std), known.Normal(other, width)
    wanted = q.log_prob(z).sum(-1) + mean.sum(-1)
    for name in ("told", "named", "wires"):
        torch.testing.assert_close(spec[name].compile()(mean, std, z), wanted)
    apart = known.kl_divergence(q, p) + known.Bernoulli(logits=z).entropy()
    torch.testing.assert_close(spec["closed"].compile()(mean, std, z, other, width), apart.sum(-1))


def test_a_file_may_have_the_names_of_ports_for_its_own() -> None:
    text = "dim Z = 3\nparam mean : Real[Z]\nparam std : Real[Z]\nmorphism prior : () -> Normal[Z] = (mean, exp(std))\n"
    spec = catdl.loads(text)
    assert spec.diagnostics == [], render(spec.diagnostics)
