"""A learner whose learners take turns: which, how many steps each, and that every weight has somebody who trains it.

Takes fields such as `turns = alternate(5 * critic, artist)` and learners that are read already; guarantees an
`Alternation`, or says what does not fit: weights that two train without saying so, that are trained by one and written
by another, that nobody trains.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from catdl import diagnostics as wrong
from catdl.check.forms import aliased
from catdl.check.scope import BadDef, LearnerDef
from catdl.check.settings import shown
from catdl.check.static import Refused
from catdl.check.trained import trained
from catdl.diagnostics.suggest import near
from catdl.diagram.learned import Weight, weights_of
from catdl.diagram.learner import Alternation, Learner, Move, Turn
from catdl.record import replace
from catdl.source import Span
from catdl.syntax import ast

if TYPE_CHECKING:
    from catdl.check.learners import Reading


def alternation(reading: Reading) -> Alternation | None:
    """The learners and their turns, where these are sound."""
    reading.lacks(("stop",))
    found = reading.read("turns", lambda node: _turns(reading, node), None)
    if found is None:
        reading.read("stop", lambda node: reading.stop(node, None), None)
        return None
    learners, turns = found
    metrics = {f"{one.name}.{name}" for one in learners for name in ("loss", *(m.name for m in one.metrics))}
    stop = reading.read("stop", lambda node: reading.stop(node, metrics), None)
    words, counts = reading.words(), reading.counts()
    shared = {
        (weight.parameter.home, weight.parameter.path): replace(weight, key=weight.parameter.path)
        for one in learners
        for weight in weights_of(one.model, one.loss)
        if weight.declared
    }
    try:
        moves = trained(reading.ctx, reading.env, None, reading.stores, tuple(shared.values())).moves
    except Refused:
        return None
    _check(reading, learners, moves)
    if stop is None:
        return None
    seed, device, precision = counts["seed"], words["device"], words["precision"]
    parts = tuple(replace(one, stop=stop, seed=seed, device=device, precision=precision) for one in learners)
    return Alternation(reading.learner.name, parts, turns, moves, stop, seed, device, precision, reading.learner.span)


def _turns(reading: Reading, node: ast.Expr) -> tuple[tuple[Learner, ...], tuple[Turn, ...]]:
    """`alternate(5 * critic, artist)`. Raises Refused."""
    span = reading.module.span(node)
    if not isinstance(node, ast.Call) or not isinstance(node.function, ast.Name) or node.function.id != "alternate":
        sort = "learners with their numbers of steps, `alternate(5 * critic, artist)`"
        raise reading.ctx.refuse(wrong.BadSetting(span, "turns", sort, f"`{span.text}`"))
    learners: dict[str, Learner] = {}
    turns: list[tuple[str, int]] = []
    sound = bool(node.args)
    if not sound:
        reading.note(wrong.SettingMissing(span, "alternate", "learners", "which take turns"))
    for arg in node.args:
        try:
            steps, learner = _turn(reading, arg)
        except Refused:
            sound = False
            continue
        learners[learner.name] = learner
        turns.append((learner.name, steps))
    if not sound:
        raise Refused
    places = {name: place for place, name in enumerate(learners)}
    return tuple(learners.values()), tuple(Turn(places[name], steps) for name, steps in turns)


def _turn(reading: Reading, arg: ast.Arg) -> tuple[int, Learner]:
    """`5 * critic`, or `critic` for one step. Raises Refused."""
    node, steps = arg.value, 1
    if isinstance(node, ast.Chain) and node.operators == ("*",):
        times, node = node.operands
        count = reading.ctx.statics.value(times, reading.env)
        if not isinstance(count, Fraction | int) or isinstance(count, bool) or count != int(count) or count < 1:
            at = reading.module.span(times)
            raise reading.ctx.refuse(wrong.BadSetting(at, "turn", "a number of steps from 1 on", shown(count)))
        steps = int(count)
    span = reading.module.span(node)
    target = aliased(reading.env.find(node.id)) if isinstance(node, ast.Name) else None
    if isinstance(target, BadDef):
        raise Refused
    if not isinstance(target, LearnerDef):
        names = tuple(name for name, d in reading.module.defs.items() if isinstance(d, LearnerDef))
        known = tuple(name for name in names if name != reading.learner.name)
        raise reading.ctx.refuse(wrong.NoSuchSetting(span, "learner", span.text, known, near(span.text, known)))
    reading.module.used.add(target.name)
    match target.plan:
        case Learner():
            return steps, target.plan
        case Alternation():
            sort = "a learner that takes its own steps"
            raise reading.ctx.refuse(
                wrong.BadSetting(span, "turn", sort, f"`{target.name}`, whose learners take turns")
            )
        case None:
            raise Refused  # told where it is read


def _check(reading: Reading, learners: tuple[Learner, ...], moves: tuple[Move, ...]) -> None:
    """Every weight is trained by one learner, by several that all say so, or written."""
    span = reading.span("turns")
    declared: dict[tuple[str, str], list[tuple[Learner, Weight]]] = {}
    alone: list[tuple[Learner, Weight]] = []
    for learner in learners:
        for weight in weights_of(learner.model, learner.loss):
            if weight.parameter.state:
                continue
            if weight.declared:
                declared.setdefault((weight.parameter.home, weight.parameter.path), []).append((learner, weight))
            elif weight.key in learner.still:
                alone.append((learner, weight))
    written = {key: _named(reading, one) for one in learners for move in one.moves for key, _ in move.pairs}
    written |= {key: reading.learner.span for move in moves for key, _ in move.pairs}
    told: set[str] = set()
    orphans: list[tuple[Learner, Weight]] = []
    for uses in declared.values():
        weight = uses[0][1]
        name = weight.parameter.path.partition(".")[0]
        training = [one for one, found in uses if not found.parameter.frozen]
        silent = [one for one in training if not one.chosen]
        if name in told:
            continue
        if training and weight.key in written:
            told.add(name)
            reading.note(wrong.WeightsOverwritten(_named(reading, training[0]), name, written[weight.key]))
        elif len(training) > 1 and silent:
            told.add(name)
            pair = training[0].name, training[1].name
            reading.note(wrong.WeightsTrainedTwice(span, name, pair, _named(reading, silent[0])))
        elif not training and weight.key not in written and any(found.key in one.still for one, found in uses):
            orphans.append(next((one, found) for one, found in uses if found.key in one.still))
    for found in (orphans, alone):
        if found:
            learner = found[0][0]
            keys = tuple(dict.fromkeys(w.key for one, w in found if one is learner))[:3]
            at = _named(reading, learner)
            reading.note(wrong.WeightsOrphaned(span, keys, learner.name, at, found[0][1].declared))


def _named(reading: Reading, learner: Learner) -> Span:
    """Where a learner says what it trains, or else its name."""
    found = reading.module.defs.get(learner.name)
    assert isinstance(found, LearnerDef)
    fields = (field for field in found.node.fields if isinstance(field, ast.Bind))
    said = next((f for f in fields if isinstance(f.pattern, ast.Name) and f.pattern.id == "train"), None)
    return learner.span if said is None else found.module.span(said.value)
