"""Learners that the tests train, and data for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import catdl
from catdl.driver import Trainable

ROOT = Path(__file__).parent.parent.parent

TEXT = """
dim D = 4, Class = 3
morphism net : Real[D] -> Logits[Class] = up: linear(8) >> tanh >> dropout(p = 0.2) >> linear
morphism still : Real[D] -> Logits[Class] = up: linear(8) >> tanh >> linear
morphism tokens : Real[D] @ Fin(Class) -> Mean = (x, y) =>
    (x = expand[1](cross_entropy(still(x), y)), weight = expand[1](1 + abs(sum[D](x)))) >> mean_of

learner noisy {
    data      = table("train.npz", input = x, target = y)
    validate  = 0.2
    model     = net
    loss      = cross_entropy
    optimizer = adamw(lr = 0.01)
    schedule  = cosine(warmup = 3)
    metrics   = [accuracy]
    stop      = patience(accuracy, 9) | epochs(4)
    batch     = 16
}
learner quiet {
    data      = table("train.npz", input = x, target = y)
    model     = still
    loss      = cross_entropy
    optimizer = sgd(lr = 0.1, momentum = 0.9)
    stop      = epochs(2)
    batch     = 16
    precision = "float64"
}
learner weighed {
    data      = table("train.npz", input_1 = x, input_2 = y)
    loss      = tokens
    optimizer = sgd(lr = 0.1)
    stop      = epochs(2)
    batch     = 16
    precision = "float64"
}
"""

TURNS = """
dim D = 4, Class = 3
morphism paint : Real[D] -> Real[D] = up: linear(8) >> tanh >> dropout(p = 0.2) >> linear
morphism judge : Real[D] -> Real = up: linear(8) >> tanh >> linear(One: 1) >> squeeze[One]
param a : weights(paint)
param c : weights(judge)
param old : weights(judge)

morphism critic_loss : Real[D] ~> Real = x =>
    softplus(-(x >> judge{c})) + softplus(normal_like(x) >> paint{a} >> judge{c})
morphism made : Real[D] -> Real[D] = paint{a}
morphism artist_loss : Real[D] -> Real = y => softplus(-(y >> judge{old}))

learner critic {
    data      = table("train.npz", input = x)
    loss      = critic_loss
    train     = c
    optimizer = adamw(lr = 0.01)
    schedule  = cosine(warmup = 3)
    batch     = 16
}
learner artist {
    data      = table("train.npz", input = x)
    validate  = 0.2
    model     = made
    loss      = artist_loss
    train     = weights("a.**")
    optimizer = adamw(lr = 0.01)
    average   = ema(0.9)
    batch     = 24
}
learner play {
    turns = alternate(2 * critic, artist)
    old  <- ema(0.9, c)
    stop  = patience(artist.loss, 9) | epochs(4)
}

morphism net : Real[D] -> Logits[Class] = up: linear(8, bias = false) >> batchnorm >> tanh >> dropout(p = 0.2) >> linear
param w : weights(net)
param past : weights(net)
morphism now : Real[D] -> Logits[Class] = net{w}
morphism both : Logits[Class] @ Fin(Class) @ Real[D] -> Real = (y, label, x) =>
    cross_entropy(y, label) + 0.1 * mean[..]((softmax(y) - softmax(net{past}(x))) ^ 2)

learner follower {
    data      = table("train.npz", input = x, target_1 = y, target_2 = x)
    validate  = 0.2
    model     = now
    loss      = both
    optimizer = adam(lr = 0.01)
    average   = ema(0.8)
    past     <- every(3, w)
    metrics   = [accuracy_of]
    stop      = epochs(4)
    batch     = 16
}
morphism accuracy_of : Logits[Class] @ Fin(Class) @ Real[D] -> Real = (y, label, x) => {
    x >> discard
    accuracy(y, label)
}
"""


def prepare(folder: Path, text: str = TEXT, name: str = "spec.cat") -> Path:
    """Write a spec and samples that can be learned into a folder."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(150, 4)).astype(np.float32)
    y = (x @ draw.normal(size=(4, 3))).argmax(1)
    np.savez(folder / "train.npz", x=x, y=y)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def learner(folder: Path, name: str, **settings: str) -> Trainable:
    """A learner of the spec, with other values for some fields."""
    spec = catdl.load(prepare(folder))
    assert spec.diagnostics == [], [d.parts().message for d in spec.diagnostics]
    found = spec.learner(name)
    for field, value in settings.items():
        found = found.with_setting(field, None, value)
    return found


def two_processes(spec: Path, name: str, out: Path, *words: str) -> list[dict[str, Any]]:
    """Train a learner by two processes of torchrun; gives the rows of the log."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{spec.parent}", "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    train = ["-m", "catdl", "train", str(spec), name, "-o", str(out), *words]
    done = subprocess.run([*torchrun, *train], env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
