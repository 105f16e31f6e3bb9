"""A network whose every weight is behind a `stop_gradient`: W0303.

Boxes are taken to pass a gradient from every input to every output, unless they are made to stop it, so a network is
only called dead if it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.model import Box, Core, Diagram, Emit, Extern, Global, Local, Native, Store
from catdl.diagram.params import bodies, post_order


class Flow(NamedTuple):
    """What a wire comes of: an input, weights, with a gradient; weights, with or without one; and the last stop."""

    passes: bool = False
    learns: bool = False
    weighs: bool = False
    stop: Box | None = None

    def joined(self, other: Flow) -> Flow:
        """What comes of two wires."""
        return Flow(
            self.passes or other.passes, self.learns or other.learns, self.weighs or other.weighs,
            other.stop or self.stop,
        )  # fmt: skip


NOTHING = Flow()


def warnings(diagram: Diagram, known: dict[int, Flow]) -> Iterator[Diagnostic]:
    """What to say of a network that stands alone; `known` are the diagrams already seen."""
    for inner in post_order(diagram, lambda d: id(d) in known):
        known[id(inner)] = flow(inner, known)
    found = known[id(diagram)]
    if found.weighs and not found.learns and found.stop is not None:
        yield wrong.NothingLearns(found.stop.span, diagram.name)


def flow(diagram: Diagram, known: dict[int, Flow]) -> Flow:
    """What the results of a diagram come of, all together."""
    at: dict[int, Flow] = dict.fromkeys(diagram.inputs, Flow(passes=True))
    for box in diagram.boxes:
        into = NOTHING
        for wire in (*box.inputs, *(wire for _, wire in box.plugs)):
            into = into.joined(at.get(wire, NOTHING))
        out = through(box, into, at, known)
        if out is not NOTHING:
            at.update(dict.fromkeys(box.outputs, out))
    whole = NOTHING
    for wire in diagram.outputs:
        whole = whole.joined(at.get(wire, NOTHING))
    return whole


def through(box: Box, into: Flow, at: dict[int, Flow], known: dict[int, Flow]) -> Flow:
    """What the outputs of a box come of."""
    match box.op:
        case Core(name="stop"):
            return Flow(False, False, into.weighs, box)
        case Core(name="straight"):
            first = at.get(box.inputs[0], NOTHING)
            return Flow(first.passes, first.learns, into.weighs, into.stop)
        case Core():
            return into
        case Local(parameter) if parameter.state:
            return NOTHING
        case Store() | Emit():
            return NOTHING
        case Global() | Local() | Extern():
            return Flow(into.passes, True, True, into.stop)
        case Native():
            own = box.site is not None
            return Flow(into.passes, into.learns or own, into.weighs or own, into.stop)
        case _:
            body = bodies(box)
            assert body is not None
            inner = known[id(body)]
            return Flow(
                into.passes and inner.passes, inner.learns or (inner.passes and into.learns),
                into.weighs or inner.weighs, inner.stop or into.stop,
            )  # fmt: skip
