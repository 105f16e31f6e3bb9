"""Layers against what their sources say: formulas of papers, torch's own modules, and what must be refused."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import catdl
from catdl.diagnostics.base import Diagnostic
from catdl.torch.build import build
from tests.prelude.test_layers import diagram
from tests.torch.agree import agree


def model(text: str) -> nn.Module:
    """The compiled `f` in float64."""
    return build(diagram(text)).double()


def mistakes(text: str) -> list[Diagnostic]:
    """What is wrong with a text."""
    return catdl.loads(text).diagnostics


def data(*shape: int) -> Tensor:
    """Random numbers in float64."""
    torch.manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64)


def test_rotary_turns_complex_numbers() -> None:
    """RoFormer: pair i of step t is multiplied by exp(i t base^(-2 i / D))."""
    x = data(2, 5, 8)
    angle = torch.outer(torch.arange(5.0), 100.0 ** (-torch.arange(4) / 4)).double()
    turn = torch.polar(torch.ones(5, 4).double(), angle)
    pairs = torch.view_as_complex(x.unflatten(-1, (4, 2)).contiguous())
    want = torch.view_as_real(pairs * turn).flatten(-2)
    spec = "dim T = 5, D = 8\nmorphism f : Real[T, D] -> Real[T, D] = rotary({}, base = 100)"
    found = model(spec.format('"interleaved"'))(x)
    torch.testing.assert_close(found, want, rtol=1e-6, atol=1e-6)
    order = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])
    halves = model(spec.format('"half"'))(x[..., order])
    torch.testing.assert_close(halves, found[..., order])


def test_rotary_has_no_default_convention() -> None:
    """The two conventions are not interchangeable, so one must be named."""
    found = mistakes("dim T = 5, D = 8\nmorphism f : Real[T, D] -> Real[T, D] = rotary")
    assert [d.code for d in found] == ["E0203"] or "convention" in found[0].parts().message


def test_rotary_scores_depend_on_the_distance() -> None:
    """Of queries and keys, whatever their places."""
    rotate = model('dim T = 9, D = 6\nmorphism f : Real[T, D] -> Real[T, D] = rotary("half")')
    q, k = rotate(data(6).expand(9, 6)), rotate(data(1, 6).expand(9, 6) * 2)
    scores = q @ k.T
    for shift in range(1, 9):
        torch.testing.assert_close(scores.diagonal(shift), scores[0, shift].expand(9 - shift))


def test_sinusoids_are_those_of_the_paper() -> None:
    """Attention Is All You Need, section 3.5."""
    table = model("dim T = 4, D = 6\nmorphism f : Real[T, D] -> Real[T, D] = sinusoidal")(torch.zeros(4, 6).double())
    for t in range(4):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert math.isclose(table[t, 2 * i], math.sin(angle), abs_tol=1e-12)
            assert math.isclose(table[t, 2 * i + 1], math.cos(angle), abs_tol=1e-12)


def t5_bucket(relative: int, bidirectional: bool, buckets: int, max_distance: int) -> int:
    """As mesh_tensorflow's T5 has it."""
    found = 0
    if bidirectional:
        buckets //= 2
        found += buckets if relative > 0 else 0
        n = abs(relative)
    else:
        n = max(-relative, 0)
    exact = buckets // 2
    if n < exact:
        return found + n
    large = exact + int(math.log(n / exact) / math.log(max_distance / exact) * (buckets - exact))
    return found + min(large, buckets - 1)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_t5_buckets(bidirectional: bool) -> None:
    """Each pair of places takes the row of its bucket."""
    flag = str(bidirectional).lower()
    call = f"t5_bias[T, U](H, bidirectional = {flag})"
    f = model(f"dim T = 150, U = 40, H = 2\nmorphism f : () -> Real[H, T, U] = {call}")
    weight = dict(f.named_parameters())["t5_bias.weight"]
    found = f()
    want = torch.tensor([[t5_bucket(u - t, bidirectional, 32, 128) for u in range(40)] for t in range(150)])
    torch.testing.assert_close(found, weight[want].permute(2, 0, 1))


