"""Wires matched against the domain of a signature.

Takes a binding and wires; guarantees that every binder which the domain determines is bound from it, and says where the
axes that the signature acts on stand in each wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding, fill
from catdl.check.builder import Bundle, W
from catdl.check.names import mentioned
from catdl.check.ports import in_order
from catdl.check.scope import Static
from catdl.check.signature import (
    ChoicePart,
    FixedPart,
    LabelOf,
    LeafPart,
    ObjectPart,
    OpenPart,
    Part,
    Row,
    decided,
)
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.check.ways import Port
from catdl.diagnostics.suggest import near
from catdl.diagnostics.words import listed
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.subrow import places
from catdl.types.types import (
    Axis,
    AxisItem,
    Kind,
    Leaf,
    Object,
    Word,
    label_of,
    plain,
    show_axis,
    show_label,
    walk_axes,
)

SIGNATURE = "expected by this signature"


def locate(binding: Binding, axes: tuple[AxisItem, ...], label: str) -> int | None:
    """Where the axis of that label stands; a size written with it is checked. Raises Refused."""
    for place, axis in enumerate(axes):
        if isinstance(axis, Axis):
            known = label_of(axis.label)
            if known == label or (isinstance(known, Word) and show_label(known) == label):
                if label in binding.sized:
                    check_written(binding, axis, binding.sized[label])
                return place
    return None


def check_written(binding: Binding, axis: Axis, item: ast.Arg) -> None:
    """A size that a call writes with the name of an axis must be that axis's. Raises Refused."""
    ctx, head = binding.ctx, binding.head
    assert head is not None
    blame = Blame(
        head.env.module.span(item), None, None, f"at the axis `{item.name}` as it is written here", way=head.way
    )
    if not ctx.solver.same_size(axis.size, ctx.statics.size(item.value, head.env), blame):
        raise Refused


def brackets(name: str, axes: Sequence[AxisItem]) -> str:
    """How an operation names the last axis, if that has a name."""
    last = axes[-1] if axes else None
    label = show_label(last.label) if isinstance(last, Axis) else ""
    return f"{name}[{label.replace(' ', ', ')}]" if label else ""


def arrange(
    binding: Binding, part: LeafPart, wire: W, span: Span
) -> tuple[tuple[AxisItem, ...], tuple[int, ...] | None]:
    """The axes of a wire with those named in brackets moved to the end, and where they stood. Raises Refused."""
    axes = walk_axes(wire.leaf.axes)
    if binding.placed:
        return axes, None
    wanted: list[str] = []
    for item in part.items:
        if isinstance(item.value, ast.Splice):
            given = binding.explicit_row.get(item.value.name or "")
            if given == ("*",):
                return axes, None
            wanted += given or ()
        else:
            name = item.name if item.sep == ":" else item.value.id if isinstance(item.value, ast.Name) else None
            if name in binding.explicit:
                wanted.append(binding.explicit[name])
    if not wanted:
        return axes, None
    places: list[int] = []
    for label in wanted:
        place = locate(binding, axes, label)
        if place is None:
            available = tuple(show_axis(a) for a in axes)
            why = binding.ctx.travelled(binding.port().way)
            name = binding.definition.name
            raise binding.ctx.refuse(wrong.AxisNotFound(span, plain(label).lstrip("?"), available, name, why=why))
        if place in places:
            raise binding.ctx.refuse(wrong.LabelRepeated(span, plain(label), f"in `{binding.definition.name}[…]`"))
        places.append(place)
    rest = [i for i in range(len(axes)) if i not in places]
    moved = tuple(axes[i] for i in rest + places)
    rank = len(axes)
    if places == list(range(rank - len(places), rank)):
        return moved, None
    return moved, tuple(place - rank for place in places)


def expectation(binding: Binding, part: LeafPart, blame: Blame) -> Leaf | None:
    """The type that a tensor of a signature asks for, and where that comes from."""
    asked = preview(binding, part)
    used = mentioned([part.node])
    blame.against = next((wire for name, wire in binding.bound_by.items() if name in used), None)
    if blame.against is None and binding.definition.module.name:
        blame.origin, blame.origin_text = binding.definition.module.span(part.node), SIGNATURE
    return asked


