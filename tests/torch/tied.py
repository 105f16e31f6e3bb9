"""Every network with a tie: those of the examples, small, and those of tied.cat, which are harder to keep.

tied()      {"gpt2": Tied(…), "rounds": Tied(…), …}
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from catdl import Compiled
from catdl.analysis.places import visits
from catdl.analysis.ties import ties
from catdl.diagram.params import post_order
from catdl.driver import load
from catdl.record import record
from tests.examples.listed import EXAMPLES
from tests.test_examples import inputs, small

OWN = Path(__file__).with_name("tied.cat")
LARGEST = 100_000


@record
class Tied:
    """A network with a tie, and its free dims here."""

    network: Compiled
    free: dict[str, int]

    @property
    def random(self) -> bool:
        """Whether what it gives is drawn, in evaluation too."""
        return "rand" in self.network.diagram().effects

    def fresh(self) -> nn.Module:
        """The compiled module in evaluation mode."""
        model = self.network.compile().eval()
        size = sum(p.numel() for p in model.parameters())
        assert size <= LARGEST, f"{self.network.name} has {size} parameters here: its example needs smaller dims"
        return model

    def inputs(self, batch: int) -> list[Tensor]:
        """Random inputs."""
        return list(inputs(self.network.diagram(), (batch,), self.free))


@cache
def tied() -> dict[str, Tied]:
    """The networks by name; of the examples those that are no part of another."""
    found: dict[str, Tied] = {}
    for example in EXAMPLES:
        networks = {name: small(example.file)[name] for name in example.parameters}
        parts = {part.name for network in networks.values() for part in post_order(network.diagram())[:-1]}
        found |= {name: Tied(network, example.free) for name, network in networks.items() if name not in parts}
    own = load(OWN)
    found |= {name: Tied(own[name], {"T": 5}) for name in own.names}
    return {name: each for name, each in found.items() if ties(visits(each.network.diagram()))}


def outputs(model: Callable[..., object], given: list[Tensor]) -> tuple[Tensor, ...]:
    """What a module gives, always as a tuple and with the same draws."""
    torch.manual_seed(1)
    result = model(*given)
    return result if isinstance(result, tuple) else (result,)


def loss(results: tuple[Tensor, ...]) -> Tensor:
    """A number whose gradient is the mean of those of the samples."""
    return torch.stack([(result.sin() * result).reshape(len(result), -1).sum(-1).mean() for result in results]).sum()


def moved(model: nn.Module) -> nn.Module:
    """The module with all its parameters moved, those of equal names alike."""
    made = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for _, p in sorted(model.named_parameters()):
            p.add_(0.1 * torch.randn(p.shape, generator=made, dtype=torch.float64).to(p.dtype))
    return model
