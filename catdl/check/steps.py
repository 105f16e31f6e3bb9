"""One box for all steps along an axis: how its arguments are read, its wires parted, its type found.

Takes a call and the meaning of a step. Guarantees that what a step gives back has the type that went in, that its mode
is that of what comes back, and one record of weights for all steps: a parameter is copied along them (CDL, section 2).

    recur(rule, b, axis, start, elements, cell, …)      the last state, and the outputs along the axis
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from catdl import diagnostics as wrong
from catdl.check.builder import BAD, Builder, Bundle, Inner, W
from catdl.check.coalgebras import MACHINE
from catdl.check.context import Context
from catdl.check.emit import core
from catdl.check.functors import applied
from catdl.check.inner import emit_inner, inner_diagram
from catdl.check.legs import REVERSE
from catdl.check.rules.common import Rule, known_axes, place_of
from catdl.check.scope import Env
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.diagnostics.base import Diagnostic
from catdl.diagnostics.suggest import near
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.ragged import ragged_syms
from catdl.types.sizes import add, short
from catdl.types.types import (
    Axis,
    Form,
    Leaf,
    Object,
    label_of,
    show_axis,
)

Cell: TypeAlias = "Callable[[Builder, list[W], list[W]], tuple[Bundle, list[W]] | None]"
"""A step: what goes round and the elements, to what goes round then and the outputs; None after a mistake."""


OPTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("fold", "scan", "scan0"), (REVERSE, "carrier", "functor")),
    **dict.fromkeys(("moore", "moore0"), (REVERSE, "carrier", MACHINE)),
    "mealy": (REVERSE, "last"),
    "unfold": ("until",),
}
"""What may be said by name, of each recursion along an axis."""


@record
class Options:
    """What is said by name in the parentheses, and what is not: the morphisms."""

    morphisms: tuple[ast.Expr, ...]
    reverse: bool = False
    last: bool = False
    carrier: Object | None = None
    functor: Form | None = None
    machine: ast.Expr | None = None
    until: ast.Expr | None = None


@record
class Result:
    """What a recursion gives: the last of what goes round, and the outputs along the axis."""

    last: list[W]
    outputs: list[W]
    reverse: bool


def read(rule: Rule, count: int, what: str) -> Options:
    """The arguments of a recursion. Raises Refused."""
    ctx, env = rule.ctx, rule.head.env
    plain: list[ast.Expr] = []
    found: dict[str, object] = {}
    for arg in rule.head.args:
        span = env.module.span(arg)
        if arg.sep != "=":
            plain.append(arg.value.body if isinstance(arg.value, ast.Tie) else arg.value)
        elif arg.name not in OPTIONS[rule.name]:
            raise ctx.refuse(unknown(rule.name, arg.name or "", span))
        else:
            found[arg.name] = said(ctx, arg, env)
    if len(rule.items()) != 1:
        raise ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, f"{rule.name}[T]({what})"))
    if len(plain) < count:
        raise ctx.refuse(wrong.MissingArgument(rule.span, what, rule.name))
    if len(plain) > count:
        raise ctx.refuse(wrong.TooManyArguments(env.module.span(plain[count]), rule.name, count, len(plain)))
    return Options(tuple(plain), **found)  # type: ignore[arg-type]


def said(ctx: Context, arg: ast.Arg, env: Env) -> object:
    """What is said by name. Raises Refused."""
    match arg.name:
        case "carrier":
            return ctx.types.object(arg.value, env)
        case "functor":
            return applied(ctx.types, arg.value, env)[0]
        case "until" | "machine":
            return arg.value
        case _:
            return ctx.statics.truth(arg.value, env)


def unknown(rule: str, name: str, span: Span) -> Diagnostic:
    """Report what a recursion cannot be told by name."""
    return wrong.UnknownArgument(span, name, rule, near(name, OPTIONS[rule]), OPTIONS[rule])


def inside(rule: Rule, body: Callable[[Builder, list[W]], Bundle]) -> Bundle:
    """In place; an occurrence with a name holds its parameters under it."""
    label, wires = rule.head.label, rule.all_wires()
    if label is None:
        return body(rule.b, wires)
    inner, out = inner_diagram(
        rule.ctx, rule.b, label, [w.leaf for w in wires], wires, lambda i, x: body(i, x.wires)
    )  # fmt: skip
    if out.bad:
        return BAD
    leaves = [w.leaf for w in inner.outputs]
    return emit_inner(rule.b, Inner("call", inner, label), wires, leaves, out.names, label, rule.span, label)


Element: TypeAlias = "tuple[W, list[Axis], int]"
"""A wire with its axes, and the place among them of the axis along which the steps go."""


def arranged(rule: Rule, wires: list[W]) -> tuple[Axis, list[W], list[Element]]:
    """The axis, the wires without it, and those with it. Raises Refused."""
    item = rule.items()[0]
    lists = [known_axes(rule.ctx, wire, rule.span, rule.name) for wire in wires]
    label = item.name if item.sep == ":" else item.value.id if isinstance(item.value, ast.Name) else None
    wanted = None if label is None else label_of(rule.ctx.types.label(label, rule.head.env))
    axis: Axis | None = None
    without: list[W] = []
    elements: list[Element] = []
    for wire, axes in zip(wires, lists, strict=True):
        if wanted is not None and place_of(axes, wanted) is None:
            without.append(wire)
            continue
        place = rule.find(axes, item)
        if axis is None:
            axis = axes[place]
        blame = Blame(rule.span, None, wire.leaf, f"the axes of `{rule.name}`")
        if not rule.ctx.solver.same_axis(axes[place], axis, blame):
            raise Refused
        elements.append((wire, axes, place))
    if axis is None:
        if lists:
            rule.find([a for axes in lists for a in axes], item)  # tells which axes there are
        raise rule.ctx.refuse(wrong.AxisNotFound(rule.span, label or "", (), rule.name))
    return axis, without, elements


def parted(rule: Rule, b: Builder, wires: list[W]) -> tuple[Axis, list[W], list[W]]:
    """The axis, the wires without it, and those with it, which then comes first. Raises Refused."""
    axis, without, elements = arranged(rule, wires)
    return axis, without, [fronted(rule, b, *element) for element in elements]


def state_names(rule: Rule, wires: list[W], starts: list[W]) -> tuple[str | None, ...]:
    """The ports of the state, as what comes in calls them."""
    names = dict(zip(wires, rule.inp.names or (), strict=False))
    return tuple(names.get(wire) for wire in starts)


def fronted(rule: Rule, b: Builder, wire: W, axes: list[Axis], place: int) -> W:
    """A wire with one of its axes in front."""
    if place == 0:
        return wire
    perm = (place, *(k for k in range(len(axes)) if k != place))
    leaf = Leaf(wire.leaf.kind, tuple(axes[k] for k in perm))
    made = core(rule.ctx, b, "permute", [wire], [leaf], rule.span, perm=perm).wires[0]
    made.name = wire.name
    return made


def recur(
    rule: Rule,
    b: Builder,
    axis: Axis,
    start: Bundle,
    elements: list[W],
    cell: Cell,
    reverse: bool,
    context: str,
    node: ast.Expr,
) -> Result | None:
    """One box for all steps. A step gives back the type that it takes. None after a mistake; raises Refused."""
    ctx = rule.ctx
    starts = [b.take(w) for w in start.wires]
    carrier = [w.leaf for w in starts]
    inner_elements = [Leaf(w.leaf.kind, w.leaf.axes[1:]) for w in elements]
    sampled: frozenset[int] = frozenset()
    for _ in range(3 + len(starts)):
        gave: list[tuple[Bundle, list[W]]] = []
        since = ctx.asked()

        def body(inner: Builder, entered: Bundle, gave: list[tuple[Bundle, list[W]]] = gave) -> Bundle:
            made = cell(inner, entered.wires[: len(starts)], entered.wires[len(starts) :])
            if made is None:
                return BAD
            gave.append(made)
            return Bundle([*made[0].wires, *made[1]])

        inner, out = inner_diagram(
            ctx, b, rule.name, [*carrier, *inner_elements], [*starts, *elements], body, folded=True, sampled=sampled
        )  # fmt: skip
        if out.bad:
            return None
        state, outputs = gave[-1]
        if len(state.wires) != len(starts):
            fits(rule, state, carrier, context, node)
            return None
        pairs = list(zip(state.wires, starts, strict=True))
        differs = frozenset(k for k, (o, w) in enumerate(pairs) if w.constant and not o.constant)
        weaker = [lesser(ctx, w.leaf, leaf) for w, leaf in zip(state.wires, carrier, strict=True)]
        settled = differs <= sampled and all(new is old for new, old in zip(weaker, carrier, strict=True))
        sampled, carrier = sampled | differs, weaker
        # Also of a step that is read once more: what it leaves open is what the state says.
        if not fits(rule, state, carrier, context, node):
            return None
        if settled:
            break
        ctx.forget(since)
    inner.outputs = [inner.take(w) for w in (*state.wires, *outputs)]
    inner.out_names = (None,) * len(inner.outputs)
    leaves = [along(rule, axis, w) for w in outputs]
    op = Inner("fold", inner, rule.name, len(starts), "tied", (axis,), None, reverse)
    made = emit_inner(b, op, [*starts, *elements], [*carrier, *leaves], None, rule.name, rule.span, None)
    return Result(made.wires[: len(starts)], made.wires[len(starts) :], reverse)


def fits(rule: Rule, state: Bundle, carrier: list[Leaf], context: str, node: ast.Expr) -> bool:
    """Whether a step gives back what it takes; tells where it does not."""
    expected = Object(tuple(carrier), (None,) * len(carrier))
    return rule.ctx.ports(state, expected, rule.head.env.module.span(node), context, way=state.way)


def lesser(ctx: Context, found: Leaf, taken: Leaf) -> Leaf:
    """What comes back may mean less than what went in: then the steps run on the lesser kind."""
    return Leaf(found.kind, taken.axes) if ctx.kinds.weaker(found.kind.name, taken.kind.name) else taken


def along(rule: Rule, axis: Axis, wire: W) -> Leaf:
    """The type of an output with the axis in front. Raises Refused."""
    axes = known_axes(rule.ctx, wire, rule.span, rule.name)
    label = label_of(axis.label)
    if isinstance(label, str) and any(label_of(a.label) == label for a in axes):
        raise rule.ctx.refuse(wrong.LabelRepeated(rule.span, show_axis(axis), f"in the result of `{rule.name}`"))
    return Leaf(wire.leaf.kind, (axis, *axes))


def ended(rule: Rule, made: Result, b: Builder) -> list[W]:
    """The states before every element, and the last after them. Raises Refused."""
    out: list[W] = []
    for last, before in zip(made.last, made.outputs, strict=True):
        axis = before.leaf.axes[0]
        assert isinstance(axis, Axis)
        for name in sorted(ragged_syms(axis.size)):
            why = f"it gives one state more than there are elements: `scan[{short(name)}]` gives the one after each"
            raise rule.ctx.refuse(wrong.RaggedWhole(rule.span, rule.name, short(name), why))
        one = Leaf(last.leaf.kind, (Axis(axis.label, 1), *last.leaf.axes))
        grown = core(rule.ctx, b, "expand", [last], [one], rule.span, position=0, size=1).wires
        whole = Leaf(last.leaf.kind, (Axis(axis.label, add(axis.size, 1)), *last.leaf.axes))
        pair = [*grown, before] if made.reverse else [before, *grown]
        out += core(rule.ctx, b, "concat", pair, [whole], rule.span, axis=0).wires
    return out
