"""Var dims compiled: a batch of samples of different size is worth the samples one by one, values and gradients."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import catdl
from catdl.diagram.interpret_ragged import interpret_ragged
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of, is_learned, parameters
from catdl.diagram.verify import verify
from catdl.torch.build import build
from catdl.types.ragged import fin, rows
from catdl.types.sizes import short
from catdl.types.types import axis_sizes

HEAD = """
dim N : var set, E : var, T : var time, M : var, P, Vocab = 7, D = 4, Head = 2, Class = 3
"""
SIZES = {"N": (3, 0, 4, 1), "E": (2, 0, 5, 1), "T": (2, 0, 3, 5), "M": (1, 3, 2, 2)}


def offsets(sizes: Sequence[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


def drawn(diagram: Diagram, at: Mapping[str, Tensor]) -> list[Tensor]:
    """Packed inputs at random; an index is one of its own sample's."""
    count = len(next(iter(at.values()))) - 1
    out: list[Tensor] = []
    for wire in diagram.inputs:
        leaf = diagram.wires[wire].type
        dim, index = rows(leaf), fin(leaf)
        own = [size if isinstance(size, int) else 6 for size in axis_sizes(leaf)[0 if dim is None else 1 :]]
        samples = torch.arange(count) if dim is None else torch.arange(count).repeat_interleave(at[short(dim)].diff())
        shape = (len(samples), *own)
        if index is not None:
            starts = at[short(index)]
            low, wide = starts[samples], starts.diff()[samples]
            pick = (torch.rand(shape) * wide.reshape(-1, *(1,) * len(own))).long()
            out.append(pick + low.reshape(-1, *(1,) * len(own)))
        elif leaf.kind.name == "Fin":
            size = leaf.kind.size
            out.append(torch.randint(0, size if isinstance(size, int) else 6, shape))
        elif leaf.kind.name in ("Keep", "Bool"):
            out.append(torch.rand(shape) < 0.5)
        else:
            out.append(torch.randn(shape))
    return out


def compare(diagram: Diagram, sizes: Mapping[str, Sequence[int]] = SIZES, meaning: Diagram | None = None) -> str:
    """The compiled module against the samples one by one; its source. `meaning`: the diagram that it must be worth."""
    torch.manual_seed(0)
    verify(diagram)
    model: nn.Module = build(diagram).double().eval()
    at = {name: offsets(found) for name, found in sizes.items()}
    found = list(inspect.signature(model.forward).parameters)
    given = {name: at[name] for name in at if name in found}
    given_inputs = drawn(diagram, at)
    real = [t.double().requires_grad_() if t.is_floating_point() else t for t in given_inputs]
    leaves_of = [*parameters(diagram), *globals_of(diagram)]
    params = {p.path: torch.rand([int(str(a)) for a in axis_sizes(p.type)]).double() for p in leaves_of}
    for p in filter(is_learned, leaves_of):
        params[p.path].requires_grad_()
    wanted = interpret_ragged(meaning or diagram, real, params, at)
    got = functional_call(model, params, tuple(real), given)
    outs = got if isinstance(got, tuple) else (got,)
    leaves = [t for t in (*real, *params.values()) if t.requires_grad]
    both = []
    for results in (wanted, outs):
        floats = [y for y in results if y.is_floating_point()]
        torch.manual_seed(1)
        loss = (
            torch.stack([(y * torch.randn(y.shape, dtype=y.dtype)).sum() for y in floats]).sum()
            if floats
            else torch.zeros(())
        )
        traced = loss.requires_grad
        both.append(torch.autograd.grad(loss, leaves, allow_unused=True) if traced else [None] * len(leaves))
    for a, b in zip(wanted, outs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-10)
    for a, b in zip(*both, strict=True):
        assert (a is None) == (b is None) or not any(g.any() for g in (a, b) if g is not None)
        if a is not None and b is not None:
            size = max(1.0, float(a.abs().max())) if a.numel() else 1.0
            torch.testing.assert_close(b, a, rtol=1e-10, atol=1e-10 * size)
    return inspect.getsource(type(model))


def of(text: str) -> Diagram:
    spec = catdl.loads(HEAD + text)
    found = [(d.code, d.parts().message) for d in spec.diagnostics if d.severity == "error"]
    assert not found
    return spec[spec.names[-1]].diagram()


SPEC = catdl.load(Path(__file__).with_name("ragged.cat"))


CELLS = ("elman", "lstm")


@pytest.mark.parametrize("name", [name for name in SPEC.names if name not in CELLS])
def test_a_batch_is_its_samples(name: str) -> None:
    compare(SPEC[name].diagram())
    if (other := SPEC[name].rewritten()) is not SPEC[name].diagram():
        compare(other, meaning=SPEC[name].diagram())


@pytest.mark.parametrize("sizes", [(), (0,), (0, 0), (5,)])
def test_batches_of_little(sizes: tuple[int, ...]) -> None:
    text = "morphism net : Real[N, D] -> Real[D] = softmax[N] >> linear(D) >> max[N](empty = 0) >> linear"
    diagram = of(text)
    if sizes:
        compare(diagram, {"N": sizes})
    else:
        assert build(diagram)(torch.zeros(0, 4), torch.tensor([0])).shape == (0, 4)


