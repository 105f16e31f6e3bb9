"""The causality of a morphism: along which time dims each step of its result depends on no later step of its input.

Takes a verified Diagram and what says which dims are a time. A result that has no axis of a time is read when all has
come, and nothing is asked of it.

    causality(gpt2, times)      [Causality("gpt2::T", 0, None)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from catdl.causal.core import Time
from catdl.causal.states import STILL, Broken, Loss, Reach, Rule, Steps
from catdl.causal.walk import Walk, placed
from catdl.diagram.model import Diagram
from catdl.diagram.params import NOWHERE
from catdl.record import record
from catdl.types.sizes import Size
from catdl.types.types import Axis, Label, Leaf, Word

Times = Callable[[str], "Size | None"]
"""The size of the dim of a label, if it is a time."""


@record
class Causality:
    """A time dim of a result: how many steps before each it reaches at least, or where it comes to read later ones.

    `lag` 0: each step depends on those up to itself; 1: on those before it; infinity: on no step.
    """

    dim: str
    lag: float
    loss: Loss | None


def causality(diagram: Diagram, times: Times) -> list[Causality]:
    """What a morphism makes of each time that its result has, in the order of its ports."""
    return [along(diagram, dim, size) for dim, size in dims(diagram, times).items()]


def dims(diagram: Diagram, times: Times) -> dict[str, Size]:
    """The times that both the input and the result of a morphism have, with their sizes."""
    given = {name for wire in diagram.inputs for name in _names(diagram.wires[wire].type)}
    found: dict[str, Size] = {}
    for wire in diagram.outputs:
        for name in _names(diagram.wires[wire].type):
            size = times(name) if name in given else None
            if size is not None:
                found[name] = size
    return found


def along(diagram: Diagram, dim: str, size: Size) -> Causality:
    """What a morphism makes of one time."""
    time = Time(size)
    inputs = [Steps(tuple(_begun(time, axis, dim) for axis in _axes(diagram, wire))) for wire in diagram.inputs]
    worst = inf
    for wire, state in zip(diagram.outputs, Walk(time).run(diagram, inputs), strict=True):
        assert not isinstance(state, Broken)
        axes = _axes(diagram, wire)
        if not any(_is(axis, dim) for axis in axes):
            continue
        if isinstance(state, Loss):
            return Causality(dim, -inf, state)
        for axis, reach in zip(axes, state.lags, strict=True):
            if not _is(axis, dim):
                if reach.moves:
                    return Causality(dim, -inf, _ending(diagram, wire, Rule.RESULT))
            elif reach.lag < 0:
                return Causality(dim, reach.lag, state.ahead or _ending(diagram, wire, Rule.AHEAD))
            elif reach.end < (time.more(axis.size) or 0):
                return Causality(dim, -inf, _ending(diagram, wire, Rule.TAIL))
            else:
                worst = min(worst, reach.lag)
    return Causality(dim, worst, None)


def _axes(diagram: Diagram, wire: int) -> list[Axis]:
    return [axis for axis in diagram.wires[wire].type.axes if isinstance(axis, Axis)]


def _is(axis: Axis, dim: str) -> bool:
    return isinstance(axis.label, str) and axis.label.rstrip("'") == dim


def _begun(time: Time, axis: Axis, dim: str) -> Reach:
    """The reach of an axis of an input; along one that grows with the time and is another, all is read at once."""
    if _is(axis, dim):
        return Reach(0, time.more(axis.size) or 0)
    return Reach(-inf, -inf) if time.grows(axis.size) or _among(axis.label, dim) else STILL


def _among(label: Label, dim: str) -> bool:
    return isinstance(label, Word) and any(name == dim for name in _words(label))


def _names(leaf: Leaf) -> Iterator[str]:
    """The dims along which a type lies."""
    for axis in leaf.axes:
        if isinstance(axis, Axis) and isinstance(axis.label, str):
            yield axis.label.rstrip("'")


def _words(label: Word) -> Iterator[str]:
    stack: list[Label] = [label]
    while stack:
        part = stack.pop()
        if isinstance(part, Word):
            stack += [axis.label for axis in part.axes]
        elif isinstance(part, str):
            yield part.rstrip("'")


def _ending(diagram: Diagram, wire: int, rule: Rule) -> Loss:
    """What is wrong with a result as a whole, told of the box that makes it."""
    for box in reversed(diagram.boxes):
        if wire in box.outputs:
            return placed(box, Broken(rule))
    return Loss(rule, NOWHERE, "")
