"""Plugs on compiled networks: keys, values and gradients, at every depth, by value and by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import catdl
from catdl.diagram.model import Diagram
from catdl.diagram.verify import verify
from catdl.types.sizes import free_syms
from catdl.types.types import axis_sizes
from tests.torch.agree import agree

FILE = """
dim T, D = 4, Class = 3, Expert = 5
object Seq = Real[T, D]
morphism pair[O, I](r : count) : () -> Real[O, I] = {
    param down : Real[R: r, I] ~ normal(0, 0.02)
    param up : Real[O, R: r] ~ normal(0, 0.02)
    contract[R](up, down)
}
morphism residual[X](f : X -> X) : X -> X = x => x + (x >> f)
morphism block : Seq -> Seq = residual(layernorm >> q: linear(D)) >> residual(up: linear(6) >> gelu >> down: linear)
morphism ffn : Real[D] -> Real[D] = q: linear(D) >> relu
morphism net : Seq -> Seq = repeat(3, block) >> linear(D)
param table : Real[D, D] ~ normal(0, 1)
morphism heads : Seq -> Seq = linear(D, bias = false){weight = table} >> tanh >> linear(D, bias = false){weight = table}
morphism code : Real[D] -> Real[Class] = linear(6) >> relu >> linear
"""

LORA = "w => w + pair(2)"
STEP = ("low.down", "low.up")

CASES = {
    "a native": (f"Seq -> Seq = linear(D){{weight: {LORA}}}", {"linear.pair.down", "linear.pair.up", "linear.weight"}),
    "both leaves of one": (
        "Seq -> Seq = linear(D){weight: w => w + pair(2), bias: b => 2 * b}",
        {"linear.weight", "linear.bias", "linear.pair.up"},
    ),
    "replaced by name": ("Seq -> Seq = linear(D){weight = pair(2)}", {"linear.pair.down", "linear.bias"}),
    "twice": (f"Seq -> Seq = linear(D){{weight: {LORA}, weight: {LORA}}}", {"linear.pair.up", "linear.pair_2.up"}),
    "forgotten": (f"Seq -> Seq = linear(D){{weight: {LORA}, weight = pair(1)}}", {"linear.pair.up", "linear.bias"}),
    "in a repeat": (f"Seq -> Seq = net{{block.*.q.weight: {LORA}}}", {"net.block.2.q.pair.up", "net.block.2.q.weight"}),
    "in some rounds": (
        f"Seq -> Seq = net{{block.{{0,2}}.q.weight: {LORA}}}",
        {"net.block.0.q.pair.up", "net.block.1.q.weight", "net.block.2.q.pair.up"},
    ),
    "everywhere": ("Seq -> Seq = net{**.weight: w => 2 * w}", {"net.block.1.layernorm.weight", "net.linear.weight"}),
    "of some boxes": (
        f"Seq -> Seq = block{{{{q, up}}.weight: {LORA}, down: tanh}}",
        {"block.q.pair.up", "block.up.pair.up", "block.down.weight", "block.q.bias"},
    ),
    "of a repeat itself": (f"Seq -> Seq = repeat(2, block){{1.q.weight: {LORA}}}", {"block.1.q.pair.up"}),
    "around an iterate": (
        f"Seq -> Seq = many: iterate(3, block){{q.weight: {LORA}}}",
        {"many.q.pair.up", "many.q.weight", "many.q.bias"},
    ),
    "inside an iterate": (f"Seq -> Seq = iterate(3, block{{q.weight: {LORA}}})", {"block.q.pair.up", "block.q.weight"}),
    "a repeat in an iterate": (
        f"Seq -> Seq = iterate(2, net{{block.*.q.weight: {LORA}}})",
        {"net.block.0.q.weight", "net.block.2.q.bias", "net.block.2.q.pair.up"},
    ),
    "inside a map": (f"Seq -> Seq = map[T](linear(D){{weight: {LORA}}})", {"linear.weight", "linear.pair.up"}),
    "inside an each": (
        "Real[Expert, D] -> Real[Expert, D] = each[Expert](fresh linear(D){weight: w => w + pair(2)})",
        {"linear.weight", "linear.pair.up"},
    ),
    "inside an each of several boxes in an iterate": (
        "Real[Expert, D, T] -> Real[Expert, D, T] = iterate(2, m){m.conv1d.weight: tanh}\n"
        "morphism m : Real[Expert, D, T] -> Real[Expert, D, T] = each[Expert](fresh (conv1d(D, 1) >> tanh))",
        {"m.conv1d.weight", "m.conv1d.bias"},
    ),
    "inside a named each in an iterate": (
        "Real[Expert, D, T] -> Real[Expert, D, T] = iterate(2, m){m.part.conv1d.weight: w => w + own}\n"
        "morphism own[..S] : () -> Real[..S] = {\n    param gain : Real[..S]\n    gain\n}\n"
        "morphism m : Real[Expert, D, T] -> Real[Expert, D, T] = part: each[Expert](fresh (conv1d(D, 1) >> tanh))",
        {"m.part.conv1d.weight", "m.part.conv1d.own.gain"},
    ),
    "inside a fold": (
        f"Seq -> Real[D] = last{{linear.weight: {LORA}}}\n"
        "morphism last : Seq -> Real[D] = fold[T]([ zeros | (x, h) => tanh(x + (h >> linear(D))) ], carrier = Real[D])",
        {"last.linear.weight", "last.linear.pair.up"},
    ),
    "on top of another": (
        "Seq -> Seq = tuned{net.**.weight: w => 2 * w}\n"
        f"morphism tuned : Seq -> Seq = net{{block.*.q.weight: {LORA}}}",
        {"tuned.net.block.0.q.weight", "tuned.net.block.0.q.pair.up"},
    ),
    "of a parameter of the body": (
        "Seq -> Seq = scaled{gain: g => 2 * g}\nmorphism scaled : Seq -> Seq = x => {\n"
        "    param gain : Real[D]\n    over[T, D](x * gain)\n}",
        {"scaled.gain"},
    ),
    "a record": (
        "Real[D] @ Real[D] -> Real[Class] = (x, y) => (x >> code{w}) - (y >> code{w})\nparam w : weights(code)",
        {"w.linear.weight", "w.linear_2.bias"},
    ),
    "a part of a record": (
        "Real[D] -> Real[Class] = code{linear = w.linear}\nparam w : weights(code)",
        {"w.linear.weight", "w.linear.bias", "code.linear_2.bias"},
    ),
    "a record whole and in part": (
        "Real[D] -> Real[Class] @ Real[Class] = code{w} & code{linear_2 = w.linear_2}\nparam w : weights(code)",
        {"w.linear.weight", "w.linear_2.bias", "code.linear.weight"},
    ),
    "a record of a morphism's own": (
        "Seq -> Seq = t{r.down: tanh} >> iterate(2, t)\nmorphism t : Seq -> Seq = x => {\n"
        "    param r : weights(block) ~ normal(0, 1)\n    x >> block{r} >> relu >> block{r}\n}",
        {"t.r.q.weight", "t.r.down.bias", "t_2.r.up.weight"},
    ),
    "a power and a family of a morphism's own": (
        "Fin(Expert) @ Seq -> Seq = (i, x) => {\n    param r : weights(block)^2\n    param s : weights(block)[Expert]\n"
        "    x >> repeat(2, block){r} >> block{s[i]}\n}",
        {"r.0.q.weight", "r.1.down.bias", "s.layernorm.weight"},
    ),
    "a power": ("Seq -> Seq = repeat(3, block){ws}\nparam ws : weights(block)^3", {"ws.0.q.weight", "ws.2.down.bias"}),
    "a family": (
        "Fin(Expert) @ Real[D] -> Real[Class] = (i, x) => x >> code{bank[i]}\nparam bank : weights(code)[Expert]",
        {"bank.linear.weight", "bank.linear_2.bias"},
    ),
    "an element of a power by number and by wire": (
        "Fin(2) @ Real[D] -> Real[Class] @ Real[Class] = (i, x) => (x >> code{ws[1]}, x >> code{ws[i]})\n"
        "param ws : weights(code)^2",
        {"ws.0.linear.weight", "ws.1.linear_2.bias"},
    ),
    "weights of each sample": (
        "Real[D] @ Seq -> Seq = (z, x) => {\n    w = z >> linear(16) >> rearrange(\"(o i) -> o i\", o = 4)\n"
        "    x >> block{q.weight = w}\n}",
        {"block.q.bias", "block.up.weight", "linear.weight"},
    ),
    "weights of each sample, many times": (
        "Real[D] @ Seq -> Seq = (z, x) => {\n    w = z >> linear(16) >> rearrange(\"(o i) -> o i\", o = 4)\n"
        "    x >> iterate(2, block{q.weight = w})\n}",
        {"block.q.bias", "block.up.weight"},
    ),
    "a record inside, with something beside a leaf": (
        "Seq -> Seq = inner >> relu\nmorphism inner : Seq -> Seq = tuned{w}\n"
        f"morphism tuned : Seq -> Seq = block{{q.weight: {LORA}}}\nparam w : weights(tuned)",
        {"w.block.q.weight", "w.block.q.pair.up", "w.block.q.bias"},
    ),
    "a record as an input": ("weights(code) @ Real[D] -> Real[Class] = (v, x) => x >> code{v}", set()),
}  # fmt: skip


def diagram_of(text: str) -> Diagram:
    found = catdl.loads(FILE + "morphism f : " + text + "\n")["f"].diagram()
    verify(found)
    return found


@pytest.mark.parametrize("name", CASES)
def test_keys_and_values(name: str) -> None:
    text, keys = CASES[name]
    diagram = diagram_of(text)
    free = {dim for wire in diagram.wires for size in axis_sizes(wire.type) for dim in free_syms(size)}
    model = agree(diagram, dict.fromkeys(free, 3), ((), (3,)))
    assert keys <= set(model.state_dict())


def compiled(text: str) -> torch.nn.Module:
    return catdl.loads(FILE + "morphism f : " + text + "\n")["f"].compile()


def test_a_plug_moves_no_key() -> None:
    before = set(compiled("Seq -> Seq = net").state_dict())
    after = set(compiled(f"Seq -> Seq = net{{**: frozen, block.*.q.weight: {LORA}}}").state_dict())
    assert before < after
    assert all(".pair." in key for key in after - before)


def test_what_is_frozen_has_no_gradient() -> None:
    model = compiled(f"Seq -> Seq = net{{**: frozen, block.*.q.weight: {LORA}}}")
    model(torch.randn(2, 3, 4)).sum().backward()
    assert {key for key, p in model.named_parameters() if p.requires_grad} == {
        key for key, p in model.named_parameters() if p.grad is not None
    }
    assert all(".pair." in key for key, p in model.named_parameters() if p.requires_grad)


@pytest.mark.parametrize("body", ["linear(D)", "iterate(3, linear(D))", "iterate(3, block)", "repeat(2, block)"])
def test_a_weight_that_is_read_still_is_not_trained(body: str) -> None:
    model = compiled(f"Seq -> Seq = {body}{{**.weight: w => 2 * frozen(w)}}")
    assert {key.rpartition(".")[2] for key, p in model.named_parameters() if p.requires_grad} == {"bias"}
    model = compiled(f"Seq -> Seq = {body}{{**.weight: w => 2 * frozen(w) + w}}")
    assert all(p.requires_grad for p in model.parameters())


def test_a_declared_parameter_is_trained_if_anything_trains_it() -> None:
    model = compiled("Seq -> Seq = heads{**: frozen}")
    assert [(key, p.requires_grad) for key, p in model.named_parameters()] == [("table", False)]
    model = compiled("Seq -> Seq = heads{**: frozen} >> linear(D, bias = false){weight = table}")
    assert [(key, p.requires_grad) for key, p in model.named_parameters()] == [("table", True)]


@pytest.mark.parametrize("loop", ["iterate(3, block)", "map[T](tied ffn)"])
def test_what_is_frozen_is_frozen_where_a_loop_is_given_it(loop: str) -> None:
    model = compiled(f"Seq -> Seq = {loop}{{**: frozen, **.q.weight: {LORA}}}")
    assert {name.rpartition(".")[2] for name, p in model.named_parameters() if p.requires_grad} == {"down", "up"}


def test_what_is_frozen_after_a_step_stops_it_too() -> None:
    model = compiled(f"Seq -> Seq = linear(D){{weight: {LORA}, weight: frozen}}")
    model(torch.randn(2, 3, 4)).sum().backward()
    assert [key for key, p in model.named_parameters() if p.grad is not None] == ["linear.bias"]


def test_initialisers_by_path() -> None:
    model = compiled("Seq -> Seq = net{**.weight: init(normal(3, 0)), **.bias: init(ones)}")
    for key, value in model.state_dict().items():
        assert torch.equal(value, torch.full_like(value, 3 if key.endswith("weight") else 1)), key


def test_groups_by_path() -> None:
    spec = catdl.loads(FILE + 'morphism f : Seq -> Seq = net{**.bias: group("no_decay")}\n')
    groups = spec["f"].groups()
    assert set(groups) == {"", "no_decay"}
    assert all(key.endswith("bias") for key in groups["no_decay"])
    assert sorted([*groups[""], *groups["no_decay"]]) == sorted(spec["f"].compile().state_dict())


def test_a_record_plugged_whole_is_one_module() -> None:
    text, _ = CASES["a record"]
    model = compiled(text)
    assert [name for name, _ in model.named_children()] == ["w"]
    assert "code" not in dict(model.named_modules())


def test_an_element_of_a_power_is_taken_from_one_stack_for_each_leaf() -> None:
    text = "Fin(4) @ Real[D] -> Real[Class] = (i, x) => x >> code{ws[i]}\nparam ws : weights(code)^4"
    source = catdl.loads(FILE + "morphism f : " + text + "\n")["f"].source()
    assert 'torch.stack([self.ws[k]["linear"]["weight"] for k in range(4)], dim=-3)' in source
    assert source.count("torch.stack") == 4
    assert "torch.cat" not in source
    assert "unsqueeze" not in source


def test_a_plug_outside_a_loop_is_made_once() -> None:
    spec = catdl.loads(FILE + f"morphism f : Seq -> Seq = iterate(3, block{{q.weight: {LORA}}})\n")
    lines = spec["f"].source().splitlines()
    loop = next(k for k, line in enumerate(lines) if "for _ in range(3)" in line)
    assert any("self.block.q.pair()" in line for line in lines[:loop])
    assert not any("pair()" in line for line in lines[loop:])


STEPS = """
morphism gained[..S] : Real[..S] -> Real[..S] = w => {
    param gain : Real ~ normal(1, 0)
    w * gain
}
morphism deep[O, I] : () -> Real[O, I] = {
    param own : Real[O, I] ~ normal(0, 1)
    own + pair(2) + (also: pair(1))
}
morphism many_layers[O, I] : Real[O, I] -> Real[O, I] = chain([linear(I) for k in [1, 2]])
morphism bare : Seq -> Seq = linear(D, bias = false)
morphism inner : Seq -> Seq = iterate(2, map[T](ffn))
morphism owner : Seq -> Seq = x => {
    param gain : Real[D] ~ normal(1, 0)
    param r : weights(ffn) ~ normal(0, 1)
    over[T, D](x * gain) >> map[T](ffn{r}) >> tanh
}
morphism part : Seq -> Seq = linear(D) >> relu >> bare >> (x => x + (x >> many: block))
morphism list : Seq -> Seq = chain([linear(D) for k in [1, 2]]) >> repeat(2, fresh (linear(D) >> tanh))
"""


@pytest.mark.parametrize("step", ["pair(2)", "gained", "many_layers", "v => tanh(v) + deep + deep"])
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("linear(D)", "**.weight"),
        ("bare", "**.weight"),
        ("inner", "**.weight"),
        ("owner", "**.r.**.weight"),
        ("part", "**.{linear,q,up}.weight"),
        ("net", "**.q.weight"),
        ("list", "**.weight"),
    ],
)
def test_a_loop_moves_no_key(body: str, path: str, step: str) -> None:
    """What a step owns stands where it would without the loop, which makes it outside."""
    spec = catdl.loads(
        f"{FILE}{STEPS}morphism once : Seq -> Seq = {body}{{{path}: {step}}}\n"
        f"morphism around : Seq -> Seq = iterate(3, {body}{{{path}: {step}}})\n"
        f"morphism after : Seq -> Seq = iterate(3, iterate(2, {body})){{{path}: {step}}}\n"
    )
    diagram = spec["after"].diagram()
    verify(diagram)
    free = {dim for wire in diagram.wires for size in axis_sizes(wire.type) for dim in free_syms(size)}
    models = [spec["once"].compile(), spec["around"].compile(), agree(diagram, dict.fromkeys(free, 3), ((3,),))]
    once, around, after = ({key: value.shape for key, value in model.state_dict().items()} for model in models)
    assert once == around == after


def test_parameters_start_by_formula_and_from_files(tmp_path: Path) -> None:
    text = """
