"""What the example of sequences claims: taught by the machine, the stream of the same weights reverses short lists."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

import catdl

FILE = Path(__file__).parent.parent.parent / "examples" / "seq2seq.cat"
LONGEST = 4


def test_it_learns_to_reverse_and_to_stop() -> None:
    spec = catdl.load(FILE)
    assert spec.diagnostics == []
    torch.manual_seed(0)
    taught, translated = spec["taught"].compile(), spec["translated"].compile()
    optimizer = torch.optim.Adam(taught.parameters(), lr=0.015)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    stop = torch.zeros(128, 1, dtype=torch.int64)
    for step in range(400):
        source = torch.randint(1, 8, (128, 1 + step % LONGEST))
        wanted = source.flip(1)
        scores = taught(source, torch.cat([stop, wanted], 1))
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), torch.cat([wanted, stop], 1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    translated.load_state_dict(taught.state_dict())
    for length in range(1, LONGEST + 1):
        source = torch.randint(1, 8, (500, length))
        words, keep = translated(source)
        right = (keep.sum(1) == length) & (words[:, :length] == source.flip(1)).all(1)
        assert right.float().mean() > 0.95, length
