"""The generated text, word for word, and that it is the network that the spec says.

    printed/NAME.cat   a spec whose morphism `main` is compiled; NAME.py is the text, and it agrees with the interpreter
    printed/NAME.py    without a spec: the text of a morphism of `examples/`

`pytest tests/torch --update-golden` writes the texts anew.
"""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch

import catdl
from catdl.diagram.model import Diagram
from catdl.diagram.params import globals_of, parameters
from catdl.torch.build import build, load_text, source
from catdl.torch.module import root_name
from catdl.types.sizes import free_syms
from catdl.types.types import axis_sizes
from tests.torch.agree import agree, sample

HERE = Path(__file__).parent / "printed"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

CASES = sorted(path.stem for path in HERE.glob("*.cat"))
NETWORKS = {
    "bert": "bert",
    "digits": "mlp",
    "gat": "gat",
    "gcn": "gcn",
    "gpt2": "gpt2",
    "resnet": "resnet50",
    "unet": "segment",
    "vit": "vit",
}
DIMS = {"T": 5, "H": 9, "W": 8}


def diagram(name: str) -> Diagram:
    path, morphism = (HERE / f"{name}.cat", "main") if name in CASES else (EXAMPLES / f"{name}.cat", NETWORKS[name])
    spec = catdl.load(path)
    assert not spec.diagnostics
    return spec[morphism].diagram()


@pytest.mark.parametrize("name", [*CASES, *NETWORKS])
def test_text(name: str, update_golden: bool) -> None:
    golden, text = HERE / f"{name}.py", source(diagram(name))
    if update_golden:
        golden.write_text(text, encoding="utf-8")
    assert golden.exists(), "no text yet: --update-golden writes it"
    assert text == golden.read_text(encoding="utf-8")


def test_orphans() -> None:
    """Every text belongs to a spec."""
    assert {path.stem for path in HERE.glob("*.py")} == {*CASES, *NETWORKS}


@pytest.mark.parametrize("name", [*CASES, *NETWORKS])
def test_keys(name: str) -> None:
    """The golden text, run as it stands, has the parameters of the diagram, in its order."""
    network = diagram(name)
    module = load_text((HERE / f"{name}.py").read_text(encoding="utf-8"))
    with torch.device("meta"):
        model = getattr(module, root_name(network))()
    wanted = {p.path: axis_sizes(p.type) for p in (*parameters(network), *globals_of(network))}
    found = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert {key: shape for key, shape in found.items() if not key.endswith("num_batches_tracked")} == wanted


@pytest.mark.parametrize("name", CASES)
def test_meaning(name: str) -> None:
    network = diagram(name)
    leaves = [network.wires[wire].type for wire in network.inputs]
    names = {name for leaf in leaves for size in axis_sizes(leaf) for name in free_syms(size)}
    dims = {name: DIMS[name.rpartition("::")[2]] for name in names}
    agree(network, dims)
    model = build(network).eval()
    inputs = tuple(sample(leaf, (2,), dims).float() for leaf in leaves)
    wanted = model(*inputs)
    others = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    if "torch.vmap" not in source(network):  # which torch.export does not take
        others.append(torch.export.export(model, inputs).module())
    for other in others:
        torch.testing.assert_close(other(*inputs), wanted)
