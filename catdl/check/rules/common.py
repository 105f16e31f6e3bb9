"""What the rules of core operations share: reading arguments and axes, emitting boxes, pointwise arithmetic.

A rule takes a `Rule` (the context, the diagram, the call taken apart, its wires) and gives a bundle; it raises
`Refused` after it has reported. `docs/core.md` says what each operation means.
"""

from __future__ import annotations

from fractions import Fraction

from catdl import diagnostics as wrong
from catdl.check.arguments import known_argument
from catdl.check.builder import BAD, Builder, Bundle, W
from catdl.check.context import Context, Head
from catdl.check.emit import core
from catdl.check.match import brackets
from catdl.check.scope import DimDef, MorphismDef
from catdl.check.signature import labelled
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.check.values import as_number, show_value
from catdl.diagnostics.suggest import near
from catdl.record import record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Poly
from catdl.types.types import (
    ANONYMOUS,
    Anonymous,
    Axis,
    Kind,
    Label,
    LabelVar,
    Leaf,
    Word,
    label_of,
    plain,
    show_axis,
    show_label,
    show_leaf,
    walk_axes,
)

REAL = Kind("Real")


BOOL = Kind("Bool")


POSITIVE = Kind("Positive")


@record(frozen=False)
class Rule:
    """One use of a core operation."""

    ctx: Context
    b: Builder
    head: Head
    inp: Bundle
    span: Span
    expr: ast.Expr

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.head.name

    def wires(self, count: int) -> list[W]:
        """Exactly so many input wires. Raises Refused."""
        if self.inp.bad:
            raise Refused
        if len(self.inp.wires) != count:
            raise self.ctx.refuse(
                wrong.ArityMismatch(self.span, count, len(self.inp.wires), f"the input of `{self.name}`")
            )
        return [self.b.take(w) for w in self.inp.wires]

    def all_wires(self) -> list[W]:
        """The input wires."""
        return [self.b.take(w) for w in self.inp.wires]

    def axes(self, wire: W) -> list[Axis]:
        """The axes of a wire. Raises Refused where their number is unknown."""
        return known_axes(self.ctx, wire, self.span, self.name)

    def element(self, kind: Kind) -> Kind:
        """What one number of a kind is by itself: of `Probs(A)` a `Prob`."""
        name = self.ctx.kinds.element(kind.name)
        return kind if name == kind.name else Kind(name)

    def part(self, kind: Kind, axis: Axis) -> Kind:
        """What numbers mean of which not all along an axis are left: if the kind names it, what each is by itself."""
        named = kind.axis is not None and label_of(kind.axis) == label_of(axis.label)
        return self.element(kind) if named else kind

    def items(self) -> list[ast.Arg]:
        """What stands in brackets."""
        return list(self.head.items or ())

    def find(self, axes: list[Axis], item: ast.Arg) -> int:
        """The position of the axis that an item in brackets names. Raises Refused."""
        return find_axis(self.ctx, axes, item, self.head, self.span, self.name)

    def places(self, axes: list[Axis]) -> list[int]:
        """Positions of the axes in brackets; `[..]` is all of them. Raises Refused."""
        items = self.items()
        if not items:
            raise self.ctx.refuse(
                wrong.NeedsAxes(
                    self.span,
                    self.name,
                    brackets(self.name, axes),
                    tuple(show_axis(a) for a in axes),
                )
            )
        if len(items) == 1 and isinstance(items[0].value, ast.Splice) and items[0].value.name is None:
            return list(range(len(axes)))
        out: list[int] = []
        for item in items:
            if isinstance(item.value, ast.Splice) and item.value.name is not None:
                row = self.ctx.types.axis(item, self.head.env)
                assert isinstance(row, tuple)
                out += [axes.index(a) for a in row if isinstance(a, Axis) and a in axes]
            else:
                out.append(self.find(axes, item))
        return out

    def args(self, names: tuple[str, ...], defaults: dict[str, object]) -> dict[str, object]:
        """Static arguments by position and name. Raises Refused."""
        ctx, env = self.ctx, self.head.env
        values = dict(defaults)
        place = 0
        for arg in self.head.args:
            where = env.module.span(arg)
            if arg.sep == "=" and arg.name is not None:
                if arg.name not in names:
                    raise ctx.refuse(wrong.UnknownArgument(where, arg.name, self.name, near(arg.name, names), names))
                values[arg.name] = ctx.statics.value(arg.value, env)
            else:
                if place >= len(names):
                    known_argument(ctx, arg, env)
                    self.axis_argument(arg)
                    raise ctx.refuse(wrong.TooManyArguments(where, self.name, len(names), len(self.head.args), names))
                values[names[place]] = ctx.statics.value(arg.value, env)
                place += 1
        for name in names:
            if name not in values:
                raise ctx.refuse(wrong.MissingArgument(self.span, name, self.name))
        return {name: as_number(value) for name, value in values.items()}

    def axis_argument(self, arg: ast.Arg) -> None:
        """An axis among the arguments was meant for the brackets. Raises Refused."""
        if isinstance(arg.value, ast.Name) and isinstance(self.head.env.find(arg.value.id), (Axis, DimDef)):
            where, example = self.head.env.module.span(arg), f"{self.name}[{arg.value.id}]"
            raise self.ctx.refuse(wrong.NeedsAxes(where, self.name, example))

    def whole(self, value: object, name: str) -> int:
        """A static whole number. Raises Refused."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.ctx.refuse(wrong.BadArgument(self.span, name, "a whole number", show_value(value), self.name))
        return value

    def size(self, value: object, name: str) -> int | Poly:
        """A static size. Raises Refused."""
        if isinstance(value, bool) or not isinstance(value, (int, Poly)):
            raise self.ctx.refuse(wrong.BadArgument(self.span, name, "a size", show_value(value), self.name))
        return value

    def out(self, op: str, inputs: list[W], leaves: list[Leaf], **attrs: object) -> Bundle:
        """Emit a core box."""
        return core(self.ctx, self.b, op, inputs, leaves, self.span, **attrs)


def known_axes(ctx: Context, wire: W, span: Span, name: str) -> list[Axis]:
    """The axes of a wire. Raises Refused where their number is unknown."""
    axes = walk_axes(wire.leaf.axes)
    out: list[Axis] = []
    for axis in axes:
        if not isinstance(axis, Axis):
            raise ctx.refuse(wrong.RankUndetermined(span, f"the input of `{name}`"))
        out.append(axis)
    return out


def find_axis(ctx: Context, axes: list[Axis], item: ast.Arg, head: Head, span: Span, name: str) -> int:
    """The position of the axis that an item names; a size written with the name is checked. Raises Refused."""
    env = head.env
    item = labelled(item)
    available = tuple(show_axis(a) for a in axes)
    if isinstance(item.value, ast.Tuple) and item.sep != ":":
        names = [i.value.id for i in item.value.items if isinstance(i.value, ast.Name) and i.sep != ":"]
        word = [label_of(ctx.types.label(name, env)) for name in names]
        for place, axis in enumerate(axes):
            label = label_of(axis.label)
            merged = [label_of(a.label) for a in label.axes] if isinstance(label, Word) else None
            if merged == word and len(names) == len(item.value.items):
                return place
    if item.sep == ":" and item.name is not None:
        wanted: Label = label_of(ctx.types.label(item.name, env))
        shown = item.name
    elif isinstance(item.value, ast.Name):
        wanted = label_of(ctx.types.label(item.value.id, env))
        shown = item.value.id
    elif isinstance(item.value, ast.Tuple):
        named = ctx.types.axis(item, env)
        wanted = label_of(named.label) if isinstance(named, Axis) else ANONYMOUS
        shown = show_label(wanted)
    else:
        raise ctx.refuse(wrong.NotAnAxis(env.module.span(item), name, available))
    found = place_of(axes, wanted)
    if found is None:
        why = ctx.travelled(head.way)
        raise ctx.refuse(wrong.AxisNotFound(env.module.span(item), shown, available, name, why=why))
    if item.sep == ":":
        blame = Blame(env.module.span(item), None, None, f"at the axis `{shown}` as it is written here", way=head.way)
        if not ctx.solver.same_size(axes[found].size, ctx.statics.size(item.value, env), blame):
            raise Refused
    return found


def place_of(axes: list[Axis], wanted: Label) -> int | None:
    """Where the axis of a label stands; one that only reads alike counts where none is the same."""
    for place, axis in enumerate(axes):
        label = label_of(axis.label)
        if label is wanted or (label == wanted and not isinstance(label, (Anonymous, LabelVar))):
            return place
    for place, axis in enumerate(axes):
        if show_label(axis.label) == show_label(wanted) != "":
            return place
    return None


def literal(ctx: Context, b: Builder, value: object, span: Span) -> Bundle:
    """A number as a constant wire without axes."""
    value = as_number(value)
    if isinstance(value, (str, tuple)):
        raise_text = wrong.NotAWire(span, show_value(value))
        ctx.report(raise_text)
        return BAD
    kind = BOOL if isinstance(value, bool) else REAL
    if not isinstance(value, (bool, Poly)) and isinstance(value, (int, float, Fraction)) and value > 0:
        kind = POSITIVE
    if isinstance(value, Poly):
        kind = POSITIVE
    bundle = core(ctx, b, "literal", [], [Leaf(kind, ())], span, value=value)
    bundle.wires[0].literal = value
    return bundle


def unify_kind(ctx: Context, fn: str, wires: list[W], span: Span) -> Kind:
    """The kind of the result of a pointwise function. Raises Refused."""
    entry = ctx.library_entry(fn)
    found = tuple(w.leaf.kind.name for w in wires)
    overloads = entry.overloads if isinstance(entry, MorphismDef) else ()
    numbers = [w.literal for w in wires if w.literal is not None]
    best = []
    if fn in ("mul", "div") and len(numbers) == 1 and len(wires) == 2 and isinstance(numbers[0], (int, Fraction)):
        factor = (
            numbers[0]
            if fn == "mul"
            else (Fraction(1) / numbers[0] if numbers[0] and wires[1].literal is not None else None)
        )
        other = wires[0] if wires[1].literal is not None else wires[1]
        scale = ctx.library_entry("scale")
        if isinstance(scale, MorphismDef) and factor is not None:
            best = ctx.kinds.choose(scale.overloads, (other.leaf.kind.name,), factor)
            if not best and factor <= 0 and ctx.kinds.root(other.leaf.kind.name) == "Real":
                return REAL
    if fn == "pow" and wires[1].literal is not None:
        best = ctx.kinds.choose(overloads, found[:1], wires[1].literal)
    best = best or ctx.kinds.choose(overloads, found, None)
    if len(best) > 1:
        raise ctx.refuse(wrong.KindAmbiguous(span, fn, tuple(" @ ".join(plain(k) for k in o.inputs) for o in best)))
    axis = next((w.leaf.kind.axis for w in wires if w.leaf.kind.axis is not None), None)
    if best:
        chosen = best[0]
        if chosen.outputs is None:
            raise ctx.refuse(
                wrong.KindNever(span, fn, tuple(plain(k) for k in found), chosen.message, why=ctx.meeting(wires, span))
            )
        return Kind(chosen.outputs[0], axis=axis if ctx.has_axis(chosen.outputs[0]) else None)
    return base_kind(ctx, fn, wires, span, entry)


COMPARE = {"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "xor", "isnan", "isfinite", "bool"}


def base_kind(ctx: Context, fn: str, wires: list[W], span: Span, entry: object) -> Kind:
    """Without a fitting overload: the signature's result, else arithmetic in the base. Raises Refused."""
    kinds = [w.leaf.kind for w in wires]
    if fn == "where":
        if ctx.kinds.root(kinds[0].name) != "Bool":
            expected = Leaf(BOOL, wires[0].leaf.axes)
            ctx.coerce_kind(wires[0], expected, span, "the condition of `where`")
            raise Refused
        return joined(ctx, kinds[1], kinds[2], span, fn, wires[1:])
    if fn in ("eq", "ne", "lt", "le", "gt", "ge"):
        roots = {ctx.kinds.root(k.name) for k in kinds}
        if len(roots) > 1 and ("Bool" in roots or len(roots - {"Real"}) > 1):
            why = ctx.meeting(wires, span)
            raise ctx.refuse(wrong.UnrelatedKinds(span, plain(kinds[0].name), plain(kinds[1].name), fn, why=why))
        return BOOL
    declared = ctx.declared_kinds(entry) if len(kinds) == 1 or fn in COMPARE else None
    if declared is not None:
        inputs, result = declared
        for wire, want in zip(wires, inputs, strict=False):
            expected = Leaf(Kind(want, wire.leaf.kind.size), wire.leaf.axes)
            if not ctx.kinds.coerces(wire.leaf.kind.name, want):
                ctx.coerce_kind(wire, expected, span, f"the input of `{fn}`")
                raise Refused
        return Kind(result)
    if len(kinds) == 1:
        return Kind(ctx.kinds.root(kinds[0].name), kinds[0].size)
    if all(ctx.kinds.root(k.name) == "Bool" for k in kinds):
        expected = Leaf(REAL, wires[0].leaf.axes)
        ctx.coerce_kind(wires[0], expected, span, f"the input of `{fn}`")
        raise Refused
    return joined(ctx, kinds[0], kinds[1], span, fn, wires)


