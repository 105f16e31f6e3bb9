"""Algebras of lists along an axis: `fold[T]`, `scan[T]`, `scan0[T]`.

Takes the legs of an algebra, or the name of one. Guarantees a start and a step that fit the functor K + E @ X, whose
initial algebra are lists: the network that initiality gives (CDL, section 2 and appendix I). The last element is the
outermost constructor.

    fold[T]([ zeros | (a, h) => … ], carrier = State)      a start, and a `Fold` over the elements along T
"""

from __future__ import annotations

from collections.abc import Callable

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, W, unmade
from catdl.check.declared import declared, over_axis
from catdl.check.folds import fold as fold_trees
from catdl.check.folds import show_summand
from catdl.check.functors import applied
from catdl.check.legs import REVERSE, constant, filled, functor_of, open_dims
from catdl.check.ports import in_order
from catdl.check.rules.common import Rule, known_axes
from catdl.check.scope import Env, MorphismDef
from catdl.check.static import Refused
from catdl.check.steps import Element, Options, Result, along, arranged, ended, inside, parted, read, recur, state_names
from catdl.syntax import ast
from catdl.types.types import (
    Child,
    Form,
    Leaf,
    Object,
    show_axis,
    show_form,
)

LISTS = "List(X) = () + E @ X"


def fold(rule: Rule) -> Bundle:
    """`fold[T](alg)`: the last state; without an axis an algebra over trees."""
    if not rule.items():
        return fold_trees(rule)
    return over_list(rule, lambda made, _: made.last)


def scan(rule: Rule) -> Bundle:
    """`scan[T](alg)`: the state after every element."""
    return over_list(rule, lambda made, _: made.outputs)


def scan0(rule: Rule) -> Bundle:
    """`scan0[T](alg)`: the state before every element, and the last: one more than there are elements."""
    return over_list(rule, lambda made, place: ended(rule, made, place), before=True)


def over_list(rule: Rule, give: Callable[[Result, Builder], list[W]], before: bool = False) -> Bundle:
    """An algebra of lists, by its legs or by its name. Raises Refused."""
    options = read(rule, 1, "algebra")
    legs = options.morphisms[0]
    if not isinstance(legs, ast.Copair):
        return by_name(rule, legs)
    return inside(rule, lambda b, wires: listed(rule, b, wires, legs, options, give, before))


def by_name(rule: Rule, node: ast.Expr) -> Bundle:
    """A declared algebra along an axis. Raises Refused."""
    head, found = declared(rule, node, (REVERSE,))
    if isinstance(head.target, MorphismDef) and not head.args and not open_dims(head.target):
        whole_functor(rule, head.target)
    return over_axis(rule, node, head, found)


def whole_functor(rule: Rule, algebra: MorphismDef) -> None:
    """Tell at the use what does not fit the functor of an algebra without arguments. Raises Refused."""
    _, starts, elements = arranged(rule, rule.all_wires())
    functor = functor_of(algebra)
    if functor is None:
        return
    form = applied(rule.ctx.types, functor, Env(algebra.module))[0]
    fitting(rule, form, linear(rule, form)[0], starts, elements)


def listed(
    rule: Rule,
    b: Builder,
    wires: list[W],
    legs: ast.Copair,
    options: Options,
    give: Callable[[Result, Builder], list[W]],
    before: bool,
) -> Bundle:
    """The legs of an algebra of lists on what comes in. Raises Refused."""
    form = options.functor
    base, step = list_legs(rule, legs, form)
    if form is not None:
        _, without, found = arranged(rule, wires)
        fitting(rule, form, base, without, found)
    axis, starts, elements = parted(rule, b, wires)
    given = Bundle(starts, state_names(rule, wires, starts) if rule.inp.names else None)
    start = begun(rule, b, legs.legs[base], given, options.carrier)
    if start is None:
        if options.carrier is None:
            rule.ctx.apply(legs.legs[step], rule.head.env, b, BAD)
            return BAD
        start = unmade(b, options.carrier.leaves, options.carrier.names, rule.span)
    parts = form.summands[step] if form is not None else None

    def cell(inner: Builder, carried: list[W], here: list[W]) -> tuple[Bundle, list[W]] | None:
        groups = [here[k : k + 1] for k in range(len(here))] if parts is not None else [here]
        given = iter(groups)
        order = [carried if isinstance(part, Child) else next(given) for part in parts or ()] or [here, carried]
        names = {wire: name for wire, name in zip(carried, start.names or (), strict=False) if name}
        out = applied_leg(rule, inner, legs.legs[step], step, parts, order, names)
        if out is None:
            return None
        out = in_order(out, start.names)
        return out, carried if before else out.wires

    context = f"what leg {step + 1} gives: the state"
    made = recur(rule, b, axis, start, elements, cell, options.reverse, context, legs.legs[step])
    if made is None:
        if options.carrier is None:
            return BAD
        last = unmade(b, options.carrier.leaves, (), rule.span).wires
        each = unmade(b, [along(rule, axis, wire) for wire in last], (), rule.span).wires
        made = Result(last, each, options.reverse)
    return Bundle(give(made, b), start.names)


