"""Every example: checked, compiled, run forward and backward, and found to be the network it claims to be.

Each runs twice: at full size on torch's meta device, which computes shapes only, so that even GPT-2 costs no memory;
and in a small edition, the same text with smaller numbers in its `dim` lines, on real numbers and several batch axes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import catdl
from catdl import Compiled, Spec
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of, parameters
from catdl.torch.build import load_text
from catdl.types.dtypes import storage
from catdl.types.sizes import Size, evaluate, free_syms
from catdl.types.types import Leaf, axis_sizes
from tests.examples.listed import EXAMPLES, FOLDER, Example
from tests.torch.agree import agree

ROOT = Path(__file__).parent.parent
BROKEN = {"digits_broken.cat", "jets_broken.cat", "vae_broken.cat"}
_APART = (
    "adder arithmetic characters childsum contrast deepsets digit_sum few_labels gan gin mixture recurrent seq2seq"
    " shapes statespace stream streams strokes texts treelstm values"
)
APART = {f"{name}.cat" for name in _APART.split()}
"""Those with trees, samples of different size, folds or states, turns, or without inputs, tested in tests/examples."""
BATCHES: tuple[tuple[int, ...], ...] = ((), (2,), (2, 3))


FILES = [pytest.param(example, id=example.file) for example in EXAMPLES]
NETWORKS = [pytest.param(example, name, id=name) for example in EXAMPLES for name in example.parameters]


@cache
def full(file: str) -> Spec:
    """The example as it stands."""
    return catdl.load(FOLDER / file)


@cache
def small(file: str) -> Spec:
    """The example with smaller dims."""
    (example,) = (example for example in EXAMPLES if example.file == file)
    texts = {file: example.text}
    for name in re.findall(r"^from (\w+) import", example.text, flags=re.MULTILINE):
        imported = (FOLDER / file).parent / f"{name}.cat"
        texts[imported.name] = imported.read_text(encoding="utf-8")
    for name, size in example.small.items():
        counts = 0
        for part, text in texts.items():
            texts[part], count = re.subn(rf"^(dim .*\b{name}) = \d+", rf"\1 = {size}", text, flags=re.MULTILINE)
            counts += count
        assert counts == 1, f"{file} has no dim {name}"
    with tempfile.TemporaryDirectory() as folder:
        for part, text in texts.items():
            (Path(folder) / Path(part).name).write_text(text, encoding="utf-8")
        return catdl.load(Path(folder) / Path(file).name)


def value(size: Size, free: dict[str, int]) -> int:
    """A size, where the dims are known by the names that stand in the text."""
    return evaluate(size, {name: free[name.rpartition("::")[2]] for name in free_syms(size)})


def inputs(diagram: Diagram, batch: tuple[int, ...], free: dict[str, int]) -> Iterator[Tensor]:
    """Random inputs. Of a graph's edges, the first are the loops that these networks ask for."""
    for wire in diagram.inputs:
        leaf = diagram.wires[wire].type
        shape = (*batch, *(value(size, free) for size in axis_sizes(leaf)))
        match storage(leaf.kind):
            case "int":
                yield indices(leaf, shape, free)
            case "bool":
                yield (torch.arange(shape[-1]) < 3).expand(shape)
            case _:
                yield torch.randn(shape)


def indices(leaf: Leaf, shape: tuple[int, ...], free: dict[str, int]) -> Tensor:
    """Random indices, which reach every element where there are enough of them."""
    assert leaf.kind.size is not None
    count = value(leaf.kind.size, free)
    found = torch.randint(0, count, shape)
    if leaf.axes:
        found[..., :count] = torch.arange(count)[: shape[-1]]
    return found


