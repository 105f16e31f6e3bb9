"""Which packages a diagram would run: the targets of the `extern` boxes that it reaches.

Takes a verified Diagram. Guarantees: every target once for each place where it is written, in the order of the
text; nothing is imported.

    extern morphism vision : Image -> Real[512] = python("pkg.module:Class")      externs: [("pkg.module", span)]
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic
from catdl.diagram.learner import Data, Foreign, Learner
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


def of_learner(plan: Learner) -> list[tuple[str, Span]]:
    """The packages that training would run: for its model, its loss and its metrics, and for its data."""
    diagrams = [plan.loss] if plan.model is None else [plan.model, plan.loss]
    outside = [d.foreign for d in (plan.data, plan.validate, plan.test) if isinstance(d, Data) and d.foreign]
    for metric in plan.metrics:
        if isinstance(metric.what, Foreign):
            outside.append(metric.what)
        else:
            diagrams.append(metric.what)
    found = [each for diagram in diagrams for each in externs(diagram)]
    return list(dict.fromkeys([*found, *((each.target.partition(":")[0], each.span) for each in outside)]))


def forbidden(found: Iterable[tuple[str, Span]], allow: Iterable[str]) -> list[Diagnostic]:
    """What to say of packages that are not allowed by name. Raises TypeError where `allow` is no list of names."""
    if isinstance(allow, str):
        raise TypeError(f'allow takes the names of packages: allow=["{allow}"]')
    allowed = set(allow)
    return [
        wrong.ExternNotAllowed(span, package)
        for package, span in found
        if not any(package == name or package.startswith(name + ".") for name in allowed)
    ]
