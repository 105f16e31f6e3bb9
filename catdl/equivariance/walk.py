"""A Diagram from its inputs to its outputs: what a group does to each wire, and where it is lost.

Takes a verified Diagram and what the names of axes say that the group does. Sound: a wire that is said to go with the
group does so for all weights. Not complete: what is lost in one box and made good in another counts as lost. What holds
a diagram is gone through once for each way in which its inputs move; what nests is worked off without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias

from catdl.diagram.commutative import unordered
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
from catdl.diagram.params import owns
from catdl.equivariance import along, grids, points, pointwise, sides
from catdl.equivariance.losses import Broken, Loss, Rule
from catdl.equivariance.natives import Named, as_said, by_rule
from catdl.equivariance.states import (
    FIXED,
    UNIFORM,
    Moves,
    Places,
    Rep,
    Shifted,
    Side,
    State,
    Within,
    acting,
    beside,
    divided,
    joins,
    meet,
    merged,
    permutes,
    together,
)
from catdl.record import replace
from catdl.symmetry.actions import Act, Cyclic, Shifts, Translations
from catdl.types.sizes import Size
from catdl.types.types import Axis, Label, Leaf, Word, axis_sizes

Roles = Callable[[str], tuple[Act, Size] | None]
"""What acts on the dim of a label, and its size."""

States = list[State]
Results: TypeAlias = "Sequence[State | Broken]"
"""What comes of a box: a loss has its place where it is known, else it is that of the box."""


def by_label(within: Within, roles: Roles) -> Named:
    """What the name of an axis says; words are as deep as the types that are written."""

    def named(axis: Axis) -> Rep:
        label = axis.label
        twin = len(label) - len(label.rstrip("'")) if isinstance(label, str) else 0
        if isinstance(label, Word):
            return merged([(named(part), part.size) for part in label.axes])
        found = roles(label.rstrip("'")) if isinstance(label, str) else None
        if found is None or not within.moves(found[0]):
            return FIXED
        act, size = found
        if size == axis.size or within.sides is not None:  # what moves whole axes moves those of any size
            return within.act(act, twin)
        if isinstance(within.group, Cyclic) and isinstance(size, int) and isinstance(axis.size, int) and axis.size:
            unit, rest = divmod(size, axis.size)
            return Places(unit) if not rest and unit and within.step % unit == 0 else FIXED
        return FIXED

    return named


class Walk:
    """The Diagrams of one morphism under one group."""

    def __init__(self, within: Within, roles: Roles) -> None:
        self.within = within
        self.labelled = by_label(within, roles)
        self.memo: dict[object, Results] = {}
        self.held: list[object] = []  # what keys of the memo name by identity

    def run(self, diagram: Diagram, inputs: States) -> Results:
        """The states of the outputs."""
        return drive(self.diagram(diagram, inputs, self.labelled))

    def diagram(self, diagram: Diagram, inputs: States, named: Named) -> Work[Results]:
        """A diagram whose inputs move in these ways."""
        at: dict[int, State] = dict(zip(diagram.inputs, inputs, strict=True))
        stored: Loss | None = None
        for box in diagram.boxes:
            if isinstance(box.op, Store):
                stored = stored or kept(box, at[box.inputs[0]])
                continue
            ins = [at[wire] for wire in box.inputs]
            made = [diagram.wires[wire].type for wire in box.outputs]
            results: Results = [state for state in ins if isinstance(state, Loss)][:1] * len(made)
            if not results and made:
                given = [diagram.wires[wire].type for wire in box.inputs]
                plugs = [at[wire] for _, wire in box.plugs]
                moves = [state for state in ins if isinstance(state, Moves)]
                results = self.settled((yield self.box(box, moves, plugs, given, made, named)), made)
                still = [unmoved(state) if state.closed else state for state in moves]
                if still != moves and not all(isinstance(state, Moves) for state in results):
                    results = self.settled((yield self.box(box, still, plugs, given, made, named)), made)
                if isinstance(box.op, Core) and box.op.name != "sample" and all(state.closed for state in moves):
                    results = [_closed(state, len(leaf.axes)) for state, leaf in zip(results, made, strict=True)]
            for wire, state in zip(box.outputs, results, strict=True):
                at[wire] = self.broke(box, wire, state, named) if isinstance(state, Broken) else state
        return [stored or at[wire] for wire in diagram.outputs]

    def broke(self, box: Box, wire: int, broken: Broken, named: Named) -> Loss:
        """What becomes of a wire whose box breaks a rule."""
        return placed(box, broken)

    def settled(self, results: Results, made: list[Leaf]) -> Results:
        """What comes of a box, as wires that have all axes that are moved together."""
        move = self.within.sides
        if move is None:
            return results
        return [
            sides.settled(move, state, axis_sizes(leaf)) if isinstance(state, Moves) else state
            for state, leaf in zip(results, made, strict=True)
        ]

    def box(
        self, box: Box, ins: list[Moves], plugs: States, given: list[Leaf], made: list[Leaf], named: Named
    ) -> Work[Results]:
        """What a box yields; nothing that comes in is lost."""
        op = box.op
        for plug in plugs:
            if isinstance(plug, Loss):
                return [plug] * len(made)
            if plug.names or any(map(acting, plug.reps)):
                return [Broken(Rule.PLUGGED)] * len(made)
        if not isinstance(op, Core | Native | Call) and any(state.pending for state in ins):
            return [Broken(Rule.ASIDE)] * len(made)
        match op:
            case Core():
                return [self.core(op, ins, given, made[0], named)]
            case Native():
                return (yield self.native(box, op, ins, given, made, named))
            case Global() | Local():
                return [Moves((FIXED,) * len(leaf.axes), True) for leaf in made]
            case Store() | Emit():
                raise AssertionError("nothing comes of it")
            case Call(callee):
                return (yield self.inside(callee, list(ins), named))
            case Repeat(count, body, _, _):
                return (yield self.repeat(count, body, ins, len(made), named))
            case Map(axes, body, captured):
                return (yield self.mapped(body, ins, len(axes), captured, False, named))
            case Each(_, body, captured):
                return (yield self.mapped(body, ins, 1, captured, owns(body), named))
            case Fold():
                return (yield self.fold(op, ins, named))
            case Extern(target) if target.startswith(VARIABLE):  # an argument of a hom, which is any hom
                if isinstance(self.within.group, Shifts) and any(map(acting, (r for s in ins for r in s.reps))):
                    return [Broken(Rule.FOREIGN)] * len(made)  # how far it is from the border is not known
                return as_said(ins, named, given, made)
            case TreeFold() | Extern():
                if any(state.names or any(map(acting, state.reps)) for state in ins):
                    return [Broken(Rule.FOREIGN)] * len(made)
                return [Moves((FIXED,) * len(leaf.axes)) for leaf in made]

    def inside(self, diagram: Diagram, ins: States, named: Named, key: object = None) -> Work[Results]:
        """A diagram in a box, once for each way in which its inputs move."""
        if key is None:
            self.held += (diagram, named)
            key = id(diagram), None if named == self.labelled else id(named)
        whole = (key, tuple(ins))
        if whole not in self.memo:
            self.memo[whole] = yield self.diagram(diagram, ins, named)
        return self.memo[whole]

    def repeat(self, count: int, body: Diagram, ins: list[Moves], carried: int, named: Named) -> Work[Results]:
        """Round after round, until a round has begun like an earlier one."""
        states: States = list(ins[:carried])
        fixed = ins[carried:]
        begun: dict[tuple[State, ...], int] = {}
        left = count
        while left and not any(isinstance(state, Loss) for state in states):
            before = begun.setdefault(tuple(states), left)
            if before > left:
                left %= before - left
                begun.clear()
                continue
            found = yield self.inside(body, [*states, *fixed], named)
            states = [state for state in found if not isinstance(state, Broken)]
            left -= 1
        return states

    def mapped(
        self, body: Diagram, ins: list[Moves], count: int, captured: int, weighed: bool, named: Named
    ) -> Work[Results]:
        """At every index of leading axes: where the group permutes them, what is done at each has to be the same."""
        over = len(ins) - captured
        common = together([state.reps[:count] for state in ins[:over]])
        if common is None or not all(map(divided, ins[:over], repeat(count))):
            return [Broken(Rule.ASIDE)] * len(body.outputs)
        lead: list[Rep] = []
        width = len(body.outputs)
        drawn = not body.effects.isdisjoint(("rand", "rand_train"))
        for column in zip(*common, strict=True):
            rep = meet(list(column))
            if rep is None or not permutes(rep):
                return [Broken(Rule.NUMBERED if rep is None else Rule.SEPARATE)] * width
            if weighed and acting(rep):
                return [Broken(Rule.NUMBERED)] * width
            lead.append(rep if acting(rep) or not (weighed or drawn) else FIXED)
        within = [Moves(state.reps[count:], state.closed, state.names) for state in ins[:over]]
        found = yield self.inside(body, [*within, *ins[over:]], named)
        found = [Broken(Rule.ASIDE) if isinstance(s, Moves) and s.pending else s for s in found]
        return [
            Moves(beside(tuple(lead), state.reps), False, state.names) if isinstance(state, Moves) else state
            for state in found
        ]

    def fold(self, op: Fold, ins: list[Moves], named: Named) -> Work[Results]:
        """Step after step along an axis, until one more step changes nothing."""
        width = len(op.body.outputs)
        stop = len(ins) - op.captured
        elements = ins[op.carried : stop]
        moved = any(acting(state.reps[0]) for state in elements)
        if moved:
            turned = any(not permutes(state.reps[0]) for state in elements)
            if turned or not unordered(op):
                return [Broken(Rule.EXTREME if turned else Rule.ORDERED)] * width
            common = together([state.reps[:1] for state in elements])
            if common is None or not all(map(divided, elements, repeat(1))):
                return [Broken(Rule.ASIDE)] * width
            along = meet([rep for (rep,) in common])
            if along is None:
                return [Broken(Rule.NUMBERED)] * width
            if not pointwise.round_trip(self.within, along, op.axis.size):
                return [Broken(pointwise.cut(along))] * width
        inner = [Moves(state.reps[1:], state.closed, state.names) for state in elements]
        begun = [op.body.wires[wire].type for wire in op.body.outputs[: op.carried]]
        states: States = [_begun(state, leaf, named) for state, leaf in zip(ins, begun, strict=False)]
        while True:
            found = yield self.inside(op.body, [*states, *inner, *ins[stop:]], named)
            after: list[State] = []
            if any(isinstance(state, Moves) and state.pending for state in found):
                return [Broken(Rule.ASIDE)] * width
            for old, new in zip(states, found[: op.carried], strict=True):
                both = joins(old, new) if isinstance(new, Moves) else new
                if not isinstance(both, Moves):
                    return [both or Broken(Rule.ADDED)] * width
                after.append(both)
            if after == states:
                break
            states = after
        if moved:
            return [*states, *[Broken(Rule.ORDERED)] * (width - op.carried)]
        outs = [Moves((FIXED, *s.reps), False, s.names) if isinstance(s, Moves) else s for s in found[op.carried :]]
        return [*states, *outs]

    def native(
        self, box: Box, op: Native, ins: list[Moves], given: list[Leaf], made: list[Leaf], named: Named
    ) -> Work[Results]:
        """An entry of the prelude by its own rule or by its definition, which is told of as the entry."""
        at_in = op.at_in or (None,) * len(ins)
        at_out = op.at_out or (None,) * len(made)
        moved = [replace(s, reps=last(s.reps, at)) for s, at in zip(ins, at_in, strict=True)]
        taken = [Leaf(leaf.kind, last(leaf.axes, at)) for leaf, at in zip(given, at_in, strict=True)]
        gives = [Leaf(leaf.kind, last(leaf.axes, at)) for leaf, at in zip(made, at_out, strict=True)]
        found: Results | None = by_rule(self.within, op, moved, named, taken, gives)
        if found is not None and any(state.pending for state in ins):
            found = [Broken(Rule.ASIDE)] * len(made)
        if found is None:
            assert op.definition is not None
            bound = {f"{op.entry}::{name}": named(axis) for name, axis in op.binds if isinstance(axis, Axis)}
            sizes = {f"{op.entry}::{name}": axis.size for name, axis in op.binds if isinstance(axis, Axis)}
            key = (op.entry, op.args, op.binds, op.at_in, tuple(given), tuple(bound.items()))
            inner = inside_names(bound, sizes)
            found = yield self.inside(op.definition.diagram(), list(moved), inner, key)
        return [
            Broken(state.rule, state.smaller)
            if isinstance(state, Loss)
            else state
            if isinstance(state, Broken)
            else replace(state, reps=first(state.reps, at))
            for state, at in zip(found, at_out, strict=True)
        ]

    def core(self, op: Core, ins: list[Moves], given: list[Leaf], made: Leaf, named: Named) -> State | Broken:
        """A core operation."""
        lengths = [axis_sizes(leaf) for leaf in given]
        if isinstance(self.within.group, Translations):
            return points.core(op, ins, lengths, lambda states: self.plain(op, states, given, made, named))
        if isinstance(self.within.group, Shifts) and ins:
            found = grids.along(self.within, op, ins[0], lengths[0])
            if found is not None:
                return found
        if self.within.sides is None:
            return self.plain(op, ins, given, made, named)

        def said(place: int) -> Rep:
            axis = given[0].axes[place]
            assert isinstance(axis, Axis)
            return named(axis)

        return sides.core(
            self.within.sides, op, ins, lengths, said, lambda states: self.plain(op, states, given, made, named)
        )

    def plain(self, op: Core, ins: list[Moves], given: list[Leaf], made: Leaf, named: Named) -> State | Broken:
        """A core operation where what moves together is known."""
        within = self.within
        sizes = [axis_sizes(leaf) for leaf in given]
        a: dict[str, Any] = dict(op.attrs)
        match op.name:
            case "literal":
                return Moves((), True, False, a["value"])
            case "index":
                whole = within.whole if axis_sizes(made) == (within.size,) else None
                return Moves((whole or FIXED,), True, whole is not None)
            case "pointwise":
                return pointwise.pointwise(within, a["fn"], a["align"], ins, len(made.axes))
            case "contract":
                lengths = {
                    k: size
                    for names, one in zip(a["ins"], sizes, strict=True)
                    for k, size in zip(names, one, strict=True)
                }
                return pointwise.contract(within, ins, a["ins"], a["out"], lengths)
            case "reduce":
                return pointwise.reduce(within, a["fn"], a["axes"], ins[0], sizes[0])
            case "argmax":
                return pointwise.argmax(a["axis"], ins[0])
            case "across":
                return pointwise.across(within, ins[0], a["keep"], sizes[0])
            case "permute":
                return Moves(tuple(ins[0].reps[i] for i in a["perm"]), False, ins[0].names, ins[0].number)
            case "expand":
                reps, place = ins[0].reps, a["position"]
                return Moves((*reps[:place], UNIFORM, *reps[place:]), False, ins[0].names, ins[0].number)
            case "concat":
                return along.concat(a["axis"], ins, [one[a["axis"]] for one in sizes])
            case "gather" | "pick":
                return along.taken(within, op, ins[0], ins[1], sizes[0][a["axis"]])
            case "scatter":
                return along.scatter(within, op, ins[0], ins[1], sizes[0][a["axis"]])
            case "sample":
                said = tuple(named(axis) for axis in made.axes if isinstance(axis, Axis))
                return along.drawn(within, a["dist"], ins[0], said, sizes[0])
            case "training":
                return joins(ins[0], ins[1]) or Broken(Rule.ADDED)
            case "stop":
                return ins[0]
            case "straight":
                return ins[1]
            case _:
                return along.along(within, op, ins[0], sizes[0])


def inside_names(bound: Mapping[str, Rep], sizes: Mapping[str, Size]) -> Named:
    """What the names of axes say inside a definition: what those say that its binders became."""

    def named(axis: Axis) -> Rep:
        label: Label = axis.label
        if not isinstance(label, str) or label not in bound:
            return FIXED
        return bound[label] if sizes[label] == axis.size or isinstance(bound[label], Side) else FIXED

    return named


def _begun(state: Moves, leaf: Leaf, named: Named) -> Moves:
    """What a fold starts with: zeros are vectors where its type says so, for they go with any matrix."""
    reps = tuple(named(axis) for axis in leaf.axes if isinstance(axis, Axis))
    turned = [rep for rep in reps if not permutes(rep)]
    moved = turned and not any(isinstance(rep, Shifted) for rep in turned)
    return Moves(reps, state.closed) if state.number == 0 and moved else state


def unmoved(state: Moves) -> Moves:
    """What comes of nothing but weights and numbers, as what is not moved."""
    reps = tuple(FIXED if acting(rep) else rep for rep in state.reps)
    return Moves(reps, True, False, state.number)


def kept(box: Box, state: State) -> Loss | None:
    """What is wrong with a value that stays from call to call."""
    if isinstance(state, Loss):
        return state
    return placed(box, Broken(Rule.KEPT)) if state.names or any(map(acting, state.reps)) else None


def _closed(state: State | Broken, rank: int) -> State | Broken:
    """What comes of nothing but weights and numbers: where it does not go with the group, it is not moved at all."""
    if isinstance(state, Moves):
        return replace(state, closed=True)
    return Moves((FIXED,) * rank, True)


def placed(box: Box, broken: Broken) -> Loss:
    """The loss of a symmetry in a box."""
    return Loss(broken.rule, box.span, called(box), broken.smaller)


def called(box: Box) -> str:
    """What a box is called."""
    if isinstance(box.op, Native):
        return box.op.entry
    head = box.span.text.partition("(")[0].partition("[")[0].strip()
    return head if head.isidentifier() else ""


def last(items: tuple[Any, ...], at: tuple[int, ...] | None) -> tuple[Any, ...]:
    """With what stands at these positions at the end."""
    if at is None:
        return items
    places = [place % len(items) for place in at]
    return (*(item for i, item in enumerate(items) if i not in places), *(items[i] for i in places))


def first(items: tuple[Any, ...], at: tuple[int, ...] | None) -> tuple[Any, ...]:
    """With what stands at the end at these positions."""
    if at is None:
        return items
    rank = len(items)
    places = {place % rank: i for i, place in enumerate(at)}
    rest, end = iter(items[: rank - len(at)]), items[rank - len(at) :]
    return tuple(end[places[i]] if i in places else next(rest) for i in range(rank))
