"""Calls by signature: binders matched against the wires that come in, types of what goes out.

Takes a scheme, static arguments and wires; guarantees that what the domain determines is bound from it, that what is
left becomes an unknown of the solver, and that an equal call on equal closed types is typed once.
"""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding, bind_arguments, fill, open_binding, take_labels, told_all
from catdl.check.builder import BAD, ERROR_LEAF, Builder, Bundle, PendingOp, Plugged, Use, W
from catdl.check.context import Context, Head
from catdl.check.emit import closed_leaf, core, distinct
from catdl.check.facts import demand
from catdl.check.fills import check_fills
from catdl.check.match import locate, match_domain, opened, types_of
from catdl.check.names import local_params
from catdl.check.places import misplaced
from catdl.check.plugs import is_open, plugged_twice, read_plugs
from catdl.check.scope import MorphismDef, Static
from catdl.check.scores import check_scales, scales, score, sums
from catdl.check.signature import (
    FixedPart,
    LeafPart,
    ObjectPart,
    OpenPart,
    Scheme,
    decided,
)
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.ragged import of_leaves
from catdl.types.types import Axis, AxisItem, Kind, Label, LabelVar, Leaf, Object, label_of, plain, walk_axes


def codomain(
    binding: Binding, at_first: tuple[int, ...] | None, rank: int
) -> tuple[list[Leaf], list[tuple[int, ...] | None], list[str | None]]:
    """The types of what goes out, with acted axes put back in their places. Raises Refused."""
    leaves: list[Leaf] = []
    at: list[tuple[int, ...] | None] = []
    names: list[str | None] = []
    ctx = binding.ctx
    for part in decided(binding.scheme.codomain, ctx.statics, binding.env)[0]:
        match part:
            case FixedPart(_, value):
                leaves += value.leaves
                at += [None] * len(value.leaves)
                names += value.names
            case ObjectPart(binder, name):
                known = binding.names.get(binder)
                if not isinstance(known, Object):
                    raise ctx.refuse(wrong.RankUndetermined(binding.span, f"the result of `{binding.definition.name}`"))
                leaves += known.leaves
                at += [None] * len(known.leaves)
                names += [name] * len(known.leaves)
            case OpenPart():
                made = opened(binding, part)
                leaves += made.leaves
                at += [None] * len(made.leaves)
                names += made.names
            case LeafPart(name=name):
                leaf = types_of(binding, part)
                placed, where = put_back(binding, part, leaf, at_first, rank)
                leaves.append(placed)
                at.append(where)
                names.append(name)
    return leaves, at, names


def put_back(
    binding: Binding, part: LeafPart, leaf: Leaf, at_first: tuple[int, ...] | None, rank: int
) -> tuple[Leaf, tuple[int, ...] | None]:
    """A result whose trailing axes take the places of the acted ones."""
    if at_first is None or not any(isinstance(i.value, ast.Splice) for i in part.items):
        return leaf, None
    axes = walk_axes(leaf.axes)
    acted = 0
    for item in part.items:
        row = binding.explicit_row.get(item.value.name or "", ()) if isinstance(item.value, ast.Splice) else ("",)
        acted += 0 if row == ("*",) else len(row)
    rest, new = list(axes[: len(axes) - acted]), axes[len(axes) - acted :]
    places = [p + rank for p in at_first]
    if acted == 0:
        return leaf, None
    if acted == len(places):
        slots = dict(zip(places, new, strict=True))
        out: list[AxisItem] = [slots[i] if i in slots else rest.pop(0) for i in range(len(axes))]
        where = tuple(p - len(axes) for p in places)
    else:
        start = min(places) - sum(1 for p in places if p < min(places))
        out = [*rest[:start], *new, *rest[start:]]
        where = tuple(range(start - len(axes), start - len(axes) + acted))
    if where == tuple(range(-acted, 0)):
        return Leaf(leaf.kind, tuple(out)), None
    return Leaf(leaf.kind, tuple(out)), where


