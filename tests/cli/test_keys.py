"""`catdl keys` on files: what it takes for a safetensors file, what it writes, and that this is what torch reads."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file, load_model, save_file
from torch import Tensor

import catdl
from catdl.cli import catdl as command

SPEC = """
morphism mlp : Real[6] -> Real[3] = qkv: linear(12) >> relu >> out: linear(3)
morphism statistics : Real[4, 5] -> Real[4, 5] = norm: batchnorm
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.cat").write_text(SPEC)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["keys", *arguments], catch_exceptions=False)


def weights(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Another network's: three layers for one, one of them twice, and the last one turned."""
    torch.manual_seed(0)
    found = {f"self.{name}.weight": torch.randn(4, 6) for name in ("key", "query", "value")}
    found |= {f"self.{name}.bias": torch.randn(4) for name in ("key", "query", "value")}
    found |= {"head.weight": torch.randn(12, 3), "head.bias": torch.randn(3)}
    found["twice"] = found["head.weight"].clone()
    return {name: tensor.to(dtype) for name, tensor in found.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_what_is_written_holds_the_same_numbers(dtype: torch.dtype) -> None:
    theirs = weights(dtype)
    save_file(theirs, "w.safetensors")
    result = call("net.cat", "mlp", "--diff", "w.safetensors", "--write", "out.safetensors")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "discard    <- twice" in result.stdout and "a copy of head.weight" in result.stdout
    found = load_file("out.safetensors")
    parts = ("query", "key", "value")
    assert found.keys() == {"qkv.weight", "qkv.bias", "out.weight", "out.bias"}
    assert torch.equal(found["qkv.weight"], torch.cat([theirs[f"self.{part}.weight"] for part in parts]))
    assert torch.equal(found["qkv.bias"], torch.cat([theirs[f"self.{part}.bias"] for part in parts]))
    assert torch.equal(found["out.weight"], theirs["head.weight"].T)
    assert {tensor.dtype for tensor in found.values()} == {dtype}
    load_model(catdl.load("net.cat")["mlp"].compile(), "out.safetensors")


def test_numbers_of_several_types_stand_where_they_may() -> None:
    theirs = {
        "bn.num_batches_tracked": torch.tensor(7),
        **{f"bn.{name}": torch.randn(4, dtype=torch.float16) for name in ("weight", "bias", "running_mean")},
        "bn.running_var": torch.rand(4, dtype=torch.float64),
    }
    save_file(theirs, "w.safetensors")
    assert call("net.cat", "statistics", "--diff", "w.safetensors", "--write", "out.safetensors").exit_code == 0
    found = load_file("out.safetensors")
    assert {f"bn.{key.removeprefix('norm.')}" for key in found} == theirs.keys()
    assert all(torch.equal(found[f"norm.{key.removeprefix('bn.')}"], tensor) for key, tensor in theirs.items())


def test_one_tensor_is_not_made_of_several_types() -> None:
    theirs = weights()
    save_file({**theirs, "self.key.bias": theirs["self.key.bias"].half()}, "w.safetensors")
    result = call("net.cat", "mlp", "--diff", "w.safetensors", "--write", "out.safetensors")
    assert result.exit_code == 1
    assert "error[E0814]: `qkv.bias` would be made of numbers of several types: F32, F16" in result.stderr
    assert not Path("out.safetensors").exists()


def test_tensors_without_numbers() -> None:
    Path("none.cat").write_text("param w : Real[A: 0] ~ zeros\nmorphism f : Real[A: 0] -> Real[A: 0] = x => x + w\n")
    save_file({"a": torch.zeros(0)}, "w.safetensors")
    result = call("none.cat", "f", "--diff", "w.safetensors", "--write", "out.safetensors")
    assert (result.exit_code, result.stderr) == (0, "")
    assert load_file("out.safetensors")["w"].shape == (0,)


def test_the_printed_map_is_one_that_is_read() -> None:
    save_file(weights(), "w.safetensors")
    first = call("net.cat", "mlp", "--diff", "w.safetensors")
    Path("w.map").write_text(first.stdout)
    again = call("net.cat", "mlp", "--diff", "w.safetensors", "--map", "w.map")
    assert (again.exit_code, again.stderr) == (0, "")
    bare = [[line.partition("#")[0].split() for line in result.stdout.splitlines()] for result in (first, again)]
    assert bare[0] == bare[1]


def test_nothing_is_written_where_something_is_open() -> None:
    save_file({**weights(), "more": torch.ones(2)}, "w.safetensors")
    result = call("net.cat", "mlp", "--diff", "w.safetensors", "--write", "out.safetensors")
    assert result.exit_code == 1
    assert "error[E0815]" in result.stderr
    assert not Path("out.safetensors").exists()


def test_what_is_written_is_no_input() -> None:
    save_file(weights(), "w.safetensors")
    before = Path("w.safetensors").read_bytes()
    for path in ("w.safetensors", "net.cat"):
        result = call("net.cat", "mlp", "--diff", "w.safetensors", "--write", path)
        assert result.exit_code == 1 and "E0803" in result.stderr
    assert Path("w.safetensors").read_bytes() == before


def test_usage() -> None:
    for given in (("--map", "w.map"), ("--write", "out.safetensors"), ("--format", "yaml")):
        assert call("net.cat", "mlp", *given).exit_code == 2


def test_json() -> None:
    save_file({**weights(), "more": torch.ones(2)}, "w.safetensors")
    listed = json.loads(call("net.cat", "statistics", "--format", "json").stdout)
    assert [(each["key"], each["shape"], each["dtype"], each["buffer"]) for each in listed["keys"]] == [
        ("norm.weight", [4], "float", False),
        ("norm.bias", [4], "float", False),
        ("norm.running_mean", [4], "float", True),
        ("norm.running_var", [4], "float", True),
        ("norm.num_batches_tracked", [], "int", True),
    ]
    found = json.loads(call("net.cat", "mlp", "--diff", "w.safetensors", "--format", "json").stdout)
    assert (found["open"], found["missing"], found["extra"]) == ([], [], ["more"])
    assert found["map"][2]["theirs"] == [{"key": "head.weight", "transposed": True, "cut": None}]


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(**changed: object) -> dict[str, object]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changed}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 2**63) + b"{}",
        safetensors(b"{"),
        safetensors(b"[" * 100_000),
        safetensors(b"\xff\xfe"),
        safetensors([1]),
        safetensors({"a": 1}),
        safetensors(entry(shape=[3]), bytes(8)),
        safetensors(entry(shape=[-2]), bytes(8)),
        safetensors(entry(shape=[2.0]), bytes(8)),
        safetensors(entry(shape=[True, 2]), bytes(8)),
        safetensors(entry(data_offsets=[0, 8, 8]), bytes(8)),
        safetensors(entry(data_offsets=[8, 0]), bytes(8)),
        safetensors(entry(dtype=32), bytes(8)),
        safetensors(entry(), bytes(7)),
    ],
)
def test_what_is_no_safetensors_file(content: bytes) -> None:
    Path("w.safetensors").write_bytes(content)
    result = call("net.cat", "mlp", "--diff", "w.safetensors")
    assert result.exit_code == 1
    assert result.stderr == "error[E0801]: cannot read `w.safetensors`: it is no safetensors file\n"


def test_a_type_that_is_not_known() -> None:
    Path("w.safetensors").write_bytes(safetensors(entry(dtype="F4", shape=[16]), bytes(8)))
    result = call("net.cat", "mlp", "--diff", "w.safetensors")
    assert "the tensor `a` is of the type F4, which catdl does not know" in " ".join(result.stderr.split())


def test_files_that_are_not_there() -> None:
    assert "E0801" in call("net.cat", "mlp", "--diff", "none.safetensors").stderr
    save_file(weights(), "w.safetensors")
    assert "E0801" in call("net.cat", "mlp", "--diff", "w.safetensors", "--map", "none.map").stderr
    Path("bad.map").write_bytes(b"out.bias <- \xff\n")
    assert "E0802" in call("net.cat", "mlp", "--diff", "w.safetensors", "--map", "bad.map").stderr