def test_alibi_slopes() -> None:
    """The slopes of the paper for 8 heads, and of its code for 12."""
    for heads, want in {
        8: [2.0**-k for k in range(1, 9)],
        12: [2.0**-k for k in range(1, 9)] + [2.0 ** -(k - 0.5) for k in range(1, 5)],
    }.items():
        bias = model(f"dim T = 3, H = {heads}\nmorphism f : () -> Real[H, T, T'] = alibi")()
        torch.testing.assert_close(bias[:, 2, 1], -torch.tensor(want, dtype=bias.dtype))
        torch.testing.assert_close(bias[:, 2, 0], bias[:, 2, 1] * 2)


def test_patches_are_read_as_a_convolution_reads_them() -> None:
    """`patchify >> linear` is the strided convolution with the same numbers."""
    x = data(2, 3, 8, 12)
    found = model("dim C = 3, H = 8, W = 12\nmorphism f : Real[C, H, W] -> Real[6, 48] = patchify(4)")(x)
    torch.testing.assert_close(found, F.unfold(x, 4, stride=4).mT)
    weight = data(5, 3, 4, 4)
    torch.testing.assert_close(found @ weight.flatten(1).T, F.conv2d(x, weight, stride=4).flatten(2).mT)


def test_channel_shuffle_is_torch() -> None:
    """torch's own on the same input."""
    x = data(2, 6, 3, 2)
    f = model("dim C = 6, H = 3, W = 2\nmorphism f : Real[C, H, W] -> Real[C, H, W] = channel_shuffle[C](3)")
    torch.testing.assert_close(f(x), F.channel_shuffle(x, 3))


def test_lp_pool_is_torch() -> None:
    """On positive numbers, where torch's is defined for every p."""
    x = data(2, 3, 6, 6).abs()
    f = model("dim C = 3, H = 6, W = 6\nmorphism f : Real[C, H, W] -> Real[C, H: 3, W: 3] = lppool2d(3, 2)")
    torch.testing.assert_close(f(x), F.lp_pool2d(x, 3.0, 2))


def test_causal_convolution_sees_no_later_step() -> None:
    """A change at step 5 changes nothing before."""
    call = 'conv1d(3, 3, padding = "causal", dilation = 2)'
    f = model(f"dim T = 9, C = 2\nmorphism f : Real[C, T] -> Real[3, T] = {call}")
    x = data(2, 9)
    y = x.clone()
    y[:, 5] += 1
    torch.testing.assert_close(f(x)[:, :5], f(y)[:, :5])
    assert not torch.equal(f(x)[:, 5], f(y)[:, 5])


@pytest.mark.parametrize(
    ("layer", "other"),
    [
        ("Real[C, H, W] -> Real[8, H, W] = conv2d(8, 3, padding = 1)", nn.Conv2d(4, 8, 3, padding=1)),
        ("Real[D] -> Real[8] = linear(8)", nn.Linear(6, 8)),
        ("Real[D] @ Real[C] -> Real[8] = bilinear(8)", nn.Bilinear(6, 4, 8)),
        ("Real[C, H, W] -> Real[C, H, W] = batchnorm", nn.BatchNorm2d(4)),
        ("Real[C, H, W] -> Real[8, H: 14, W: 12] = conv_transpose2d(8, 2, stride = 2)", nn.ConvTranspose2d(4, 8, 2, 2)),
        ("Real[D] -> Real[D] = layernorm", nn.LayerNorm(6)),
        ("Fin(C)[H] -> Real[H, 8] = embed(8)", nn.Embedding(4, 8)),
    ],
)
def test_leaves_are_those_of_torch(layer: str, other: nn.Module) -> None:
    """Names and shapes, so that a state_dict fits."""
    found = model(f"dim C = 4, H = 7, W = 6, D = 6\nmorphism f : {layer}")
    mine = {key.partition(".")[2]: tuple(value.shape) for key, value in found.state_dict().items()}
    assert mine == {key: tuple(value.shape) for key, value in other.state_dict().items()}


