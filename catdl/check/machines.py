"""Coalgebras and machines along an axis: `unfold[T]`, `mealy[T]`, `moore[T]`, `moore0[T]` (CDL, appendix J).

Takes morphisms of a state; guarantees outputs along the axis, and the state that a step gives as the one that it takes.

    unfold[T](s => (out(s), next(s)))
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Inner, W
from catdl.check.emit import core
from catdl.check.inner import emit_inner, inner_diagram
from catdl.check.legs import REVERSE
from catdl.check.rules.common import BOOL, REAL, Rule, known_axes
from catdl.check.steps import along, ended, inside, parted, read, recur
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
    """`unfold[T](coalg)`: from a state, the outputs of so many steps; `until = p` stops a sample (CDL, appendix J)."""
    options = read(rule, ("until",), 1, "coalgebra")
    step = options.morphisms[0]

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis = counted(rule)
        count = len(wires)
        done = options.until

        def cell(inner: Builder, carried: list[W], _: list[W]) -> tuple[Bundle, list[W]] | None:
            state = carried[:count]
            out = rule.ctx.apply(step, rule.head.env, inner, Bundle(state))
            if out.bad:
                return None
            new, outputs = split(rule, out, count, step)
            if done is None:
                return Bundle(new), outputs
            return stopping(rule, inner, done, carried, new, outputs)

        start = Bundle(wires)
        if done is not None:
            true = core(rule.ctx, b, "literal", [], [Leaf(KEEP, ())], rule.span, value=True).wires
            start = Bundle([*wires, *true])
        made = recur(rule, b, axis, start, [], cell, False, "the state that a step gives", step)
        return BAD if made is None else Bundle(made.outputs)

    return inside(rule, body)


def counted(rule: Rule) -> Axis:
    """The axis that an unfold makes. Raises Refused."""
    item = rule.items()[0]
    found = rule.ctx.types.axis(item, rule.head.env)
    if not isinstance(found, Axis) or label_of(found.label) is ANONYMOUS:
        example = f"{rule.name}[T](…)"
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.head.env.module.span(item), rule.name, example))
    return found


def split(rule: Rule, out: Bundle, count: int, node: ast.Expr) -> tuple[list[W], list[W]]:
    """The outputs of a machine's step, then its new state. Raises Refused."""
    if len(out.wires) < count:
        span = rule.head.env.module.span(node)
        said = f"what a step of `{rule.name}` gives, its outputs and then its state"
        raise rule.ctx.refuse(wrong.ArityMismatch(span, count, len(out.wires), said))
    place = len(out.wires) - count
    return out.wires[place:], out.wires[:place]


def stopping(
    rule: Rule, b: Builder, done: ast.Expr, carried: list[W], new: list[W], outputs: list[W]
) -> tuple[Bundle, list[W]] | None:
    """A step of which a sample that has stopped keeps its state, and whose outputs are zero then."""
    ctx, alive, state = rule.ctx, carried[-1], carried[:-1]
    stop = ctx.apply(done, rule.head.env, b, Bundle(state))
    if stop.bad or not ctx.ports(stop, Object((Leaf(BOOL, ()),), (None,)), rule.span, "what `until` gives"):
        return None
    going = core(ctx, b, "pointwise", stop.wires, [Leaf(BOOL, ())], rule.span, fn="not", align=((),)).wires[0]
    still = core(ctx, b, "pointwise", [alive, going], [Leaf(KEEP, ())], rule.span, fn="and", align=((), ())).wires[0]

    def chosen(yes: W, no: W) -> W:
        rank = len(known_axes(ctx, yes, rule.span, rule.name))
        align = ((), tuple(range(rank)), tuple(range(rank)) if no.leaf.axes else ())
        return core(ctx, b, "pointwise", [still, yes, no], [yes.leaf], rule.span, fn="where", align=align).wires[0]

    zero = core(ctx, b, "literal", [], [Leaf(REAL, ())], rule.span, value=0).wires[0]
    kept = [chosen(n, old) for n, old in zip(new, state, strict=True)]
    return Bundle([*kept, still]), [*(chosen(o, zero) for o in outputs), still]


def mealy(rule: Rule) -> Bundle:
    """`mealy[T](f)`, f : C @ In -> Out @ C: outputs from state and input; with `last = true` the last state, too."""
    options = read(rule, (REVERSE, "last"), 1, "machine")
    step = options.morphisms[0]

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis, starts, elements = parted(rule, b, wires)

        def cell(inner: Builder, carried: list[W], here: list[W]) -> tuple[Bundle, list[W]] | None:
            out = rule.ctx.apply(step, rule.head.env, inner, grouped(carried, here))
            if out.bad:
                return None
            new, outputs = split(rule, out, len(carried), step)
            return Bundle(new), outputs

        made = recur(
            rule, b, axis, Bundle(starts), elements, cell, options.reverse, "the state that a step gives", step
        )
        if made is None:
            return BAD
        return Bundle([*made.outputs, *made.last] if options.last else made.outputs)

    return inside(rule, body)


def grouped(carried: list[W], here: list[W]) -> Bundle:
    """The state and an element, as two things."""
    bundle = Bundle([*carried, *here])
    if len(carried) != 1 or len(here) != 1:
        bundle.groups = ((None, len(carried)), (None, len(here)))
    return bundle


def moore(rule: Rule) -> Bundle:
    """`moore[T](out, next)`, out : C -> Out, next : C @ In -> C: the output of the state after every input."""
    return outputs_of(rule, False)


def moore0(rule: Rule) -> Bundle:
    """`moore0[T](out, next)`: the output of every state, that of the start, too."""
    return outputs_of(rule, True)


def outputs_of(rule: Rule, first: bool) -> Bundle:
    """A Moore machine: the states, and what is shown of each. Raises Refused."""
    options = read(rule, (REVERSE,), 2, "out, next")
    shown, step = options.morphisms

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis, starts, elements = parted(rule, b, wires)

        def cell(inner: Builder, carried: list[W], here: list[W]) -> tuple[Bundle, list[W]] | None:
            new = rule.ctx.apply(step, rule.head.env, inner, grouped(carried, here))
            return None if new.bad else (new, carried if first else new.wires)

        made = recur(
            rule, b, axis, Bundle(starts), elements, cell, options.reverse, "the state that `next` gives", step
        )
        if made is None:
            return BAD
        return everywhere(rule, b, shown, ended(rule, made, b) if first else made.outputs)

    return inside(rule, body)


def everywhere(rule: Rule, b: Builder, shown: ast.Expr, states: list[W]) -> Bundle:
    """One morphism at every index of the first axis."""
    axis = states[0].leaf.axes[0]
    assert isinstance(axis, Axis)
    leaves = [Leaf(w.leaf.kind, w.leaf.axes[1:]) for w in states]
    inner, out = inner_diagram(
        rule.ctx, b, rule.name, leaves, states, lambda i, x: rule.ctx.apply(shown, rule.head.env, i, x),
        mapped=1, folded=True,
    )  # fmt: skip
    if out.bad:
        return BAD
    op = Inner("map", inner, rule.name, 1, "tied", (axis,))
    results = [along(rule, axis, wire) for wire in inner.outputs]
    return emit_inner(b, op, states, results, out.names, rule.name, rule.span, None)
