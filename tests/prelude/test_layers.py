"""Every layer with a native lowering against its definition: values and gradients, with and without batch axes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import catdl
from catdl.diagram.interpret import interpret
from catdl.diagram.model import Diagram
from catdl.diagram.params import parameters
from catdl.types.types import Axis
from tests.prelude.function_cases import spec
from tests.prelude.layer_cases import CASES, DROPOUT, FREE, FREE_DIMS, FREE_SIZES, NORM, SIZES, cases
from tests.torch.agree import agree, model_of


def diagram(text: str) -> Diagram:
    """The diagram of `f`."""
    found = catdl.loads(text)
    found.sound()
    return found["f"].diagram()


@pytest.mark.parametrize("case", CASES)
def test_native_is_its_definition(case: str) -> None:
    """In evaluation, at fixed sizes."""
    agree(diagram(spec(case, SIZES)))


@pytest.mark.parametrize("case", CASES)
def test_a_state_dict_is_in_the_order_of_the_definition(case: str) -> None:
    """Whichever parameter the generated code speaks of first."""
    made = diagram(spec(case, SIZES))
    wanted = [parameter.path for parameter in parameters(made)]
    assert [key for key in model_of(made).state_dict() if key in wanted] == wanted


def test_linear_from_starts_as_linear_of_merged_axes() -> None:
    torch.manual_seed(0)
    text = spec("f : Real[M, H, W] -> Real[T: 4000] = linear_from[M, H, W](4000)", SIZES)
    model = catdl.loads(text)["f"].compile()
    bound = (SIZES["M"] * SIZES["H"] * SIZES["W"]) ** -0.5
    for value in model.state_dict().values():
        assert 0.99 * bound < value.abs().max() <= bound
        assert abs(value.std() - bound / 3**0.5) < 0.03 * bound


@pytest.mark.parametrize("case", cases(FREE))
def test_native_is_its_definition_at_free_sizes(case: str) -> None:
    """The same at sizes that are read from the input."""
    agree(diagram(f"{FREE_DIMS}morphism f : {case}\n"), {f"<string>::{k}": n for k, n in FREE_SIZES.items()})


@pytest.mark.parametrize("case", [case for case in cases(NORM) if case.startswith("batchnorm")])
def test_batch_norm_in_training(case: str) -> None:
    """The statistics of the batch, whatever number of axes it has, and gradients through them."""
    agree(diagram(spec(case, SIZES)), batches=((5,), (2, 3)), training=True)


def test_running_statistics_are_those_of_torch() -> None:
    """After some steps, and what evaluation makes of them."""
    model = model_of(diagram(spec("f : Real[C, H, W] -> Real[C, H, W] = batchnorm(momentum = 0.3)", SIZES))).train()
    other = nn.BatchNorm2d(SIZES["C"], momentum=0.3).double()
    other.load_state_dict({k.removeprefix("batchnorm."): v for k, v in model.state_dict().items()})
    for _ in range(3):
        x = torch.randn(5, SIZES["C"], SIZES["H"], SIZES["W"], dtype=torch.float64)
        torch.testing.assert_close(model(x), other.train()(x))
    torch.testing.assert_close(model.eval()(x), other.eval()(x))


@pytest.mark.parametrize("case", cases(DROPOUT))
@pytest.mark.parametrize("compiled", [True, False])
def test_noise_keeps_the_mean(case: str, compiled: bool) -> None:
    """The mean stays, about the right share is dropped, together where it must be; so too in the definition."""
    torch.manual_seed(3)
    made = diagram(spec(case, SIZES))
    axes = made.wires[made.inputs[0]].type.axes
    shape = [a.size for a in axes if isinstance(a, Axis) and isinstance(a.size, int)]
    x = torch.ones(3_000, *shape, dtype=torch.float64)
    y = model_of(made).train()(x) if compiled else interpret(made, (x,), {}, training=True)[0]
    if case.startswith("alpha_dropout"):
        x, z = torch.randn_like(x), model_of(made).train()
        y = z(x) if compiled else interpret(made, (x,), {}, training=True)[0]
        assert abs(y.mean()) < 0.03 and abs(y.var() - 1) < 0.05
        return
    p = {"dropout": 0.5, "channel_dropout": 0.3, "drop_path": 0.2}[case.partition(" ")[0]]
    assert abs(y.mean() - 1) < 0.05
    torch.testing.assert_close(y[y != 0], torch.full_like(y[y != 0], 1 / (1 - p)))
    assert abs((y == 0).double().mean() - p) < 0.05
    if case.startswith("channel_dropout"):
        assert (y.flatten(2).amax(-1) == y.flatten(2).amin(-1)).all()
    if case.startswith("drop_path"):
        assert (y.flatten(1).amax(-1) == y.flatten(1).amin(-1)).all()


@pytest.mark.parametrize("extra", ["", "bias", "softcap"])
def test_a_query_that_sees_no_key_yields_zero(extra: str) -> None:
    """And no gradient is lost to NaN on the way."""
    bias = ", bias: Real[T, L]" if extra == "bias" else ""
    call = "attend(softcap = 2)" if extra == "softcap" else "attend"
    case = f"f : (q: Real[T, D], k: Real[L, D], v: Real[L, D], mask: Keep[T, L]{bias}) -> Real[T, D] = {call}"
    model = model_of(diagram(spec(case, SIZES)))
    q, k, v = (torch.randn(2, n, SIZES["D"], dtype=torch.float64, requires_grad=True) for n in (5, 9, 9))
    mask = torch.rand(2, 5, 9) < 0.5
    mask[:, 2] = False
    y = model(q, k, v, mask, *([torch.randn(2, 5, 9, dtype=torch.float64)] if bias else []))
    assert (y[:, 2] == 0).all()
    grads = torch.autograd.grad(y.square().sum(), (q, k, v))
    assert all(g.isfinite().all() for g in grads)