def call(ctx: Context, definition: MorphismDef, head: Head, b: Builder, inp: Bundle) -> Bundle:
    """A call of a morphism by its signature."""
    span = head.span
    assert span is not None
    if inp.bad or any(w.leaf is ERROR_LEAF for w in inp.wires):
        return BAD
    around, ctx.statics.at = ctx.statics.at, (definition.module.source, span)
    try:
        key = memo_key(ctx, definition, head, inp)
        scaled = scales(definition, head)
        values: dict[str, object] | None = None
        if (
            key is None
            and not head.plugs
            and head.args
            and not scaled
            and all(id(w.leaf) in ctx.canon_ids for w in inp.wires)
        ):
            values = bind_arguments(ctx, definition, head, span)
            key = value_key(definition, values, head, inp)
        found = ctx.memo.get(key) if key is not None else None
        if found is not None:
            op, leaves, names, effects = found
            return finish_call(ctx, b, op, inp.wires, leaves, names, effects, head.name, span, head.label)
        scheme = ctx.library.scheme(definition)
        if scheme is None:
            return BAD
        if key is not None and (exact := closed_call(definition, scheme, inp.wires, span)) is not None:
            ctx.memo[key] = (*exact, ctx.library.traits(definition)[1])
            op, leaves, names, effects = ctx.memo[key]
            return finish_call(ctx, b, op, inp.wires, leaves, names, effects, head.name, span, head.label)
        if values is None:
            values = bind_arguments(ctx, definition, head, span)
        binding = open_binding(ctx, definition, scheme, head, values, span)
        plugs, pending = open_plugs(binding, head, b)
        refuse_never(binding, inp.wires)
        given = inp.wires
        inp, order = brought_forward(binding, inp, b)
        wires, at_in = match_domain(binding, inp)
        wanted = [(path, wire, leaf_type(binding, node)) for path, wire, node in plugs]
        take_labels(binding)
        check_scales(binding, head, b, scaled)
        check_fills(binding)
        for path, wire, leaf in wanted:
            where = next(head.env.module.span(a.value) for a in head.plugs if a.name in (path, None))
            context = f"the parameter `{path}` of `{definition.name}`"
            has = f"has the parameter `{path}`"
            if not ctx.port(wire, untwinned(ctx, leaf, wire.leaf), where, context, head.name_span, has):
                raise Refused  # the sizes that it was to give are not known
        rank = len(walk_axes(wires[0].leaf.axes)) if wires else 0
        leaves, at_out, names = codomain(binding, at_in[0] if at_in else None, rank)
        told_all(binding)
        leaves = overloaded(binding, wires, leaves)
        if head.items is None and wires and (mistake := misplaced(binding, wires[0], leaves)) is not None:
            raise ctx.refuse(mistake)
        for leaf in leaves:
            distinct(ctx, leaf, span)
    except Refused:
        return BAD
    finally:
        ctx.statics.at = around
    closed = not binding.fresh and not head.plugs and all(closed_leaf(leaf) for leaf in leaves)
    asked = definition.head.where.facts if definition.head.where is not None else ()
    blame = Blame(span, wire=wires[0] if wires else None, use=ctx.solver.use)
    if not closed:
        ctx.demands += [(fact, binding.env, blame) for fact in asked]
    elif not all(demand(ctx, fact, binding.env, blame) for fact in asked):
        return BAD  # told: what comes out is nothing to go by
    if closed:
        leaves = [ctx.canon(Leaf(leaf.kind, walk_axes(leaf.axes))) for leaf in leaves]
    args = {p.name: binding.names.get(p.name) for p in definition.head.params or () if p.name is not None}
    args |= {name: Static(value) for name, value in values.items() if name not in args}
    op = Use(
        definition,
        args,
        {name: binding.names.get(name) for name, _ in scheme.binders},
        tuple(at_in) if any(at_in) else None,
        tuple(at_out) if any(at_out) else None,
        span,
        named=head.items is not None,
    )
    effects = ctx.library.traits(definition)[1]
    if closed and key is not None and wires == given:
        op.closed = True
        ctx.memo[key] = (op, leaves, tuple(names), effects)
    out = finish_call(ctx, b, op, wires, leaves, tuple(names), effects, head.name, span, head.label)
    b.boxes[-1].plugs = [(name, wire) for name, wire, _ in plugs]
    b.boxes[-1].pending = pending
    return out if order is None else sent_back(binding, out, order, b)


def brought_forward(binding: Binding, inp: Bundle, b: Builder) -> tuple[Bundle, tuple[int, ...] | None]:
    """Wires permuted to a signature that names acted axes before a row (`[C, ..P]`), and the first wire's order.

    Raises Refused.
    """
    ctx = binding.ctx
    parts = binding.scheme.domain
    if not binding.explicit or len(parts) != len(inp.wires):
        return inp, None
    first: tuple[int, ...] | None = None
    out: list[W] = []
    for part, wire in zip(parts, inp.wires, strict=True):
        order = layout(binding, part, wire) if isinstance(part, LeafPart) else None
        if order is None:
            out.append(wire)
            continue
        first = first or order
        axes = walk_axes(wire.leaf.axes)
        leaf = Leaf(wire.leaf.kind, tuple(axes[i] for i in order))
        out += core(ctx, b, "permute", [wire], [leaf], binding.span, perm=order).wires
    if first is None:
        return inp, None
    binding.placed = True
    moved = Bundle(out, inp.names)
    moved.groups = inp.groups
    return moved, first


