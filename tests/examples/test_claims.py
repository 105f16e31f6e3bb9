"""What the examples of shared and reparameterised weights claim, on the files as they stand."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import catdl

FOLDER = Path(__file__).parent.parent.parent / "examples"
TRAINING = 1400


def compiled(file: str, name: str) -> nn.Module:
    """A network of an example, in float64."""
    torch.manual_seed(0)
    return catdl.load(FOLDER / f"{file}.cat")[name].compile().double()


def real(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


@cache
def digits() -> tuple[Tensor, Tensor]:
    """The UCI digits, scaled to 0..1, and their labels, shuffled."""
    with np.load(FOLDER / "data" / "digits.npz") as file:
        image = torch.from_numpy(file["image"]).float() / 16
        label = torch.from_numpy(file["label"]).long()
    order = torch.randperm(len(image), generator=torch.Generator().manual_seed(0))
    return image[order], label[order]


def batches() -> list[Tensor]:
    """The places of the training digits in an order of their own."""
    return list(torch.randperm(TRAINING).split(100))


# ---------------------------------------------------------------------------------------------------- siamese


def test_the_towers_of_the_siamese_network_are_one() -> None:
    model = compiled("siamese", "siamese")
    a, b = real(5, 1, 8, 8), real(5, 1, 8, 8)
    torch.testing.assert_close(model(a, b), model(b, a), rtol=0, atol=1e-12)


def test_the_gradient_of_the_shared_record_is_the_sum_of_its_copies() -> None:
    """Sharing is copying: two encoders of equal weights give two gradients, and the shared one has their sum."""
    model = compiled("siamese", "siamese")
    a, b = real(5, 1, 8, 8), real(5, 1, 8, 8)
    model(a, b).square().sum().backward()
    shared = {key.removeprefix("w."): p for key, p in model.named_parameters() if key.startswith("w.")}
    left, right = compiled("siamese", "encoder"), compiled("siamese", "encoder")
    for tower in (left, right):
        tower.load_state_dict({key: p.detach() for key, p in shared.items()})
    (model.get_submodule("linear")((left(a) - right(b)).abs()).square()).sum().backward()
    for key, p in shared.items():
        one, two = left.get_parameter(key).grad, right.get_parameter(key).grad
        assert p.grad is not None and one is not None and two is not None
        assert not torch.allclose(one, two)
        torch.testing.assert_close(p.grad, one + two, rtol=1e-12, atol=1e-12)


# ----------------------------------------------------------------------------------------------------- ALBERT


def test_every_layer_of_albert_is_the_same() -> None:
    """Twelve layers have the parameters of one, and are that one twelve times over."""
    torch.manual_seed(0)
    text = (FOLDER / "albert.cat").read_text()
    for name, size in {"Vocab": 30000, "Context": 512, "Narrow": 128, "D": 768}.items():
        text = text.replace(f"{name} = {size}", f"{name} = 8")
    text = text.replace("Head = 12", "Head = 2")
    twelve = catdl.loads(text)["albert"].compile().double()
    one = catdl.loads(text.replace("iterate(12", "iterate(1"))["albert"].compile().double()
    assert {k: v.shape for k, v in one.state_dict().items()} == {k: v.shape for k, v in twelve.state_dict().items()}
    one.load_state_dict(twelve.state_dict())
    token, part = torch.randint(0, 8, (2, 5)), torch.randint(0, 2, (2, 5))
    keep = torch.ones(2, 5, dtype=torch.bool)
    state = one(token, part, keep)
    one.get_submodule("embedding").register_forward_hook(lambda *_: state)  # what goes in from here on
    for _ in range(11):
        state = one(token, part, keep)
    torch.testing.assert_close(state, twelve(token, part, keep), rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------------------------------------------- LoRA


def small_gpt2(folder: Path) -> None:
    """GPT-2 and its adapters with small dims, side by side as the examples are."""
    text = (FOLDER / "gpt2.cat").read_text()
    for old, new in {"50257": "19", "1024": "7", "768": "12", "Head = 12": "Head = 3"}.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "gpt2.cat").write_text(text)
    (folder / "lora.cat").write_text((FOLDER / "lora.cat").read_text())


@pytest.fixture
def tuned(tmp_path: Path) -> tuple[nn.Module, nn.Module]:
    """A small GPT-2, and the same with adapters, of which only the base is loaded."""
    torch.manual_seed(0)
    small_gpt2(tmp_path)
    base = catdl.load(tmp_path / "gpt2.cat")["gpt2"].compile().double()
    lora = catdl.load(tmp_path / "lora.cat")["tuned"].compile().double()
    weights = {key if key == "wte" else f"gpt2.{key}": value for key, value in base.state_dict().items()}
    missing, unexpected = lora.load_state_dict(weights, strict=False)
    assert unexpected == []
    kinds = [f"{part}.{leaf}" for part in "qv" for leaf in ("down", "up")]
    assert missing == [f"gpt2.block.{i}.attention.qkv.adapted.{kind}" for i in range(12) for kind in kinds]
    return base, lora


def test_lora_starts_as_gpt2(tuned: tuple[nn.Module, nn.Module]) -> None:
    base, lora = tuned
    tokens = torch.randint(0, 19, (2, 5))
    torch.testing.assert_close(lora(tokens), base(tokens), rtol=1e-12, atol=1e-12)


def test_lora_trains_the_adapters_alone(tuned: tuple[nn.Module, nn.Module]) -> None:
    _, lora = tuned
    tokens, target = torch.randint(0, 19, (2, 5)), torch.randint(0, 19, (10,))
    before = {key: value.clone() for key, value in lora.state_dict().items()}
    optimizer = torch.optim.Adam(lora.parameters(), lr=1e-2)
    losses = []
    for _ in range(5):
        loss = F.cross_entropy(lora(tokens).flatten(0, 1), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    changed = {key for key, value in lora.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {key for key in before if ".adapted." in key}
    for key, p in lora.named_parameters():
        assert (p.grad is not None) == (".adapted." in key), key


def test_the_merged_weights_give_the_same_output(tuned: tuple[nn.Module, nn.Module]) -> None:
    """Adapters added into `qkv` make a plain GPT-2: queries and values moved, keys as they were."""
    base, lora = tuned
    with torch.no_grad():
        for key, p in lora.named_parameters():
            if ".adapted." in key:
                p.normal_(0, 0.3)
    tokens = torch.randint(0, 19, (2, 5))
    state = lora.state_dict()
    merged = {key: value.clone() for key, value in base.state_dict().items()}
    for i in range(12):
        at = f"gpt2.block.{i}.attention.qkv.adapted"
        weight = merged[f"block.{i}.attention.qkv.weight"]
        weight[:12] += state[f"{at}.q.up"] @ state[f"{at}.q.down"]
        weight[24:] += state[f"{at}.v.up"] @ state[f"{at}.v.down"]
    assert not torch.allclose(lora(tokens), base(tokens))
    base.load_state_dict(merged)
    torch.testing.assert_close(base(tokens), lora(tokens), rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------------------------------------------- MADE


def test_made_tells_each_pixel_from_those_before_it() -> None:
    model = compiled("made", "made")
    reached = torch.zeros(64, 64, dtype=torch.bool)
    for _ in range(20):
        jacobian = torch.autograd.functional.jacobian(model, 5 * real(64))
        assert isinstance(jacobian, Tensor)
        assert not jacobian.triu().any()  # exactly nought, for a mask is not a small number
        reached |= jacobian != 0
    assert reached.sum() == 64 * 63 // 2  # and nothing that may be seen is hidden


# ------------------------------------------------------------------------------------------------------ Bayes


@torch.no_grad()
def entropy(model: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """The mean prediction of many draws, and how spread it is."""
    mean = torch.stack([model(image).softmax(-1) for _ in range(30)]).mean(0)
    return mean, -(mean * mean.clamp_min(1e-12).log()).sum(-1)


def test_the_bayesian_network_knows_what_it_does_not_know() -> None:
    spec = catdl.load(FOLDER / "bayes.cat")
    rows: list[dict[str, float]] = []
    trained = spec.learner("bayesian_digits").fit(told=rows.append)
    assert rows[-1]["learned"] < rows[0]["learned"] / 4
    model = spec["bayes"].compile()
    model.load_state_dict(trained.state_dict())
    torch.manual_seed(0)
    image, label = (each[1438:] for each in digits())  # what the learner holds out, in the order of the seed 0
    seen, unsure = entropy(model, image)
    assert (seen.argmax(-1) == label).float().mean() >= 0.9
    assert not torch.equal(model(image[:1]), model(image[:1]))  # each run is another network
    scattered = image.flatten(1)[:, torch.randperm(64)].unflatten(1, (8, 8))
    for strange, times in ((image.rot90(1, (1, 2)), 1.1), (scattered, 3), (torch.rand(400, 8, 8), 3)):
        assert entropy(model, strange)[1].mean() > times * unsure.mean()


def test_one_network_is_drawn_for_the_whole_batch() -> None:
    model = compiled("bayes", "bayes")
    image = torch.rand(1, 8, 8, dtype=torch.float64).expand(6, 8, 8)
    found = model(image)
    torch.testing.assert_close(found, found[:1].expand(6, 10), rtol=0, atol=1e-12)


# -------------------------------------------------------------------------------------------------- quantised


def accuracy(file: str, name: str, epochs: int = 15) -> tuple[float, nn.Module]:
    """What is read right of the digits not seen in training."""
    torch.manual_seed(0)
    model = catdl.load(FOLDER / f"{file}.cat")[name].compile()
    image, label = digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        for batch in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(image[batch]), label[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        right = model(image[TRAINING:]).argmax(-1) == label[TRAINING:]
    return right.float().mean().item(), model


def test_four_bits_read_the_digits_about_as_well() -> None:
    full, _ = accuracy("quantised", "mlp")
    four, model = accuracy("quantised", "four_bits")
    assert full >= 0.95
    assert four >= full - 0.02
    # The weights that the layers use, seen as the Jacobian of each.
    for name, width in (("linear", 64), ("linear_2", 64)):
        used = torch.autograd.functional.jacobian(model.get_submodule(f"mlp.{name}"), torch.zeros(width))
        assert isinstance(used, Tensor)
        held = model.get_parameter(f"mlp.{name}.weight")
        unit = held.abs().amax(1, keepdim=True) / 7
        for row in used / unit:
            assert len({round(value) for value in row.tolist()}) <= 16
        torch.testing.assert_close(used / unit, (used / unit).round(), rtol=0, atol=1e-4)
        assert ((used - held).abs() <= unit * 0.501).all()
        assert len(held.unique()) > 100 * 6  # what is trained has all its bits


# ------------------------------------------------------------------------------------------------ equilibrium


def test_the_equilibrium_is_a_fixed_point() -> None:
    """Of the layer with the plugged weight, whatever the weights are; the same from other starts, for it contracts."""
    model = compiled("equilibrium", "settle")
    layer = compiled("equilibrium", "layer")
    u = 3 * real(7, 64)
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 2)
        state = model.state_dict()
        weight = state["layer.linear.weight"]
        rows = 0.8 * weight / weight.abs().sum(1, keepdim=True)
        layer.load_state_dict({"linear.weight": rows, "linear.bias": state["layer.linear.bias"]})
        z = model(u)
        torch.testing.assert_close(layer(z, u), z, rtol=0, atol=1e-7)
        other = torch.ones_like(z)
        for _ in range(80):
            other = layer(other, u)
        torch.testing.assert_close(other, z, rtol=0, atol=1e-7)


# ------------------------------------------------------------------------------------------------- neural ODE


def test_the_field_of_the_ode_is_one() -> None:
    keys = list(compiled("neural_ode", "ode").state_dict())
    assert keys == [f"flow.field.{layer}.{leaf}" for layer in ("linear", "linear_2") for leaf in ("weight", "bias")]


def test_the_solver_is_of_order_four() -> None:
    """On x' = A x, whose flow is the exponential of A, half the step makes a sixteenth of the error."""
    text = (FOLDER / "neural_ode.cat").read_text().replace("linear(32) >> tanh >> linear\n", "linear(bias = false)\n")
    matrix = torch.tensor([[-0.5, 2.0], [-2.0, -0.3]], dtype=torch.float64)
    x = real(2)
    errors = []
    for steps in (10, 20, 40):
        solver = catdl.loads(text.replace("flow(10)", f"flow({steps})"))["ode"].compile().double()
        (field,) = solver.parameters()
        with torch.no_grad():
            field.copy_(matrix)
            errors.append((solver(x) - torch.matrix_exp(matrix) @ x).norm().item())
    for coarse, fine in pairwise(errors):
        assert coarse / fine == pytest.approx(16, rel=0.05)


# ----------------------------------------------------------------------------------------------- hypernetwork


def test_every_sample_has_weights_of_its_own() -> None:
    """A batch of codes is what each gives alone, and what a plain network of the weights it makes gives."""
    model = compiled("hypernetwork", "hyper")
    plain = compiled("hypernetwork", "picture")
    code, places = real(3, 4, 16), real(3, 4, 64, 2)
    found = model(code, places)
    hidden = model.get_submodule("linear")(code).relu()
    first = model.get_submodule("linear_2")(hidden).unflatten(-1, (32, 2))
    last = model.get_submodule("linear_3")(hidden).unsqueeze(-2)
    own = {key.removeprefix("picture."): p for key, p in model.state_dict().items() if key.startswith("picture.")}
    for i in range(3):
        for j in range(4):
            torch.testing.assert_close(model(code[i, j], places[i, j]), found[i, j], rtol=0, atol=1e-10)
            plain.load_state_dict({**own, "first.weight": first[i, j], "last.weight": last[i, j]})
            torch.testing.assert_close(plain(places[i, j]), found[i, j], rtol=0, atol=1e-10)
    assert not torch.allclose(model(code[0, 0], places[0, 0]), model(code[0, 1], places[0, 0]))