def match_leaf(binding: Binding, part: LeafPart, wire: W, port: Port) -> tuple[int, ...] | None:
    """Match one wire against one tensor of the domain; gives where its acted axes stand. Raises Refused."""
    ctx = binding.ctx
    axes, at = arrange(binding, part, wire, binding.span)
    items = part.items
    blame = ctx.blame(wire, None, binding.span, port=port)
    blame.expect = lambda: expectation(binding, part, blame)
    splices = [i for i, item in enumerate(items) if isinstance(item.value, ast.Splice)]
    open_splices = [i for i in splices if not isinstance(binding.names.get(items[i].value.name or ""), Row)]  # type: ignore[union-attr]
    if len(open_splices) > 1:
        given = [i for i in open_splices if (items[i].value.name or "") in binding.explicit_row]  # type: ignore[union-attr]
        if not given:
            example = brackets(binding.definition.name, axes)
            raise ctx.refuse(
                wrong.NeedsAxes(binding.span, binding.definition.name, example, tuple(show_axis(a) for a in axes))
            )
    widths: list[int | None] = []
    for item in items:
        if isinstance(item.value, ast.Splice):
            name = item.value.name or ""
            bound = binding.names.get(name)
            given_row = binding.explicit_row.get(name)
            if isinstance(bound, Row):
                widths.append(len(walk_axes(bound.axes)))
            elif given_row == ("*",):
                widths.append(len(axes))
            elif given_row is not None:
                widths.append(len(given_row))
            else:
                widths.append(None)
        else:
            widths.append(1)
    fixed = sum(w for w in widths if w is not None)
    unknown = widths.count(None)
    if any(not isinstance(a, Axis) for a in axes):
        expected = types_of(binding, part)
        ctx.solver.same_axes(axes, expected.axes, blame)
        match_kind(binding, part, wire, port)
        return at
    if len(axes) < fixed or (unknown == 0 and len(axes) != fixed) or unknown > 1:
        if unknown == 1 and ("*",) in binding.explicit_row.values():
            widths = [0 if w is None else w for w in widths]
        else:
            ctx.solver.broken(blame)
            raise Refused
    spare = len(axes) - fixed
    place = 0
    for item, width in zip(items, widths, strict=True):
        count = spare if width is None else width
        run = axes[place : place + count]
        place += count
        if isinstance(item.value, ast.Splice):
            name = item.value.name or ""
            bound = binding.names.get(name)
            if isinstance(bound, Row):
                ctx.solver.same_axes(run, bound.axes, blame)
            else:
                binding.names[name] = Row(run)
                if name.endswith("'"):
                    match_subrow(binding, name, run, blame)
        else:
            found = run[0]
            assert isinstance(found, Axis)
            match_axis(binding, item, found, blame)
    match_kind(binding, part, wire, port)
    if blame.told:
        raise Refused
    return at


def match_subrow(binding: Binding, name: str, run: tuple[AxisItem, ...], blame: Blame) -> None:
    """Match the axes of `..S'` with those of `..S` that they are. Raises Refused."""
    whole = binding.names.get(name.rstrip("'"))
    if not isinstance(whole, Row):
        return
    axes = [a for a in walk_axes(whole.axes) if isinstance(a, Axis)]
    part = [a for a in run if isinstance(a, Axis)]
    at = places(part, axes)
    if at is None:
        binding.ctx.solver.broken(blame)
        raise Refused
    for axis, place in zip(part, at, strict=True):
        binding.ctx.solver.same_axis(axis, axes[place], blame)


def match_axis(binding: Binding, item: ast.Arg, found: Axis, blame: Blame) -> None:
    """Match one axis against one item of a signature. Raises Refused."""
    ctx, names = binding.ctx, binding.names
    node = item.value
    if item.sep == ":" and item.name is not None:
        sort = binding.sort(item.name)
        known = names.get(item.name)
        if sort in ("label", "axis"):
            if known is None:
                names[item.name] = LabelOf(found.label)
            else:
                label = known.label if isinstance(known, (Axis, LabelOf)) else None
                if label is not None and not ctx.solver.same_label(found.label, label):
                    ctx.solver.broken(blame)
                    return
        elif not ctx.solver.same_label(found.label, ctx.types.label(item.name, binding.env)):
            ctx.solver.broken(blame)
            return
        if isinstance(node, ast.Name) and binding.sort(node.id) == "size" and node.id not in names:
            names[node.id] = Static(found.size)
            return
        fill(binding, node)
        ctx.solver.same_size(found.size, ctx.statics.size(node, binding.env), blame)
        return
    if isinstance(node, ast.Name):
        sort = binding.sort(node.id)
        known = names.get(node.id)
        if sort == "axis" and known is None:
            names[node.id] = found
            return
        if sort == "axis" and isinstance(known, LabelOf):
            names[node.id] = Axis(known.label, found.size)
            return
        if sort == "size" and known is None:
            names[node.id] = Static(found.size)
            return
    fill(binding, node)
    expected = ctx.types.single(item, binding.env)
    ctx.solver.same_axis(found, expected, blame)


