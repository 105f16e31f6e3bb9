"""A diagram and what the rewrites make of it, compiled both: equal keys, values and gradients in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from catdl.diagram.model import Diagram, Parameter
from catdl.diagram.params import globals_of, parameters
from catdl.diagram.verify import verify
from catdl.rewrite.applied import Applied
from catdl.rewrite.run import rewritten
from catdl.torch.build import build
from tests.torch.agree import BATCHES, model_of, sample

CLOSE = 1e-10


def same(
    diagram: Diagram,
    dims: dict[str, int] | None = None,
    batches: tuple[tuple[int, ...], ...] = BATCHES,
    scale: float = 1.0,
) -> list[str]:
    """Compare on each batch shape; gives the names of the rewrites that were done. `scale`: of the inputs."""
    verify(diagram)
    (other,), applied = rewritten([diagram])
    verify(other)
    assert _leaves(diagram) == _leaves(other)
    assert globals_of(diagram) == globals_of(other)
    torch.manual_seed(0)
    plain, fast = model_of(diagram), build(other).double()
    assert plain.state_dict().keys() == fast.state_dict().keys()
    fast.load_state_dict(plain.state_dict())
    for batch in batches:
        wires = [diagram.wires[wire] for wire in diagram.inputs]
        inputs = [sample(w.type, () if w.constant else batch, dims or {}) for w in wires]
        inputs = [x * scale if x.is_floating_point() else x for x in inputs]
        wanted, found = traced(plain, inputs), traced(fast, inputs)
        for a, b in zip(wanted, found, strict=True):
            assert a.shape == b.shape, (a.shape, b.shape)
            torch.testing.assert_close(b, a, rtol=CLOSE, atol=CLOSE)
    return names(applied)


def _leaves(diagram: Diagram) -> dict[str, Parameter]:
    return {parameter.path: parameter for parameter in parameters(diagram)}


def names(applied: list[Applied]) -> list[str]:
    """The rewrites that were done."""
    return [one.rewrite for one in applied]


def traced(model: torch.nn.Module, inputs: list[Tensor]) -> list[Tensor]:
    """Outputs, then the gradients of a fixed mix of them for inputs and weights."""
    given = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
    out = model(*given)
    outs = out if isinstance(out, tuple) else (out,)
    total = sum((y * torch.linspace(0.5, 1.5, y.numel()).reshape(y.shape)).sum() for y in outs)
    leaves = [*(x for x in given if x.is_floating_point()), *(p for _, p in sorted(model.named_parameters()))]
    reached = isinstance(total, Tensor) and total.requires_grad  # without steps it may reach nothing
    grads = torch.autograd.grad(total, leaves, allow_unused=True) if reached else [None] * len(leaves)
    zeros = [torch.zeros_like(leaf) if grad is None else grad for leaf, grad in zip(leaves, grads, strict=True)]
    return [*(y.detach() for y in outs), *zeros]
