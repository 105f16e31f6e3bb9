"""Two linear maps with nothing between: W0201.

Both act along the same axes, with weights of their own, and the middle is not narrower than both ends: a map of low
rank is made so on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic, Edit
from catdl.diagram.model import Box
from catdl.lint.view import LINEAR, View, axes, given, native, product, taken
from catdl.source import Span
from catdl.types.sizes import show
from catdl.types.types import axis_sizes


def warnings(view: View, box: Box) -> Iterator[Diagnostic]:
    """What to say of a linear map."""
    before = view.before(box)
    if before is None or not view.alone(box) or not view.alone(before.box):
        return
    earlier, later = native(before.box), native(box)
    if earlier.entry not in LINEAR or not before.same(given(earlier), taken(later)):
        return
    sizes = axis_sizes(view.diagram.wires[box.outputs[0]].type)
    middle = product(tuple(axis.size for axis in axes(later, "I")))
    start = product(tuple(axis.size for axis in axes(earlier, "I")))
    end = product(tuple(sizes[at] for at in given(later)))
    if isinstance(middle, int) and isinstance(start, int) and isinstance(end, int) and middle < min(start, end):
        return
    yield wrong.AffineTwice(box.span, show(middle), before.box.span, between(before.box.span, box.span))


def between(first: Span, second: Span) -> Edit | None:
    """An activation between two steps of a composition, where they stand beside each other."""
    if first.source is not second.source or second.start < first.end:
        return None
    text = first.source.text[first.end : second.start].strip()
    return Edit(Span(first.source, first.end, first.end), " >> relu") if text == ">>" else None
