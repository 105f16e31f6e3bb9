"""What the example of states claims: equal to the whole sequence, to all data seen, to weights that follow."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import catdl

FILE = Path(__file__).parent.parent.parent / "examples" / "streams.cat"


def compiled(name: str) -> nn.Module:
    """A network of the example, in float64."""
    torch.manual_seed(0)
    return catdl.load(FILE)[name].compile().double()


def real(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


def test_it_is_clean() -> None:
    assert catdl.load(FILE).diagnostics == []


def sequence(model: nn.Module, below: str, size: int) -> nn.RNN:
    """torch's network over a whole sequence, with the weights of a cell."""
    found = nn.RNN(size, 8, batch_first=True).double()
    weights = {
        "weight_ih_l0": model.get_parameter(f"{below}input.weight"),
        "bias_ih_l0": model.get_parameter(f"{below}input.bias"),
        "weight_hh_l0": model.get_parameter(f"{below}recurrent.weight"),
        "bias_hh_l0": torch.zeros(8),
    }
    found.load_state_dict({key: value.detach() for key, value in weights.items()})
    return found


def test_a_stream_is_the_whole_sequence() -> None:
    """Outputs, and in the functional form gradients through all steps."""
    model = compiled("cell")
    x = real(5, 7, 6)
    fold = compiled("whole")
    fold.load_state_dict({f"elman.{key}": value for key, value in model.state_dict().items()})
    whole, last = sequence(model, "step.", 6)(x)
    torch.testing.assert_close(torch.stack([model(x[:, t]) for t in range(7)], 1), whole)
    torch.testing.assert_close(fold(x), whole)
    torch.testing.assert_close(model.get_buffer("h"), last[0])
    state, outputs = model.initial_state(5), []  # type: ignore[operator]
    for t in range(7):
        y, state = model.step_with(state, x[:, t])  # type: ignore[operator]
        outputs.append(y)
    torch.testing.assert_close(torch.stack(outputs, 1), whole)
    ours = torch.autograd.grad(outputs[-1].square().sum(), model.get_parameter("step.recurrent.weight"))
    other = sequence(model, "step.", 6)
    theirs = torch.autograd.grad(other(x)[1].square().sum(), other.get_parameter("weight_hh_l0"))
    torch.testing.assert_close(ours, theirs)


def test_two_cells_keep_two_states() -> None:
    model = compiled("tagger")
    x = real(5, 7, 6)
    lower, _ = sequence(model, "cell.step.", 6)(x)
    upper, _ = sequence(model, "upper.", 8)(lower)
    wanted = upper @ model.get_parameter("linear.weight").T + model.get_parameter("linear.bias")
    torch.testing.assert_close(torch.stack([model(x[:, t]) for t in range(7)], 1), wanted)


def test_the_running_mean_is_that_of_all_data() -> None:
    model = compiled("normalised")
    x = 3 + 2 * real(20, 50, 6)
    for batch in x:
        y = model(batch)
    torch.testing.assert_close(model.get_buffer("mean"), x.mean((0, 1)))
    torch.testing.assert_close(model.get_buffer("square"), x.square().mean((0, 1)))
    variance = x.square().mean((0, 1)) - x.mean((0, 1)).square()
    torch.testing.assert_close(y, (x[-1] - x.mean((0, 1))) / (variance + 0.0001).sqrt())
    other = compiled("normalised")
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other(x[0]), model(x[0]))


def test_the_target_follows_and_learns_nothing() -> None:
    model = compiled("values")
    weight = model.get_parameter("weight")
    slow = torch.zeros(3, 6, dtype=torch.float64)
    for _ in range(4):
        slow = 0.99 * slow + 0.01 * weight.detach()
        x = real(5, 6)
        online, target = model(x)
        torch.testing.assert_close(target, x @ slow.T)
        assert not target.requires_grad
        (grad,) = torch.autograd.grad(online.sum(), weight)
        with torch.no_grad():
            weight.sub_(0.1 * grad)
    assert list(model.state_dict()) == ["weight", "slow"]
