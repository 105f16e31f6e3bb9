"""States: the buffers of the compiled module, its functional form and the interpreter say the same, call after call."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.diagram.interpret import interpret, interpret_step
from catdl.diagram.model import Diagram
from catdl.diagram.opened import opened
from catdl.diagram.params import globals_of, parameters
from catdl.diagram.verify import verify
from catdl.torch.stateful import step_with
from catdl.types.types import axis_sizes
from tests.torch.agree import sample

FILE = """
dim D = 4, E = 3, T
morphism center : Real[D] -> Real[D] = x => {
    state mean : Real[D] = zeros
    mean <- 0.9 * mean + 0.1 * across_mean[D](x)
    x - mean
}
morphism rnn : Real[D] -> Real[D] = x => {
    state h : Real[D] = constant(0.5)
    h <- tanh((x >> linear) + (h >> linear(bias = false)))
    h
}
morphism count : Real[D] -> Real[D] = x => {
    state k : Real = zeros
    k <- k + 1
    k * x
}
morphism pair : Real[D] -> Real[D] = x => {
    state a : Real[D] = zeros
    state b : Real[D] = ones
    old = b
    b <- 0.5 * a + x
    a <- old
    x + a + b
}
morphism seen : Real[D] -> Real[D] = x => {
    state hit : Bool[D] = zeros
    state best : Fin(D) = zeros
    before = pick[D](x, best)
    best <- argmax[D](x)
    hit <- or(x > 0, hit)
    before * x + real(hit)
}
morphism root : Real[D] -> Real[D] = x => {
    state total : Real = zeros
    y = x >> rnn
    total <- total + sum[D](y)
    total * y
}
"""

BODIES = {
    "one value for the batch": "center",
    "one for each sample": "rnn",
    "a counter": "count",
    "two that read each other": "pair",
    "truth values and indices": "seen",
    "of the body and of a part": "root",
    "two occurrences": "rnn >> rnn",
    "a name": "first: rnn >> center",
    "a repeat": "repeat(3, rnn)",
    "a repeat of more": "repeat(2, fresh (center >> rnn))",
    "a repeat of a lambda": "repeat(2, fresh (x => (x >> rnn) + (x >> count)))",
    "an iterate": "iterate(3, tied rnn)",
    "an iterate with a name": "again: iterate(2, tied (rnn >> center))",
    "a repeat in an iterate": "iterate(2, tied repeat(2, fresh rnn))",
    "a chain": "chain([rnn, center, rnn])",
    "a lambda": "x => x + (x >> rnn)",
    "a batch norm beside": "batchnorm >> rnn >> batchnorm",
    "a batch norm alone": "batchnorm(momentum = 0.3) >> linear(D)",
    "a declared parameter": "x => over[D]((x >> rnn) * scale)",
    "a state as a weight": """x => {
        state w : Real[D', D] = eye
        y = x >> linear[D](D, bias = false){weight = w}
        w <- 0.9 * w
        y
    }""",
    "a weight per sample": """x => {
        state w : Real[D', D] = eye
        y = x >> linear[D](D, bias = false){weight = w}
        w <- einsum("e, d -> e d")(y >> rename[D -> D'], x)
        y
    }""",
}
AXES = {
    "each of one": "each[E](fresh rnn)",
    "each of more": "each[E](fresh (rnn >> count))",
    "each with a name": "some: each[E](fresh (rnn >> linear))",
    "each of what reads the batch": "some: each[E](fresh (center >> rnn))",
    "each of a repeat": "some: each[E](fresh repeat(2, rnn))",
    "a map with one value": "map[E](tied center)",
    "each of a batch norm": "each[E](fresh batchnorm) >> map[E](tied center)",
    "a fold": "x => x + expand[E](fold[E]([ zeros | ((a, h) => tanh((a >> rnn) + h)) ], carrier = Real[D])(x))",
    "a scan": "scan[E]([ zeros | ((a, h) => tanh((a >> center) + (h >> rnn))) ], carrier = Real[D], reverse = true)",
    "what goes round is told late": """x => {
        state s : Real[D] = zeros
        y = x + expand[E](iterate(2, tied tanh)(s) + fold[E]([ id | ((a, h) => a + tanh(h)) ])(s, ones[E, D]))
        s <- mean[E](y)
        y
    }""",
}
CASES = {name: f"morphism f : Real[D] -> Real[D] = {body}" for name, body in BODIES.items()}
CASES |= {name: f"morphism f : Real[E, D] -> Real[E, D] = {body}" for name, body in AXES.items()}
CASES["a declared parameter"] += "\nparam scale : Real[D] ~ normal(1, 0.1)"


def diagram_of(name: str) -> Diagram:
    return catdl.loads(FILE + CASES[name])["f"].diagram()


def model_of(name: str) -> nn.Module:
    """The compiled module in float64."""
    torch.manual_seed(0)
    model = catdl.loads(FILE + CASES[name])["f"].compile()
    assert isinstance(model, nn.Module)
    return model.double()


def tensors(model: nn.Module) -> dict[str, Tensor]:
    return {k: v.detach().clone() for k, v in (*model.named_parameters(), *model.named_buffers())}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
def test_three_ways_are_one(name: str, batch: tuple[int, ...]) -> None:
    """The interpreter, the diagram with its states outside, and the module with its buffers: four calls."""
    diagram = diagram_of(name)
    verify(diagram)
    whole, states = opened(diagram)
    verify(whole)
    assert [p.path for p in parameters(whole)] == [p.path for p in parameters(diagram)]
    model = model_of(name).train()
    (wire,) = diagram.inputs
    held = tensors(model)
    keys = {p.path for p in (*parameters(diagram), *globals_of(diagram))}
    assert keys <= held.keys() and all(k.endswith("num_batches_tracked") for k in held.keys() - keys)
    for key, p in ((p.path, p) for p in parameters(diagram)):
        assert tuple(held[key].shape) == tuple(axis_sizes(p.type)), key
    own = {p.path: len(p.type.axes) for p in states if p.state == "sample"}
    for key in own:
        held[key] = held[key].expand((*batch, *held[key].shape))
    kept = {p.path: held[p.path] for p in states}
    alone = "batch norm" in name and not batch  # torch refuses the variance of one number
    for training in (not alone, not alone, False, not alone):
        model.train(training)
        x = sample(diagram.wires[wire].type, batch, {})
        wanted, after = interpret_step(diagram, [x], held, training=training)
        outside = interpret(whole, [x, *kept.values()], held, training=training)
        torch.testing.assert_close(model(x), wanted[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(outside[0], wanted[0], rtol=1e-10, atol=1e-10)
        held |= after
        for (key, value), other in zip(kept.items(), outside[1:], strict=True):
            other = other if value.ndim == other.ndim else other[(0,) * (other.ndim - value.ndim)]
            torch.testing.assert_close(other, after[key], rtol=1e-10, atol=1e-10)
            kept[key] = after[key]
            torch.testing.assert_close(model.get_buffer(key).double(), after[key].double(), rtol=1e-10, atol=1e-10)


FUNCTIONAL = [name for name in CASES if name != "a batch norm alone"]


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_the_functional_form_is_that_of_the_buffers(name: str) -> None:
    model = model_of(name).train()
    diagram = diagram_of(name)
    state = model.initial_state(5)  # type: ignore[operator]
    assert set(state) == {p.path for p in parameters(diagram) if p.state} | {
        k for k in state if k.endswith("num_batches_tracked")
    }
    (wire,) = diagram.inputs
    for _ in range(3):
        x = sample(diagram.wires[wire].type, (5,), {})
        before = tensors(model)
        y, state = model.step_with(state, x)  # type: ignore[operator]
        assert all(torch.equal(value, before[key]) for key, value in tensors(model).items())
        torch.testing.assert_close(y, model(x), rtol=1e-12, atol=1e-12)
        for key, value in state.items():
            torch.testing.assert_close(value, model.get_buffer(key), rtol=1e-12, atol=1e-12)
    model.reset_state()  # type: ignore[operator]
    begun = model.initial_state()  # type: ignore[operator]
    assert all(torch.equal(model.get_buffer(key), value) for key, value in begun.items())


@pytest.mark.parametrize(
    "name", ["of the body and of a part", "a repeat of more", "each of one", "a batch norm beside"]
)
def test_the_functional_form_is_compiled_exported_and_differentiated(name: str) -> None:
    model = model_of(name).eval()
    (wire,) = diagram_of(name).inputs
    x = sample(diagram_of(name).wires[wire].type, (5,), {})
    state = model.initial_state(5)  # type: ignore[operator]
    wanted = model.step_with(state, x)  # type: ignore[operator]

    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, state: dict[str, Tensor], x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            made: tuple[Tensor, dict[str, Tensor]] = self.model.step_with(state, x)  # type: ignore[operator]
            return made

    for run in (
        torch.compile(Step(), fullgraph=True, backend="aot_eager"),
        torch.export.export(Step(), (state, x)).module(),
    ):
        torch.testing.assert_close(run(state, x), wanted)
    if name in ("of the body and of a part", "each of one"):  # the others read the batch
        single = {key: value[0] if value.ndim > model.get_buffer(key).ndim else value for key, value in state.items()}
        dims = {key: 0 if state[key].ndim > single[key].ndim else None for key in state}
        found, _ = torch.vmap(model.step_with, in_dims=(dims, 0))(state, x)  # type: ignore[arg-type]
        torch.testing.assert_close(found, wanted[0])
    key = next(key for key in state if key.endswith("h"))
    leaf = {**state, key: state[key].clone().requires_grad_()}
    middle = model.step_with(leaf, x)[1]  # type: ignore[operator]
    (grad,) = torch.autograd.grad(model.step_with(middle, x)[0].sum(), leaf[key])  # type: ignore[operator]
    assert bool(grad.any())  # through both calls


def test_buffers_are_compiled_and_exported() -> None:
    model = model_of("one value for the batch").eval()
    x, y = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    other = copy.deepcopy(model)
    wanted = [model(x), model(y)]
    run = torch.compile(other, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close([run(x), run(y)], wanted)
    other.reset_state()  # type: ignore[operator]
    exported = torch.export.export(other, (x,)).module()
    torch.testing.assert_close([exported(x), exported(y)], wanted)


def test_no_graph_grows_and_nothing_is_an_input() -> None:
    model = model_of("one for each sample")
    x = torch.randn(5, 4, dtype=torch.float64)
    model(x).sum().backward()
    model(x).sum().backward()
    assert not model.get_buffer("rnn.h" if "rnn.h" in dict(model.named_buffers()) else "h").requires_grad
    body = "x => {\n    state k : Real[D] = zeros\n    y = x - k\n    k <- x\n    y\n}"
    delay = catdl.loads(f"dim D = 4\nmorphism f : Real[D] -> Real[D] = {body}")["f"].compile()
    z = torch.ones(2, 4)
    delay(z)
    z.zero_()
    assert bool((delay.get_buffer("k") == 1).all())
    copied = copy.deepcopy(delay)
    assert torch.equal(copied.get_buffer("k"), delay.get_buffer("k"))
    file = io.BytesIO()
    torch.save(delay, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False).get_buffer("k"), delay.get_buffer("k"))


@pytest.mark.parametrize("name", ["a batch norm alone", "a batch norm beside"])
def test_running_statistics_have_a_functional_form(name: str) -> None:
    model = model_of(name).train()
    state = dict(model.named_buffers()) if name == "a batch norm alone" else model.initial_state(5)  # type: ignore[operator]
    before = tensors(model)
    x = torch.randn(5, 4, dtype=torch.float64)
    y, state = step_with(model, state, x)
    assert all(torch.equal(value, before[key]) for key, value in tensors(model).items())
    torch.testing.assert_close(model(x), y)
    assert all(torch.equal(value, model.get_buffer(key)) for key, value in state.items())


def test_another_batch_needs_a_new_start() -> None:
    model = model_of("one for each sample")
    model(torch.randn(5, 4, dtype=torch.float64))
    with pytest.raises(ValueError, match="begin another batch"):
        model(torch.randn(6, 4, dtype=torch.float64))
    with pytest.raises(ValueError, match="begin another batch"):
        model.step_with(model.initial_state(5), torch.randn(6, 4, dtype=torch.float64))  # type: ignore[operator]
    model.reset_state()  # type: ignore[operator]
    model(torch.randn(6, 4, dtype=torch.float64))


def test_what_is_of_one_batch_is_no_part_of_a_checkpoint() -> None:
    state = model_of("a repeat of more").state_dict()
    assert [key for key in state if "mean" in key] == ["repeat.0.center.mean", "repeat.1.center.mean"]
    assert not [key for key in state if key.endswith(".h")]


def test_names_that_the_class_has() -> None:
    text = "morphism f : Real[D] -> Real[D] = step_with: rnn"
    with pytest.raises(catdl.CheckError, match="has a method `step_with`"):
        catdl.loads(FILE + text)["f"].compile()
    assert catdl.loads(FILE + "morphism f : Real[D] -> Real[D] = step_with: linear(D)")["f"].compile() is not None


def test_beside_samples_of_different_size() -> None:
    text = """
dim N : var
dim D = 4
morphism f : Real[N, D] -> Real[D] = x => {
    state h : Real[D] = zeros
    state n : Real = zeros
    n <- n + 1
    h <- 0.5 * h + sum[N](x)
    n * h
}
"""
    model = catdl.loads(text)["f"].compile()
    offsets, x = torch.tensor([0, 2, 2, 5]), torch.randn(5, 4)
    state, total = model.initial_state(3), torch.zeros(3, 4)  # type: ignore[operator]
    for k in range(3):
        total = 0.5 * total + torch.stack([x[:2].sum(0), torch.zeros(4), x[2:].sum(0)])
        y, state = model.step_with(state, x, offsets)  # type: ignore[operator]
        torch.testing.assert_close(y, (k + 1) * total)
        torch.testing.assert_close(model(x, offsets), y)