def list_legs(rule: Rule, legs: ast.Copair, form: Form | None) -> tuple[int, int]:
    """Which leg is the start, and which the step. Raises Refused."""
    span = rule.head.env.module.span(legs)
    if form is None:
        if len(legs.legs) != 2:
            raise rule.ctx.refuse(wrong.LegMismatch(span, LISTS, 0, "", 2, len(legs.legs)))
        return 0, 1
    base, step = linear(rule, form)
    if len(legs.legs) != len(form.summands):
        raise rule.ctx.refuse(wrong.LegMismatch(span, show_form(form), 0, "", len(form.summands), len(legs.legs)))
    return base, step


def linear(rule: Rule, form: Form) -> tuple[int, int]:
    """The summands K and E @ X of a functor of lists. Raises Refused."""
    deep = [[item for item in parts if isinstance(item, Child)] for parts in form.summands]
    single = len(deep) == 2 and sorted(map(len, deep)) == [0, 1] and not any(c.axes for found in deep for c in found)
    if not single:
        raise rule.ctx.refuse(wrong.NotALinearFunctor(rule.span, rule.name, show_form(form)))
    step = 0 if deep[0] else 1
    return 1 - step, step


def fitting(rule: Rule, form: Form, base: int, starts: list[W], elements: list[Element]) -> None:
    """What comes in is what the functor says: the start's constants, then those of the elements. Raises Refused."""
    axis = show_axis(next(axes[place] for _, axes, place in elements))
    apart = [(wire, known_axes(rule.ctx, wire, rule.span, rule.name)) for wire in starts]
    along = [(wire, [axes[place], *axes[:place], *axes[place + 1 :]]) for wire, axes, place in elements]
    for number, wires in ((base, apart), (1 - base, along)):
        wanted = [part for part in form.summands[number] if isinstance(part, Leaf)]
        place = f" along `{axis}`" if wires is along else ""
        said = f"what comes in{place}, for `{show_summand(form.summands[number])}` of `{show_form(form)}`"
        if len(wanted) != len(wires):
            raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, len(wanted), len(wires), said))
        for (wire, axes), leaf in zip(wires, wanted, strict=True):
            found = Leaf(wire.leaf.kind, tuple(axes))
            expected = Leaf(leaf.kind, (axes[0], *leaf.axes) if wires is along else leaf.axes)
            turned = W(wire.builder, found, wire.constant, wire.name, wire.where)
            if not rule.ctx.port(turned, expected, rule.span, said):
                raise Refused


def begun(rule: Rule, b: Builder, leg: ast.Expr, starts: Bundle, carrier: Object | None) -> Bundle | None:
    """The state before the first element. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    span = env.module.span(leg)
    if (value := constant(rule, leg)) is not None:
        if carrier is None:
            raise ctx.refuse(wrong.StateUntold(span, rule.name))
        if starts.wires:
            raise ctx.refuse(wrong.ArityMismatch(span, 0, len(starts.wires), f"the input of `{span.text}`"))
        return filled(rule, b, carrier, value)
    from catdl.check.forms import is_wire  # late: it reads the table of rules, in which this stands

    out = ctx.wires(leg, env, b) if is_wire(ctx, leg, env) else ctx.apply(leg, env, b, starts)
    if out.bad:
        return None
    if carrier is not None:
        out = in_order(out, carrier.names)
        if not ctx.ports(out, carrier, span, "what leg 1 gives: the state", way=out.way):
            return None
        out = Bundle(out.wires, carrier.names if any(carrier.names) else out.names)
    return out


def applied_leg(
    rule: Rule,
    b: Builder,
    node: ast.Expr,
    number: int,
    parts: tuple[Leaf | Child, ...] | None,
    groups: list[list[W]],
    names: dict[W, str],
) -> Bundle | None:
    """The leg of a step on an element and the state; None after a mistake."""
    ctx, env = rule.ctx, rule.head.env
    from catdl.check.forms import misfit  # late: it reads the table of rules, in which this stands

    wires = [wire for group in groups for wire in group]
    takes = misfit(ctx, node, env, len(wires), len(groups))
    if takes is not None:
        form = "an element @ the state" if parts is None else show_summand(parts)
        ctx.report(wrong.LegMismatch(env.module.span(node), LISTS, number + 1, form, len(wires), takes))
        return None
    bundle = Bundle(wires, tuple(names.get(wire) for wire in wires) if names else None)
    if any(len(group) != 1 for group in groups):
        bundle.groups = tuple((None, len(group)) for group in groups)
    out = ctx.apply(node, env, b, bundle)
    return None if out.bad else out