def test_calls_are_handed_the_segments() -> None:
    text = """
morphism pool : Real[N, D] -> Real[D] = softmax[N] >> sum[N] >> linear(D)
morphism both : Real[N, D] @ Real[T, D] -> Real[N, D] = (x, y) => {
    y >> discard
    a = x >> pool
    over[N, D](x + a) >> map[N](tied linear(D)) >> block
}
morphism block : Real[N, D] -> Real[N, D] = linear(8) >> softmax[N] >> linear
morphism net : Real[N, D] @ Real[T, D] -> Real[N, D] @ Real[T, D] = (x, y) => {
    z = both(x, y >> tanh)
    (z, y)
}
"""
    compare(of(text))


def test_a_graph_network() -> None:
    text = """
object Edges = Fin(N)[E] @ Fin(N)[E]
morphism layer : Real[N, D] @ Edges -> Real[N, D] = (x, source, target) => {
    sent = gather[N](x, source)
    mixed = scatter_sum[N](sent, target)
    (x + mixed) >> linear(8) >> relu >> linear(D)
}
morphism net : (x: Real[N, D], source: Fin(N)[E], target: Fin(N)[E]) -> Logits[Class] = (x, source, target) => {
    h = layer(x, source, target)
    k = layer(h, source, target)
    both = sum[N](k) + max[N](empty = 0)(h)
    both >> linear
}
"""
    compare(of(text))


def network(body: str) -> nn.Module:
    spec = catdl.loads(HEAD + f"where M >= 1\nmorphism net : {body}")
    return spec["net"].compile()


def refused(model: nn.Module, *args: Tensor, **more: Tensor) -> str:
    with pytest.raises(ValueError, match="net") as told:
        model(*args, **more)
    return str(told.value)


def test_offsets_are_checked() -> None:
    model = network("Real[N, D] @ Real[D] -> Real[N, D] = (x, y) => over[N, D](x + y)")
    x, y = torch.randn(5, 4), torch.randn(2, 4)
    assert model(x, y, N=offsets((2, 3))).shape == (5, 4)
    assert "never fall" in refused(model, x, y, N=torch.tensor([0, 3, 2]))
    assert "begin with 0" in refused(model, x, y, N=torch.tensor([1, 5]))
    assert "5 elements" in refused(model, x, y, N=offsets((2, 2)))
    assert "torch.int64" in refused(model, x, y, N=torch.tensor([0.0, 5.0]))
    assert "of 3 samples" in refused(model, x, y, N=offsets((2, 3, 0)))
    assert "Real[N, D=4]" in refused(model, x[None], y, N=offsets((2, 3)))


def test_sizes_and_counts_are_checked() -> None:
    model = network(
        "(x: Real[N, D], i: Fin(N)[E], j: Fin(N)[E]) -> Real[E, D] = (x, i, j) => gather[N](x, i) + gather[N](x, j)"
    )
    x = torch.randn(5, 4)
    i = torch.tensor([0, 4, 3])
    assert model(x, i, i, N=offsets((2, 3)), E=offsets((1, 2))).shape == (3, 4)
    assert "2 <= i < 5, got 1 at [1]" in refused(
        model, x, torch.tensor([0, 1, 3]), i, N=offsets((2, 3)), E=offsets((1, 2))
    )
    assert "as many samples" in refused(model, x, i, i, N=offsets((2, 3)), E=offsets((3,)))
    assert "as many elements as `E`" in refused(model, x, i, i[:2], N=offsets((2, 3)), E=offsets((1, 2)))


def test_what_a_spec_says_of_every_sample_is_checked() -> None:
    model = network("Real[M, D] -> Real[D] = max[M]")
    assert "M must be at least 1, got M=[2, 0]" in refused(model, torch.randn(2, 4), offsets((2, 0)))


def test_nothing_leaks_between_samples() -> None:
    model = network("""Real[T, D] -> Real[T, D] = x => {
        y = (q = x, k = x, v = x) >> attend
        over[T, D](y + mean[T](x)) >> cumsum[T] >> softmax[T]
    }""")
    x = torch.randn(7, 4)
    at = offsets((3, 0, 4))
    bad = x.clone()
    bad[3:] = float("nan")
    x.requires_grad_()
    bad.requires_grad_()
    good, spoilt = model(x, at), model(bad, at)
    assert torch.equal(good[:3], spoilt[:3])
    (first,) = torch.autograd.grad(good[:3].sum(), x)
    (second,) = torch.autograd.grad(spoilt[:3].sum(), bad)
    assert torch.equal(first[:3], second[:3])


def test_in_training_batchnorm_counts_elements() -> None:
    model = network("Real[N, D] -> Real[N, D] = map[N](tied batchnorm)").train()
    x = torch.randn(7, 4)
    expected = nn.BatchNorm1d(4)(x)
    torch.testing.assert_close(model(x, offsets((3, 0, 4))), expected)


def test_the_text_reads_as_one_would_write_it() -> None:
    text = compare(of("morphism net : Real[N, D] -> Real[N, D] = x => over[N, D](x - mean[N](x)) >> linear"))
    assert "def forward(self, x: Tensor, N: Tensor | Segments) -> Tensor:" in text
    assert "N.mean(x)  # [..., D=4]" in text
    assert "N.spread(" in text


def test_it_compiles_in_one_graph() -> None:
    body = "Real[N, D] -> Real[D] = x => over[N, D](softmax[N](x) * x) >> linear(8) >> relu >> sum[N] >> linear(D)"
    model = network(body)
    x, at = torch.randn(7, 4), offsets((3, 0, 4))
    exported = torch.compile(model, fullgraph=True, backend="eager", dynamic=True)
    torch.testing.assert_close(exported(x, at), model(x, at))
