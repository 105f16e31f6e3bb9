"""The interpreter and the compiled module on random inputs: equal values and gradients in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from catdl.diagram.interpret import interpret
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of, parameters
from catdl.torch.build import build
from catdl.types.dtypes import storage
from catdl.types.sizes import evaluate
from catdl.types.types import Leaf, axis_sizes
from catdl.weights.held import held

BATCHES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3))


def sample(leaf: Leaf, batch: tuple[int, ...], dims: dict[str, int]) -> Tensor:
    """A random tensor of a type."""
    shape = (*batch, *(evaluate(size, dims) for size in axis_sizes(leaf)))
    match storage(leaf.kind):
        case "int":
            assert leaf.kind.size is not None
            return torch.randint(0, evaluate(leaf.kind.size, dims), shape)
        case "bool":
            return torch.rand(shape) < 0.5
        case _:
            return torch.randn(shape, dtype=torch.float64)


def model_of(diagram: Diagram) -> nn.Module:
    """The compiled module in float64, with weights that no initialiser makes special."""
    model = build(diagram).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5)
    keys = [p.path for p in (*parameters(diagram), *globals_of(diagram)) if p.state != "sample"]
    assert sorted(keys) == sorted(k for k in model.state_dict() if not k.endswith("num_batches_tracked"))
    assert sorted(tensor.key for tensor in held(diagram)) == sorted(model.state_dict())
    shapes = {p.path: tuple(axis_sizes(p.type)) for p in (*parameters(diagram), *globals_of(diagram))}
    assert shapes == {k: tuple(v.shape) for k, v in model.state_dict().items() if k in shapes}
    return model


def agree(
    diagram: Diagram,
    dims: dict[str, int] | None = None,
    batches: tuple[tuple[int, ...], ...] = BATCHES,
    training: bool = False,
) -> nn.Module:
    """Compare on each batch shape; the module comes back."""
    torch.manual_seed(0)
    model = model_of(diagram).train(training)
    for batch in batches:
        inputs = []
        for wire in diagram.inputs:
            info = diagram.wires[wire]
            inputs.append(sample(info.type, () if info.constant else batch, dims or {}))
        floats = [x for x in inputs if x.is_floating_point()]
        weights = dict(model.named_parameters()) | dict(model.named_buffers())
        traced = [*floats, *(w for w in model.parameters() if w.requires_grad)]
        for x in floats:
            x.requires_grad_()
        wanted = interpret(diagram, inputs, weights, training=training)
        found = model(*inputs)
        found = found if isinstance(found, tuple) else (found,)
        assert len(found) == len(wanted)
        for a, b, wire in zip(found, wanted, diagram.outputs, strict=True):
            assert a.shape == b.shape, (a.shape, b.shape)
            own = len(diagram.wires[wire].type.axes)
            sampled = any(not diagram.wires[wire].constant for wire in diagram.inputs)
            assert a.shape[: a.ndim - own] == (batch if sampled else ())
            torch.testing.assert_close(a.double(), b.double(), rtol=1e-10, atol=1e-10)
        for grads in _both(found, wanted, traced):
            for a, b in grads:
                torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
    return model


def _both(
    found: tuple[Tensor, ...], wanted: tuple[Tensor, ...], traced: list[Tensor]
) -> list[list[tuple[Tensor, Tensor]]]:
    result = []
    for a, b in zip(found, wanted, strict=True):
        if not a.requires_grad or not traced:
            continue
        seed = torch.randn(a.shape, dtype=torch.float64)
        ga = torch.autograd.grad(a, traced, seed, allow_unused=True, retain_graph=True)
        gb = torch.autograd.grad(b, traced, seed, allow_unused=True, retain_graph=True)
        zero = [torch.zeros_like(t) for t in traced]
        result.append([(z if x is None else x, z if y is None else y) for x, y, z in zip(ga, gb, zero, strict=True)])
    return result
