"""A row that is part of another: `..S'` in a signature stands for some of the axes of `..S`, matched by label.

places((Axis("m::Head", 12),), (Axis("m::Window", 4), Axis("m::Head", 12)))      (1,)
"""

from __future__ import annotations

from collections.abc import Sequence

from catdl.types.types import Anonymous, Axis, LabelVar, label_of


def places(part: Sequence[Axis], whole: Sequence[Axis]) -> tuple[int, ...] | None:
    """Where each axis of the part stands in the whole; None where one does not, or could stand in two places.

    An axis without a name on either side is matched by its size, after those that have one.
    """
    found: dict[int, int] = {}
    for i, axis in enumerate(part):
        label = label_of(axis.label)
        if not isinstance(label, Anonymous):
            place = next((k for k, other in enumerate(whole) if label_of(other.label) == label), None)
            if place is not None:
                found[i] = place
    for i, axis in enumerate(part):
        if i in found:
            continue
        named = not isinstance(label_of(axis.label), (Anonymous, LabelVar))
        loose = [
            k
            for k, other in enumerate(whole)
            if k not in found.values()
            and other.size == axis.size
            and not (named and not isinstance(label_of(other.label), (Anonymous, LabelVar)))
        ]
        if len(loose) != 1:
            return None
        found[i] = loose[0]
    if len(set(found.values())) != len(part):
        return None
    return tuple(found[i] for i in range(len(part)))
