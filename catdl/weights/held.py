"""The tensors of a morphism's `state_dict`, told from its diagram alone.

Takes a verified Diagram. Guarantees: the keys, shapes and dtypes that the compiled module has, declared parameters
first, then the others in the order of the boxes, buffers beside the leaves they belong to.

    held(digits)      (Held("linear.weight", (64, 64), "float", …), Held("linear.bias", (64,), "float", …), …)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from catdl.analysis.places import visits
from catdl.analysis.ties import ties
from catdl.diagram.freeze import untrained
from catdl.diagram.model import Diagram, Parameter
from catdl.diagram.params import globals_of, is_learned, stacked_parameters
from catdl.record import record, replace
from catdl.types.dtypes import Storage, storage
from catdl.types.types import axis_sizes

Shape: TypeAlias = tuple[int, ...]

# `nn.BatchNorm` counts the batches that its running statistics have seen.
_COUNTED, _COUNTER = "running_var", "num_batches_tracked"


@record
class Form:
    """What a tensor must be to stand in the place of another: its shape, and what sort of numbers it holds."""

    shape: Shape
    stored: Storage = "float"


@record
class Held:
    """A tensor of the module. `group` is what an optimiser may know it by; `tied` says why it is shared, if it is."""

    key: str
    shape: Shape
    stored: Storage
    buffer: bool = False
    frozen: bool = False
    group: str = ""
    tied: str = ""

    @property
    def form(self) -> Form:
        """Its shape and sort of numbers."""
        return Form(self.shape, self.stored)


def held(diagram: Diagram) -> tuple[Held, ...]:
    """Every tensor that it keeps, modules of others aside."""
    shared = {
        key: tie.how or f"read at {sum(note.times for note in tie.places)} places"
        for tie in ties(visits(diagram))
        for key in tie.key.split(", ")
    }
    still = untrained(diagram)
    declared = [replace(p, frozen=p.frozen or (p.home, p.path) in still) for p in globals_of(diagram)]
    out: list[Held] = []
    for leaf, stacked, layer in (*((leaf, 0, "") for leaf in declared), *stacked_parameters(diagram)):
        if leaf.state == "sample" or leaf.passing:
            continue  # of a batch, and no part of the `state_dict`
        out.extend(_tensors(leaf, stacked, _tied(leaf.path, shared), bool(layer)))
    return tuple(out)


def _tensors(leaf: Parameter, stacked: int, tied: str, of_layer: bool) -> Iterator[Held]:
    shape = tuple([size for size in axis_sizes(leaf.type) if isinstance(size, int)])
    buffer = not is_learned(leaf)
    yield Held(leaf.path, shape, storage(leaf.type.kind), buffer, leaf.frozen, leaf.group, tied)
    before, _, name = leaf.path.rpartition(".")
    if buffer and of_layer and name == _COUNTED:
        yield Held(f"{before}.{_COUNTER}" if before else _COUNTER, shape[:stacked], "int", True)


def _tied(key: str, shared: dict[str, str]) -> str:
    """Why a leaf is shared: it or a part that it stands in is. `*` in a shared key is the number of a round."""
    if not shared:
        return ""
    segments = key.split(".")
    numbers = [i for i, segment in enumerate(segments) if segment.isdecimal()]
    wild = ["*" if i in numbers else segment for i, segment in enumerate(segments)]
    for end in range(len(segments), 0, -1):
        found = shared.get(".".join(segments[:end])) or shared.get(".".join(wild[:end]))
        if found:
            return found
    return ""


def without_ones(shape: Shape) -> Shape:
    """A shape without its axes of size 1, which hold no more and no less with them."""
    return tuple([size for size in shape if size != 1])
