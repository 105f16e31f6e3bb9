"""What holds of a diagram together with all it calls, found in one pass from the leaves of the calls up.

Takes a verified Diagram. A native without lowering counts as a call of its definition. Linear in the boxes of the
diagrams reached; no recursion over calls.

    Infos().of(block).owns      True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from catdl.diagram.model import Box, Diagram, Extern, Local, Map, Native, Parameter
from catdl.diagram.params import bodies, is_learned
from catdl.diagram.ragged import Along
from catdl.torch.natives import find
from catdl.torch.packed import segmented
from catdl.types.dtypes import storage


@dataclass(slots=True)
class Info:
    """Facts about one diagram with all below it."""

    diagram: Diagram
    owns: bool = False  # weights, statistics or constants of its own: it must be a module
    learns: bool = False  # has parameters of its own, or modules of others, which may
    measures: bool = False  # keeps numbers of the module's dtype that are not learned
    training: bool = False  # behaves differently in training
    one_batch: bool = False  # something in it needs exactly one batch axis
    across: bool = False  # reads across the batch other than by a layer with statistics
    weight: int = 0  # boxes, what is flattened into it included; capped
    uses: int = 0  # calls of it, over all diagrams
    inline: bool = False  # parameterless and better written where it is used
    keeps: bool = False  # holds what cannot come as an argument: statistics, constants, modules of others
    stackable: bool = True  # its weights may have leading axes: `each` needs no loop over modules


WEIGHT_CAP = 1_000_000
SMALL = 3


def definition_of(native: Native, along: Along) -> Diagram | None:
    """The diagram that stands for a native without lowering, or that goes along a var dim; None for others."""
    if find(native.entry) is not None and (segmented(native) is not None or along.alone(native)):
        return None
    if native.definition is None:
        raise AssertionError(f"the entry `{native.entry}` has neither a native lowering nor a definition")
    return native.definition.diagram()


def inner(box: Box, along: Along) -> Diagram | None:
    """The diagram that a box holds or is defined by."""
    if isinstance(box.op, Native):
        return definition_of(box.op, along)
    return bodies(box)


class Infos:
    """What is known of each diagram, found when first asked for."""

    __slots__ = ("_found", "along")

    def __init__(self) -> None:
        self._found: dict[int, Info] = {}
        self.along = Along()

    def of(self, diagram: Diagram) -> Info:
        """What holds of a diagram."""
        info = self._found.get(id(diagram))
        if info is None:
            self._add(diagram)
            info = self._found[id(diagram)]
        return info

    def _add(self, root: Diagram) -> None:
        found = self._found
        opened = {id(root)}
        stack: list[tuple[Diagram, Iterator[Box]]] = [(root, iter(root.boxes))]
        order: list[Info] = []
        while stack:
            current, boxes = stack[-1]
            for box in boxes:
                below = inner(box, self.along)
                if below is not None and id(below) not in opened and id(below) not in found:
                    opened.add(id(below))
                    stack.append((below, iter(below.boxes)))
                    break
            else:
                stack.pop()
                order.append(_of(current, found, self.along))
                found[id(current)] = order[-1]
        uses: Counter[str] = Counter()
        for info in order:
            uses[info.diagram.name] += info.uses
        for info in order:
            info.inline = _better_inline(info, uses[info.diagram.name])


def _of(diagram: Diagram, found: dict[int, Info], along: Along) -> Info:
    info = Info(diagram, weight=len(diagram.boxes))
    for box in diagram.boxes:
        below = inner(box, along)
        if below is not None:
            child = found[id(below)]
            child.uses += 1
            info.owns |= child.owns
            info.learns |= child.learns
            info.measures |= child.measures
            info.training |= child.training
            info.one_batch |= child.one_batch
            info.across |= child.across
            info.keeps |= child.keeps
            info.stackable &= child.stackable and not (isinstance(box.op, Map) and child.owns)
            info.weight = min(info.weight + child.weight, WEIGHT_CAP)
        elif isinstance(box.op, Native):
            lowering = find(box.op.entry)
            assert lowering is not None
            plugged = {path for path, _ in box.plugs}
            own = [leaf for leaf in box.op.params if leaf.path not in plugged]
            info.owns |= bool(own) or lowering.state or lowering.constant
            info.learns |= any(map(is_learned, own))
            info.measures |= lowering.constant or any(map(_measured, own))
            info.training |= lowering.trains(box.op)
            info.one_batch |= lowering.one_batch
            info.keeps |= lowering.state or lowering.constant
            info.stackable &= not lowering.one_batch and not (box.op.params and box.op.definition is None)
        elif isinstance(box.op, Local):
            info.owns = True
            info.learns |= is_learned(box.op.parameter)
            info.measures |= _measured(box.op.parameter)
            info.keeps |= bool(box.op.parameter.state)
        elif isinstance(box.op, Extern):
            info.owns = info.learns = info.one_batch = info.keeps = True
            info.stackable = False
        else:
            name = getattr(box.op, "name", "")
            info.training |= name == "training"
            info.across |= name == "across"
            info.one_batch |= info.across
            info.stackable &= not info.across
    return info


def _measured(parameter: Parameter) -> bool:
    return parameter.state == "constant" and storage(parameter.type.kind) == "float"


def _better_inline(info: Info, uses: int) -> bool:
    """`uses`: of all diagrams of its name, which may become one function."""
    if info.owns:
        return False
    wires, inputs = info.diagram.wires, info.diagram.inputs
    # A function that makes constants needs a tensor to take device and dtype from.
    rooted = any(storage(wires[i].type.kind) == "float" for i in inputs)
    return uses <= 1 or info.weight <= SMALL or not rooted
