"""Trains examples/digits.cat on the UCI digits with a plain PyTorch loop and prints the accuracy on unseen digits.

A compiled morphism is an ordinary nn.Module: nothing below knows of catdl but the line that compiles.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import catdl

HERE = Path(__file__).parent
EPOCHS, BATCH, TRAINING = 30, 100, 1400
GOAL = 0.95


def load() -> tuple[Tensor, Tensor]:
    """The images, scaled to 0..1, and their labels, in one fixed shuffled order."""
    with np.load(HERE / "data" / "digits.npz") as file:
        image = torch.from_numpy(file["image"]).float() / 16
        label = torch.from_numpy(file["label"]).long()
    order = torch.randperm(len(image), generator=torch.Generator().manual_seed(0))
    return image[order], label[order]


def train(model: nn.Module, image: Tensor, label: Tensor) -> None:
    """Cross entropy and Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    model.train()
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for batch in torch.randperm(len(image)).split(BATCH):
            loss = F.cross_entropy(model(image[batch]), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 10 == 0:
            print(f"epoch {epoch:2}   loss {total / len(image):.4f}")


@torch.no_grad()
def accuracy(model: nn.Module, image: Tensor, label: Tensor) -> float:
    """The share of digits read right."""
    model.eval()
    return float((model(image).argmax(-1) == label).float().mean())


def main() -> int:
    """Exits with 1 if the network reads fewer than 95 % of the unseen digits right."""
    torch.manual_seed(0)
    image, label = load()
    model = catdl.load(HERE / "digits.cat")["mlp"].compile()
    train(model, image[:TRAINING], label[:TRAINING])
    result = accuracy(model, image[TRAINING:], label[TRAINING:])
    print(f"accuracy on {len(image) - TRAINING} unseen digits: {result:.4f}")
    return 0 if result >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
