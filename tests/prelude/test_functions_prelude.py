"""The entries of the function files as a whole: documented, tested, unambiguous; and what no table of cases says."""

from __future__ import annotations

import itertools

import pytest
import torch

import catdl
from catdl.check.declare import declare_prelude
from catdl.check.kinds import Kinds
from catdl.check.scope import KindDef, MorphismDef, PreludeScope
from catdl.check.table import TABLE as RULES
from catdl.prelude import Prelude
from catdl.torch.natives import activation, find, index, linalg, losses, reductions, signal
from tests.prelude.function_cases import CASES, SIZES, spec

FILES = ("activations", "gradient", "index", "linalg", "losses", "pointwise", "reductions", "signal")
PRELUDE = Prelude.load()
SCOPE = PreludeScope(PRELUDE, declare_prelude)
ENTRIES = [
    name
    for name, place in PRELUDE.entries.items()
    if place.source.path in {f"prelude/{f}.cat" for f in FILES} and isinstance(SCOPE.find(name), MorphismDef)
]
RANDOM = {"gumbel_softmax"}


def entry(name: str) -> MorphismDef:
    """A morphism of the prelude."""
    found = SCOPE.find(name)
    assert isinstance(found, MorphismDef)
    return found


@pytest.mark.parametrize("name", ENTRIES)
def test_documented(name: str) -> None:
    """Every entry says what it is; a core entry has a rule, a native one a lowering, an opaque one nothing else."""
    head = entry(name).head
    assert head.doc
    assert ("core" in head.modifiers) == (name in RULES) or name == "scale"
    assert ("native" in head.modifiers) == (find(name) is not None)
    assert head.body is not None or head.modifiers


def test_every_function_has_a_case() -> None:
    """What is not core is in the table of cases, by its own use or by another's."""
    tested = " ".join(CASES)
    missing = [name for name in ENTRIES if "core" not in entry(name).modifiers and name not in tested]
    assert set(missing) == RANDOM


def test_no_lowering_without_entry() -> None:
    """The tables hold nothing that the prelude does not declare."""
    for table in (activation, index, linalg, losses, reductions, signal):
        assert set(table.TABLE) <= set(ENTRIES)


def test_overloads_are_unambiguous() -> None:
    """For any kinds at most one overload of a function is the most specific."""
    kinds = Kinds(SCOPE)
    names = ["Fin"]
    for name, place in PRELUDE.entries.items():
        if place.source.path == "prelude/kinds.cat":
            found = SCOPE.find(name)
            assert isinstance(found, KindDef)
            names.append(found.name)
    for name in PRELUDE.overloads:
        overloads = entry(name).overloads
        for count in {len(o.inputs) for o in overloads}:
            for given in itertools.product(names, repeat=count):
                assert len(kinds.choose(overloads, given, None)) <= 1, (name, given)


def run(case: str, *inputs: torch.Tensor, train: bool = False) -> torch.Tensor:
    """The compiled module of a case on its inputs."""
    found = catdl.loads(spec(f"case : {case}", SIZES))
    found.sound()
    result = found["f"].compile().train(train)(*inputs)
    assert isinstance(result, torch.Tensor)
    return result