def run(network: Compiled, model: nn.Module, batch: tuple[int, ...], free: dict[str, int]) -> Tensor:
    """What it gives, of the declared shapes; of several results, the numbers of all side by side."""
    diagram = network.diagram()
    device = next(model.parameters()).device
    found = model(*(x.to(device) for x in inputs(diagram, batch, free)))
    results = found if isinstance(found, tuple) else (found,)
    for result, output in zip(results, diagram.outputs, strict=True):
        expected = (*batch, *(value(size, free) for size in axis_sizes(diagram.wires[output].type)))
        assert result.shape == expected
    return beside(found, len(batch))


def beside(found: Tensor | tuple[Tensor, ...], batch: int) -> Tensor:
    """Several results as one, after so many axes of the batch."""
    if isinstance(found, Tensor):
        return found
    return torch.cat([each.flatten(batch) if each.ndim > batch else each[..., None] for each in found], -1)


def backward(result: Tensor) -> None:
    """The gradient of a random direction: that of a sum says nothing below a norm."""
    (result * torch.randn(result.shape, device=result.device)).sum().backward()


def test_every_example_is_here() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.cat")}
    assert files == {example.file for example in EXAMPLES} | BROKEN | APART


@pytest.mark.parametrize("example", FILES)
def test_it_is_clean_and_every_network_in_it_is_tried(example: Example) -> None:
    spec = full(example.file)
    assert spec.diagnostics == []
    assert spec.names == tuple(example.parameters)
    assert small(example.file).diagnostics == []


@pytest.mark.parametrize(("example", "name"), NETWORKS)
def test_at_full_size_it_is_the_network_it_claims_to_be(example: Example, name: str) -> None:
    network = full(example.file)[name]
    with torch.device("meta"):
        model = network.compile()
    diagram = network.diagram()
    paths = {parameter.path for parameter in (*parameters(diagram), *globals_of(diagram))}
    assert {key for key in model.state_dict() if not key.endswith("num_batches_tracked")} == paths
    assert sum(p.numel() for p in model.parameters()) == example.parameters[name]
    backward(run(network, model, (2,), example.free))
    assert [key for key, p in model.named_parameters() if p.grad is None and example.trained in key] == []


