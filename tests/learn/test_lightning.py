"""Under Lightning's Trainer a learner does the steps that it does by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import catdl
from catdl import CheckError
from tests.learn.specs import TURNS, learner, prepare

pytestmark = pytest.mark.filterwarnings("ignore")  # of Lightning's own making, about the machine and its loggers


def trained(folder: Path, name: str, epochs: int, **settings: str) -> tuple[Any, Any, Any]:
    lightning = pytest.importorskip("lightning")
    module = learner(folder, name, **settings).lightning()
    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    options: dict[str, Any] = {"precision": "64-true" if name != "noisy" else "32-true", **dict.fromkeys(off, False)}
    trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", num_sanity_val_steps=0, **options)
    trainer.fit(module)
    return module, trainer, lightning


@pytest.mark.parametrize("name", ["quiet", "weighed"])
def test_the_same_weights(tmp_path: Path, name: str) -> None:
    module, _, _ = trained(tmp_path, name, 2)
    whole = learner(tmp_path, name).fit()
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(module.net.trained.state_dict()[key], value, rtol=0, atol=1e-9)


def test_the_same_schedule_clip_and_measures(tmp_path: Path) -> None:
    settings = {"model": "still", "stop": "epochs(3)", "clip": "norm(0.5)"}
    module, trainer, _ = trained(tmp_path, "noisy", 3, **settings)
    rows: list[dict[str, Any]] = []
    whole = learner(tmp_path, "noisy", **settings).fit(told=rows.append)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(module.net.trained.state_dict()[key], value, rtol=0, atol=1e-5)
    found = trainer.callback_metrics
    for name in ("loss", "accuracy", "learned"):
        assert float(found[name]) == pytest.approx(rows[-1][name], rel=1e-3)


def test_what_a_trainer_would_leave_out_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    with pytest.raises(CheckError) as refused:
        catdl.load(prepare(tmp_path, TURNS)).learner("follower").lightning()
    (mistake,) = refused.value.diagnostics
    assert mistake.code == "E1203"
    assert "found weights that are averaged, copied or held" in mistake.parts().message


def test_without_lightning_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catdl.learn.lightning.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install lightning"):
        learner(tmp_path, "quiet").lightning()
