"""Natives against their definitions on random inputs that mean what their kinds say: values and gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from catdl.diagram.interpret import interpret
from catdl.diagram.model import Diagram
from catdl.types.dtypes import storage
from catdl.types.sizes import evaluate
from catdl.types.types import Leaf, axis_sizes, plain
from tests.torch.agree import BATCHES, model_of

POSITIVE = {"Positive", "Std", "Var", "Precision"}


def draw(leaf: Leaf, batch: tuple[int, ...], dims: dict[str, int]) -> Tensor:
    """A random tensor of a type: probabilities sum to one, variances are positive."""
    shape = (*batch, *(evaluate(size, dims) for size in axis_sizes(leaf)))
    kind = plain(leaf.kind.name) or leaf.kind.name
    stored = storage(leaf.kind)
    if stored == "int":
        assert leaf.kind.size is not None
        return torch.randint(0, evaluate(leaf.kind.size, dims), shape)
    if stored == "bool":
        return torch.rand(shape) < 0.5
    if stored == "complex":
        return torch.randn(shape, dtype=torch.complex128)
    x = torch.randn(shape, dtype=torch.float64)
    if kind in POSITIVE:
        return x.abs() + 0.1
    if kind == "Prob":
        return x.sigmoid()
    if kind == "LogProb":
        return -x.abs()
    if kind in ("Probs", "LogProbs"):
        labels = [getattr(axis, "label", None) for axis in leaf.axes]
        dim = labels.index(leaf.kind.axis) - len(labels) if leaf.kind.axis in labels else -1
        return x.softmax(dim) if kind == "Probs" else x.log_softmax(dim)
    return x


def agree(
    diagram: Diagram,
    dims: dict[str, int] | None = None,
    batches: tuple[tuple[int, ...], ...] = BATCHES,
    tolerance: float = 1e-10,
) -> None:
    """The compiled module, which uses the natives, equals the interpreter, which uses the definitions."""
    torch.manual_seed(0)
    sizes = {f"<string>::{name}": size for name, size in (dims or {}).items()}
    model = model_of(diagram).eval()
    weights = dict(model.named_parameters()) | dict(model.named_buffers())
    for batch in batches:
        wires = [diagram.wires[wire] for wire in diagram.inputs]
        inputs = [draw(wire.type, () if wire.constant else batch, sizes) for wire in wires]
        traced = [x.requires_grad_() for x in inputs if x.is_floating_point() or x.is_complex()]
        traced += list(model.parameters())
        wanted = interpret(diagram, inputs, weights)
        made = model(*inputs)
        found = made if isinstance(made, tuple) else (made,)
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            close(a, b, tolerance)
            if a.requires_grad or b.requires_grad:
                seed = torch.randn_like(b)
                for x, y, z in zip(slopes(a, traced, seed), slopes(b, traced, seed), traced, strict=True):
                    zero = torch.zeros_like(z)
                    close(zero if x is None else x, zero if y is None else y, 10 * tolerance)


def slopes(value: Tensor, traced: list[Tensor], seed: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients; None for what a value does not depend on."""
    if not value.requires_grad:
        return (None,) * len(traced)
    return torch.autograd.grad(value, traced, seed, allow_unused=True, retain_graph=True)


def close(found: Tensor, wanted: Tensor, tolerance: float) -> None:
    """Equal type, shape and, nearly, values."""
    assert found.dtype == wanted.dtype, (found.dtype, wanted.dtype)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)