def layout(binding: Binding, part: LeafPart, wire: W) -> tuple[int, ...] | None:
    """Where each axis of a wire goes in a signature with an acted axis before a row; None for any other signature."""
    names = [i.name if i.sep == ":" else i.value.id if isinstance(i.value, ast.Name) else None for i in part.items]
    rows = [i for i, item in enumerate(part.items) if isinstance(item.value, ast.Splice)]
    explicit = [i for i, name in enumerate(names) if name in binding.explicit]
    if len(rows) != 1 or not explicit or explicit[0] > rows[0]:
        return None
    axes = walk_axes(wire.leaf.axes)
    found = {i: locate(binding, axes, binding.explicit[names[i] or ""]) for i in explicit}
    if any(place is None for place in found.values()):
        return None
    rest = [i for i in range(len(axes)) if i not in found.values()]
    spare = len(rest) - (len(part.items) - len(explicit) - 1)
    order: list[int] = []
    for i in range(len(part.items)):
        if i in found:
            order.append(found[i] or 0)
        else:
            count = spare if i in rows else 1
            order += rest[:count]
            rest = rest[count:]
    return tuple(order)


def sent_back(binding: Binding, out: Bundle, order: tuple[int, ...], b: Builder) -> Bundle:
    """Results of the input's form with their axes back where the input had them."""
    back = tuple(order.index(i) for i in range(len(order)))
    wires: list[W] = []
    for wire in out.wires:
        axes = walk_axes(wire.leaf.axes)
        if len(axes) != len(order) or back == tuple(range(len(back))):
            wires.append(wire)
            continue
        leaf = Leaf(wire.leaf.kind, tuple(axes[i] for i in back))
        wires += core(binding.ctx, b, "permute", [wire], [leaf], binding.span, perm=back).wires
    return Bundle(wires, out.names)


def closed_call(
    definition: MorphismDef, scheme: Scheme, wires: list[W], span: Span
) -> tuple[Use, list[Leaf], tuple[str | None, ...]] | None:
    """A call that leaves nothing to find out: a morphism of the user's own on wires of just the types it declares."""
    if scheme.generic or len(scheme.domain) != 1 or len(scheme.codomain) != 1 or definition.head.where is not None:
        return None
    given, made = scheme.domain[0], scheme.codomain[0]
    if definition.overloads or not isinstance(given, FixedPart) or not isinstance(made, FixedPart):
        return None
    leaves = given.value.leaves
    if len(leaves) != len(wires) or any(w.leaf is not leaf for w, leaf in zip(wires, leaves, strict=True)):
        return None
    return Use(definition, {}, {}, None, None, span, True), list(made.value.leaves), made.value.names


def memo_key(ctx: Context, definition: MorphismDef, head: Head, inp: Bundle) -> object | None:
    """A key for a call without arguments on closed types."""
    if head.args or head.items is not None or head.plugs or inp.names is not None:
        return None
    ids = ctx.canon_ids
    if len(inp.wires) == 1:
        leaf = inp.wires[0].leaf
        return (definition, id(leaf)) if id(leaf) in ids else None
    if all(id(w.leaf) in ids for w in inp.wires):
        return (definition, tuple(id(w.leaf) for w in inp.wires))
    return None


def value_key(definition: MorphismDef, values: dict[str, object], head: Head, inp: Bundle) -> object | None:
    """A key for a call with closed arguments on closed types."""
    if head.items is not None or inp.names is not None:
        return None
    if any(isinstance(v, Axis) and isinstance(label_of(v.label), LabelVar) for v in values.values()):
        return None
    return (definition, tuple(values.items()), tuple(id(w.leaf) for w in inp.wires))


def finish_call(
    ctx: Context,
    b: Builder,
    op: PendingOp,
    wires: list[W],
    leaves: list[Leaf],
    names: tuple[str | None, ...],
    effects: frozenset[str],
    name: str,
    span: Span,
    label: str | None,
) -> Bundle:
    """Emit the box of a call."""
    inputs = [w if w.builder is b else b.take(w) for w in wires]
    sampled = bool(ctx.facts.may_be_zero) and bool(of_leaves(leaves))
    constant = not sampled and all(w.constant for w in inputs)
    outputs = [W(b, leaf, constant, None, span) for leaf in leaves]
    for wire in outputs:
        wire.origin = name
    b.emit(op, inputs, outputs, name, span, label)
    if effects:
        b.effects |= effects
    out = Bundle(outputs, names if any(names) else None)
    if len(inputs) > 1 and isinstance(op, Use) and (over := sums(op.definition)):
        summed = tuple(axis for name in over if isinstance(axis := op.binds.get(name), Axis))
        return score(ctx, b, out, inputs, summed)
    return out