def match_kind(binding: Binding, part: LeafPart, wire: W, port: Port) -> None:
    """Match the kind of a wire against that of a signature. Raises Refused."""
    ctx, found = binding.ctx, wire.leaf.kind
    if wire.bad:
        return
    node = part.kind
    if isinstance(node, ast.Name) and binding.sort(node.id) == "kind":
        known = binding.names.get(node.id)
        if known is None:
            binding.names[node.id] = found
        elif isinstance(known, Kind) and not ctx.kinds.coerces(found.name, known.name):
            if ctx.kinds.coerces(known.name, found.name):
                binding.names[node.id] = found
            else:
                why = ctx.meeting([binding.bound_by[node.id], wire], binding.span)
                kinds = (plain(known.name), plain(found.name), binding.definition.name)
                raise ctx.refuse(wrong.UnrelatedKinds(binding.span, *kinds, why=why))
        return
    if isinstance(node, ast.Call) and not node.args:
        raise Refused  # told where the signature is
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and node.function.id == "Fin":
        name = node.args[0].value
        if (
            found.name == "Fin"
            and isinstance(name, ast.Name)
            and name.id not in binding.names
            and found.size is not None
        ):
            sort = binding.sort(name.id)
            if sort == "size":
                binding.names[name.id] = Static(found.size)
                return
            if sort == "axis":
                binding.names[name.id] = Axis(ctx.solver.label(), found.size)
                return
        fill(binding, name)
    if isinstance(node, ast.Call):
        fill(binding, node.args[0].value)
    kind = ctx.types.kind(node, binding.env)
    if kind is None:
        raise ctx.types.no_type(node, binding.env)
    expected = Leaf(kind, wire.leaf.axes)
    origin = binding.definition.module.span(part.node) if binding.definition.module.name else None
    if not ctx.coerce_kind(wire, expected, binding.span, "", origin, SIGNATURE, port):
        raise Refused


def preview(binding: Binding, part: LeafPart) -> Leaf | None:
    """The expected type as far as it is known, for a message."""
    try:
        return types_of(binding, part)
    except Refused:
        return None


def types_of(binding: Binding, part: LeafPart) -> Leaf:
    """A tensor of the signature under the binding; what is unbound becomes unknown. Raises Refused."""
    ctx = binding.ctx
    for item in part.items:
        if (
            item.sep == ":"
            and item.name is not None
            and binding.sort(item.name) == "label"
            and item.name not in binding.names
        ):
            binding.names[item.name] = LabelOf(ctx.solver.label())
        fill(binding, item.value)
    if isinstance(part.kind, ast.Call):
        fill(binding, part.kind)
    axes = ctx.types.axes(part.items, binding.env)
    node = part.kind
    if isinstance(node, ast.Name) and binding.sort(node.id) == "kind":
        known = binding.names.get(node.id)
        kind = known if isinstance(known, Kind) else Kind("Real")
    else:
        kind = ctx.types.kind(node, binding.env) or Kind("Real")
    return Leaf(ctx.types.with_axis(kind, axes), axes)


def match_domain(binding: Binding, inp: Bundle) -> tuple[list[W], list[tuple[int, ...] | None]]:
    """Match a bundle against the domain; gives its wires in order and where each is acted on. Raises Refused."""
    ctx = binding.ctx
    for part in binding.scheme.domain:
        # `mask: (if mask then … else ())`: a port that is given says so itself.
        if not isinstance(part, ChoicePart) or part.name is None or part.name not in (inp.names or ()):
            continue
        named = isinstance(part.condition, ast.Name) and part.condition.id == part.name
        if named and binding.names.get(part.name) == Static(False):
            binding.names[part.name] = Static(True)
    parts, _ = decided(binding.scheme.domain, ctx.statics, binding.env)
    wires = reorder(binding, inp)
    widths = part_widths(binding, parts, len(wires))
    expected = sum(widths)
    if expected != len(wires):
        notes = unfilled(binding, parts, inp, expected)
        context = f"the input of `{binding.definition.name}`"
        raise ctx.refuse(wrong.ArityMismatch(binding.span, expected, len(wires), context, notes=notes))
    at: list[tuple[int, ...] | None] = []
    place = 0
    for part, width in zip(parts, widths, strict=True):
        run = wires[place : place + width]
        port = ports_of(binding, part, place, expected)
        known = len(binding.names)
        match part:
            case LeafPart():
                at.append(match_leaf(binding, part, run[0], port(0)))
            case ObjectPart(binder):
                bound = binding.names.get(binder)
                if isinstance(bound, Object):
                    if not ctx.ports(
                        Bundle(run), bound, binding.span, "", against=binding.bound_by.get(binder), port=port
                    ):
                        raise Refused
                else:
                    binding.names[binder] = Object(tuple(w.leaf for w in run), (None,) * len(run))
                at += [None] * width
            case FixedPart(node) | OpenPart(node):
                value = part.value if isinstance(part, FixedPart) else opened(binding, part)
                origin = binding.definition.module.span(node) if binding.definition.module.name else None
                if not ctx.ports(Bundle(run), value, binding.span, "", origin, SIGNATURE, port):
                    raise Refused
                at += [None] * width
        if len(binding.names) != known and width:
            for name in list(binding.names)[known:]:
                binding.bound_by[name] = run[0]
        place += width
    return wires, at