def test_gumbel_softmax_samples_the_softmax() -> None:
    """The share of each class is its probability, and the hard sample is one-hot with a gradient."""
    torch.manual_seed(0)
    x = torch.tensor([0.0, 1.0, -1.0], requires_grad=True)
    y = run("Real[X] ~> Probs[X] = gumbel_softmax(0.5, hard = true)", x.expand(20000, 3))
    assert torch.equal(y.sum(-1), torch.ones(20000))
    assert set(y.detach().unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(y.mean(0), x.softmax(0), rtol=0, atol=0.02)
    y[:, 0].mean().backward()
    assert x.grad is not None and x.grad.abs().max() > 0


def test_rrelu_draws_in_training_only() -> None:
    """Slopes lie between the bounds in training and are their mean in evaluation."""
    x = -torch.ones(1000, 5)
    drawn = -run("Real[T] -> Real[T] = rrelu(0.1, 0.3)", x, train=True)
    assert 0.1 <= drawn.min() < 0.12 and 0.28 < drawn.max() <= 0.3
    torch.testing.assert_close(run("Real[T] -> Real[T] = rrelu(0.1, 0.3)", x), torch.full_like(x, -0.2))


def test_softmax_of_large_numbers() -> None:
    """Nothing overflows."""
    x = torch.tensor([1e4, 0.0, -1e4])
    torch.testing.assert_close(run("Real[X] -> Probs[X] = softmax", x), torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(run("Real[X] -> Probs[X] = sparsemax", x), torch.tensor([1.0, 0.0, 0.0]))


def test_cross_entropy_without_labels() -> None:
    """Where no position counts the loss is 0 and its gradient too; -100 is ignored unless another label is."""
    x = torch.randn(2, 5, 7, requires_grad=True)
    label = torch.full((2, 5), -100)
    label[1, 2] = 3
    loss = run("Logits[T, C] @ Fin(C)[T] -> Nats = cross_entropy", x, label)
    loss.sum().backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()
    assert loss[0] == 0
    torch.testing.assert_close(loss[1], -x.log_softmax(-1)[1, 2, 3])


def test_losses_are_those_of_torch() -> None:
    """The mean over the batch is torch's own mean."""
    x, label = torch.randn(8, 7), torch.randint(0, 7, (8,))
    mine = run("Logits[C] @ Fin(C) -> Nats = cross_entropy(smoothing = 0.1)", x, label).mean()
    torch.testing.assert_close(mine, torch.nn.functional.cross_entropy(x, label, label_smoothing=0.1))
    a, b, c = torch.randn(3, 8, 5, 4)
    mine = run("Real[T, D] @ Real[T, D] @ Real[T, D] -> Real = triplet_margin_loss", a, b, c).mean()
    torch.testing.assert_close(mine, torch.nn.functional.triplet_margin_loss(a, b, c))
    mean, var, y = torch.randn(8, 5), torch.rand(8, 5) + 0.1, torch.randn(8, 5)
    mine = run("Real[T] @ Var[T] @ Real[T] -> Nats = gaussian_nll_loss", mean, var, y).mean()
    torch.testing.assert_close(mine, torch.nn.functional.gaussian_nll_loss(mean, y, var))
    q, p = torch.randn(8, 7).log_softmax(-1), torch.eye(7)[label]
    mine = run("LogProbs[C] @ Probs[C] -> Nats = kl_div", q, p).mean()
    torch.testing.assert_close(mine, torch.nn.functional.kl_div(q, p, reduction="batchmean"))


def test_masks() -> None:
    """What the masks keep."""
    ones = torch.ones(5, 5)
    causal = run("Real[T, T'] -> Real[T, T'] = x => x * real(causal_mask[T, T'])", ones)
    assert torch.equal(causal, ones.tril())
    band = run("Real[T, T'] -> Real[T, T'] = x => x * real(band_mask[T, T'](1, 0))", ones)
    assert torch.equal(band, ones.tril() - ones.tril(-2))
    kept = run("Real -> Keep[T] = length_mask[T]", torch.tensor([0.0, 2.0, 5.0]))
    assert torch.equal(kept.sum(-1), torch.tensor([0, 2, 5]))


def test_empty_segments() -> None:
    """A node without edges gets 0, and a segment's softmax sums to one."""
    x, i = torch.randn(9), torch.tensor([0, 0, 2, 2, 2, 5, 5, 5, 5])
    for fn in ("sum", "mean", "max", "min"):
        y = run(f"Real[E] @ Fin(N)[E] -> Real[N] = segment_{fn}[N]", x, i)
        assert y[1] == y[3] == y[4] == 0
    share = run("Real[E] @ Fin(N)[E] -> Positive[E] = segment_softmax[N]", 100 * x, i)
    torch.testing.assert_close(torch.zeros(6).index_add(0, i, share), torch.tensor([1.0, 0, 1, 0, 0, 1]))


def test_gradients() -> None:
    """What is forward and what goes back."""
    x = torch.tensor([-1.4, -0.6, 0.2, 0.6, 1.7], requires_grad=True)
    for name, value, slope in (
        ("round_ste", x.round(), torch.ones(5)),
        ("sign_ste", x.sign(), torch.tensor([0.0, 1, 1, 1, 0])),
        ("reverse_gradient(0.5)", x, torch.full((5,), -0.5)),
        ("scale_gradient(3)", x, torch.full((5,), 3.0)),
        ("quantize_ste(2)", (2 * x).round() / 2, torch.ones(5)),
    ):
        y = run(f"Real[T] -> Real[T] = {name}", x)
        torch.testing.assert_close(y, value)
        torch.testing.assert_close(torch.autograd.grad(y.sum(), x)[0], slope)


@pytest.mark.parametrize("smoothing", [0, 0.1])
@pytest.mark.parametrize("ignore", [-100, 2])
def test_weighted_cross_entropy_is_that_of_torch_within_a_sample(smoothing: float, ignore: int) -> None:
    x, label, weight = torch.randn(3, 5, 7), torch.randint(0, 7, (3, 5)), torch.rand(3, 7) + 0.1
    options = f"smoothing = {smoothing}, ignore = {ignore}"
    found = run(f"Logits[T, C] @ Fin(C)[T] @ Positive[C] -> Nats = weighted_cross_entropy({options})", x, label, weight)
    wanted = [
        torch.nn.functional.cross_entropy(a, y, weight=w, ignore_index=ignore, label_smoothing=smoothing)
        for a, y, w in zip(x, label, weight, strict=True)
    ]
    torch.testing.assert_close(found, torch.stack(wanted))