def refuse_never(binding: Binding, wires: list[W]) -> None:
    """Kinds that make no sense together, told in the overload's words before any port is read. Raises Refused."""
    definition = binding.definition
    if not definition.overloads:
        return
    found = tuple(w.leaf.kind.name for w in wires)
    best = binding.ctx.kinds.choose(definition.overloads, found, None)
    if len(best) == 1 and best[0].outputs is None:
        shown = tuple(plain(k) for k in found)
        why = binding.ctx.meeting(wires, binding.span)
        raise binding.ctx.refuse(wrong.KindNever(binding.span, definition.name, shown, best[0].message, why=why))


def overloaded(binding: Binding, wires: list[W], leaves: list[Leaf]) -> list[Leaf]:
    """The results with the kinds of the overload that fits. Raises Refused."""
    ctx, definition = binding.ctx, binding.definition
    if not definition.overloads:
        return leaves
    found = tuple(w.leaf.kind.name for w in wires)
    best = ctx.kinds.choose(definition.overloads, found, None)
    if not best:
        return leaves
    if len(best) > 1:
        shown = tuple(" @ ".join(plain(k) for k in o.inputs) for o in best)
        raise ctx.refuse(wrong.KindAmbiguous(binding.span, definition.name, shown))
    chosen = best[0]
    assert chosen.outputs is not None  # told by `refuse_never`
    return [
        Leaf(Kind(name, axis=leaf.kind.axis or (wires[0].leaf.kind.axis if wires else None)), leaf.axes)
        for name, leaf in zip(chosen.outputs, leaves, strict=True)
    ]


def open_plugs(binding: Binding, head: Head, b: Builder) -> tuple[list[tuple[str, W, ast.Expr]], list[Plugged]]:
    """What is plugged in for parameters: for the leaves of a layer wires at once, with the type as it is declared.

    All else waits until the leaves are known. Raises Refused.
    """
    out: list[tuple[str, W, ast.Expr]] = []
    later: list[Plugged] = []
    if not head.plugs:
        return out, later
    ctx = binding.ctx
    declared = local_params(binding.definition.head.body) if not binding.definition.module.name else []
    for plug in read_plugs(ctx, head, b):
        live = [p for p in declared if holds(ctx, p, binding)]
        param = next((p for p in live if p.name == plug.path), None)
        if plug.path is None and len(live) == 1:
            param = live[0]
        if param is None or plug.value is None or len(plug.value.wires) != 1 or later:
            later.append(plug)
            continue
        wire = b.take(plug.value.wires[0])
        if not wire.constant:
            later.append(plug)
            continue
        if any(param.name == name for name, _, _ in out):
            raise ctx.refuse(plugged_twice(plug, param.name))
        out.append((param.name, wire, param.type))
    return out, later


def leaf_type(binding: Binding, node: ast.Expr) -> Leaf:
    """The type that a parameter has in a call whose wires are matched; what they leave open is unknown."""
    fill(binding, node)
    types = binding.ctx.types
    if isinstance(node, ast.Index):
        return Leaf(types.kind(node.base, binding.env) or Kind("Real"), types.axes(node.items, binding.env))
    leaf = types.object(node, binding.env).leaves[0]
    assert isinstance(leaf, Leaf)
    return leaf


def untwinned(ctx: Context, leaf: Leaf, given: Leaf) -> Leaf:
    """A parameter's type as a declared one can have it: no type has a label twice, so a square map's has a twin.

    Where a label stands twice, and where what is given has an axis and its twin, any label will do.
    """
    axes = walk_axes(leaf.axes)
    loose = repeated([label_of(a.label) for a in axes if isinstance(a, Axis)])
    loose |= {i for i, a in enumerate(axes) if isinstance(a, Axis) and is_open(label_of(a.label))}
    if len(axes) == len(given.axes):
        loose |= repeated([base_label(a.label) for a in walk_axes(given.axes) if isinstance(a, Axis)])
    if not loose:
        return leaf
    return Leaf(
        leaf.kind,
        tuple(
            Axis(ctx.solver.label(), a.size) if i in loose and isinstance(a, Axis) else a for i, a in enumerate(axes)
        ),
    )


def repeated(labels: list[Label]) -> set[int]:
    """The places of the names that occur more than once."""
    return {i for i, label in enumerate(labels) if isinstance(label, str) and labels.count(label) > 1}


def base_label(label: Label) -> Label:
    """The label that a twin is the twin of."""
    label = label_of(label)
    return label.rstrip("'") if isinstance(label, str) else label


def holds(ctx: Context, param: ast.LocalParam, binding: Binding) -> bool:
    """Whether the condition of a parameter is true in this call. Raises Refused."""
    return param.condition is None or ctx.statics.truth(param.condition, binding.env)