def opened(binding: Binding, part: OpenPart) -> Object:
    """A leg that is read under the binding; what is unbound becomes unknown. Raises Refused."""
    fill(binding, part.node)
    return binding.ctx.types.object(part.node, binding.env)


def unfilled(binding: Binding, parts: tuple[Part, ...], inp: Bundle, expected: int) -> tuple[str, ...]:
    """What to say where wires are missing: ports that nothing comes to, and arguments that may be meant as wires."""
    found = len(inp.wires)
    if found >= expected:
        return ()
    out: list[str] = []
    ports = [None if isinstance(part, FixedPart) else part.name for part in parts]
    if len(ports) == expected and all(ports):
        free = [port for port in ports if port and port not in (inp.names or ())]
        missing = free[found - (len(ports) - len(free)) :]
        out.append(f"nothing comes to {listed(missing)}")
    head = binding.head
    given = [a for a in head.args if not a.sep] if head is not None else []
    for arg, param in zip(given, binding.definition.head.params or (), strict=False):
        if head is not None and param.name is not None:
            text = head.env.module.span(arg).text
            out.append(f"`{text}` is taken for the argument `{param.name}`: a number is no wire")
    return tuple(out)


def ports_of(binding: Binding, part: Part, first: int, count: int) -> Callable[[int], Port]:
    """The places of a call that the wires of one leg come to."""
    name = None if isinstance(part, FixedPart) else part.name
    return lambda index: binding.port(first + index, count, name)


def part_widths(binding: Binding, parts: tuple[Part, ...], total: int) -> list[int]:
    """How many wires each leg takes."""
    widths: list[int] = []
    loose: list[int] = []
    for i, part in enumerate(parts):
        match part:
            case LeafPart():
                widths.append(1)
            case FixedPart(_, value):
                widths.append(len(value.leaves))
            case OpenPart():
                widths.append(len(opened(binding, part).leaves))
            case ObjectPart(binder):
                known = binding.names.get(binder)
                if isinstance(known, Object):
                    widths.append(len(known.leaves))
                else:
                    loose.append(i)
                    widths.append(1)
    if len({parts[i].binder for i in loose}) == 1 and loose:  # type: ignore[union-attr]
        spare = total - (sum(widths) - len(loose))
        if spare >= 0 and spare % len(loose) == 0:
            for i in loose:
                widths[i] = spare // len(loose)
    return widths


def reorder(binding: Binding, inp: Bundle) -> list[W]:
    """The wires in the order of the signature's ports, where both sides name them. Raises Refused."""
    ports: list[str | None] = []
    for part in decided(binding.scheme.domain, binding.ctx.statics, binding.env)[0]:
        match part:
            case FixedPart(_, value):
                ports += value.names
            case OpenPart():
                ports += opened(binding, part).names
            case _:
                ports.append(part.name)
    if inp.names is None or not any(inp.names) or not any(ports):
        return list(inp.wires)
    if len(set(filter(None, ports))) < sum(map(bool, ports)):  # records of one form side by side: each by itself
        return in_order(inp, ports).wires
    by_name = {name: wire for name, wire in zip(inp.names, inp.wires, strict=True) if name}
    for name in by_name:
        if name not in ports:
            available = tuple(p for p in ports if p)
            span = (inp.places or {}).get(name, binding.span)
            close = near(name, available)
            raise binding.ctx.refuse(wrong.NoSuchPort(span, name, available, close, binding.definition.name))
    out: list[W] = []
    rest = [wire for name, wire in zip(inp.names, inp.wires, strict=True) if not name]
    for port in ports:
        if port in by_name:
            out.append(by_name[port])
        elif rest:
            out.append(rest.pop(0))
    return out + rest
