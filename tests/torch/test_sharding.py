"""Tied networks on two processes, and what is gathered together there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from catdl.torch.sharding import groups
from tests.torch.tied import Tied, tied
from tests.torch.two import reports


def test_two_processes_learn_as_one(tmp_path: Path) -> None:
    for found in reports("ranks.py", tmp_path):
        # A block apart from who reads its weights: what `shard` is for.
        assert found.pop("apart") == {"refused": 1.0}
        networks = [name for name, network in tied().items() if not network.random]
        assert list(found) == [f"{way} {name}" for name in networks for way in ("ddp", "fsdp", "meta")]
        assert {name: errors for name, errors in found.items() if max(errors.values()) > 1e-6} == {}


def sharded(name: str) -> list[str]:
    """The groups of a network."""
    return list(groups(tied()[name].fresh()))


def test_blocks_are_groups() -> None:
    assert sharded("gpt2") == ["", *(f"block.{k}" for k in range(12))]
    assert sharded("rounds") == ["", "stack.block.0", "stack.block.1"]
    assert sharded("listed") == ["", "list.0", "list.1"]


def test_what_is_tied_is_in_the_group_of_who_reads_it() -> None:
    assert "wte" in groups(tied()["gpt2"].fresh())[""]
    assert sharded("adapted") == sharded("adapted_stack") == sharded("replaced_stack") == [""]
    assert sharded("nested") == ["", "adapted_stack.0", "adapted_stack.1"]
    assert {key.partition(".")[0] for key in groups(tied()["record"].fresh())[""]} == {"shared"}
    assert sharded("record") == ["", "repeat.0", "repeat.1"]


@pytest.mark.parametrize("network", [pytest.param(network, id=name) for name, network in tied().items()])
def test_each_weight_is_in_one_group(network: Tied) -> None:
    model = network.fresh()
    found = [key for keys in groups(model).values() for key in keys]
    assert sorted(found) == sorted(model.state_dict().keys() - dict(model.named_buffers()).keys())


def test_what_is_read_by_hand_counts() -> None:
    """The printed file is the user's, who may change it."""

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks: Any = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.linear(self.blocks[0](x), self.blocks[1].weight)

    assert list(groups(Reader())) == ["", "blocks.0", "blocks.2"]

    class Anywhere(Reader):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for k in range(3):
                x = F.linear(x, self.blocks[k].weight)
            return x

    assert list(groups(Anywhere())) == [""]