def joined(ctx: Context, left: Kind, right: Kind, span: Span, fn: str, wires: list[W]) -> Kind:
    """What two kinds, of some of the wires, are read as together. Raises Refused."""
    if fn in ("where", "maximum", "minimum") and left.name == right.name:
        return left
    for wire_kind in (left, right):
        if wire_kind.name == "Fin":
            other = right if wire_kind is left else left
            if ctx.kinds.root(other.name) in ("Fin", "Real"):
                return Kind("Fin", wire_kind.size) if fn in ("where", "maximum", "minimum", "mod", "floordiv") else REAL
    root = ctx.kinds.meet(left.name, right.name)
    if root is None:
        why = ctx.meeting(wires, span)
        raise ctx.refuse(wrong.UnrelatedKinds(span, plain(left.name), plain(right.name), fn, why=why))
    return Kind(root)


def pointwise(ctx: Context, b: Builder, fn: str, wires: list[W], span: Span) -> Bundle:
    """A function at every index: operands agree axis by axis, or are numbers. Raises Refused."""
    key: object | None = None
    if trees := next((w for w in wires if w.leaf.kind.form is not None), None):
        raise ctx.refuse(wrong.TreesOnly(span, fn, show_leaf(trees.leaf), False))
    if len(wires) < 3 and all(id(w.leaf) in ctx.canon_ids and w.literal is None for w in wires) and ctx.over is None:
        key = (fn, tuple(id(w.leaf) for w in wires))
        found = ctx.memo.get(key)
        if found is not None:
            op, leaf = found
            inputs = [b.take(w) for w in wires]
            out = W(b, leaf, all(w.constant for w in inputs), None, span)
            out.origin = fn
            b.emit(op, inputs, [out], fn, span)
            return Bundle([out])
    if ctx.over is not None:
        axes, align = spread(ctx, wires, span)
    else:
        axes, align = agree(ctx, wires, span, fn)
    kind = unify_kind(ctx, fn, wires, span)
    bundle = core(ctx, b, "pointwise", wires, [Leaf(kind, tuple(axes))], span, fn=fn, align=align)
    if key is not None and id(bundle.wires[0].leaf) in ctx.canon_ids:
        ctx.memo[key] = (b.boxes[-1].op, bundle.wires[0].leaf)
    return bundle


