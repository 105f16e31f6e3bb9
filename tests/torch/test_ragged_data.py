"""Batches of samples of different size: from lists, padded tensors, nested tensors, graphs; on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

import catdl
from catdl.cli import catdl as command
from catdl.data.ragged import Batch, from_graphs, from_nested, from_networkx, from_padded, offsets_of

TEXT = """
dim N : var set, E : var, T : var, Vocab = 9, D = 3, Class = 2
morphism text : Fin(Vocab)[T] -> Logits[Class] = embed(D) >> mean[T](empty = 0) >> linear
morphism graph : (x: Real[N, D], source: Fin(N)[E], target: Fin(N)[E], y: Real[Class]) -> Real[Class] =
    (x, source, target, y) => {
        sent = scatter_sum[N](gather[N](x, source), target)
        y + ((x + sent) >> linear(Class) >> tanh >> sum[N])
    }
"""
SPEC = catdl.loads(TEXT)
GRAPH = (torch.arange(6.0).reshape(2, 3), [0, 1], [1, 0], [0.5, 1])
EMPTY: tuple[list[float], ...] = ([], [], [], [0, 0])
ONE = {"x": np.ones((1, 3)), "source": [0], "target": [0], "y": [1, 2]}


def tensors(batch: Batch) -> list[Tensor]:
    """The inputs of a batch without trees."""
    found = [value for value in batch.inputs if isinstance(value, Tensor)]
    assert len(found) == len(batch.inputs)
    return found


def test_samples_become_a_batch() -> None:
    batch = SPEC["graph"].pack([GRAPH, EMPTY, ONE])
    x, source, target, y = tensors(batch)
    assert x.shape == (3, 3)
    assert source.tolist() == [0, 1, 2]
    assert target.tolist() == [1, 0, 2]
    assert y.tolist() == [[0.5, 1.0], [0.0, 0.0], [1.0, 2.0]]
    assert {name: at.tolist() for name, at in batch.offsets.items()} == {"N": [0, 2, 2, 3], "E": [0, 2, 2, 3]}
    net = SPEC["graph"].compile()
    whole = net(*batch.inputs, **batch.offsets)
    for k, sample in enumerate((GRAPH, EMPTY, ONE)):
        alone = SPEC["graph"].pack([sample])
        torch.testing.assert_close(net(*alone.inputs, **alone.offsets)[0], whole[k])
    assert [part.tolist() for part in batch.split(source, "E")] == [[0, 1], [], [2]]
    assert tensors(batch.to(torch.float64))[0].dtype == torch.float64
    assert tensors(batch.to(torch.float64))[1].dtype == torch.int64


def test_one_input_is_the_sample() -> None:
    batch = SPEC["text"].pack([[1, 2, 3], torch.tensor([4]), []])
    assert tensors(batch)[0].tolist() == [1, 2, 3, 4]
    assert batch.offsets["T"].tolist() == [0, 3, 4, 4]
    assert SPEC["text"].pack([]).offsets["T"].tolist() == [0]


@pytest.mark.parametrize(
    ("name", "sample", "message"),
    [
        ("graph", GRAPH[:3], "sample 1 has 3 values, and there are 4 inputs"),
        ("graph", {"x": 1}, "sample 1 has x, and the inputs are x, source, target, y"),
        ("graph", (GRAPH[0], [0, 2], [1, 0], [0, 0]), "sample 1: source holds 2, and it has 2 N"),
        ("graph", (GRAPH[0], [0, 1], [1], [0, 0]), "sample 1: target has 1 along E, another 2"),
        ("graph", (GRAPH[0][0], [0], [0], [0, 0]), "sample 1: x must be Real[N, D: 3], got (3,)"),
        ("graph", (GRAPH[0], [0.5], [0], [0, 0]), "sample 1: source must be Fin(N)[E], got (1,) in torch.float32"),
        ("graph", (GRAPH[0], [0], [0], [0, 0, 0]), "the samples of y do not fit together"),
        ("text", ["a", "b"], "sample 1: an input is no tensor"),
    ],
)
def test_what_does_not_fit_is_told(name: str, sample: object, message: str) -> None:
    first = GRAPH if name == "graph" else [1]
    with pytest.raises(ValueError, match="sample") as told:
        SPEC[name].pack([first, sample])
    assert message in str(told.value)


def test_padded_tensors() -> None:
    x = torch.full((3, 4, 2), float("nan"))
    x[0, :3], x[2, 0] = 1.0, 2.0
    packed, at = from_padded(x, torch.tensor([3, 0, 1]))
    assert packed.tolist() == [[1.0, 1.0]] * 3 + [[2.0, 2.0]]
    assert at.tolist() == [0, 3, 3, 4]
    masked, same = from_padded(x, ~x[:, :, 0].isnan())
    assert torch.equal(masked, packed)
    assert torch.equal(same, at)
    with pytest.raises(ValueError, match="between 0 and 4"):
        from_padded(x, torch.tensor([5, 0, 0]))
    with pytest.raises(ValueError, match=r"lengths \[B\]"):
        from_padded(x, torch.tensor([True]))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors() -> None:
    parts = [torch.ones(2, 3), torch.zeros(0, 3), torch.ones(4, 3) * 2]
    for layout in (torch.jagged, torch.strided):
        packed, at = from_nested(torch.nested.nested_tensor(parts, layout=layout))
        assert torch.equal(packed, torch.cat(parts))
        assert at.tolist() == [0, 2, 2, 6]
    with pytest.raises(ValueError, match="no nested"):
        from_nested(parts[0])


def test_batches_of_graphs() -> None:
    edge_index = torch.tensor([[0, 3, 1, 2], [1, 2, 0, 3]])
    graphs = SimpleNamespace(x=torch.randn(5, 3), edge_index=edge_index, z=torch.arange(5))
    graphs.batch = torch.tensor([0, 0, 1, 1, 2])
    batch = from_graphs(graphs, "N", "E", "z")
    assert [x.tolist() for x in tensors(batch)[1:]] == [[0, 1, 3, 2], [1, 0, 2, 3], [0, 1, 2, 3, 4]]
    assert batch.offsets["N"].tolist() == [0, 2, 4, 5]
    assert batch.offsets["E"].tolist() == [0, 2, 4, 4]
    graphs.ptr = torch.tensor([0, 2, 4, 5, 5])
    assert from_graphs(graphs).offsets["E"].tolist() == [0, 2, 4, 4, 4]


def test_graphs_of_networkx() -> None:
    graph = nx.Graph()
    graph.add_node("a", x=[1.0, 2.0, 3.0])
    graph.add_node("b", x=[4.0, 5.0, 6.0])
    graph.add_edges_from([("a", "b"), ("b", "b")])
    x, source, target = from_networkx(graph)
    assert x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(0, 1), (1, 1), (1, 0)]
    directed = nx.DiGraph([(0, 1)])
    nx.set_node_attributes(directed, [0.0], "x")
    assert [t.tolist() for t in from_networkx(directed)[1:]] == [[0], [1]]


def test_offsets() -> None:
    assert offsets_of([3, 0, 4]).tolist() == [0, 3, 3, 7]
    assert offsets_of(torch.tensor([2])).tolist() == [0, 2]
    assert offsets_of([]).tolist() == [0]


def run(folder: Path, name: str, data: str) -> np.ndarray | str:
    (folder / "net.cat").write_text(TEXT, encoding="utf-8")
    arguments = ["run", str(folder / "net.cat"), name, "--input", str(folder / data), "-o", str(folder / "y.npy")]
    result = CliRunner().invoke(command, arguments)
    return np.load(folder / "y.npy") if result.exit_code == 0 else result.output


def test_the_command_line_takes_samples_and_offsets(tmp_path: Path) -> None:
    batch = SPEC["graph"].pack([GRAPH, EMPTY])
    held = [{"x": [[0, 1, 2], [3, 4, 5]], "source": [0, 1], "target": [1, 0], "y": [0.5, 1]}, list(EMPTY)]
    (tmp_path / "samples.json").write_text(json.dumps(held), encoding="utf-8")
    named = dict(zip(("x", "source", "target", "y"), tensors(batch), strict=True)) | batch.offsets
    arrays: dict[str, Any] = {name: x.numpy() for name, x in named.items()}
    np.savez(tmp_path / "packed.npz", **arrays)
    first, second = run(tmp_path, "graph", "samples.json"), run(tmp_path, "graph", "packed.npz")
    assert isinstance(first, np.ndarray), first
    assert isinstance(second, np.ndarray), second
    np.testing.assert_allclose(first, second)
    (tmp_path / "text.json").write_text("[[1, 2], [11]]", encoding="utf-8")
    assert "IndexError" not in str(run(tmp_path, "text", "text.json"))
    (tmp_path / "bad.json").write_text('[{"x": 1}]', encoding="utf-8")
    assert "sample 0 has x" in str(run(tmp_path, "graph", "bad.json"))
