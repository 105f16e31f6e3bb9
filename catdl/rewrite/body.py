"""The body of a fold taken apart: its boxes, inline calls spliced in, and on what each wire depends.

body = Body(fold)
body.needs[wire]      STEP: on elements and captured wires, not on what goes round
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from catdl.diagram.model import Box, Core, Diagram, Fold, Global, Local
from catdl.diagram.splice import spliced
from catdl.rewrite.draft import Draft
from catdl.rewrite.pure import pure
from catdl.source import Span


class Need(IntEnum):
    """On what a wire depends at most: nothing that changes, the elements of the step, what goes round."""

    NOTHING = 0
    STEP = 1
    CARRIER = 2


class Body:
    """A fold's body; wires are those of `wires`, what is not a function of its inputs counts as going round."""

    __slots__ = ("boxes", "captured", "carriers", "diagram", "elements", "needs", "outputs", "wires")

    def __init__(self, fold: Fold) -> None:
        self.diagram = fold.body
        self.wires, self.boxes, self.outputs = spliced(fold.body)
        inputs = fold.body.inputs
        last = len(inputs) - fold.captured
        self.carriers = inputs[: fold.carried]
        self.elements = inputs[fold.carried : last]
        self.captured = inputs[last:]
        self.needs: dict[int, Need] = dict.fromkeys(self.carriers, Need.CARRIER)
        self.needs |= dict.fromkeys(self.elements, Need.STEP)
        self.needs |= dict.fromkeys(self.captured, Need.NOTHING)
        for box in self.boxes:
            need = max((self.needs[wire] for wire in reads(box)), default=Need.NOTHING)
            need = need if pure(box) else Need.CARRIER
            self.needs |= dict.fromkeys(box.outputs, need)

    def part(self, boxes: Iterable[Box], inputs: tuple[int, ...], outputs: tuple[int, ...], span: Span) -> Diagram:
        """Some of its boxes as a diagram, with the numbers that they read."""
        chosen = list(boxes)
        read = {wire for box in chosen for wire in reads(box)}.union(outputs)
        made = {wire for box in chosen for wire in box.outputs}
        numbers = [b for b in self.boxes if is_number(b) and b.outputs[0] in read - made]
        return Draft(span, list(self.wires), [*numbers, *chosen]).diagram(self.diagram, inputs, outputs)

    def numbers(self) -> frozenset[int]:
        """Its wires that are numbers written in the text, which every part has for itself."""
        return frozenset(box.outputs[0] for box in self.boxes if is_number(box))


def reads(box: Box) -> tuple[int, ...]:
    """All wires that a box reads."""
    return (*box.inputs, *(wire for _, wire in box.plugs)) if box.plugs else box.inputs


def is_number(box: Box) -> bool:
    """Whether a box is a number."""
    return isinstance(box.op, Core) and box.op.name == "literal"


def works(boxes: Iterable[Box]) -> bool:
    """Whether any of these boxes computes something."""
    return any(not isinstance(box.op, Local | Global) and not is_number(box) for box in boxes)