@pytest.mark.parametrize(("example", "name"), NETWORKS)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_it_learns(example: Example, name: str, batch: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = small(example.file)[name]
    model = network.compile().train()
    result = run(network, model, batch, example.free)
    assert result.isfinite().all()
    backward(result)
    for key, p in model.named_parameters():
        if example.trained not in key:
            assert p.grad is None, key
            continue
        assert p.grad is not None, key
        assert p.grad.isfinite().all(), key
        # Scores moved by the same amount for all keys leave the attention as it is; what low rank adds starts as zero.
        assert p.grad.any() or key.endswith(("key.bias", ".down")), key


@pytest.mark.parametrize(("example", "name"), NETWORKS)
def test_a_batch_is_its_samples(example: Example, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    for like in ("randn_like", "rand_like"):  # no chance, for a sample of a batch has noise of its own
        monkeypatch.setattr(torch, like, lambda x: torch.full_like(x, 0.4))
    monkeypatch.setattr(Tensor, "exponential_", lambda x: x.fill_(0.4))
    network = small(example.file)[name]
    model = network.compile().eval()
    batch = list(inputs(network.diagram(), (2, 3), example.free))

    @torch.no_grad()
    def drawn(batch: int, *inputs: Tensor) -> Tensor:
        return beside(model(*inputs), batch)

    whole = drawn(2, *batch)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(drawn(0, *(x[i, j] for x in batch)), whole[i, j], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("example", "name"), NETWORKS)
def test_its_source_is_what_runs(example: Example, name: str) -> None:
    network = full(example.file)[name]
    source = network.source()
    ours = [line for line in source.splitlines() if "catdl" in line]
    made = "def _make(" in source  # weights made of parameters, which the runtime keeps in evaluation
    # The maps that commute with a group.
    words = [word for word in ("Commuting", "Equivariants") if f"{word}(" in source and f"class {word}(" not in source]
    wanted = [f"from catdl.torch.equivariants import {', '.join(words)}"] if words else []
    assert ours == [*wanted, *["from catdl.torch.reparameterised import Reparameterised"] * made]
    exec(compile(source, name, "exec"), {"__name__": name})
    with torch.device("meta"):
        model = network.compile()
    assert type(model) is getattr(load_text(source), type(model).__name__)


@pytest.mark.parametrize("example", FILES)
def test_a_file_compiles_as_a_whole(example: Example) -> None:
    names: dict[str, object] = {"__name__": "whole"}
    exec(compile(full(example.file).source(), example.file, "exec"), names)
    for name in example.parameters:
        # One whose every parameter is plugged where it is used has none to hold: it is a function.
        assert name in names or name.title().replace("_", "") in names


SOURCES = """
import sys, catdl
for path in sys.argv[1:]:
    spec = catdl.load(path)
    for name in spec.names:
        print(spec[name].source())
"""


def test_the_same_text_gives_the_same_source() -> None:
    paths = [str(FOLDER / example.file) for example in EXAMPLES]
    printed = [
        subprocess.run(
            [sys.executable, "-c", SOURCES, *paths],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert printed[0].count("nn.Module") > len(NETWORKS)


# Not the images, which take the interpreter minutes, nor GCN, which asks for a loop at every node.
DEFINED = [
    "gpt2",
    "bert",
    "vit",
    "gat",
    "classifier",
    "pooled",
    "tuned",
    "made",
    "equilibrium",
    "ode",
    "hyper",
]


@pytest.mark.parametrize("name", DEFINED)
def test_it_is_what_its_definition_says(name: str) -> None:
    (example,) = (example for example in EXAMPLES if name in example.parameters)
    diagram = small(example.file)[name].diagram()
    dims = {dim for wire in diagram.wires for size in axis_sizes(wire.type) for dim in free_syms(size)}
    agree(diagram, {dim: example.free[dim.rpartition("::")[2]] for dim in dims}, batches=((2,),))


def keys(file: str, name: str) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the full network."""
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in full(file)[name].compile().state_dict().items()}


def test_keys_of_gpt2() -> None:
    block = {
        "layernorm.weight": (768,),
        "layernorm.bias": (768,),
        "attention.qkv.weight": (2304, 768),
        "attention.qkv.bias": (2304,),
        "attention.out.weight": (768, 768),
        "attention.out.bias": (768,),
        "layernorm_2.weight": (768,),
        "layernorm_2.bias": (768,),
        "up.weight": (3072, 768),
        "up.bias": (3072,),
        "down.weight": (768, 3072),
        "down.bias": (768,),
    }
    assert keys("gpt2.cat", "gpt2") == {
        "wte": (50257, 768),
        "positions.weight": (1024, 768),
        **{f"block.{i}.{key}": shape for i in range(12) for key, shape in block.items()},
        "layernorm.weight": (768,),
        "layernorm.bias": (768,),
    }


def test_keys_of_bert() -> None:
    found = keys("bert.cat", "bert")
    layers = Counter(re.sub(r"\.\d+\.", ".*.", key) for key in found if key.startswith("layer."))
    linear = [f"sublayer.attention.{name}" for name in ("query", "key", "value", "out")]
    linear += [f"sublayer_2.feed_forward.{name}" for name in ("up", "down")]
    parts = [*linear, "sublayer.layernorm", "sublayer_2.layernorm"]
    assert layers == {f"layer.*.{part}.{leaf}": 12 for part in parts for leaf in ("weight", "bias")}
    assert {key: shape for key, shape in found.items() if not key.startswith("layer.")} == {
        "embedding.word.weight": (30522, 768),
        "embedding.part.weight": (2, 768),
        "embedding.positions.weight": (512, 768),
        "embedding.layernorm.weight": (768,),
        "embedding.layernorm.bias": (768,),
    }


def test_keys_of_resnet() -> None:
    found = keys("resnet.cat", "resnet18")
    assert found["stem.conv.conv2d.weight"] == (64, 3, 7, 7)
    assert found["stage.0.basic.0.second.conv2d.weight"] == (64, 64, 3, 3)
    assert found["stage.3.first.shortcut.conv.conv2d.weight"] == (512, 256, 1, 1)
    assert found["stage.3.first.shortcut.conv.batchnorm.running_mean"] == (512,)
    assert found["head.linear.weight"] == (1000, 512)
    assert "stage.0.first.shortcut.conv.conv2d.weight" not in found


def test_keys_of_unet() -> None:
    found = keys("unet.cat", "segment")
    assert found["unet.encode.conv2d.weight"] == (64, 1, 3, 3)
    assert found["unet.unet.unet.unet.unet.twice.conv2d_2.weight"] == (1024, 1024, 3, 3)
    assert found["unet.unet.up.weight"] == (256, 128, 2, 2)
    assert found["conv2d.weight"] == (2, 64, 1, 1)


def test_keys_of_gat() -> None:
    assert keys("gat.cat", "gat") == {
        "first.asks": (8, 8),
        "first.offers": (8, 8),
        "first.linear.weight": (64, 1433),
        "second.asks": (1, 7),
        "second.offers": (1, 7),
        "second.linear.weight": (7, 64),
    }


def test_gpt2_reads_with_the_table_it_wrote_with() -> None:
    network = small("gpt2.cat")["gpt2"]
    model = network.compile()
    tables = [p for p in model.parameters() if 19 in p.shape]
    assert len(tables) == 1
    run(network, model, (2,), {"T": 5}).sum().backward()
    # All rows have a gradient from the head; only the rows of tokens that are there have one from the embedding.
    assert tables[0].grad is not None
    assert tables[0].grad.abs().sum(1).all()


def test_gpt2_sees_no_later_token() -> None:
    torch.manual_seed(0)
    model = small("gpt2.cat")["gpt2"].compile().eval()
    tokens = torch.randint(0, 19, (7,))
    changed = tokens.clone()
    changed[4:] = (tokens[4:] + 1) % 19
    torch.testing.assert_close(model(changed)[:4], model(tokens)[:4])
    assert not torch.allclose(model(changed)[4:], model(tokens)[4:])


def test_bert_sees_no_padding() -> None:
    torch.manual_seed(0)
    model = small("bert.cat")["bert"].compile().eval()
    token, part = torch.randint(0, 19, (5,)), torch.zeros(5, dtype=torch.long)
    keep = torch.tensor([True, True, True, False, False])
    other = torch.cat([token[:3], (token[3:] + 1) % 19])
    torch.testing.assert_close(model(other, part, keep)[:3], model(token, part, keep)[:3])
    torch.testing.assert_close(model(token[:3], part[:3], keep[:3]), model(token, part, keep)[:3])


@pytest.mark.parametrize("name", ["gcn", "gat"])
def test_graphs_have_no_order(name: str) -> None:
    torch.manual_seed(0)
    network = small(f"{name}.cat")[name]
    model = network.compile().eval()
    x, source, target = inputs(network.diagram(), (), {"N": 6, "E": 20})
    nodes, edges = torch.randperm(6), torch.randperm(20)
    place = nodes.argsort()
    moved = model(x[nodes], place[source[edges]], place[target[edges]])
    torch.testing.assert_close(moved, model(x, source, target)[nodes], rtol=1e-4, atol=1e-5)


def test_unet_says_what_it_needs() -> None:
    model = small("unet.cat")["segment"].compile()
    with pytest.raises(ValueError, match="16 must divide W, got W=40"):
        model(torch.randn(1, 32, 40))


def test_the_broken_digits_are_refused() -> None:
    (mistake,) = catdl.load(FOLDER / "digits_broken.cat").diagnostics
    assert mistake.code == "E0401"


def test_jets_as_images_are_refused() -> None:
    (mistake,) = catdl.load(FOLDER / "jets_broken.cat").diagnostics
    assert mistake.code == "E1006"
    assert mistake.span is not None and mistake.span.text == "conv1d(32, 3, padding = 1)"
