"""Pieces of a sequence, one after the other, give what the whole gives, with the same weights under the same keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

import catdl
from catdl.diagnostics.causal_errors import NotStepped
from catdl.diagnostics.text import render
from catdl.diagram.interpret import interpret_step
from catdl.diagram.params import parameters
from catdl.diagram.verify import verify
from catdl.torch.stateful import Stateful
from catdl.types.types import Axis
from tests.causal.cases import DIMS, KEPT

EXAMPLES = Path(__file__).parents[2] / "examples"
STEPS = "T"
LONG, BATCH = 11, 2
PIECES = ((1,) * LONG, (3, 1, 5, 2), (LONG,))
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}

SMALL = {
    "gpt2": "Vocab = 50, Context = 16, D = 8, Head = 2",
    "recurrent": "A = 4, H = 5, Vocab = 20, Tag = 3",
    "statespace": "D = 4, N = 3",
}

CASES = """
dim T : time, D = 4, C = 3
object S = Real[T, D]
object R = Real[D, T]
functor Rows(X) = () + Real[D] @ X
functor After(X) = Real[D] + Real[D] @ X
algebra decay : Rows(Real[D]) -> Real[D] = [ zeros | (a, h) => a + h / 2 ]
algebra cell : Rows(Real[D]) -> Real[D] = [ learned | (a, h) => tanh((a >> linear) + (h >> linear)) ]
morphism learned : () -> Real[D] = {
    param h0 : Real[D] ~ normal(0, 1)
    h0
}

morphism causal_cnn : R -> R =
    conv1d(C, 3, padding = "causal", dilation = 2) >> relu >> conv1d(D, 2, padding = "causal")
morphism tower : S -> S = x => x + (x >> chain([layer(d) for d in [1, 2, 4]]))
morphism layer(d) = permute[D, T] >> conv1d(D, 2, padding = "causal", dilation = d) >> permute[T, D] >> relu
morphism cut : R -> R = pad[T](2, 2) >> conv1d(D, 3) >> slice[T](0, T)
morphism long : R -> R = pad[T](3, 0) >> slice[T](0, T + 2) >> conv1d(D, 3)
morphism grouped : R -> R = depthwise_conv1d(3, padding = "causal") >> batchnorm >> relu
morphism image : Real[D, C, T] -> Real[D, C, T] = pad[T](2, 0) >> conv2d[D, C, T](D, [1, 3])
morphism ones_before : R -> R = pad[T](2, 0, value = 1) >> conv1d(D, 3)
morphism pooled : R -> R = pad[T](2, 0) >> maxpool1d(3, stride = 1)
morphism rounds : R -> R = repeat(2, fresh conv1d(D, 2, padding = "causal"))

morphism sums : S -> S = cumsum[T] >> linear(D)
morphism products : S -> S = x => cumprod[T](0.5 * x)
morphism maxima : S -> S = cummax[T]
morphism logs : S -> S = x => logcumsumexp[T](x)
morphism means : S -> S = x => over[T, D](cumsum[T](x) / (1 + real(index[T])))
morphism changes : S -> S = x => x - (x >> shift[T](2))
morphism started : S -> S = x => {
    param start : Real[T: 1, D] ~ normal(0, 1)
    concat[T](start, x) >> slice[T](0, T)
}
morphism started_late : S -> S = x => {
    param start : Real[T: 3, D] ~ normal(0, 1)
    concat[T](start, x) >> slice[T](1, T + 1)
}
morphism started_wide : S -> S = x => {
    param start : Real[T: 4, D] ~ normal(0, 1)
    concat[T](start, x) >> slice[T](2, T + 4) >> window[T](K: 3) >> sum[K]
}
morphism blank : S -> S = slice[T](2, T) >> pad[T](2, 0, value = 1)
morphism blank_again : S -> S = slice[T](2, T) >> pad[T](1, 0, value = 1) >> pad[T](2, 0) >> slice[T](0, T)

morphism turned : S -> S = rotary(convention = "half")
morphism waves : S -> S = sinusoidal >> linear(D)
morphism placed : S -> S = iterate(2, tied linear(D)) >> positions(20)
morphism near : S -> S = x => attend(causal = true, window = 3)(x >> q: linear(D), x >> k: linear(D), x)
morphism few : S -> S = x => {
    q = x >> unflatten[D](H: 2, E: 2) >> permute[H, T, E]
    kv = x >> linear(N: 2) >> unflatten[N](G: 1, E: 2) >> permute[G, T, E]
    y = grouped_attend(causal = true)(q >> rotary(convention = "half"), kv >> rotary(convention = "half"), kv)
    y >> permute[T, H, E] >> flatten[H, E] >> linear(D)
}

