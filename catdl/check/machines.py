"""Coalgebras and machines along an axis: `unfold[T]`, `mealy[T]` (CDL, appendix J).

Takes morphisms of a state; guarantees outputs along the axis, and the state that a step gives as the one that it takes.

    unfold[T](s => (out(s), next(s)))
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, W
from catdl.check.coalgebras import functor_of
from catdl.check.coalgebras import reads as reads_input
from catdl.check.emit import core
from catdl.check.inner import inner_diagram
from catdl.check.ports import in_order
from catdl.check.rules.common import BOOL, Rule
from catdl.check.scope import MorphismDef
from catdl.check.steps import inside, parted, read, recur, state_names
from catdl.check.summands import chosen, holds, number, parts_of, show_sum, types
from catdl.syntax import ast
from catdl.types.types import (
    ANONYMOUS,
    Axis,
    Kind,
    Leaf,
    Object,
    label_of,
)

KEEP = Kind("Keep")


def unfold(rule: Rule) -> Bundle:
    """`unfold[T](coalg)`: from a state, the outputs of so many steps (CDL, appendix J).

    A coalgebra of `() + Out @ X` ends at the first summand; `until = p` ends where p holds of the state.
    """
    options = read(rule, 1, "coalgebra")
    step, done = options.morphisms[0], options.until
    no_machine(rule, step, reads=False)

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis = counted(rule)
        count = len(wires)
        ends = done is not None
        if done is None:
            since = rule.ctx.asked()
            tried = tried_once(rule, b, wires, step)
            if tried.bad:
                return BAD
            ends = ending(rule, tried, step) is not None
            rule.ctx.forget(since)

        def cell(inner: Builder, carried: list[W], _: list[W]) -> tuple[Bundle, list[W]] | None:
            state = carried[:count]
            out = rule.ctx.apply(step, rule.head.env, inner, Bundle(state, rule.inp.names))
            if out.bad:
                if done is not None:
                    rule.ctx.apply(done, rule.head.env, inner, Bundle(state, rule.inp.names))
                return None
            if not ends:
                new, outputs = split(rule, out, wires, step, rule.inp.names)
                return Bundle(new), outputs
            if done is not None:
                new, outputs = split(rule, out, wires, step, rule.inp.names)
                stop = rule.ctx.apply(done, rule.head.env, inner, Bundle(state, rule.inp.names))
                expected = Object((Leaf(BOOL, ()),), (None,))
                if stop.bad or not rule.ctx.ports(stop, expected, rule.span, "what `until` gives"):
                    return None
                return stopping(rule, inner, stop.wires[0], carried, new, outputs)
            parted_ = ending(rule, out, step)
            assert parted_ is not None
            place, going = parted_
            new, outputs = split(rule, going, wires, step, rule.inp.names)
            return stopping(rule, inner, holds(rule.ctx, inner, out.wires[0], place, rule.span), carried, new, outputs)

        start = Bundle(wires)
        if ends:
            true = core(rule.ctx, b, "literal", [], [Leaf(KEEP, ())], rule.span, value=True).wires
            start = Bundle([*wires, *true])
        made = recur(rule, b, axis, start, [], cell, False, "the state that a step gives", step)
        return BAD if made is None else Bundle(made.outputs)

    return inside(rule, body)


def tried_once(rule: Rule, b: Builder, wires: list[W], step: ast.Expr) -> Bundle:
    """What a step gives, elaborated aside: whether there is an end decides what goes round."""

    def body(inner: Builder, state: Bundle) -> Bundle:
        return rule.ctx.apply(step, rule.head.env, inner, Bundle(state.wires, rule.inp.names))

    return inner_diagram(rule.ctx, b, rule.name, types(Bundle(wires)), wires, body, folded=True)[1]


def ending(rule: Rule, out: Bundle, step: ast.Expr) -> tuple[int, Bundle] | None:
    """The summand `()` at which a step ends, and what it gives elsewhere; None for a stream. Raises Refused."""
    parts = parts_of(out)
    if parts is None:
        return None
    empty = [k for k, part in enumerate(parts) if not part.wires]
    if len(parts) != 2 or len(empty) != 1:
        found = f"a value of `{show_sum(types(out))}`"
        helps = "an unfold is of `Out @ X`, a stream, or of `() + Out @ X`, which ends at `()`"
        raise rule.ctx.refuse(wrong.NotACoalgebra(rule.head.env.module.span(step), found, helps))
    return empty[0], parts[1 - empty[0]]


def no_machine(rule: Rule, step: ast.Expr, reads: bool) -> None:
    """Refuse an algebra, and a coalgebra that reads an input where none is given or the other way round."""
    from catdl.check.forms import head_of  # late: it reads the table of rules, in which this stands

    env = rule.head.env
    head = head_of(rule.ctx, step, env)
    target = head.target if head is not None else None
    if not isinstance(target, MorphismDef) or head is None:
        return
    span, name = env.module.span(step), head.name
    if target.head.keyword == "algebra":
        raise rule.ctx.refuse(
            wrong.NotACoalgebra(span, f"`{name}`, an algebra", f"`fold[T]({name})` takes lists apart")
        )
    if functor_of(target) is not None and reads_input(target) != reads:
        if reads:
            words = f"`{name}`, which reads nothing", f"`unfold[T]({name})` makes a stream of it"
        else:
            words = f"`{name}`, which reads an input at every step", f"`mealy[T]({name})` gives it one"
        raise rule.ctx.refuse(wrong.NotACoalgebra(span, *words))


def counted(rule: Rule) -> Axis:
    """The axis that an unfold makes. Raises Refused."""
    item = rule.items()[0]
    found = rule.ctx.types.axis(item, rule.head.env)
    if not isinstance(found, Axis) or label_of(found.label) is ANONYMOUS:
        example = f"{rule.name}[T](…)"
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.head.env.module.span(item), rule.name, example))
    return found


def split(
    rule: Rule, out: Bundle, state: list[W], node: ast.Expr, names: tuple[str | None, ...] | None
) -> tuple[list[W], list[W]]:
    """The new state of a machine's step, by the names of its ports, and what it gives before it. Raises Refused."""
    count = len(state)
    if parts_of(out) is not None:
        words = f"a value of `{show_sum(types(out))}`", "what stands here gives `Out @ X` at every step, and has no end"
        raise rule.ctx.refuse(wrong.NotACoalgebra(rule.head.env.module.span(node), *words))
    if len(out.wires) < count:
        span = rule.head.env.module.span(node)
        said = f"what a step of `{rule.name}` gives, its outputs and then its state"
        raise rule.ctx.refuse(wrong.ArityMismatch(span, count, len(out.wires), said))
    place = len(out.wires) - count
    new = Bundle(out.wires[place:], out.names[place:] if out.names is not None else None)
    return in_order(new, names).wires, out.wires[:place]


