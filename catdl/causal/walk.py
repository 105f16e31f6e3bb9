"""A Diagram from its inputs to its outputs: how far into the past each step reaches, and where it reads ahead.

Takes a verified Diagram and the size of a time dim. Sound in evaluation: a lag that is told holds for all
weights (what only training does, such as statistics of a batch, is not looked at). Not complete: what one box reads
ahead and another takes back, in other ways than by shifts, counts as lost. What holds a diagram is gone through once
for each way in which its inputs come; what nests is worked off without recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TypeAlias

from catdl.causal.core import Sizes, Time, core
from catdl.causal.natives import as_said, by_rule
from catdl.causal.states import STILL, Broken, Loss, Reach, Rule, State, Steps, least
from catdl.diagram.drive import Work, drive
from catdl.diagram.model import (
    VARIABLE,
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Emit,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Repeat,
    Store,
    TreeFold,
)
from catdl.equivariance.walk import called, first, last
from catdl.record import replace
from catdl.types.types import axis_sizes

Results: TypeAlias = "Sequence[State | Broken]"

ROUNDS = 64
"""After so many rounds, a lag that still shrinks is taken to shrink for ever."""


class Walk:
    """The Diagrams of one morphism, along one time."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.memo: dict[object, Results] = {}
        self.held: list[object] = []  # what keys of the memo name by identity

    def run(self, diagram: Diagram, inputs: Sequence[State]) -> Results:
        """The states of the outputs."""
        return drive(self.diagram(diagram, inputs))

    def diagram(self, diagram: Diagram, inputs: Sequence[State]) -> Work[Results]:
        """A diagram whose inputs reach so far."""
        at: dict[int, State] = dict(zip(diagram.inputs, inputs, strict=True))
        for box in diagram.boxes:
            if not box.outputs:
                continue
            read = [at[wire] for wire in (*box.inputs, *(wire for _, wire in box.plugs))]
            if isinstance(box.op, Core) and box.op.name in ("training", "straight"):
                read = read[1:]
            results: Results = [state for state in read if isinstance(state, Loss)][:1] * len(box.outputs)
            if not results:
                known = [state for state in map(at.__getitem__, box.inputs) if isinstance(state, Steps)]
                results = yield self.box(diagram, box, known or [])
            for wire, state in zip(box.outputs, results, strict=True):
                at[wire] = _told(box, state, [state for state in read if isinstance(state, Steps)])
        return [at[wire] for wire in diagram.outputs]

    def box(self, diagram: Diagram, box: Box, ins: list[Steps]) -> Work[Results]:
        """What a box yields."""
        op = box.op
        given = [axis_sizes(diagram.wires[wire].type) for wire in box.inputs]
        made = [axis_sizes(diagram.wires[wire].type) for wire in box.outputs]
        match op:
            case Core():
                if op.name in ("training", "straight"):
                    return [ins[-1]]
                return [core(self.time, op, ins, given, len(made[0]))]
            case Native():
                return (yield self.native(op, ins, given, made))
            case Global() | Local():
                return [Steps(tuple(map(self.time.fresh, sizes))) for sizes in made]
            case Store() | Emit():
                raise AssertionError("nothing comes of it")
            case Call(callee):
                return (yield self.inside(callee, ins))
            case Repeat(count, body):
                return (yield self.repeat(count, body, ins, len(made)))
            case Map(axes, body, captured):
                return (yield self.mapped(body, ins, len(axes), captured))
            case Each(_, body, captured):
                return (yield self.mapped(body, ins, 1, captured))
            case Fold():
                return (yield self.fold(op, ins))
            case Extern(target) if target.startswith(VARIABLE):
                return as_said(self.time, ins, given, made)
            case TreeFold() | Extern():
                moving = any(state.worst != inf for state in ins) or any(map(self.time.grows, sum(given, ())))
                return [Broken(Rule.FOREIGN) if moving else Steps(tuple(map(self.time.fresh, sizes))) for sizes in made]

    def inside(self, diagram: Diagram, ins: Sequence[State]) -> Work[Results]:
        """A diagram in a box, once for each way in which its inputs come."""
        whole = id(diagram), tuple(ins)
        if whole not in self.memo:
            self.held.append(diagram)
            self.memo[whole] = yield self.diagram(diagram, ins)
        return self.memo[whole]

    def repeat(self, count: int, body: Diagram, ins: list[Steps], carried: int) -> Work[Results]:
        """Round after round, until a round begins like the one before."""
        states: list[State] = list(ins[:carried])
        for k in range(count):
            before = states
            found = yield self.inside(body, [*states, *ins[carried:]])
            states = [_settled(state) for state in found]
            if states == before or any(isinstance(state, Loss) for state in states):
                break
            if k == ROUNDS:
                states = [_shrinking(old, new) for old, new in zip(before, states, strict=True)]
        return states

    def mapped(self, body: Diagram, ins: list[Steps], count: int, captured: int) -> Work[Results]:
        """At every index of leading axes, which are loops around for what is inside."""
        over = len(ins) - captured
        depth = max((len(state.hidden) for state in ins), default=0)
        inner = [_entered(state, depth, state.lags[:count], state.lags[count:]) for state in ins[:over]]
        inner += [_entered(state, depth, (STILL,) * count, state.lags) for state in ins[over:]]
        found = yield self.inside(body, inner)
        return [_left(state, depth, count) for state in found]

    def fold(self, op: Fold, ins: list[Steps]) -> Work[Results]:
        """Step after step along an axis: what goes round comes from the step before."""
        stop = len(ins) - op.captured
        elements = ins[op.carried : stop]
        depth = max((len(state.hidden) for state in ins), default=0)
        flows = self.time.grows(op.axis.size) or any(state.lags[0].moves for state in elements)
        width = len(op.body.outputs) - op.carried
        if flows and op.reverse:
            return [Broken(Rule.REVERSED)] * (op.carried + width)
        inner = [_entered(state, depth, state.lags[:1], state.lags[1:]) for state in elements]
        inner += [_entered(state, depth, (STILL,), state.lags) for state in ins[stop:]]
        states: list[State] = [_entered(state, depth, (STILL,), state.lags) for state in ins[: op.carried]]
        rounds = 0
        while True:
            found = [_settled(state) for state in (yield self.inside(op.body, [*states, *inner]))]
            after = [_next(old, new, depth) for old, new in zip(states, found, strict=False)]
            lost = [state for state in after if isinstance(state, Loss)]
            if lost:
                return lost[:1] * len(found)
            if after == states:
                break
            rounds += 1
            if rounds > ROUNDS:
                after = [_shrinking(old, new) for old, new in zip(states, after, strict=True)]
            states = after
        ends: list[State | Broken] = [Broken(Rule.LAST)] * op.carried
        if not flows:
            ends = [_dropped(state, depth) for state in states]
        return [*ends, *(_left(state, depth, 1) for state in found[op.carried :])]

    def native(self, op: Native, ins: list[Steps], given: list[Sizes], made: list[Sizes]) -> Work[Results]:
        """An entry of the prelude by its own rule or by its definition, which is told of as the entry."""
        at_in = op.at_in or (None,) * len(ins)
        at_out = op.at_out or (None,) * len(made)
        moved = [_placed(state, last(state.lags, at), at) for state, at in zip(ins, at_in, strict=True)]
        taken = [last(sizes, at) for sizes, at in zip(given, at_in, strict=True)]
        gives = [last(sizes, at) for sizes, at in zip(made, at_out, strict=True)]
        found: Results | None = by_rule(self.time, op, moved, taken, gives)
        if found is None:
            assert op.definition is not None
            found = yield self.inside(op.definition.diagram(), moved)
        return [
            Broken(state.rule)
            if isinstance(state, Loss)
            else state
            if isinstance(state, Broken)
            else replace(_placed(state, first(state.lags, at), at), ahead=None)
            for state, at in zip(found, at_out, strict=True)
        ]


