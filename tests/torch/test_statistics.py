"""Running statistics: buffers under torch's own keys wherever a batch norm stands and whatever is plugged into it."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import nn

import catdl
from catdl.weights.held import held

BUFFERS = ["running_mean", "running_var", "num_batches_tracked"]


def compiled(text: str) -> nn.Module:
    """The morphism `f`; `g` and `h` in its text are declared parameters."""
    used = [f"param {name} : Real[C] ~ normal(0, 1)\n" for name in "gh" if re.search(rf"\b{name}\b", text)]
    return catdl.loads(f"dim C = 4\n{''.join(used)}morphism f : {text}")["f"].compile()


@pytest.mark.parametrize("plugged", ["weight = g", "bias = h", "weight = g, bias = h"])
def test_a_plugged_leaf_leaves_the_others_under_their_keys(plugged: str) -> None:
    model = compiled(f"Real[C] -> Real[C] = batchnorm(momentum = 0.3){{{plugged}}}")
    own = [leaf for leaf in ("weight", "bias") if f"{leaf} =" not in plugged]
    assert sorted(k for k in model.state_dict() if "." in k) == sorted(f"batchnorm.{k}" for k in (*own, *BUFFERS))
    assert sorted(k for k, _ in model.named_buffers()) == sorted(f"batchnorm.{k}" for k in BUFFERS)
    other = nn.BatchNorm1d(4, momentum=0.3)
    values = dict(model.named_parameters()) | {"batchnorm.weight": torch.ones(4), "batchnorm.bias": torch.zeros(4)}
    with torch.no_grad():
        other.weight.copy_(values["g" if "weight" in plugged else "batchnorm.weight"])
        other.bias.copy_(values["h" if "bias" in plugged else "batchnorm.bias"])
    for training in (True, True, False):
        x = torch.randn(6, 4)
        torch.testing.assert_close(model.train(training)(x), other.train(training)(x))
    for name, value in other.named_buffers():
        torch.testing.assert_close(model.get_buffer(f"batchnorm.{name}"), value)


@pytest.mark.parametrize(("many", "rounds"), [("batchnorm", 1), ("iterate(2, tied batchnorm)", 2)])
def test_a_weight_of_each_sample_scales_what_the_batch_has_normed(many: str, rounds: int) -> None:
    """Conditional batch norm: the statistics are those of the batch, sample by sample the rest is as by hand."""
    path = "batchnorm.weight" if rounds > 1 else "weight"
    model = compiled(f"Real[C] @ Real[C, H: 5, W: 3] -> Real[C, H: 5, W: 3] = (z, x) => x >> {many}{{{path} = z}}")
    other = nn.BatchNorm2d(4)
    for training in (True, True, False):
        z, x = torch.randn(6, 4), torch.randn(6, 4, 5, 3)
        model.train(training), other.train(training)
        wanted = x
        for _ in range(rounds):
            normed = other(wanted)
            wanted = torch.stack([normed[k] * z[k][:, None, None] for k in range(6)])
        torch.testing.assert_close(model(z, x), wanted)
    for name in BUFFERS[:2]:
        torch.testing.assert_close(model.get_buffer(f"batchnorm.{name}"), other.get_buffer(name))
    alone = torch.stack([model(z[k], x[k]) for k in range(6)])
    torch.testing.assert_close(alone, model(z, x))
    model.reset_state()  # type: ignore[operator]
    assert not model.get_buffer("batchnorm.running_mean").any()


def test_a_state_by_the_name_of_a_statistic_counts_nothing() -> None:
    body = "state running_var : Real[C] = ones\n    running_var <- running_var + 1\n    x * running_var"
    spec = catdl.loads(f"dim C = 4\nmorphism f : Real[C] -> Real[C] = x => {{\n    {body}\n}}")
    model = spec["f"].compile()
    assert list(model.state_dict()) == ["running_var"] == [tensor.key for tensor in held(spec["f"].diagram())]
    model(torch.ones(4))
    model.reset_state()  # type: ignore[operator]
    assert torch.equal(model.get_buffer("running_var"), torch.ones(4))


def test_plugged_in_a_repeat_and_tied() -> None:
    model = compiled("Real[C] -> Real[C] = repeat(2, fresh batchnorm{weight = g})")
    assert [k for k in model.state_dict() if k.endswith("tracked")] == [
        f"batchnorm.{k}.num_batches_tracked" for k in (0, 1)
    ]
    model(torch.randn(5, 4))
    tied = compiled("Real[C] -> Real[C] = iterate(2, tied batchnorm{weight = g})")
    tied(torch.randn(5, 4))
    assert [int(value) for key, value in tied.state_dict().items() if key.endswith("tracked")] == [2]


def test_a_plugged_statistic_stays_as_it_is() -> None:
    model = compiled("Real[C] -> Real[C] = batchnorm{running_mean = g, running_var = exp(h)}")
    before = model.get_parameter("g").detach().clone()
    model(torch.randn(5, 4))
    torch.testing.assert_close(model.get_parameter("g").detach(), before)


def test_start_again() -> None:
    model = compiled("Real[C] -> Real[C] = batchnorm{weight = g}")
    model(torch.randn(5, 4) + 1)
    for module in model.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
    found = dict(model.named_buffers())
    assert not found["batchnorm.running_mean"].any() and not found["batchnorm.num_batches_tracked"]
    assert bool((found["batchnorm.running_var"] == 1).all())


def test_each_index_has_its_own() -> None:
    model = catdl.loads("dim E = 3, C = 4, D = 4\nmorphism f : Real[E, C] -> Real[E, C] = each[E](fresh batchnorm)")
    each = model["f"].compile()
    assert [(k, tuple(v.shape)) for k, v in each.state_dict().items()] == [
        ("batchnorm.weight", (3, 4)),
        ("batchnorm.bias", (3, 4)),
        ("batchnorm.running_mean", (3, 4)),
        ("batchnorm.running_var", (3, 4)),
        ("batchnorm.num_batches_tracked", (3,)),
    ]
    others = [nn.BatchNorm1d(4) for _ in range(3)]
    for training in (True, True, False):
        x = torch.randn(6, 3, 4) * torch.tensor([1.0, 2.0, 3.0])[:, None] + 1
        wanted = torch.stack([other.train(training)(x[:, k]) for k, other in enumerate(others)], 1)
        torch.testing.assert_close(each.train(training)(x), wanted)
    for k, other in enumerate(others):
        for name, value in other.named_buffers():
            torch.testing.assert_close(each.get_buffer(f"batchnorm.{name}")[k], value)
    again = copy.deepcopy(each)
    torch.testing.assert_close(again(x), each(x))
    for module in again.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
    assert not any(again.get_buffer(f"batchnorm.{name}").any() for name in ("running_mean", "num_batches_tracked"))
    each.load_state_dict(again.state_dict())
    assert not each.get_buffer("batchnorm.running_mean").any()


def test_each_of_several_boxes_with_statistics_has_a_name() -> None:
    text = "dim E = 3, C = 4, D = 4\nmorphism f : Real[E, C] -> Real[E, C] = x: each[E](fresh (batchnorm >> linear))"
    model = catdl.loads(text)["f"].compile()
    assert model(torch.randn(5, 3, 4)).shape == (5, 3, 4)
    assert model.get_buffer("x.batchnorm.running_mean").shape == (3, 4)


@pytest.mark.parametrize("change", ["weight: exp", "weight: frozen", "bias: frozen, weight: exp"])
def test_a_changed_leaf_leaves_the_statistics_as_they_are(change: str) -> None:
    model = compiled(f"Real[C] -> Real[C] = batchnorm{{{change}}}")
    assert {key for key, _ in model.named_buffers()} == {f"batchnorm.{name}" for name in BUFFERS}
    assert set(model.state_dict()) == {f"batchnorm.{name}" for name in ("weight", "bias", *BUFFERS)}
    x = torch.randn(6, 4)
    model(x)
    torch.testing.assert_close(model.get_buffer("batchnorm.running_mean"), 0.1 * x.mean(0))
    assert int(model.get_buffer("batchnorm.num_batches_tracked")) == 1
