"""Trains both networks of digit_sum.cat on lists of up to ten digits and prints how they do on longer ones.

python examples/digit_sum.py [--write]     `--write` puts the table into examples/README.md
"""

import re
import sys
from pathlib import Path

import torch
from torch import nn

import catdl

HERE = Path(__file__).parent
STEPS, BATCH, LONGEST, RATE, SEEDS = 6000, 128, 10, 0.01, 3
TRIED = (5, 10, 15, 20, 30, 40, 50)
NETWORKS = {"of_set": "set", "of_list": "list"}


def train(model: nn.Module, generator: torch.Generator, steps: int = STEPS) -> None:
    """Adam on the error, with a rate that goes down to nothing; half of the lists are of the longest, the hardest."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        length = LONGEST if step % 2 else 1 + step // 2 % LONGEST
        digits = torch.randint(10, (BATCH, length), generator=generator)
        loss = nn.functional.smooth_l1_loss(model(digits), digits.sum(-1).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def off(model: nn.Module, length: int, generator: torch.Generator) -> float:
    """By how much the sums of new lists of a length are missed, on average."""
    digits = torch.randint(10, (1000, length), generator=generator)
    missed: float = (model(digits) - digits.sum(-1)).abs().mean().item()
    return missed


def measure(steps: int = STEPS, seeds: int = SEEDS) -> dict[str, dict[int, list[float]]]:
    """For each network and length, the mean error, of each seed."""
    spec = catdl.load(HERE / "digit_sum.cat")
    found: dict[str, dict[int, list[float]]] = {name: {length: [] for length in TRIED} for name in NETWORKS}
    for name in NETWORKS:
        for seed in range(seeds):
            torch.manual_seed(seed)
            generator = torch.Generator().manual_seed(seed)
            model = spec[name].compile()
            train(model, generator, steps)
            for length, errors in found[name].items():
                errors.append(off(model, length, generator))
    return found


def table(found: dict[str, dict[int, list[float]]]) -> str:
    """The mean errors of the best and of the worst seed, in Markdown."""
    lines = [("digits", *map(str, TRIED)), ("---",) * (1 + len(TRIED))]
    for name, by in found.items():
        ends = [(f"{min(errors):.2f}", f"{max(errors):.2f}") for errors in by.values()]
        lines.append((NETWORKS[name], *(low if low == high else f"{low} to {high}" for low, high in ends)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    text = table(measure())
    print(text)
    if "--write" in sys.argv[1:]:
        page = HERE / "README.md"
        page.write_text(re.sub(r"(?m)^\| digits .*(\n\|.*)*", text, page.read_text(encoding="utf-8")), encoding="utf-8")