dim T, D = 4, P = 6
morphism code : Real[D] -> Real[D] = linear(5) >> relu >> linear
param table : Real[P, D] ~ over[P, D](sin(over[P](real(index[P]) / 10)) * linspace[D](0, 1))
param square : Real[D, D'] ~ file("square.npy")
param w : weights(code) ~ file("code.safetensors")
morphism f : Fin(P)[T] -> Real[T, D] =
    embed{table} >> linear(D){weight = square, bias: init(2 * ones[D])} >> map[T](code{w})
"""
    import numpy as np
    from safetensors.torch import save_file

    (tmp_path / "f.cat").write_text(text, encoding="utf-8")
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.save(tmp_path / "square.npy", square)
    spec = catdl.load(tmp_path / "f.cat")
    code = spec["code"].compile()
    save_file(code.state_dict(), tmp_path / "code.safetensors")
    state = spec["f"].compile().state_dict()
    rows = torch.sin(torch.arange(6) / 10)[:, None] * torch.linspace(0, 1, 4)
    torch.testing.assert_close(state["table"], rows)
    assert torch.equal(state["square"], torch.from_numpy(square))
    assert torch.equal(state["linear.bias"], torch.full((4,), 2.0))
    for key, value in code.state_dict().items():
        assert torch.equal(state[f"w.{key}"], value)


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("file(3)", "E0204"),
        ('file("w.pickle")', "E0204"),
        ("linspace[D](0, 1) >> nothing", "E0101"),
        ("ones[T]", "E0301"),
        ("normel(0, 1)", "E0101"),
    ],
)
def test_a_wrong_start_is_refused(start: str, code: str) -> None:
    spec = catdl.loads(f"dim T, D = 4\nparam w : Real[D] ~ {start}\nmorphism f : Real[D] -> Real[D] = x => x + w\n")
    assert [d.code for d in spec.diagnostics] == [code]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("residual(linear){weight: frozen}", "E0208", "no record of its own"),
        ("block{q.weight: w => (w, w)}", "E0505", "expected 1 wire"),
        ("block{q.weight: w => w + normal_like(w)}", "E0701", "`block` draws at random"),
        ("x => {\n    s = mean[..](x)\n    x >> block{q.weight: w => s * w}\n}", "E0208", "`s` is a wire of this body"),
        ("block{q = w.q, **: frozen}\nparam w : weights(block)", "E0208", "plugged already"),
        ("block{w}\nparam w : weights(nothing)", "E0101", "called `nothing`"),
        ("net{block.*.{q,upp}.weight: frozen, **.{q,dwon}.weight: w => 2 * w}", "E0601", "upp"),
        ("block{w}\nparam w : weights(relu)", "E0208", "where its types are fixed"),
        ("block{w}\nparam w : weights(repeat(2, block))", "E0208", "takes a declared morphism"),
        ("block{w[7]}\nparam w : weights(block)[Expert]", "E0208", "no element 7"),
        ("repeat(3, block){w}\nparam w : weights(block)^2", "E0608", "not that of the morphism"),
        ("block{w}\nparam w : weights(block)[T]", "E0604", "changes from call to call"),
        ("repeat(0, block){*.q.weight: frozen}", "E0208", "has no parameters"),
    ],
)
def test_a_wrong_plug_is_refused(text: str, code: str, words: str) -> None:
    spec = catdl.loads(FILE + "morphism f : Seq -> Seq = " + text + "\n")
    errors = [d for d in spec.diagnostics if d.severity == "error"]
    assert [d.code for d in errors] == [code]
    assert words in errors[0].parts().message


def test_running_statistics_are_no_weights() -> None:
    text = """
dim H = 5, W = 5
object Image = Real[C: 3, H, W]
morphism net : Image -> Real[C: 4, H, W] = conv2d(4, 3, padding = 1) >> batchnorm
param w : weights(net)
morphism f : Image -> Real[C: 4, H, W] = net{**: w => 2 * w}
morphism g : Image -> Real[C: 4, H, W] = net{w}
"""
    spec = catdl.loads(text)
    assert not spec.diagnostics
    statistics = {"running_mean", "running_var", "num_batches_tracked"}
    for name in ("f", "g"):
        model = spec[name].compile()
        assert not statistics & {key.rpartition(".")[2] for key, _ in model.named_parameters()}
        assert statistics == {key.rpartition(".")[2] for key, _ in model.named_buffers()}
        model(torch.randn(2, 3, 5, 5)).sum().backward()


def test_a_random_plug_is_random() -> None:
    text = """
param mu : Real[D, D'] ~ ones
morphism draw[..S] : Real[..S] ~> Real[..S] = m => m + normal_like(m)
morphism g : Seq -> Seq = block{q.weight = draw(mu)}
morphism h : Seq ~> Seq = block{q.weight = draw(mu)}
"""
    spec = catdl.loads(FILE + text)
    assert [d.code for d in spec.diagnostics if d.severity == "error"] == ["E0701"]
    spec = catdl.loads(FILE + text.replace("g : Seq ->", "g : Seq ~>"))
    assert "~>" in spec["h"].signature


def test_an_instance_asked_for_late_leaves_plugs_as_they_are() -> None:
    text = """
morphism fast[..S, A](k : count) : Real[..S, A] -> Real[..S, A] = linear(k) >> tanh >> linear(A)
morphism f : Real[D] @ Seq -> Seq = (z, x) => {
    w = z >> linear(16) >> rearrange("(o i) -> o i", o = 4)
    y = x >> block{q.weight = w}
    y >> block{up.weight: w => w + pair(2)} >> fast(5) >> fast(6)
}
"""
    diagram = catdl.loads(FILE + text)["f"].diagram()
    verify(diagram)
    free = {dim for wire in diagram.wires for size in axis_sizes(wire.type) for dim in free_syms(size)}
    agree(diagram, dict.fromkeys(free, 3), ((), (3,)))