def stopping(
    rule: Rule, b: Builder, stop: W, carried: list[W], new: list[W], outputs: list[W]
) -> tuple[Bundle, list[W]]:
    """A step of which a sample that has stopped keeps its state, and whose outputs are zero then."""
    ctx, alive, state = rule.ctx, carried[-1], carried[:-1]
    going = core(ctx, b, "pointwise", [stop], [Leaf(BOOL, ())], rule.span, fn="not", align=((),)).wires[0]
    still = core(ctx, b, "pointwise", [alive, going], [Leaf(KEEP, ())], rule.span, fn="and", align=((), ())).wires[0]

    def or_else(yes: W, no: W) -> W:
        return chosen(ctx, b, still, yes, no, rule.span)

    kept = [or_else(n, old) for n, old in zip(new, state, strict=True)]
    return Bundle([*kept, still]), [*(or_else(o, number(ctx, b, o.leaf.kind, 0, rule.span)) for o in outputs), still]


def mealy(rule: Rule) -> Bundle:
    """`mealy[T](f)`, f : C @ In -> Out @ C: outputs from state and input; with `last = true` the last state, too."""
    options = read(rule, 1, "machine")
    step = options.morphisms[0]
    no_machine(rule, step, reads=True)

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis, starts, elements = parted(rule, b, wires)
        names = state_names(rule, wires, starts)

        def cell(inner: Builder, carried: list[W], here: list[W]) -> tuple[Bundle, list[W]] | None:
            out = rule.ctx.apply(step, rule.head.env, inner, grouped(carried, here, names))
            if out.bad:
                return None
            new, outputs = split(rule, out, starts, step, names)
            return Bundle(new), outputs

        made = recur(
            rule, b, axis, Bundle(starts), elements, cell, options.reverse, "the state that a step gives", step
        )
        if made is None:
            return BAD
        return Bundle([*made.outputs, *made.last] if options.last else made.outputs)

    return inside(rule, body)


def grouped(carried: list[W], here: list[W], names: tuple[str | None, ...]) -> Bundle:
    """The state and an element, as two things; without an element the state alone."""
    bundle = Bundle([*carried, *here], (*names, *(None,) * len(here)) if any(names) else None)
    if here and (len(carried) != 1 or len(here) != 1):
        bundle.groups = ((None, len(carried)), (None, len(here)))
    return bundle
