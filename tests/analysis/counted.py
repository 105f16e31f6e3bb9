"""What torch's own counter says of a compiled diagram on one sample."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from catdl.diagram.model import Diagram
from catdl.torch.build import build
from catdl.types.dtypes import storage
from catdl.types.sizes import Size, evaluate
from catdl.types.types import Leaf, axis_sizes


def counted(diagram: Diagram, dims: Mapping[str, int]) -> int:
    """The operations of one forward pass with free dims of these sizes."""
    module = build(diagram).eval()
    inputs = [draw(diagram.wires[wire].type, dims, not diagram.wires[wire].constant) for wire in diagram.inputs]
    # The fused attention of the CPU has no formula in torch's table; the plain one is two matrix products.
    # An installed opt_einsum would choose an order of its own for a contraction of three.
    in_order = torch.backends.opt_einsum.flags(enabled=False)
    with torch.no_grad(), in_order, sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return int(counter.get_total_flops())


def number(size: Size, dims: Mapping[str, int]) -> int:
    """A size with free dims of these sizes."""
    return evaluate(size, {name: dims[name.rpartition("::")[2]] for name in names(size)})


def names(size: Size) -> frozenset[str]:
    """The dims written in a size, by their full names."""
    return frozenset() if isinstance(size, int) else size.syms


def draw(leaf: Leaf, dims: Mapping[str, int], batched: bool) -> Tensor:
    """A random tensor of a type, with a batch of one."""
    shape = [1] * batched + [number(size, dims) for size in axis_sizes(leaf)]
    stored = storage(leaf.kind)
    if stored == "int":
        assert leaf.kind.size is not None
        return torch.randint(0, number(leaf.kind.size, dims), shape)
    if stored == "bool":
        return torch.rand(shape) < 0.5
    return torch.rand(shape, dtype=torch.complex64 if stored == "complex" else torch.float32)