def agree(ctx: Context, wires: list[W], span: Span, fn: str) -> tuple[list[Axis], tuple[tuple[int, ...], ...]]:
    """The common axes of operands; numbers have none. Raises Refused."""
    full = [w for w in wires if w.leaf.axes]
    lists: dict[int, list[Axis]] = {}
    if not full:
        return [], tuple(() for _ in wires)
    closed = [w for w in full if all(isinstance(a, Axis) for a in walk_axes(w.leaf.axes))]
    first = closed[0] if closed else full[0]
    for wire in full:
        if wire is not first:
            blame = ctx.blame(wire, first.leaf, span, f"the operands of `{fn}`")
            blame.against = first
            if all(isinstance(a, Axis) for a in walk_axes(wire.leaf.axes)) and wire.leaf is not first.leaf:
                check_operands(ctx, first, wire, span)
            ctx.solver.same_axes(wire.leaf.axes, first.leaf.axes, blame)
            if blame.told:
                raise Refused
    for wire in full:
        lists[id(wire)] = known_axes(ctx, wire, span, fn)
    # An axis without a name goes along with one that has one; it takes nothing away from it.
    axes = [min(column, key=namelessness) for column in zip(*(lists[id(w)] for w in full), strict=True)]
    identity = tuple(range(len(axes)))
    return axes, tuple(identity if w.leaf.axes else () for w in wires)


