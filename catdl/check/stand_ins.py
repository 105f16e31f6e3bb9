"""Binders inside a body: what they stand for in an instance, and where a generic definition is checked by itself."""

from __future__ import annotations

from catdl.check.context import Context
from catdl.check.scope import (
    Env,
    MorphismDef,
    Static,
)
from catdl.check.signature import (
    ChoicePart,
    FixedPart,
    LabelOf,
    LeafPart,
    ObjectPart,
    OpenPart,
    Part,
    Row,
    Scheme,
    Whole,
    decided,
)
from catdl.types.sizes import sym
from catdl.types.subrow import places
from catdl.types.types import Axis, AxisItem, Kind, Leaf, Object, Word, plain


def stand_in(name: str, sort: str) -> object:
    """What a binder stands for where a generic definition is checked by itself."""
    axis = Axis(f"~::{name}", sym(f"~::{name}"))
    match sort:
        case "axis":
            return axis
        case "label":
            return LabelOf(f"~::{name}")
        case "size":
            return Static(sym(f"~::{name}"))
        case "kind":
            return Kind("Real")
        case "row":
            return Row((axis,))
        case _:
            return Object((Leaf(Kind("Real"), (axis,)),), (None,))


def bound(name: str, value: object, definition: MorphismDef, outer_labels: bool, whole: object = None) -> object:
    """What a binder stands for inside the body of an instance; `whole` is the row that a row `..S'` is part of."""

    def own(axis: Axis, label: str) -> Axis:
        # The caller's labels may clash with each other or with the body's own (a square linear map).
        if outer_labels and isinstance(axis.label, (str, Word)):
            return axis
        return Axis(f"{definition.name}::{label}", axis.size)

    match value:
        case Axis():
            return own(value, name)
        case Object() | Kind():
            return value
        case tuple() if all(isinstance(v, Axis) for v in value) and is_row(definition, name):
            at = places(value, whole) if isinstance(whole, tuple) else None
            if at is not None and isinstance(whole, tuple):
                labels = row_labels(name.rstrip("'"), whole, definition)
                return Row(tuple(own(v, labels[k]) for v, k in zip(value, at, strict=True)))
            return Row(tuple(map(own, value, row_labels(name, value, definition))))
        case str() if (definition.sorts or {}).get(name) == "label":
            return LabelOf(f"{definition.name}::{name}")
        case LabelOf(label):
            # As with an axis: one that has no name at the use is known by the binder's.
            named = outer_labels and isinstance(label, (str, Word))
            return value if named else LabelOf(f"{definition.name}::{name}")
        case _:
            return Static(value)


def row_labels(name: str, row: tuple[Axis, ...], definition: MorphismDef) -> list[str]:
    """The names of the axes of a row inside a body: the caller's, unless a binder has it; else one made of `name`."""
    kept = [plain(axis.label) if isinstance(axis.label, str) else "" for axis in row]
    kept = [label if label not in (definition.sorts or {}) else "" for label in kept]
    taken = set(kept)
    labels: list[str] = []
    for i, label in enumerate(kept):
        made = f"{name}{i}"
        while not label and made in taken:  # the caller may call an axis `S1` as well
            made += "_"
        labels.append(label or made)
    return labels


def is_row(definition: MorphismDef, name: str) -> bool:
    """Whether a binder is a row."""
    return (definition.sorts or {}).get(name) == "row"


def side(ctx: Context, parts: tuple[Part, ...], env: Env) -> Object:
    """One side of a signature with every binder known. Raises Refused."""
    leaves: list[Leaf] = []
    names: list[str | None] = []
    for part in decided(parts, ctx.statics, env)[0]:
        match part:
            case FixedPart(_, value):
                leaves += list(value.leaves)
                names += value.names
            case OpenPart(node):
                value = ctx.types.object(node, env)
                leaves += list(value.leaves)
                names += value.names
            case ObjectPart(binder, name):
                known = env.names.get(binder)
                assert isinstance(known, Object)
                leaves += list(known.leaves)
                names += [name] if len(known.leaves) == 1 else known.names
            case LeafPart(node, kind_node, items, name):
                axes: tuple[AxisItem, ...] = ctx.types.axes(items, env)
                ctx.types.distinct(axes, node, env)
                kind = ctx.types.kind(kind_node, env)
                if kind is None:
                    raise ctx.types.no_type(kind_node, env)
                leaves.append(Leaf(ctx.types.with_axis(kind, axes), axes))
                names.append(name)
    return Object(tuple(leaves), tuple(names))


def groups(ctx: Context, scheme: Scheme, env: Env) -> tuple[tuple[str | None, int], ...]:
    """The ports of a signature as it writes them, with the number of wires of each. Raises Refused."""
    out: list[tuple[str | None, int]] = []
    last: Whole | None = None
    if len(scheme.domain) == 1 and isinstance(only := scheme.domain[0], FixedPart):
        return only.value.groups or ()
    for part in scheme.domain:
        match part:
            case FixedPart(_, value, name):
                out.append((name, len(value.leaves)))
            case OpenPart(node, name):
                out.append((name, len(ctx.types.object(node, env).leaves)))
            case ObjectPart(binder, name):
                known = env.names.get(binder)
                out.append((name, len(known.leaves) if isinstance(known, Object) else 1))
            case ChoicePart(name=name):
                out.append((name, len(decided((part,), ctx.statics, env)[0])))
            case LeafPart(whole=Whole() as whole):
                if whole is not last:
                    out.append((whole.name, whole.count))
                last = whole
            case LeafPart(name=name):
                out.append((name, 1))
    return tuple(out)
