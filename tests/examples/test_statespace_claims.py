"""What the state-space example claims: its folds run in chunks, and are the plain loop, values and gradients."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.nn import functional as F

import catdl
from catdl import Spec
from catdl.cli import catdl as command

FILE = Path(__file__).parent.parent.parent / "examples" / "statespace.cat"
PARAMETERS = {"diagonal": 3_072, "selective": 7_296, "block": 19_904}
STEPS = (1, 7, 200)  # fewer than a chunk, and several with a rest


@cache
def spec() -> Spec:
    return catdl.load(FILE)


def compiled(name: str) -> nn.Module:
    torch.manual_seed(0)
    return spec()[name].compile().double()


def loop(keep: Tensor, new: Tensor) -> Tensor:
    """s = keep * s + new along the second axis, one step after the other."""
    state = torch.zeros_like(new[:, 0])
    states = []
    for t in range(new.shape[1]):
        state = keep[:, t] * state + new[:, t]
        states.append(state)
    return torch.stack(states, 1)


def diagonal(model: nn.Module, x: Tensor) -> Tensor:
    keep = model.get_parameter("decay.rate").sigmoid()
    new = (1 - keep) * model.get_parameter("decay.drive") * x[..., None]
    return (loop(keep.expand_as(new), new) * model.get_parameter("mix")).sum(-1)


def selective(model: nn.Module, x: Tensor, path: str = "") -> Tensor:
    weight = {key.removeprefix(path): p for key, p in model.named_parameters() if key.startswith(path)}
    delta = F.softplus(x @ weight["step.weight"].T + weight["step.bias"])[..., None]
    write, read = x @ weight["write.weight"].T, x @ weight["read.weight"].T
    states = loop(torch.exp(-delta * weight["rate"].exp()), delta * x[..., None] * write[:, :, None])
    return (states * read[:, :, None]).sum(-1) + weight["skip"] * x


def block(model: nn.Module, x: Tensor) -> Tensor:
    weight = dict(model.named_parameters())

    def linear(name: str, y: Tensor) -> Tensor:
        return F.linear(y, weight[f"{name}.weight"], weight[f"{name}.bias"])

    normed = F.layer_norm(x, (64,), weight["layernorm.weight"], weight["layernorm.bias"])
    y = selective(model, linear("enter", normed), "selective.") * F.silu(linear("gate", normed))
    return x + linear("leave", y)


LOOPS = {"diagonal": diagonal, "selective": selective, "block": block}


def test_it_is_clean_and_every_network_in_it_is_tried() -> None:
    assert spec().diagnostics == []
    assert set(spec().names) == {*PARAMETERS, "decay", "selected"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_it_has_the_weights_it_claims(name: str) -> None:
    with torch.device("meta"):
        model = spec()[name].compile()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", PARAMETERS)
def test_it_is_the_plain_loop(name: str, steps: int) -> None:
    model = compiled(name)
    x = torch.randn(2, steps, 64, dtype=torch.float64, requires_grad=True)
    got, wanted = model(x), LOOPS[name](model, x)
    torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)
    direction = torch.randn_like(wanted)
    over = [x, *model.parameters()]
    for one, other in zip(
        torch.autograd.grad(got, over, direction), torch.autograd.grad(wanted, over, direction), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", PARAMETERS)
def test_explained_it_runs_in_chunks(name: str, tmp_path: Path) -> None:
    out = tmp_path / "printed.py"
    result = CliRunner().invoke(command, ["compile", str(FILE), name, "-o", str(out), "--explain"])
    assert result.exit_code == 0, result.output
    assert "affine: fold[T] is run in chunks of steps" in result.output


def test_what_is_remembered_depends_on_the_input() -> None:
    """With the steps of the words set by hand: one that lasts forgets what was, one that takes no time keeps it."""
    model = compiled("selective")
    with torch.no_grad():
        for key in ("step.weight", "step.bias", "skip", "rate"):
            model.get_parameter(key).zero_()
        model.get_parameter("step.weight")[:, 0] = 50.0  # the first channel of a word says how long it lasts
    x = torch.randn(2, 5, 64, dtype=torch.float64)
    x[:, :, 0] = torch.tensor([1.0, 1.0, -1.0, -1.0, 0.1])
    changed = x.clone()
    changed[:, 0, 1:] += 1.0
    kept = x.clone()
    kept[:, 1, 1:] += 1.0
    before = model(x)
    assert torch.allclose(model(changed)[:, 1:], before[:, 1:], atol=1e-8)  # the second word has wiped the first out
    assert not torch.allclose(model(kept)[:, 3], before[:, 3], atol=1e-3)  # two words later the second is still there
