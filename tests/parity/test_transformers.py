"""The real thing: weights of networks of `transformers`, under the names that these give them, in compiled specs.

Each network starts at random, norms and biases too, so that two of one shape that change places are noticed. Its
weights are saved as `transformers` saves them and mapped by `catdl keys`, without a line given by hand; the map that
is found stands in this folder. Then outputs and gradients are compared, the latter mapped in the same way.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from safetensors.torch import load_file, load_model, save_file
from torch import Tensor, nn

import catdl
from catdl.cli import catdl as command

transformers = pytest.importorskip("transformers", reason="what compiled networks are compared with is not installed")

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
SILENT = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0}
Inputs = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Network:
    """A morphism of an example, the network of `transformers` that it is, and the dims of a small edition."""

    file: str
    name: str
    make: Callable[[dict[str, int]], nn.Module]
    small: dict[str, int]
    full: dict[str, int]

    def spec(self) -> str:
        """The text with the small dims, as few rounds as the small network has layers, and no dropout."""
        text = (EXAMPLES / self.file).read_text(encoding="utf-8")
        for dim, size in self.small.items():
            text = re.sub(rf"\b{dim} = \d+", f"{dim} = {size}", text)
        text = re.sub(r"\b(dropout\(|dropout_p = )0\.1\b", r"\g<1>0.0", text)
        return re.sub(r"\b(repeat|iterate)\(12\b", rf"\1({self.small['Layers']}", text)


def gpt2(dims: dict[str, int]) -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=dims["Vocab"],
        n_positions=dims["Context"],
        n_embd=dims["D"],
        n_head=dims["Head"],
        n_layer=dims["Layers"],
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        **SILENT,
    )
    return checked(transformers.GPT2LMHeadModel(config))


def bert_like(dims: dict[str, int]) -> dict[str, Any]:
    return {
        "vocab_size": dims["Vocab"],
        "max_position_embeddings": dims["Context"],
        "hidden_size": dims["D"],
        "intermediate_size": 4 * dims["D"],
        "num_attention_heads": dims["Head"],
        "num_hidden_layers": dims["Layers"],
        "type_vocab_size": dims["Part"],
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        **SILENT,
    }


def albert(dims: dict[str, int]) -> nn.Module:
    config = transformers.AlbertConfig(embedding_size=dims["Narrow"], **bert_like(dims))
    return checked(transformers.AlbertForMaskedLM(config))


def bert(dims: dict[str, int]) -> nn.Module:
    return checked(transformers.BertModel(transformers.BertConfig(**bert_like(dims)), add_pooling_layer=False))


def checked(model: object) -> nn.Module:
    assert isinstance(model, nn.Module)
    return model


BASE = {"D": 768, "Head": 12, "Layers": 12}
SMALL = {"D": 24, "Head": 3, "Layers": 3, "Part": 2}
NETWORKS = {
    "gpt2": Network(
        "gpt2.cat", "gpt2", gpt2, {**SMALL, "Vocab": 50, "Context": 16}, {**BASE, "Vocab": 50257, "Context": 1024}
    ),
    "albert": Network(
        "albert.cat",
        "masked",
        albert,
        {**SMALL, "Vocab": 50, "Context": 16, "Narrow": 8},
        {**BASE, "Vocab": 30000, "Context": 512, "Narrow": 128, "Part": 2},
    ),
    "bert": Network(
        "bert.cat",
        "bert",
        bert,
        {**SMALL, "Vocab": 50, "Context": 16},
        {**BASE, "Vocab": 30522, "Context": 512, "Part": 2},
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return tmp_path


def keys(*arguments: str) -> str:
    """What `catdl keys` prints; it must have nothing to tell."""
    result = CliRunner().invoke(command, ["keys", *arguments], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def random_model(network: Network) -> nn.Module:
    """A small network of `transformers` in which no two tensors are alike."""
    torch.manual_seed(0)
    model = network.make(network.small)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return model


def saved(network: Network, model: nn.Module) -> str:
    """Its weights in a file as `transformers` writes it, the small spec beside it; gives the map that is found."""
    model.save_pretrained("theirs")  # type: ignore[operator]
    Path("small.cat").write_text(network.spec(), encoding="utf-8")
    return keys("small.cat", network.name, "--diff", "theirs/model.safetensors", "--write", "ours.safetensors")


def loaded(network: Network) -> nn.Module:
    model = catdl.load("small.cat")[network.name].compile()
    load_model(model, "ours.safetensors")
    return model


def inputs(network: Network) -> tuple[Inputs, tuple[Tensor, ...]]:
    """A batch as either side takes it: tokens, and where it has them parts and what is padded."""
    torch.manual_seed(1)
    token = torch.randint(1, network.small["Vocab"], (4, 9))  # their tables do not learn the word that pads
    if network.name == "gpt2":
        return {"input_ids": token}, (token,)
    part = torch.randint(network.small["Part"], token.shape)
    keep = torch.arange(9) < torch.tensor([[9], [3], [1], [8]])
    return {"input_ids": token, "token_type_ids": part, "attention_mask": keep.long()}, (token, part, keep)


def output(network: Network, model: nn.Module, given: Inputs) -> Tensor:
    result = model(**given)
    found = result.last_hidden_state if network.name == "bert" else result.logits
    assert isinstance(found, Tensor)
    return found


@pytest.mark.parametrize("which", NETWORKS)
def test_the_map_is_found(which: str, update_golden: bool) -> None:
    found = saved(NETWORKS[which], random_model(NETWORKS[which]))
    golden = HERE / f"{which}.map"
    if update_golden:
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("which", NETWORKS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_outputs_are_equal(which: str, dtype: torch.dtype, bound: float) -> None:
    network = NETWORKS[which]
    theirs = random_model(network).eval()
    saved(network, theirs)
    ours = loaded(network).eval()
    named, given = inputs(network)
    with torch.no_grad():
        wanted, found = output(network, theirs.to(dtype), named), ours.to(dtype)(*given)
    assert found.dtype == wanted.dtype == dtype
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted, rtol=bound, atol=bound)


@pytest.mark.parametrize("which", NETWORKS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_gradients_are_equal(which: str, dtype: torch.dtype, bound: float) -> None:
    """Of a loss in training; theirs take the way of the weights, through the same map."""
    network = NETWORKS[which]
    theirs = random_model(network).train()
    Path("found.map").write_text(saved(network, theirs))
    ours = loaded(network).train()
    theirs, ours = theirs.to(dtype), ours.to(dtype)
    named, given = inputs(network)
    wanted, found = output(network, theirs, named), ours(*given)
    target = torch.randint(wanted.shape[-1], wanted.shape[:-1])
    for result in (wanted, found):
        F.cross_entropy(result.flatten(0, -2), target.flatten()).backward()
    stored = load_file("theirs/model.safetensors").keys()
    save_file({name: gradient(p) for name, p in theirs.named_parameters() if name in stored}, "grads.safetensors")
    keys("small.cat", network.name, "--diff", "grads.safetensors", "--map", "found.map", "--write", "g.safetensors")
    mapped = load_file("g.safetensors")
    mine = dict(ours.named_parameters())
    assert mapped.keys() == mine.keys()
    largest = max(float(each.abs().max()) for each in mapped.values())  # that of a key's bias is 0 but for rounding
    assert largest > 1e-3
    for key, parameter in mine.items():
        error = (gradient(parameter) - mapped[key]).abs().max()
        assert error <= bound * max(largest * 1e-2, float(mapped[key].abs().max())), key


def gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


@pytest.mark.parametrize("which", NETWORKS)
def test_at_full_size(which: str) -> None:
    """The map of the network that everyone uses is that of the small one; a header needs no numbers."""
    network = NETWORKS[which]
    with torch.device("meta"):
        model = network.make(network.full)
    header, at = {}, 0
    for name, tensor in model.named_parameters():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + 4 * tensor.numel()]}
        at += 4 * tensor.numel()
    text = json.dumps(header).encode()
    with Path("full.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)  # a file with a hole takes no room
    found = keys(str(EXAMPLES / network.file), network.name, "--diff", "full.safetensors")
    assert sides(found) == sides((HERE / f"{which}.map").read_text(encoding="utf-8"))


def sides(text: str) -> list[list[str]]:
    """The lines of a map without comments and spaces."""
    return [line.partition("#")[0].split() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("which", "one", "other"),
    [
        ("gpt2", "attn.c_proj.weight^T", "attn.c_proj.weight"),
        ("gpt2", ".ln_1.", ".ln_2."),
        ("albert", ".attention.LayerNorm.", ".full_layer_layer_norm."),
        ("bert", ".self.query.", ".self.key."),
        ("bert", ".attention.output.LayerNorm.", ".output.LayerNorm."),
    ],
)
def test_a_wrong_map_would_be_noticed(which: str, one: str, other: str) -> None:
    """What fits by shape and changes places gives other outputs, so that the comparison above can fail."""
    network = NETWORKS[which]
    theirs = random_model(network).eval()
    found = saved(network, theirs)
    changed = re.sub("|".join(map(re.escape, (one, other))), lambda match: other if match[0] == one else one, found)
    assert changed != found
    Path("wrong.map").write_text(changed)
    given_map = ("--map", "wrong.map", "--write", "ours.safetensors")
    keys("small.cat", network.name, "--diff", "theirs/model.safetensors", *given_map)
    named, given = inputs(network)
    with torch.no_grad():
        assert (loaded(network).eval()(*given) - output(network, theirs, named)).abs().max() > 1e-2


def test_the_command_line_alone() -> None:
    network = NETWORKS["gpt2"]
    theirs = random_model(network).eval()
    saved(network, theirs)
    named, (token,) = inputs(network)
    np.save("token.npy", token.numpy())
    run = ["run", "small.cat", "gpt2", "--input", "token.npy", "--weights", "ours.safetensors", "-o", "logits.npy"]
    assert CliRunner().invoke(command, run, catch_exceptions=False).exit_code == 0
    with torch.no_grad():
        wanted = output(network, theirs, named)
    torch.testing.assert_close(torch.from_numpy(np.load("logits.npy")), wanted, rtol=1e-5, atol=1e-5)