def _told(box: Box, state: State | Broken, read: list[Steps]) -> State:
    """A result with the box at which it came to be lost, or to read ahead."""
    if isinstance(state, Broken):
        return placed(box, state)
    if isinstance(state, Loss) or state.worst >= 0:
        return _without(state) if isinstance(state, Steps) else state
    before = next((each.ahead for each in read if each.ahead is not None), None)
    return _ahead(state, before or state.ahead or placed(box, Broken(Rule.AHEAD)))


def placed(box: Box, broken: Broken) -> Loss:
    """The loss of causality in a box."""
    return Loss(broken.rule, box.span, called(box))


def _without(state: Steps) -> Steps:
    return state if state.ahead is None else _ahead(state, None)


def _ahead(state: Steps, ahead: Loss | None) -> Steps:
    return replace(state, ahead=ahead)


def _placed(state: Steps, lags: tuple[Reach, ...], at: tuple[int, ...] | None) -> Steps:
    """A wire whose axes stand elsewhere, of which no more is told."""
    return state if at is None else Steps(lags, state.hidden, low=state.low, ahead=state.ahead)


def _settled(state: State | Broken) -> State:
    assert not isinstance(state, Broken)
    return state


def _shrinking(old: State, new: State) -> State:
    """Lags that still shrink, as those that shrink for ever."""
    if not isinstance(old, Steps) or not isinstance(new, Steps):
        return new

    def ends(before: tuple[Reach, ...], after: tuple[Reach, ...]) -> tuple[Reach, ...]:
        return tuple(
            Reach(-inf if b.lag < a.lag else b.lag, -inf if b.end < a.end else b.end)
            for a, b in zip(before, after, strict=True)
        )

    wide = len(new.hidden)
    hidden = (*old.hidden, *(STILL,) * (wide - len(old.hidden)))
    return Steps(ends(old.lags, new.lags), ends(hidden, new.hidden), ahead=new.ahead)


def _deep(state: Steps, depth: int) -> tuple[Reach, ...]:
    return (*state.hidden, *(STILL,) * (depth - len(state.hidden)))


def _entered(state: Steps, depth: int, loop: tuple[Reach, ...], lags: tuple[Reach, ...]) -> Steps:
    """What comes into a loop."""
    return Steps(lags, (*_deep(state, depth), *loop), low=state.low, ahead=state.ahead)


def _left(state: State | Broken, depth: int, count: int) -> State | Broken:
    """What leaves a loop, whose axes stand in front."""
    if not isinstance(state, Steps):
        return state
    hidden = _deep(state, depth + count)
    return Steps((*hidden[depth:], *state.lags), hidden[:depth], low=state.low, ahead=state.ahead)


def _dropped(state: State, depth: int) -> State:
    """What is left after a loop along no time."""
    return Steps(state.lags, _deep(state, depth)[:depth], ahead=state.ahead) if isinstance(state, Steps) else state


def _next(old: State, new: State, depth: int) -> State:
    """What the next step begins with: all that a step before it reads is a step further away."""
    if not isinstance(old, Steps) or not isinstance(new, Steps):
        return new
    hidden = _deep(new, depth + 1)
    aged = (*hidden[:depth], hidden[depth].later(1))
    return Steps(least([old.lags, new.lags]), least([old.hidden, aged]), ahead=old.ahead or new.ahead)
