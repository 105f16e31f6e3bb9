"""What every random spec must do: check, print, verify, and run alike in the interpreter and compiled."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import catdl
from catdl.diagram.interpret import interpret
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of, parameters
from catdl.diagram.verify import verify
from catdl.source import from_text
from catdl.syntax.parser import parse
from catdl.syntax.printer import show
from catdl.torch.build import build, source
from tests.laws.generate import Spec
from tests.torch.agree import BATCHES, sample

TOLERANCE = 1e-10


def verdict(text: str) -> list[tuple[str, int]]:
    """The codes of the mistakes with their lines; a random spec may well declare what it does not use."""
    found = [d for d in catdl.loads(text).diagnostics if d.severity == "error"]
    return [(d.code, 0 if d.span is None else d.span.source.text.count("\n", 0, d.span.start) + 1) for d in found]


def diagram_of(spec: Spec, name: str = "f") -> Diagram:
    """The diagram of a spec that must be clean."""
    loaded = catdl.loads(spec.text)
    loaded.sound()
    return loaded[name].diagram()


def model_of(diagram: Diagram) -> nn.Module:
    """The compiled module in float64 with weights that no initialiser makes special."""
    model = build(diagram).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    keys = {p.path: None for p in (*parameters(diagram), *globals_of(diagram))}
    assert sorted(keys) == sorted(k for k in model.state_dict() if not k.endswith("num_batches_tracked"))
    return model


def close(a: Tensor, b: Tensor) -> None:
    """Equal up to rounding, measured against the largest element."""
    assert a.shape == b.shape, (a.shape, b.shape)
    if not a.is_floating_point():
        assert torch.equal(a, b)
        return
    if a.numel():
        scale = max(1.0, b.abs().max().item())
        worst = (a - b).abs().max().item()
        assert worst <= TOLERANCE * scale, (worst, scale)


def compare(diagram: Diagram, dims: dict[str, int], model: nn.Module, every: bool) -> None:
    """Values and gradients, on every batch shape."""
    named = {f"<string>::{name}": size for name, size in dims.items()} | dims
    scalar = any(not diagram.wires[w].type.axes for w in diagram.outputs)
    for batch in BATCHES[1:] if scalar and not every else BATCHES:
        inputs = [sample(diagram.wires[w].type, batch, named) for w in diagram.inputs]
        floats = [x.requires_grad_() for x in inputs if x.is_floating_point()]
        weights = dict(model.named_parameters()) | dict(model.named_buffers())
        wanted = interpret(diagram, inputs, weights, batch=batch)
        found = model(*inputs)
        found = found if isinstance(found, tuple) else (found,)
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            close(a, b)
        traced = [*floats, *(p for p in model.parameters() if p.requires_grad)]
        for a, b in zip(gradients(found, traced), gradients(wanted, traced), strict=True):
            smooth = ~b.isnan()  # where a definition has no derivative, as the root of 0, torch may choose one
            close(a[smooth], b[smooth])


def gradients(outputs: tuple[Tensor, ...], traced: list[Tensor]) -> list[Tensor]:
    """Of one random function of all outputs, the same for outputs of the same shapes."""
    random = torch.Generator().manual_seed(1)
    total: Tensor | None = None
    for y in outputs:
        seed = torch.randn(y.shape, dtype=torch.float64, generator=random)
        if y.requires_grad:
            term = (y * seed).sum()
            total = term if total is None else total + term
    if total is None:  # no output depends on anything: every gradient is zero
        return [torch.zeros_like(t) for t in traced]
    if not traced:
        return []
    made = torch.autograd.grad(total, traced, allow_unused=True)
    return [torch.zeros_like(t) if d is None else d for d, t in zip(made, traced, strict=True)]


def sound(spec: Spec, every: bool = True) -> None:
    """The whole of it. Without `every`, an output of one number is not asked for without a batch."""
    torch.manual_seed(0)
    assert verdict(spec.text) == []
    diagram = diagram_of(spec)
    verify(diagram)
    module, mistakes = parse(from_text("<string>", spec.text).source)
    assert not mistakes
    again = catdl.loads(show(module))
    again.sound()
    assert source(again["f"].diagram()) == source(diagram)
    compare(diagram, spec.dims, model_of(diagram), every)
