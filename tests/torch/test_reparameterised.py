"""Weights that are made of parameters: kept in evaluation until a parameter changes, merged and unmerged."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl.torch.reparameterised import Reparameterised
from tests.torch.agree import BATCHES, agree, sample

SPEC = """
dim T, D = 6
object Seq = Real[T, D]
param w : Real[D, D']

morphism block : Seq -> Seq = x => x + (x >> layernorm >> q: linear(D) >> tanh >> out: linear)
morphism net : Seq -> Seq = repeat(2, block) >> head: linear
morphism net_alone : Seq -> Seq = repeat(2, block) >> head: linear
morphism adapted : Seq -> Seq = net{block.*.q.weight: w => w + low_rank(2), head.weight: quantised(4)}
morphism normed : Seq -> Seq = net{**.weight: w => w + w} >> mixed: linear{weight: spectral_norm(4)}{weight: lora(2)}
morphism generated_ : Seq -> Seq = linear(D){weight: generated(3)} >> tanh >> linear{weight: weight_norm}
morphism again : Seq -> Seq = iterate(3, linear{weight: orthogonal} >> tanh)
morphism shared : Seq -> Seq = linear(D){weight = w >> weight_norm} >> tanh >> linear{weight = w}
morphism inner : Seq -> Seq = linear{weight = w >> symmetric}
morphism outer : Seq -> Seq = inner >> tanh >> inner
morphism scaled : Seq -> Seq = x => {
    param factor : Real[D] ~ ones
    param shift : Real[D] ~ zeros
    over[T, D](x * factor + exp(shift))
}
morphism own : Seq -> Seq = scaled{factor: positive} >> inside: scaled{**: v => 2 * v}
morphism random : Seq ~> Seq = linear{weight: bayesian}
morphism both : Seq -> Seq = linear(D){weight = w >> transposed} >> tanh >> linear{weight = w}
"""
MADE = ("adapted", "normed", "generated_", "again", "shared", "outer", "own")
SPECS = catdl.loads(SPEC)


def compiled(name: str) -> nn.Module:
    """A module in evaluation, its weights random."""
    torch.manual_seed(0)
    assert not SPECS.diagnostics, SPECS.diagnostics
    model = SPECS[name].compile().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.5)
    return model


def fresh(model: nn.Module, x: Tensor) -> Tensor:
    """What a module gives when nothing is kept."""
    with torch.enable_grad():
        y: Tensor = model(x)
        return y.detach()


def makes(model: nn.Module) -> dict[str, int]:
    """How often each module of a model makes its weights from here on, by name."""
    counts: dict[str, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, Reparameterised) and type(module)._make is not Reparameterised._make:
            counts[name] = 0
            make = module._make

            def counted(*inputs: Tensor, name: str = name, make: Callable[..., tuple[Tensor, ...]] = make) -> tuple[Tensor, ...]:  # fmt: skip # noqa: E501
                counts[name] += 1
                return make(*inputs)

            module._make = counted  # type: ignore[method-assign]
    return counts


X = torch.randn(2, 3, 6)


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_is_made_once(name: str) -> None:
    model = compiled(name)
    wanted = fresh(model, X)
    counts = makes(model)
    assert counts
    with torch.no_grad():
        for _ in range(3):
            assert torch.equal(model(X), wanted)
    assert set(counts.values()) == {1}
    model(X)
    assert set(counts.values()) == {2}, "with gradients it is made anew"
    model.train()
    with torch.no_grad():
        model(X), model(X)
    assert set(counts.values()) == {4}, "in training it is made anew"


def step(model: nn.Module) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with torch.enable_grad():
        model(X).square().sum().backward()
    optimizer.step()


def load(model: nn.Module) -> None:
    model.load_state_dict({key: torch.randn_like(value) for key, value in model.state_dict().items()})


def assign(model: nn.Module) -> None:
    model.load_state_dict({key: torch.randn_like(value) for key, value in model.state_dict().items()}, assign=True)


def edit(model: nn.Module) -> None:
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.5)


def replaced(model: nn.Module) -> None:
    for p in model.parameters():
        p.data = torch.randn_like(p)


def copied_in_training(model: nn.Module) -> None:
    model.train()
    for p in model.parameters():
        p.data.copy_(torch.randn_like(p))
    model.eval()


def rounded(model: nn.Module) -> None:
    model.half().float()


@pytest.mark.parametrize("change", [step, load, assign, edit, replaced, copied_in_training, rounded])
@pytest.mark.parametrize("name", MADE)
def test_what_is_kept_follows_every_change(name: str, change: Callable[[nn.Module], None]) -> None:
    model = compiled(name)
    with torch.no_grad():
        before = model(X)
        change(model)
        after = model(X)
    assert torch.equal(after, fresh(model, X))
    assert not torch.equal(before, after)


@pytest.mark.parametrize("name", MADE)
def test_what_is_kept_follows_the_dtype(name: str) -> None:
    model = compiled(name)
    with torch.no_grad():
        model(X)
        assert torch.equal(model.double()(X.double()), fresh(model, X.double()))
        with torch.autocast("cpu", torch.bfloat16):
            low = model.float()(X)
            assert torch.equal(low, fresh(model, X))
        assert torch.equal(model(X), fresh(model, X))
    with torch.inference_mode():
        assert torch.equal(model(X), fresh(model, X))


@pytest.mark.parametrize("name", MADE)
def test_a_copy_keeps_nothing_of_what_was_made(name: str) -> None:
    model = compiled(name)
    with torch.no_grad():
        model(X)
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            edit(other)
            assert torch.equal(other(X), fresh(other, X))
        assert torch.equal(model(X), fresh(model, X))


def test_threads_read_what_is_kept() -> None:
    model = compiled("adapted")
    wanted = fresh(model, X)
    found: list[bool] = []

    def run() -> None:
        with torch.no_grad():
            found.extend(torch.equal(model(X), wanted) for _ in range(50))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 200


def test_a_transform_keeps_nothing() -> None:
    torch.manual_seed(0)
    model = compiled("adapted")
    states = [{key: torch.randn_like(value) for key, value in model.state_dict().items()} for _ in range(3)]
    stacked = {key: torch.stack([state[key] for state in states]) for key in states[0]}
    with torch.no_grad():
        mapped = torch.vmap(lambda state: torch.func.functional_call(model, state, X))(stacked)
        for state, found in zip(states, mapped, strict=True):
            wanted = torch.func.functional_call(model, state, X)
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)  # what is kept would be another's


def test_chance_and_plain_ties_are_not_kept() -> None:
    for name in ("random", "both"):
        model = compiled(name)
        assert not isinstance(model, Reparameterised)
        assert "catdl" not in SPECS[name].source()
    model = compiled("random")
    with torch.no_grad():
        assert not torch.equal(model(X), model(X))


@pytest.mark.parametrize("name", MADE)
def test_export_and_compile_make_the_weights(name: str) -> None:
    model = compiled(name)
    with torch.no_grad():
        wanted = model(X)
        program = torch.export.export(model, (X,)).module()
        torch.testing.assert_close(program(X), wanted)
        fast = torch.compile(model, backend="eager", fullgraph=True)
        torch.testing.assert_close(fast(X), wanted)
        edit(model)
        torch.testing.assert_close(fast(X), fresh(model, X))


# merging

MERGED = {
    "adapted": {"net.block.0.q.weight", "net.block.1.q.weight", "net.head.weight"},
    "normed": {
        *(f"net.block.{k}.{name}.weight" for k in range(2) for name in ("layernorm", "q", "out")),
        *("net.head.weight", "mixed.weight"),
    },
    "generated_": {"linear_2.weight"},
    "again": {"linear.weight"},
    "own": {"scaled.factor", "inside.factor", "inside.shift"},
}


def root(model: nn.Module) -> Reparameterised:
    """The module as one that can be merged."""
    assert isinstance(model, Reparameterised)
    return model


@pytest.mark.parametrize("name", MERGED)
def test_merging_and_back(name: str) -> None:
    model = root(compiled(name))
    wanted = fresh(model, X)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.merge_weights()
    merged = {key: value.clone() for key, value in model.state_dict().items()}
    assert {key for key in before if not torch.equal(before[key], merged[key])} == MERGED[name]
    counts = makes(model)
    for _ in range(2):
        torch.testing.assert_close(fresh(model, X), wanted, rtol=1e-5, atol=1e-5)
        model.merge_weights()
        assert all(torch.equal(value, merged[key]) for key, value in model.state_dict().items())
    assert sum(counts.values()) == (2 if name == "generated_" else 0)
    model.unmerge_weights()
    model.unmerge_weights()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(fresh(model, X), wanted)


def test_merged_weights_are_those_of_the_plain_network() -> None:
    model, plain = root(compiled("adapted")), compiled("net_alone")
    model.merge_weights()
    state = {key.removeprefix("net."): value for key, value in model.state_dict().items()}
    left = plain.load_state_dict(state, strict=False)
    assert left.missing_keys == [] and all("low_rank" in key for key in left.unexpected_keys)
    torch.testing.assert_close(plain(X), model(X))


def test_what_is_merged_is_neither_trained_nor_loaded() -> None:
    model = root(compiled("adapted"))
    state = copy.deepcopy(model.state_dict())
    model.merge_weights()
    with pytest.raises(RuntimeError, match="unmerge_weights"):
        model.train()
    with pytest.raises(RuntimeError, match="unmerge_weights"):
        model.load_state_dict(state)
    model(X).sum().backward()
    grads = {name for name, p in model.named_parameters() if p.grad is not None}
    assert not any("q.weight" in name or "low_rank" in name or name == "net.head.weight" for name in grads)
    assert {"net.head.bias", "net.block.0.q.bias"} <= grads
    model.unmerge_weights()
    model.load_state_dict(state)
    with pytest.raises(RuntimeError, match="eval"):
        root(model.train()).merge_weights()


def test_a_merged_module_is_copied_moved_and_compiled() -> None:
    model = root(compiled("adapted"))
    wanted = fresh(model, X)
    before = copy.deepcopy(model.state_dict())
    model.merge_weights()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.deepcopy(model).double()):
        x = X.to(other.get_parameter("net.head.bias").dtype)
        torch.testing.assert_close(other(x).float(), wanted, rtol=1e-5, atol=1e-5)
        other.unmerge_weights()
        assert all(torch.equal(value.float(), before[key]) for key, value in other.state_dict().items())
    with torch.no_grad():
        fast = torch.compile(model, backend="eager", fullgraph=True)
        torch.testing.assert_close(fast(X), wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(torch.export.export(model, (X,)).module()(X), wanted, rtol=1e-5, atol=1e-5)


def test_a_box_called_like_a_method() -> None:
    text = "dim D = 3\nmorphism f : Real[D] -> Real[D] = {}: linear(D) >> _made: linear{{weight: lora(2)}}"
    with pytest.raises(catdl.CheckError, match="call it `merge_weights_`"):
        catdl.loads(text.format("merge_weights"))["f"].compile()
    model = root(catdl.loads(text.format("merged"))["f"].compile().eval())
    assert "merged.weight" in model.state_dict() and "_made.weight" in model.state_dict()
    y = model(torch.ones(3))
    model.merge_weights()
    torch.testing.assert_close(model(torch.ones(3)), y)


# everywhere a layer may stand

PLACES = catdl.loads("""
dim T = 7, E = 3, D = 4, O = 5
morphism ffn : Real[D] -> Real[D] = up: linear(8) >> relu >> down: linear
morphism inside : Real[E, D] -> Real[E, O] = each[E](fresh linear(O){weight: lora(2)})
morphism outside : Real[E, D] -> Real[E, D] =
    each[E](fresh ffn){ffn.up.weight: w => w + low_rank(2), ffn.down.weight: weight_norm}
morphism named : Real[E, D] -> Real[E, D] =
    experts: each[E](fresh ffn{up.weight: quantised(3), down.weight: spectral_norm(3)})
morphism mapped : Real[T, D] -> Real[T, D] = map[T](tied linear(D){weight: symmetric} >> tanh)
morphism mapped_outside : Real[T, D] -> Real[T, D] = map[T](tied ffn){**.weight: weight_norm}
morphism rounds : Real[D] -> Real[D] = repeat(3, ffn){**.weight: lora(2)} >> iterate(2, tied ffn){**.weight: orthogonal}
morphism nested : Real[T, D] -> Real[T, D] = repeat(2, fresh (map[T](tied ffn{up.weight: lora(1)})))
morphism statistics : Real[E, D] -> Real[E, D] =
    experts: each[E](fresh (linear(D){weight: symmetrised([[0, 1, 2, 3], [1, 0, 3, 2]])} >> batchnorm))
""")
LOST = {
    "inside": {"linear.weight"},
    "outside": {"ffn.up.weight", "ffn.down.weight"},
    "named": {"experts.up.weight", "experts.down.weight"},
    "mapped": {"linear.weight"},
    "mapped_outside": {"ffn.up.weight", "ffn.down.weight"},
    "rounds": {f"{at}.{leaf}.weight" for at in ("ffn.0", "ffn.1", "ffn.2", "ffn_2") for leaf in ("up", "down")},
    "nested": {"repeat.0.ffn.up.weight", "repeat.1.ffn.up.weight"},
}


@pytest.mark.parametrize("name", [*LOST, "statistics"])
def test_in_every_place(name: str) -> None:
    diagram = PLACES[name].diagram()
    batches = ((3,), (2, 3)) if name == "statistics" else BATCHES
    model = agree(diagram, batches=batches).eval()
    (wire,) = diagram.inputs
    x = sample(diagram.wires[wire].type, (6,), {})
    wanted = fresh(model, x)
    with torch.no_grad():
        for _ in range(2):
            torch.testing.assert_close(model(x), wanted)
        edit(model)
        torch.testing.assert_close(model(x), fresh(model, x))
    if name not in LOST:
        return
    before = {key: value.clone() for key, value in model.state_dict().items()}
    wanted = fresh(model, x)
    root(model).merge_weights()
    torch.testing.assert_close(model(x), wanted)
    lost = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert lost == LOST[name]
    root(model).unmerge_weights()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