def test_parameters_without_a_module_start_as_those_of_torch() -> None:
    """A causal convolution has no module in torch; its leaves start as those of nn.Conv1d."""
    torch.manual_seed(0)
    f = model('dim C = 200, T = 9\nmorphism f : Real[C, T] -> Real[300, T] = conv1d(300, 3, padding = "causal")')
    bound = 1 / math.sqrt(200 * 3)
    for leaf in f.parameters():
        assert 0.9 * bound < leaf.abs().max() <= bound


@pytest.mark.parametrize(
    "text",
    [
        "dim C = 4, L = 9\nmorphism f : Real[C, L] -> Real[6, L] = conv1d(6, 3, padding = 1, groups = 3)",
        "dim C = 4, L = 9\nmorphism f : Real[C, L] -> Real[6, L] = conv1d(6, 3)",
        "dim C = 4, L = 2\nmorphism f : Real[C, L] -> Real[6, 1] = conv1d(6, 5)",
        "dim C = 4, L = 9\nmorphism f : Real[C, L] -> Real[C, L] = groupnorm(3)",
        "dim C = 3, H = 9, W = 8\nmorphism f : Real[C, H, W] -> Real[4, 48] = patchify(4)",
        "dim T = 9, D = 5\nmorphism f : Real[T, D] -> Real[T, D] = sinusoidal",
        "dim T = 9, D = 4\nmorphism f : Real[T, D] -> Real[T, D] = positions(5)",
        "dim T = 5, U = 9, D = 4\n"
        "morphism f : (q: Real[T, D], k: Real[U, D], v: Real[U, D]) -> Real[T, D] = attend(causal = true)",
        "dim T = 5, U = 9, D = 4\nmorphism f : (q: Real[T, D], k: Real[U, D], v: Real[T, D]) -> Real[T, D] = attend",
        "dim T = 5, U = 9, D = 4\n"
        "morphism f : (q: Real[T, D], k: Real[U, D], v: Real[U, D], mask: Drop[T, U]) -> Real[T, D] = attend",
        "dim H = 3, G = 2, T = 5, D = 4\n"
        "morphism f : (q: Real[H, T, D], k: Real[G, T, D], v: Real[G, T, D]) -> Real[H, T, D] = grouped_attend",
        "dim C = 3, H = 9, W = 8\nmorphism f : Real[C, H, W] -> Real[C, H, W] = conv2d(3, [3, 3, 3], padding = 1)",
        'dim C = 3, H = 9, W = 8\nmorphism f : Real[C, H, W] -> Real[C, H, W] = conv2d(3, 3, padding = "sane")',
        "dim C = 3, H = 9, W = 8\nmorphism f : Real[C, H, W] -> Real[C, H: 5, W: 4] = maxpool2d(2, padding = 2)",
        "dim N = 5, T = 3, D = 4\nmorphism f : Real[T] -> Real[T, D] = embed(D)",
    ],
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    """With a diagnostic, not a failure later on."""
    found = mistakes(text)
    assert found, text
    assert all(d.parts().message for d in found)


def test_tables_of_positions_are_made_once_in_a_function() -> None:
    """Queries and keys are turned by one table; what a loop makes is not read after it, which may have had no round."""
    head = "dim T : time, D = 8\nmorphism f : "
    both = 'Real[T, D] @ Real[T, D] -> Real[T, D] @ Real[T, D] = (q, k) => (rotary("half")(q), rotary("half")(k))'
    found = catdl.loads(head + both)["f"]
    agree(found.diagram(), {"<string>::T": 5})
    assert found.source().count("torch.cos(") == 1
    other = both.replace('("half")(k)', '("half", base = 500)(k)')
    found = catdl.loads(head + other)["f"]
    agree(found.diagram(), {"<string>::T": 5})
    assert found.source().count("torch.cos(") == 2
    loop = 'Real[T, D] -> Real[T, D] = x => rotary("half")(iterate(2, tied (linear(D) >> rotary("half")))(x))'
    found = catdl.loads(head + loop)["f"]
    agree(found.diagram(), {"<string>::T": 5})
    assert found.source().count("torch.cos(") == 2
