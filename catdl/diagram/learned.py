"""The weights of a learner by key, and Diagrams in which some of them are held still.

Takes the Diagrams of a model and of a loss; guarantees that a declared parameter that both read is listed once, and
that no gradient comes to what is held still, while no key moves.

    weights_of(model, loss)                     (Weight("w.up.weight", …), Weight("loss.linear.bias", …), …)
    held_still(critic_loss, {"w.up.weight"})
"""

from __future__ import annotations

from collections.abc import Iterable

from catdl.diagram.changes import Change
from catdl.diagram.freeze import still
from catdl.diagram.model import Call, Diagram, Parameter
from catdl.diagram.params import globals_of, is_learned, parameters
from catdl.diagram.plug import changed
from catdl.record import record


@record
class Weight:
    """A leaf of the model or of the loss. Its key is that of the model; of what the loss alone owns, below `loss`."""

    key: str
    in_loss: bool  # the model does not have it
    parameter: Parameter
    declared: bool


def weights_of(model: Diagram | None, loss: Diagram) -> tuple[Weight, ...]:
    """All leaves, states too: those of the model, then those of the loss that are not the same."""
    whole = model if model is not None else loss
    found = {p.path: Weight(p.path, False, p, True) for p in globals_of(whole)}
    found |= {p.path: Weight(p.path, False, p, False) for p in parameters(whole)}
    if model is not None:
        ours = {(p.home, p.path) for p in globals_of(model)}
        beside = [(p, True) for p in globals_of(loss) if (p.home, p.path) not in ours]
        beside += [(p, False) for p in parameters(loss)]
        for parameter, declared in beside:
            path = parameter.path
            key = path if declared and path not in found else f"loss.{path}"
            found[key] = Weight(key, True, parameter, declared)
    return tuple(found.values())


def held_still(diagram: Diagram, weights: Iterable[Weight]) -> Diagram:
    """The Diagram, in which no gradient comes to these of its leaves."""
    weights = tuple(weights)
    declared = frozenset((w.parameter.home, w.parameter.path) for w in weights if w.declared)
    own = {w.parameter.path: Change(frozen=True) for w in weights if not w.declared and is_learned(w.parameter)}
    op = still(Call(changed(diagram, own), inline=False), declared)
    assert isinstance(op, Call)
    return op.callee