morphism cells : S -> S = scan[T](cell)
morphism deep : S -> S = repeat(3, fresh (scan[T](decay) >> linear(D) >> tanh))
morphism two : S -> S = x => {
    y = repeat(2, fresh cells)(x)
    y + (x >> cells)
}
morphism following : Real[D] @ S -> S = (h, x) => (h, x) >> scan[T]([ id | (a, h) => tanh((a >> linear) + h) ])
morphism each_step : S -> S = map[T](tied (linear(6) >> tanh >> linear(D)))
morphism experts : Real[C, T, D] -> Real[C, T, D] = experts: each[C](fresh (scan[T](cell) >> linear(D)))
morphism plain : S -> S = linear(8) >> relu >> linear
"""
NAMES = re.findall(r"^morphism (\w+) :(?! \(\))", CASES, re.M)


def spec(text: str, names: Sequence[str]) -> catdl.Spec:
    """A spec with the machine of each of these, `name_on`."""
    for name in names:
        signature = re.search(rf"^morphism {name}\s*: (.*?) =[ \n]", text, re.M)
        assert signature is not None
        text += f"\nmorphism {name}_on : {signature[1]} = step[T]({name}, max = 20)\n"
    found = catdl.loads(text)
    assert not [d for d in found.diagnostics if d.severity == "error"], render(found.diagnostics)
    return found


def example(name: str, morphism: str) -> catdl.Spec:
    """A shipped example in a small size."""
    text = (EXAMPLES / f"{name}.cat").read_text("utf-8")
    sizes = SMALL[name]
    text = re.sub(rf"{sizes.split(' ')[0]} = \d.*", sizes, text, count=1).replace("repeat(12", "repeat(2")
    return spec(re.sub(r"\bstep\b", "cell_of", text), [morphism])


def drawn(found: catdl.Spec, name: str, dtype: torch.dtype) -> list[tuple[Tensor, int | None]]:
    """Random inputs, each with the place of its time."""
    diagram = found[name].diagram()
    out: list[tuple[Tensor, int | None]] = []
    for wire in diagram.inputs:
        leaf = diagram.wires[wire].type
        axes = [axis for axis in leaf.axes if isinstance(axis, Axis)]
        shape = [axis.size if isinstance(axis.size, int) else LONG for axis in axes]
        at = [k - len(axes) for k, axis in enumerate(axes) if not isinstance(axis.size, int)]
        if leaf.kind.name == "Fin":
            assert isinstance(leaf.kind.size, int)
            out.append((torch.randint(leaf.kind.size, (BATCH, *shape)), at[0]))
        else:
            out.append((torch.randn(BATCH, *shape, dtype=dtype), at[0] if at else None))
    return out


def place(found: catdl.Spec, name: str) -> int:
    """The place of the time in the result."""
    diagram = found[name].diagram()
    axes = diagram.wires[diagram.outputs[0]].type.axes
    return next(k - len(axes) for k, a in enumerate(axes) if isinstance(a, Axis) and not isinstance(a.size, int))


def piece(inputs: list[tuple[Tensor, int | None]], begin: int, size: int) -> list[Tensor]:
    """Some steps of the inputs."""
    return [x if at is None else x.narrow(at, begin, size) for x, at in inputs]


def agrees(found: catdl.Spec, name: str, dtype: torch.dtype = torch.float64) -> None:
    """The machine of a morphism gives in pieces what the morphism gives."""
    torch.manual_seed(0)
    whole = found[name].compile().to(dtype).eval()
    machine = found[f"{name}_on"].compile().to(dtype).eval()
    assert list(whole.state_dict()) == list(machine.state_dict())
    machine.load_state_dict(whole.state_dict())
    inputs, at = drawn(found, name, dtype), place(found, name)
    with torch.no_grad():
        wanted = whole(*(x for x, _ in inputs))
        for sizes in PIECES:
            begins = [sum(sizes[:k]) for k in range(len(sizes))]
            given = [machine(*piece(inputs, begin, size)) for begin, size in zip(begins, sizes, strict=True)]
            torch.testing.assert_close(torch.cat(given, at), wanted, rtol=0, atol=TOLERANCE[dtype])
            if isinstance(machine, Stateful):
                machine.reset_state()


@pytest.mark.parametrize("name", NAMES)
def test_pieces(name: str) -> None:
    agrees(spec(CASES, [name]), name)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(
    ("file", "name"),
    [("gpt2", "gpt2"), ("recurrent", "lstm_states"), ("recurrent", "stacked"), ("recurrent", "gru_states"),
     ("statespace", "block"), ("statespace", "diagonal")],
)  # fmt: skip
def test_examples(file: str, name: str, dtype: torch.dtype) -> None:
    agrees(example(file, name), name, dtype)


@pytest.mark.parametrize("name", NAMES)
def test_the_interpreter_agrees(name: str) -> None:
    found = spec(CASES, [name])
    diagram = found[f"{name}_on"].diagram()
    verify(diagram)
    torch.manual_seed(0)
    module = found[f"{name}_on"].compile().to(torch.float64).eval()
    inputs = drawn(found, name, torch.float64)
    state = module.initial_state(BATCH) if isinstance(module, Stateful) else {}
    weights = {key: value.detach() for key, value in module.state_dict().items()}
    with torch.no_grad():
        for begin, size in ((0, 2), (2, 1), (3, 4)):
            given = piece(inputs, begin, size)
            told = interpret_step(diagram, given, {**weights, **state}, batch=(BATCH,))
            wanted = module(*given)
            torch.testing.assert_close(told[0][0], wanted, rtol=0, atol=1e-10)
            state = {key: value for key, value in told[1].items() if key in state}


def test_what_is_kept_is_no_part_of_the_network() -> None:
    found = example("gpt2", "gpt2")
    machine = found["gpt2_on"].compile()
    assert isinstance(machine, Stateful)
    state = machine.initial_state(3)
    assert state["block.1.attention.keys"].shape == (3, 2, 16, 4)  # the bound of `positions`, which is less than 20
    assert state["positions.steps"].dtype == torch.int64
    assert not machine.state_dict().keys() & state.keys()


def test_as_a_function_and_compiled() -> None:
    found = example("gpt2", "gpt2")
    whole, machine = found["gpt2"].compile().eval(), found["gpt2_on"].compile().eval()
    assert isinstance(machine, Stateful)
    machine.load_state_dict(whole.state_dict())
    ids = torch.randint(50, (BATCH, 9))
    state = machine.initial_state(BATCH)
    step = torch.compile(machine.step_with, backend="eager", fullgraph=True, dynamic=True)
    out = []
    with torch.no_grad():
        for part in (ids[:, :4], ids[:, 4:5], ids[:, 5:6], ids[:, 6:]):
            y, state = step(state, part)
            out.append(y)
        torch.testing.assert_close(torch.cat(out, 1), whole(ids), rtol=0, atol=1e-5)


REFUSED = {  # causal, but with an element for each pair of steps, or rounds with one state
    "band_mask", "causal_mask", "tril", "index[T'])", "replicate", "masked_fill",
}  # fmt: skip


@pytest.mark.parametrize(("lag", "signature", "body"), KEPT, ids=lambda c: str(c))
def test_the_table(lag: int, signature: str, body: str) -> None:
    """Everything causal is stepped, or refused in words."""
    text = f"{DIMS}morphism f : {signature} = {body}\nmorphism f_on : {signature} = step[T](f, max = 20)\n"
    found = catdl.loads(text)
    mistakes = [d for d in found.diagnostics if d.severity == "error"]
    assert all(isinstance(d, NotStepped) for d in mistakes), render(mistakes)
    assert bool(mistakes) == any(word in body for word in REFUSED), render(mistakes)
    if not mistakes and "S, D]" not in signature:
        agrees(found, "f")


def test_weights_are_shared_with_those_that_are_plugged_in() -> None:
    found = spec(
        CASES
        + """
param w : weights(causal_cnn)
morphism trained : R -> R = causal_cnn{w}
morphism running : R -> R = step[T](causal_cnn{w})
""",
        [],
    )
    assert [p.path for p in parameters(found["running"].diagram()) if not p.state] == []
    assert list(found["running"].compile().state_dict()) == list(found["trained"].compile().state_dict())
