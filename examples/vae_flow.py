"""Trains the four autoencoders of vae_flow.cat and prints their bounds on the evidence of digits that are held out.

python examples/vae_flow.py [--write]     `--write` puts the table into examples/README.md
"""

import re
import sys
from pathlib import Path

import torch

import catdl

HERE = Path(__file__).parent
SEEDS, DRAWS = 3, 20
POSTERIORS = {
    "normal_posterior": "normal",
    "planar_posterior": "normal, then 8 planar layers",
    "iaf_posterior": "normal, then two inverse autoregressive layers",
    "sphere_posterior": "von Mises-Fisher on a sphere",
}


def bound(name: str, seed: int, epochs: int | None = None) -> float:
    """The mean bound of the digits held out, in nats, by some samples of each after the training of one seed."""
    learner = catdl.load(HERE / "vae_flow.cat").learner(name).with_setting("seed", None, str(seed))
    if epochs is not None:
        learner = learner.with_setting("stop", None, f"epochs({epochs})")
    run = learner.run()
    run.train(lambda row: None)
    assert run.data.test is not None
    torch.manual_seed(seed)
    return -sum(run.measure(run.data.test)["loss"] for _ in range(DRAWS)) / DRAWS


def measure(seeds: int = SEEDS, epochs: int | None = None) -> dict[str, list[float]]:
    """The bound with each posterior, of each seed, which says too which digits are held out."""
    return {name: [bound(name, seed, epochs) for seed in range(seeds)] for name in POSTERIORS}


def table(found: dict[str, list[float]]) -> str:
    """The bounds, and by how much each is above that of the normal posterior, in Markdown."""
    lines = ["| posterior | bound, of each seed | above the normal one |", "| --- | --- | --- |"]
    base = found["normal_posterior"]
    for name, bounds in found.items():
        above = [mine - theirs for mine, theirs in zip(bounds, base, strict=True)]
        lines.append(f"| {POSTERIORS[name]} | {shown(bounds)} | {shown(above) if any(above) else ''} |")
    return "\n".join(lines)


def shown(numbers: list[float]) -> str:
    """Numbers with one place."""
    return ", ".join(f"{number:.1f}" for number in numbers)


if __name__ == "__main__":
    text = table(measure())
    print(text)
    if "--write" in sys.argv[1:]:
        page = HERE / "README.md"
        old = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"(?m)^\| posterior .*(\n\|.*)*", lambda _: text, old), encoding="utf-8")
