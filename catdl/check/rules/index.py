"""Rules of indices, constants, samples and the operations that stand outside plain arithmetic."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle, W
from catdl.check.context import Over
from catdl.check.rules.common import BOOL, REAL, Rule, literal, pointwise
from catdl.check.rules.rearrange import blame
from catdl.check.rules.shape import one_axis
from catdl.check.static import Refused
from catdl.syntax import ast
from catdl.types.types import Anonymous, Axis, AxisItem, Kind, LabelVar, Leaf, label_of, show_axis, show_kind


def index(rule: Rule) -> Bundle:
    """`index[A]`: 0, 1, … as Fin(A)[A]."""
    rule.wires(0)
    items = rule.items()
    if len(items) != 1:
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, "index", "index[N]"))
    axis = rule.ctx.types.single(items[0], rule.head.env)
    return rule.out("index", [], [Leaf(Kind("Fin", axis.size), (axis,))], size=axis.size)


def new_axes(rule: Rule) -> tuple[AxisItem, ...]:
    """The axes in brackets, as a type lists them; none without brackets. Raises Refused."""
    return rule.ctx.types.axes(tuple(rule.items()), rule.head.env)


def number(rule: Rule, value: object) -> W:
    """A number as a wire. Raises Refused for what is none."""
    made = literal(rule.ctx, rule.b, value, rule.span)
    if made.bad:
        raise Refused
    return made.wires[0]


def constant(rule: Rule) -> Bundle:
    """`zeros[…]`, `ones[…]`, `full[…](v)`; `zeros_like(x)` in the shape of a wire."""
    value: object
    if rule.name.startswith("full"):
        value = rule.args(("value",), {})["value"]
    else:
        rule.args((), {})
        value = 0 if rule.name.startswith("zeros") else 1
    axes: tuple[AxisItem, ...]
    if rule.name.endswith("_like"):
        axes = tuple(rule.axes(rule.wires(1)[0]))
    else:
        rule.wires(0)
        axes = new_axes(rule)
    wire = number(rule, value)
    kind = BOOL if isinstance(value, bool) else REAL
    for axis in reversed(axes):
        if not isinstance(axis, Axis):
            raise rule.ctx.refuse(wrong.RankUndetermined(rule.span, f"`{rule.name}`"))
        leaf = Leaf(kind, (axis, *wire.leaf.axes))
        wire = rule.out("expand", [wire], [leaf], position=0, size=axis.size).wires[0]
    if axes:
        wire.leaf = Leaf(kind, wire.leaf.axes)
    return Bundle([wire])


def into(rule: Rule, found: Kind, axis: Axis) -> bool:
    """An index must range over the axis it selects from: False, once told, if its size is another. Raises Refused."""
    if found.name != "Fin" or found.size is None:
        raise rule.ctx.refuse(
            wrong.KindMismatch(
                rule.span, f"Fin({show_axis(axis)})", show_kind(found), None, "", (), f"the index of `{rule.name}`"
            )
        )
    said = f"the range of the index of `{rule.name}`"
    return rule.ctx.solver.same_size(found.size, axis.size, blame(rule, said))


def along(rule: Rule, found: Kind, axes: list[Axis], place: int) -> None:
    """An index ranges over the axis at a place. Raises Refused where it ranges over another: so would the result."""
    if not into(rule, found, axes[place]) and any(axis.size == found.size for axis in axes):
        raise Refused


def gather(rule: Rule) -> Bundle:
    """`gather[A](x, i)`: A replaced by the axes of the index."""
    x, i = rule.wires(2)
    axes, picked = rule.axes(x), rule.axes(i)
    place = one_axis(rule, axes)
    along(rule, i.leaf.kind, axes, place)
    leaf = Leaf(rule.part(x.leaf.kind, axes[place]), (*axes[:place], *picked, *axes[place + 1 :]))
    return rule.out("gather", [x, i], [leaf], axis=place)


def pick(rule: Rule) -> Bundle:
    """`pick[A](x, i)`: one element along A for every index of the other axes."""
    x, i = rule.wires(2)
    axes = rule.axes(x)
    place = one_axis(rule, axes)
    along(rule, i.leaf.kind, axes, place)
    rest = tuple(a for k, a in enumerate(axes) if k != place)
    rule.ctx.port(i, Leaf(i.leaf.kind, rest), rule.span, "the index of `pick`")
    return rule.out("pick", [x, i], [Leaf(rule.element(x.leaf.kind), rest)], axis=place)


def scatter(rule: Rule) -> Bundle:
    """`scatter_sum[N](x, i)`: entries of x combined by their index in N."""
    x, i = rule.wires(2)
    axes, where = rule.axes(x), rule.axes(i)
    if len(where) != 1:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, 1, len(where), f"the axes of the index of `{rule.name}`"))
    items = rule.items()
    if len(items) != 1:
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, f"{rule.name}[N]"))
    new = rule.ctx.types.single(items[0], rule.head.env)
    if not into(rule, i.leaf.kind, new):
        raise Refused
    label = label_of(where[0].label)
    place = next(
        (k for k, a in enumerate(axes) if label_of(a.label) == label and not isinstance(label, (LabelVar, Anonymous))),
        None,
    )
    if place is None:
        place = next((k for k, a in enumerate(axes) if a.size == where[0].size), None)
    if place is None:
        available = tuple(show_axis(a) for a in axes)
        raise rule.ctx.refuse(wrong.AxisNotFound(rule.span, show_axis(where[0]), available, rule.name))
    rule.ctx.solver.same_size(axes[place].size, where[0].size, blame(rule, f"the index of `{rule.name}`"))
    kind = rule.part(x.leaf.kind, axes[place]) if rule.name != "scatter_mean" else REAL
    leaf = Leaf(kind, (*axes[:place], new, *axes[place + 1 :]))
    fn = rule.name.removeprefix("scatter_")
    return rule.out("scatter", [x, i], [leaf], axis=place, size=new.size, fn=fn)


def sample(rule: Rule) -> Bundle:
    """`normal_like(x)`, `uniform_like(x)`, `bernoulli_like(x, p = 0.5)`: draws in the shape of a wire."""
    dist = rule.name.removesuffix("_like")
    names = ("p",) if dist == "bernoulli" else ()
    args = rule.args(names, {"p": 0.5} if names else {})
    wire = rule.wires(1)[0]
    leaf = Leaf(REAL, tuple(rule.axes(wire)))
    drawn = "uniform" if dist == "bernoulli" else dist
    bundle = rule.out("sample", [wire], [leaf], dist=drawn)
    rule.b.effects.add("rand")
    if dist != "bernoulli":
        return bundle
    chance = number(rule, args["p"])
    places = tuple(range(len(leaf.axes)))
    below = rule.out("pointwise", [*bundle.wires, chance], [Leaf(BOOL, leaf.axes)], fn="lt", align=(places, ()))
    return rule.out("pointwise", below.wires, [leaf], fn="real", align=(places,))


def training(rule: Rule) -> Bundle:
    """`if_training(a, b)`."""
    a, b = rule.wires(2)
    rule.ctx.port(b, Leaf(b.leaf.kind, a.leaf.axes), rule.span, "the two sides of `if_training`", against=a)
    kind = a.leaf.kind if a.leaf.kind == b.leaf.kind else Kind(rule.ctx.kinds.root(a.leaf.kind.name), a.leaf.kind.size)
    return rule.out("training", [a, b], [Leaf(kind, tuple(rule.axes(a)))])


def stop(rule: Rule) -> Bundle:
    """`stop_gradient`."""
    wire = rule.wires(1)[0]
    return rule.out("stop", [wire], [wire.leaf])


def straight(rule: Rule) -> Bundle:
    """`straight_through(x, y)`: y forward, the gradient goes to x."""
    x, y = rule.wires(2)
    rule.ctx.port(y, Leaf(y.leaf.kind, x.leaf.axes), rule.span, "the two sides of `straight_through`", against=x)
    return rule.out("straight", [x, y], [y.leaf])


def read_as(rule: Rule) -> Bundle:
    """`as[Probs]`: read the numbers as a kind; nothing is computed."""
    wire = rule.wires(1)[0]
    items = rule.items() or rule.head.args
    kind = rule.ctx.types.kind(items[0].value, rule.head.env) if len(items) == 1 else None
    if kind is None:
        raise rule.ctx.refuse(wrong.BadArgument(rule.span, "kind", "a kind, as in `as[Probs]`", "something else", "as"))
    kinds = rule.ctx.kinds
    if kinds.root(kind.name) != kinds.root(wire.leaf.kind.name):
        raise rule.ctx.refuse(wrong.KindMismatch(rule.span, show_kind(kind), show_kind(wire.leaf.kind), wire.where))
    leaf = Leaf(rule.ctx.types.with_axis(kind, tuple(rule.axes(wire))), wire.leaf.axes)
    return rule.out("permute", [wire], [leaf], perm=tuple(range(len(rule.axes(wire)))))


def fin(rule: Rule) -> Bundle:
    """`fin[A]`: whole numbers read as places of the axis A."""
    wire = rule.wires(1)[0]
    items = rule.items()
    axis = rule.ctx.types.axis(items[0], rule.head.env) if len(items) == 1 else None
    if not isinstance(axis, Axis):
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, "fin", "fin[Class]"))
    axes = tuple(rule.axes(wire))
    identity = tuple(range(len(axes)))
    return rule.out("pointwise", [wire], [Leaf(Kind("Fin", axis.size), axes)], fn="fin", align=(identity,))


def cast(rule: Rule) -> Bundle:
    """`cast[Real]`, `cast[Bool]`, `cast[Fin(n)]`: the numbers stored as another kind is."""
    ctx = rule.ctx
    wire = rule.wires(1)[0]
    items = rule.items() or rule.head.args
    kind = ctx.types.kind(items[0].value, rule.head.env) if len(items) == 1 else None
    fn = {"Real": "real", "Bool": "bool", "Fin": "fin"}.get(ctx.kinds.root(kind.name)) if kind is not None else None
    if kind is None or fn is None:
        raise ctx.refuse(wrong.BadArgument(rule.span, "kind", "a kind, as in `cast[Real]`", "something else", "cast"))
    axes = tuple(rule.axes(wire))
    return rule.out("pointwise", [wire], [Leaf(kind, axes)], fn=fn, align=(tuple(range(len(axes))),))


def over(rule: Rule) -> Bundle:
    """`over[T, I](e)`: pointwise arithmetic with operands spread over the listed axes by label.

    A bare name says the label; the size is the operands' (an axis may have been resized, or made in this body), and
    the declared one where no operand has the axis.
    """
    ctx, env = rule.ctx, rule.head.env
    target: list[Axis] = []
    opened: set[int] = set()
    made: dict[int, ast.Name] = {}  # axes that are known by their label alone
    for item in rule.items():
        if item.sep != ":":
            name = item.value
            if isinstance(name, ast.Name) and env.find(name.id) is None and not name.id.endswith("'"):
                made[len(target)] = name
                opened.add(len(target))
                target.append(Axis(ctx.types.label(name.id, env), 1))
                continue
        axis = ctx.types.axis(item, env)
        row = [a for a in (axis if isinstance(axis, tuple) else (axis,)) if isinstance(a, Axis)]
        if item.sep != ":":
            opened |= {len(target) + i for i, a in enumerate(row) if not isinstance(label_of(a.label), Anonymous)}
        target += row
    if len(rule.head.args) != 1 or not target:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "expression", "over"))
    outer, ctx.over = ctx.over, Over(target, opened)
    try:
        bundle = ctx.wires(rule.head.args[0].value, env, rule.b)
    finally:
        ctx.over = outer
    if bundle.bad:
        return bundle
    if len(bundle.wires) != 1:
        raise ctx.refuse(wrong.ArityMismatch(rule.span, 1, len(bundle.wires), "the expression under `over`"))
    for place, name in made.items():
        if place in opened:
            raise ctx.refuse(wrong.UnknownName(env.module.span(name), name.id, "dim"))
    wire = bundle.wires[0]
    axes = rule.axes(wire)
    order = [i for t in target for i, a in enumerate(axes) if label_of(a.label) == label_of(t.label)]
    if len(order) == len(axes) and order != list(range(len(axes))):
        wire = rule.out(
            "permute", [wire], [Leaf(wire.leaf.kind, tuple(axes[i] for i in order))], perm=tuple(order)
        ).wires[0]
        axes = rule.axes(wire)
    for place, axis in enumerate(target):
        if place >= len(axes) or label_of(axes[place].label) != label_of(axis.label):
            leaf = Leaf(wire.leaf.kind, (*axes[:place], axis, *axes[place:]))
            wire = rule.out("expand", [wire], [leaf], position=place, size=axis.size).wires[0]
            axes = rule.axes(wire)
    return Bundle([wire])


def pointwise_rule(rule: Rule) -> Bundle:
    """A pointwise function by its name."""
    wires = rule.all_wires()
    extra: list[ast.Arg] = rule.head.args
    for arg in extra:
        if arg.sep == "=":
            raise rule.ctx.refuse(wrong.UnknownArgument(rule.head.env.module.span(arg), arg.name or "", rule.name))
        wires += rule.ctx.wires(arg.value, rule.head.env, rule.b).wires
    want = 3 if rule.name == "where" else 2 if rule.name in BINARY else 1
    if len(wires) != want:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, want, len(wires), f"the input of `{rule.name}`"))
    return pointwise(rule.ctx, rule.b, rule.name, wires, rule.span)


BINARY = frozenset(
    [
        "add",
        "sub",
        "mul",
        "div",
        "pow",
        "mod",
        "floordiv",
        "maximum",
        "minimum",
        "atan2",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "and",
        "or",
        "xor",
    ]
)
UNARY = frozenset(
    [
        "neg",
        "exp",
        "log",
        "log1p",
        "expm1",
        "sqrt",
        "rsqrt",
        "reciprocal",
        "abs",
        "sign",
        "floor",
        "ceil",
        "round",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfinv",
        "erfc",
        "lgamma",
        "digamma",
        "sigmoid",
        "softplus",
        "not",
        "real",
        "bool",
        "isnan",
        "isfinite",
    ]
)