def namelessness(axis: Axis) -> int:
    """How little is known of what an axis is called: a name, one still to be found, none."""
    match label_of(axis.label):
        case Anonymous():
            return 2
        case LabelVar():
            return 1
        case _:
            return 0


def check_operands(ctx: Context, left: W, right: W, span: Span) -> None:
    """Operands with different axes are told what is missing where. Raises Refused."""
    a, c = known_axes(ctx, left, span, ""), known_axes(ctx, right, span, "")

    def names(axes: list[Axis]) -> list[str]:
        return [show_label(x.label) or str(show_axis(x)) for x in axes]

    left_names, right_names = names(a), names(c)
    if len(a) == len(c):
        mismatch = [
            (x, y)
            for x, y in zip(a, c, strict=True)
            if isinstance(label_of(x.label), str)
            and isinstance(label_of(y.label), str)
            and label_of(x.label) != label_of(y.label)
        ]
        if not mismatch:
            return
    only_left = tuple(n for n in left_names if n not in right_names)
    only_right = tuple(n for n in right_names if n not in left_names)
    left_type, right_type = show_leaf(left.leaf), show_leaf(right.leaf)
    alike = left_type == right_type and ctx.namesakes(Blame(span, left.leaf, right.leaf, "between the operands"))
    raise ctx.refuse(
        alike or wrong.ImplicitBroadcast(span, left_type, right_type, only_left, only_right, left.where, right.where)
    )


