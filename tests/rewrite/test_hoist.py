"""What a step does without its state is done for all steps at once; what is no function stays where it is."""

from __future__ import annotations

import torch

from catdl.rewrite.run import rewritten
from catdl.torch.build import build, source
from tests.rewrite.by_text import fold
from tests.rewrite.same import names, same

DIMS = {"T": 5}


def step(cell: str) -> str:
    return f"morphism cell : Real[H] @ Real[A] -> Real[H] = (h, a) => {cell}"


def loop_of(text: str) -> str:
    """The statements of the loop."""
    lines = text.split("\n")
    head = next(k for k, line in enumerate(lines) if line.strip().startswith("for "))
    depth = len(lines[head]) - len(lines[head].lstrip())
    inside = []
    for line in lines[head + 1 :]:
        if len(line) - len(line.lstrip()) <= depth:
            break
        inside.append(line.strip())
    return "\n".join(inside)


def test_input_projections_are_one_product() -> None:
    diagram = fold(step("h * h + (a >> embedding: linear(2 * H) >> tanh >> linear)"))
    assert same(diagram, DIMS) == ["hoist"]
    assert "self." not in loop_of(source(rewritten([diagram])[0][0]))


def test_what_no_step_changes_is_made_once() -> None:
    text = """
morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => {
    param scale : Real[H] ~ normal(0, 1)
    h * h * tanh(softplus(scale)) + a
}"""
    diagram = fold(text)
    assert same(diagram, DIMS) == ["hoist"]
    assert "softplus" not in loop_of(source(rewritten([diagram])[0][0]))


def test_captured_wires() -> None:
    text = "morphism cell : Real[H] @ Real[A] @ Real[H] -> Real[H] = (h, a, w) => h * h + (a >> linear) * sin(w)"
    assert same(fold(text, captured=1), DIMS) == ["hoist"]


def test_outputs_without_the_state_leave_the_fold() -> None:
    text = """
morphism cell : Real[H] @ Real[A] -> Real[H] @ Real[H] @ Real[A] = (h, a) => {
    seen = a >> linear
    (tanh(h * h + seen), seen, a)
}"""
    assert same(fold(text), DIMS)[0] == "hoist"


def test_readouts_are_made_for_all_steps_at_once() -> None:
    text = """
morphism cell : Real[H] @ Real[A] -> Real[H] @ Real[A] @ Real[H] = (h, a) => {
    new = tanh(h * h + (a >> into: linear))
    (new, (new >> out: linear) + a, h)
}"""
    diagram = fold(text)
    assert same(diagram, DIMS) == ["hoist", "hoist"]
    assert "self." not in loop_of(source(rewritten([diagram])[0][0]))
    assert same(fold(text, reverse=True), DIMS) == ["hoist", "hoist"]


def test_a_weight_used_on_both_sides_is_tied() -> None:
    text = """
param w : weights(mix)
morphism mix : Real[H] -> Real[H] = linear
morphism cell : Real[H] @ Real[H] -> Real[H] @ Real[H] = (h, a) => {
    new = tanh((h >> mix{w}) + (a >> mix{w}) * h)
    (new, new >> mix{w})
}"""
    assert same(fold(text), DIMS) == ["hoist", "hoist"]


def test_what_is_random_stays() -> None:
    diagram = fold(step("h * h + (a >> dropout(0.5) >> linear)"))
    (found,), applied = rewritten([diagram])
    assert names(applied) == [] and found is diagram


def test_what_normalises_over_the_batch_stays() -> None:
    text = "morphism cell : Real[H] @ Real[H] -> Real[H] = (h, a) => h * h + (a >> batchnorm)"
    assert names(rewritten([fold(text)])[1]) == []


def test_it_runs_under_compile_export_and_deepcopy() -> None:
    import copy

    diagram = fold(step("h * h + (a >> linear)"))
    model = build(rewritten([diagram])[0][0]).double()
    h, x = torch.randn(2, 4, dtype=torch.float64), torch.randn(2, 5, 3, dtype=torch.float64)
    wanted = model(h, x)
    assert torch.equal(copy.deepcopy(model)(h, x), wanted)
    exported = torch.export.export(model, (h, x)).module()
    torch.testing.assert_close(exported(h, x), wanted)
