"""What stands before a normalisation and is lost on it: a bias (W0202), dropout (W0203); and one over a single element
(W0204)."""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.diagnostics.base import Diagnostic, Edit, Help
from catdl.diagram.model import Box
from catdl.lint.view import CONVOLUTIONS, LINEAR, View, axes, given, native
from catdl.source import Span
from catdl.types.types import show_axis, show_label

# Subtract the mean of each element of their first axis over all the others; tests/lint holds that it is so.
CENTRED = frozenset({"batchnorm", "instancenorm"})

# Normalise over the axes of a binder, so that of a single element nothing is left; tests/lint holds it.
OVER = {
    **dict.fromkeys(("softmax", "log_softmax", "softmin", "sparsemax", "gumbel_softmax"), "A"),
    **dict.fromkeys(("layernorm", "layernorm_over"), "A"),
    **dict.fromkeys(("instancenorm",), "P"),
}

DROPOUT = frozenset({"dropout", "channel_dropout"})


def lost(view: View, box: Box) -> Iterator[Diagnostic]:
    """What is lost on a norm that centres."""
    before = view.before(box)
    if before is None:
        return
    op, earlier, first = native(box), native(before.box), before.box
    if earlier.entry in DROPOUT and op.entry == "batchnorm" and earlier.arg("p") != 0:
        yield wrong.DropoutBeforeNorm(first.span, box.span, swapped(first.span, box.span))
    if earlier.entry not in LINEAR | CONVOLUTIONS or not view.alone(first) or not earlier.arg("bias"):
        return
    rank = len(view.diagram.wires[box.inputs[0]].type.axes)
    at = op.at_in[0] if op.at_in else None
    if before.same(given(earlier), (at[0] if at else -rank,)):
        yield wrong.BiasRemoved(first.span, earlier.entry, op.entry, box.span, without_bias(first.span))


def single(box: Box) -> Iterator[Diagnostic]:
    """What to say of a normalisation over one element."""
    op = native(box)
    over = axes(op, OVER[op.entry])
    if any(axis.size != 1 for axis in over):
        return
    shown = " and ".join(f"`{show_axis(axis)}`" for axis in over if show_label(axis.label)) or "one number"
    helps = (Help("for one probability, `sigmoid`"),) if op.entry == "softmax" else ()
    yield wrong.NormOfOne(box.span, op.entry, shown, helps)


def swapped(first: Span, second: Span) -> tuple[Edit, ...]:
    """Two steps of a composition the other way round, where they stand beside each other."""
    if first.source is not second.source or second.start < first.end:
        return ()
    if first.source.text[first.end : second.start].strip() != ">>":
        return ()
    return Edit(first, second.text), Edit(second, first.text)


def without_bias(span: Span) -> Edit | None:
    """A layer as it is written, with `bias = false`."""
    text = span.text
    if "bias" in text:
        return None
    if not text.endswith(")"):
        return Edit(Span(span.source, span.end, span.end), "(bias = false)")
    comma = "" if text[:-1].rstrip().endswith(("(", ",")) else ", "
    return Edit(Span(span.source, span.end - 1, span.end - 1), f"{comma}bias = false")