def spread(ctx: Context, wires: list[W], span: Span) -> tuple[list[Axis], tuple[tuple[int, ...], ...]]:
    """Operands spread over the axes of `over[…]` by label. Raises Refused."""
    assert ctx.over is not None
    target = ctx.over.axes
    align: list[tuple[int, ...]] = []
    used: set[int] = set()
    for wire in wires:
        places: list[int] = []
        for axis in known_axes(ctx, wire, span, "over"):
            label = label_of(axis.label)
            place = next((i for i, t in enumerate(target) if label_of(t.label) == label), None)
            if place is None:
                loose = [i for i, t in enumerate(target) if t.size == axis.size and i not in places]
                if isinstance(label, (LabelVar,)) and len(loose) == 1:
                    place = loose[0]
                    label.bound = target[place].label
                else:
                    available = tuple(show_axis(t) for t in target)
                    raise ctx.refuse(wrong.AxisNotFound(span, show_axis(axis), available, "over", lists=True))
            if place in ctx.over.open:
                ctx.over.open.discard(place)
                target[place] = Axis(target[place].label, axis.size)
            ctx.solver.same_size(axis.size, target[place].size, Blame(span, None, None, "an axis under `over`"))
            places.append(place)
        align.append(tuple(places))
        used.update(places)
    # Inside `over` an intermediate has only the axes its operands have, in the order that `over` gives.
    order = sorted(used)
    back = {place: i for i, place in enumerate(order)}
    return [target[i] for i in order], tuple(tuple(back[p] for p in places) for places in align)
