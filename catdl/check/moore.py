"""Moore machines: `moore[T](out, next)`, `moore0[T](…)`, and their coalgebras (CDL, appendix J).

Takes what a state shows and the state after it, or the name of a coalgebra of `Out @ (In -> X)`. Guarantees outputs
that are told by the state alone, and that both fit the functor, factor by factor.

    coalgebra counter : State -> Moore(State) = (linear, (s, x) => tanh(s + x))
    moore[T](counter)       from a state and inputs, what it shows after each
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Inner, W
from catdl.check.coalgebras import (
    INPUT,
    MACHINE,
    after_input,
    factors,
    functor_named,
    hears,
    input_of,
    is_moore,
    on,
    reads,
    with_value,
)
from catdl.check.declared import over_axis
from catdl.check.functors import arguments, functor, summands
from catdl.check.inner import emit_inner, inner_diagram
from catdl.check.legs import REVERSE, along_axis
from catdl.check.machines import grouped
from catdl.check.ports import in_order
from catdl.check.rules.common import Rule
from catdl.check.scope import Env, FunctorDef, MorphismDef
from catdl.check.static import Refused
from catdl.check.steps import Options, along, arranged, ended, inside, parted, read, recur, state_names
from catdl.syntax import ast
from catdl.types.types import Axis, Child, Leaf, Object


def moore(rule: Rule) -> Bundle:
    """`moore[T](out, next)`, out : C -> Out, next : C @ In -> C: the output of the state after every input."""
    if not rule.items() and any(arg.name == MACHINE for arg in rule.head.args):
        return one_step(rule)
    return outputs_of(rule, False)


def moore0(rule: Rule) -> Bundle:
    """`moore0[T](out, next)`: the output of every state, that of the start, too."""
    return outputs_of(rule, True)


def outputs_of(rule: Rule, first: bool) -> Bundle:
    """A Moore machine: the states, and what is shown of each. Raises Refused."""
    plain = [arg.value for arg in rule.head.args if arg.sep != "="]
    if len(plain) == 1 and rule.items():
        return by_name(rule, plain[0].body if isinstance(plain[0], ast.Tie) else plain[0])
    options = read(rule, 2, "out, next")
    shown, step = options.morphisms
    if options.carrier is not None and options.machine is not None:
        fitting(rule, rule.head.env, options.carrier, options.machine)

    def body(b: Builder, wires: list[W]) -> Bundle:
        axis, starts, elements = parted(rule, b, wires)
        names = state_names(rule, wires, starts)
        if options.carrier is not None and not any(names):
            names = options.carrier.names

        def cell(inner: Builder, carried: list[W], here: list[W]) -> tuple[Bundle, list[W]] | None:
            new = rule.ctx.apply(step, rule.head.env, inner, grouped(carried, here, names))
            new = in_order(new, names)
            return None if new.bad else (new, carried if first else new.wires)

        begun = len(b.boxes)
        made = recur(
            rule, b, axis, Bundle(starts), elements, cell, options.reverse, "the state that `next` gives", step
        )
        if made is None:
            rule.ctx.apply(shown, rule.head.env, b, BAD)
            return BAD
        states = ended(rule, made, b) if first else made.outputs
        out = everywhere(rule, b, shown, states, names, shows(rule, options))
        for box in b.boxes[begun:-1]:
            box.after = b.boxes[-1]  # `out` is written before `next`
        return out

    return inside(rule, body)


def fitting(rule: Rule, env: Env, carrier: Object, machine: ast.Expr) -> None:
    """What comes in is what the functor of a machine says: its state, and what it reads. Raises Refused."""
    _, starts, elements = arranged(rule, rule.all_wires())
    given = input_of(rule.ctx.types, ast.Field(machine, INPUT, machine.start, machine.end), env)
    each = [(w, Leaf(w.leaf.kind, (*axes[:at], *axes[at + 1 :]))) for w, axes, at in elements]
    single = [W(wire.builder, leaf, wire.constant, wire.name, wire.where) for wire, leaf in each]
    for wires, wanted, what in (
        (starts, carrier, f"the state that `{rule.name}` starts from"),
        (single, given, f"what `{rule.name}` reads at every step"),
    ):
        if not rule.ctx.ports(Bundle(wires), wanted, rule.span, what):
            raise Refused


def shows(rule: Rule, options: Options) -> Object | None:
    """What a state shows, as the functor of a machine says; None where none is said. Raises Refused."""
    if options.carrier is None or options.machine is None:
        return None
    found = functor(rule.ctx.types, options.machine, rule.head.env)
    assert found is not None, "a machine is of a functor"
    parts = typed(rule, found, options.machine, rule.head.env, options.carrier)
    leaves = tuple(leaf for made, heard, _ in parts if not heard for leaf in made.leaves)
    return Object(leaves, (None,) * len(leaves))


def by_name(rule: Rule, node: ast.Expr) -> Bundle:
    """A declared coalgebra along an axis. Raises Refused."""
    from catdl.check.forms import head_of  # late: it reads the table of rules, in which this stands

    env = rule.head.env
    head = head_of(rule.ctx, node, env)
    target = head.target if head is not None else None
    found = functor_named(target) if isinstance(target, MorphismDef) else None
    span = env.module.span(node)
    if head is None or found is None or not isinstance(target, MorphismDef):
        helps = "write `(out, next)`, or the name of a coalgebra of `Out @ (In -> X)`"
        raise rule.ctx.refuse(wrong.NotACoalgebra(span, f"`{span.text}`, which is none", helps))
    body = target.head.body
    if not is_moore(found) or not isinstance(body, ast.Call):
        words = (f"`{head.name}`, whose output hangs on the input", f"`mealy[T]({head.name})` runs it")
        if not reads(target):
            words = f"`{head.name}`, which reads nothing", f"`unfold[T]({head.name})` makes a stream of it"
        raise rule.ctx.refuse(wrong.NotACoalgebra(span, *words))
    pair = body.args[0].value
    assert isinstance(pair, ast.Tuple)
    shown = tuple(i.value for i, part in zip(pair.items, factors(found), strict=False) if not hears(found, part))
    step = next(i.value for i, part in zip(pair.items, factors(found), strict=False) if hears(found, part))
    out = shown[0] if len(shown) == 1 else ast.Fan(shown, pair.start, pair.end)
    reverse = any(arg.name == REVERSE for arg in rule.head.args)
    if not target.head.params and not target.head.binders:  # told where it is used
        said = {arg.name: arg.value for arg in body.args if arg.name is not None}
        scope = Env(target.module)
        fitting(rule, scope, rule.ctx.types.object(said["carrier"], scope), said[MACHINE])
    return over_axis(rule, node, head, along_axis(target, rule.name, reverse, (out, step)))


def one_step(rule: Rule) -> Bundle:
    """A coalgebra that is written factor by factor, on a state and what it reads. Raises Refused."""
    from catdl.check.forms import join  # late: it reads the table of rules, in which this stands

    ctx, env = rule.ctx, rule.head.env
    given = {arg.name: arg.value for arg in rule.head.args if arg.name is not None}
    pair, machine = rule.head.args[0].value, given[MACHINE]
    assert isinstance(pair, ast.Tuple)
    found = functor(ctx.types, machine, env)
    if found is None or not is_moore(found):
        return ctx.apply(pair, env, rule.b, rule.inp)
    shown = f"`{found.module.span(found.node).text.partition(' ')[2].strip()}`"
    if len(pair.items) != len(factors(found)):
        words = f"{len(pair.items)} legs", f"a coalgebra of {shown} has a leg for each factor, {len(factors(found))}"
        raise ctx.refuse(wrong.NotACoalgebra(env.module.span(pair), *words))
    carrier = ctx.types.object(given["carrier"], env)
    wires, count = rule.all_wires(), len(carrier.leaves)
    legs: list[Bundle] = []
    for number, (item, (wanted, heard, text)) in enumerate(
        zip(pair.items, typed(rule, found, machine, env, carrier), strict=True), 1
    ):
        state = grouped(wires[:count], wires[count:] if heard else [], carrier.names)
        out = ctx.apply(item.value, env, rule.b, state)
        out = in_order(out, wanted.names)
        context = f"what leg {number} gives, for `{text}` of {shown}"
        if out.bad or not ctx.ports(out, wanted, env.module.span(item), context, way=out.way):
            return BAD
        legs.append(out)
    return join(legs)


def typed(rule: Rule, found: FunctorDef, node: ast.Expr, env: Env, carrier: Object) -> list[tuple[Object, bool, str]]:
    """The factors of a functor on a state: what each is, whether it comes after an input, how it is written."""
    types = rule.ctx.types
    scope, _ = arguments(types, found, node, env)
    out = []
    for part in factors(found):
        alone = after_input(with_value(found, part))
        made = on(carrier, summands(types, alone, scope, [(Child(),)], 0))
        out.append((made, hears(found, part), found.module.span(part).text))
    return out


def everywhere(
    rule: Rule,
    b: Builder,
    shown: ast.Expr,
    states: list[W],
    names: tuple[str | None, ...],
    wanted: Object | None,
) -> Bundle:
    """One morphism at every index of the first axis."""
    axis = states[0].leaf.axes[0]
    assert isinstance(axis, Axis)
    leaves = [Leaf(w.leaf.kind, w.leaf.axes[1:]) for w in states]

    def body(inner: Builder, entered: Bundle) -> Bundle:
        out = rule.ctx.apply(shown, rule.head.env, inner, grouped(entered.wires, [], names))
        fits = wanted is None or rule.ctx.ports(
            out, wanted, rule.span, f"what a state of `{rule.name}` shows", way=out.way
        )
        return out if fits else BAD

    inner, out = inner_diagram(rule.ctx, b, rule.name, leaves, states, body, mapped=1, folded=True)
    if out.bad:
        return BAD
    op = Inner("map", inner, rule.name, 1, "tied", (axis,))
    results = [along(rule, axis, wire) for wire in inner.outputs]
    return emit_inner(b, op, states, results, out.names, rule.name, rule.span, None)
