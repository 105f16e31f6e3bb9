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
STEPS, BATCH, LONGEST, RATE = 2000, 128, 10, 0.01
TRIED = (5, 10, 15, 20, 30, 40, 50)
NETWORKS = {"of_set": "set", "of_list": "list"}


def train(model: nn.Module, generator: torch.Generator) -> None:
    """Adam on the error, with a rate that goes down to nothing; every length as often."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(STEPS):
        digits = torch.randint(10, (BATCH, 1 + step % LONGEST), generator=generator)
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


def measure() -> dict[str, dict[int, float]]:
    """For each network and length, the mean error."""
    spec = catdl.load(HERE / "digit_sum.cat")
    found = {}
    for name in NETWORKS:
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        model = spec[name].compile()
        train(model, generator)
        found[name] = {length: off(model, length, generator) for length in TRIED}
    return found


def table(found: dict[str, dict[int, float]]) -> str:
    """The mean errors, in Markdown."""
    lines = [("digits", *map(str, TRIED)), ("---",) * (1 + len(TRIED))]
    lines += [(NETWORKS[name], *(f"{error:.1f}" for error in by.values())) for name, by in found.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    text = table(measure())
    print(text)
    if "--write" in sys.argv[1:]:
        page = HERE / "README.md"
        page.write_text(re.sub(r"(?m)^\| digits .*(\n\|.*)*", text, page.read_text(encoding="utf-8")), encoding="utf-8")
