"""`catdl run --weights`: every tied network runs with what safetensors saved of it, and with nothing less or more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save_file

from catdl.cli import catdl
from catdl.diagnostics import InputMismatch
from catdl.driver import load

SPEC = """
dim T : time
dim Vocab = 30, D = 8
param wte : Real[Vocab, D] ~ normal(0, 0.5)
morphism block : Real[T, D] -> Real[T, D] = x => x + (x >> layernorm >> up: linear(16) >> gelu >> down: linear)
param shared : weights(block)
morphism head : Real[T, D] -> Logits[T, Vocab] = layernorm >> linear(bias = false){weight = wte}
morphism model : Fin(Vocab)[T] -> Logits[T, Vocab] =
    embed{wte} >> block{shared} >> iterate(2, tied repeat(2, block)) >> block{shared} >> head
"""


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """The weights of a model whose output stands in wanted.npy."""
    monkeypatch.chdir(tmp_path)
    Path("model.cat").write_text(SPEC, encoding="utf-8")
    model = load("model.cat")["model"].compile().eval()
    x = torch.arange(12).reshape(2, 6)
    np.save("x.npy", x.numpy())
    with torch.no_grad():
        np.save("wanted.npy", model(x).numpy())
    state: dict[str, torch.Tensor] = model.state_dict()
    return state


def run(state: dict[str, torch.Tensor]) -> Result:
    """Run the model with these weights, from another seed."""
    save_file(state, "w.safetensors")
    words = [
        "run",
        "model.cat",
        "model",
        "--input",
        "x.npy",
        "-o",
        "y.npy",
        "--weights",
        "w.safetensors",
        "--seed",
        "7",
    ]
    return CliRunner().invoke(catdl, words)


def test_what_was_saved_is_read(saved: dict[str, torch.Tensor]) -> None:
    result = run(saved)
    assert (result.exit_code, result.output) == (0, "")
    np.testing.assert_allclose(np.load("y.npy"), np.load("wanted.npy"), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("key", ["wte", "shared.up.weight", "block.1.down.bias"])
def test_every_key_is_needed(saved: dict[str, torch.Tensor], key: str) -> None:
    refused(run({name: value for name, value in saved.items() if name != key}), key)


def test_a_key_too_many(saved: dict[str, torch.Tensor]) -> None:
    refused(run({**saved, "lm_head.weight": saved["wte"].clone()}), "lm_head.weight")


def test_another_shape(saved: dict[str, torch.Tensor]) -> None:
    refused(run({**saved, "wte": saved["wte"].T.contiguous()}), "wte")


def refused(result: Result, key: str) -> None:
    """One diagnostic that names the key, and no output."""
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error[{InputMismatch.code}]: `w.safetensors` does not fit: ")
    assert key in result.stderr
    assert not Path("y.npy").exists()
