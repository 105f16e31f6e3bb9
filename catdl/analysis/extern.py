"""Which packages a diagram would run: the targets of the `extern` boxes that it reaches.

Takes a verified Diagram. Guarantees: every target once for each place where it is written, in the order of the
text; nothing is imported.

    extern morphism vision : Image -> Real[512] = python("pkg.module:Class")      externs: [("pkg.module", span)]
"""

from __future__ import annotations

from catdl.diagram.model import Diagram, Extern
from catdl.diagram.params import post_order
from catdl.source import Span


def externs(diagram: Diagram) -> list[tuple[str, Span]]:
    """The packages behind all `extern` boxes reached, with the spans of these boxes."""
    found: dict[tuple[str, int, int, str], tuple[str, Span]] = {}
    for inner in post_order(diagram):
        for box in inner.boxes:
            if isinstance(box.op, Extern):
                package = box.op.target.partition(":")[0]
                place = (box.span.source.path, box.span.start, box.span.end, package)
                found.setdefault(place, (package, box.span))
    return [found[place] for place in sorted(found)]
