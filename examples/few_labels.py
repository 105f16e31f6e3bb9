"""Trains both learners of few_labels.cat, each on five choices of 50 labels, and prints what they read right.

python examples/few_labels.py [--write | --data]     `--write` puts the table into examples/README.md,
                                                     `--data` makes data/few_labels.npz, the first choice
"""

import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import catdl

HERE = Path(__file__).parent
PICTURES, EACH, UNKNOWN, SEEDS = 1400, 5, 10, 5
LEARNERS = {"supervised": "50 labels", "semi_supervised": "50 labels and 1350 pictures without"}


def chosen(seed: int, path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Write what is learned from, five pictures of each class labelled; gives the other pictures with their labels."""
    with np.load(HERE / "data" / "digits.npz") as file:
        order = np.random.default_rng(seed).permutation(len(file["image"]))
        image, label = file["image"][order], file["label"][order]
    answer = np.full(PICTURES, UNKNOWN, np.uint8)
    for number in range(10):
        known = np.flatnonzero(label[:PICTURES] == number)[:EACH]
        answer[known] = number
    np.savez_compressed(path, image=image[:PICTURES], answer=answer)
    return torch.from_numpy(image[PICTURES:]).float() / 16, torch.from_numpy(label[PICTURES:]).long()


def right(name: str, seed: int) -> float:
    """The share of the digits kept apart that are read right after the training of one seed."""
    spec = catdl.load(HERE / "few_labels.cat")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "few_labels.npz"
        image, label = chosen(seed, path)
        data = f'table("{path.as_posix()}", image = image / 16, answer = answer)'
        learner = spec.learner(name).with_setting("data", None, data).with_setting("seed", None, str(seed))
        trained = learner.fit()
    net = spec["net"].compile().eval()
    net.load_state_dict({key.removeprefix("w."): value for key, value in trained.state_dict().items()})
    with torch.no_grad():
        return float((net(image).argmax(-1) == label).float().mean())


def measure(seeds: int = SEEDS) -> dict[str, list[float]]:
    """What each learner reads right, of each seed."""
    return {name: [right(name, seed) for seed in range(seeds)] for name in LEARNERS}


def table(found: dict[str, list[float]]) -> str:
    """The shares and their means, in Markdown."""
    lines = ["| learned from | right, of each seed | mean |", "| --- | --- | --- |"]
    for name, shares in found.items():
        each = ", ".join(f"{share:.3f}" for share in shares)
        lines.append(f"| {LEARNERS[name]} | {each} | {sum(shares) / len(shares):.3f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--data" in sys.argv[1:]:
        chosen(0, HERE / "data" / "few_labels.npz")
    else:
        text = table(measure())
        print(text)
        if "--write" in sys.argv[1:]:
            page = HERE / "README.md"
            old = page.read_text(encoding="utf-8")
            page.write_text(re.sub(r"(?m)^\| learned from .*(\n\|.*)*", lambda _: text, old), encoding="utf-8")
