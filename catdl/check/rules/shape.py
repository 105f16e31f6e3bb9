"""Rules of the operations that move, merge, split and name axes."""

from __future__ import annotations

from catdl import diagnostics as wrong
from catdl.check.builder import Bundle, W
from catdl.check.fills import padded
from catdl.check.match import brackets
from catdl.check.rules.common import REAL, Rule, joined
from catdl.check.rules.rearrange import _open, blame, merge
from catdl.check.signature import labelled
from catdl.check.static import Refused
from catdl.check.values import as_number
from catdl.diagnostics.base import Edit, Help
from catdl.diagnostics.words import listed
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.ragged import ragged_syms, row
from catdl.types.sizes import Poly, Size, add, exact_div, floordiv, mul, normal, show, sub
from catdl.types.types import Axis, Kind, Leaf, Word, label_of, show_axis, show_label


def flatten(rule: Rule) -> Bundle:
    """`flatten`: all axes; `flatten[H, W]`: neighbours."""
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    places = rule.places(axes) if rule.items() else list(range(len(axes)))
    if len(places) == 1:
        return Bundle([wire])
    if not places:
        leaf = Leaf(wire.leaf.kind, (Axis(rule.ctx.solver.label(), 1),))
        return rule.out("expand", [wire], [leaf], position=0, size=1)
    if places != list(range(places[0], places[0] + len(places))):
        raise rule.ctx.refuse(apart(rule, axes, places))
    return Bundle([merge(rule, wire, places[0], len(places))])


def apart(rule: Rule, axes: list[Axis], places: list[int]) -> wrong.BadPattern:
    """What to say of axes to be merged that do not stand side by side: the move that brings them together."""
    names = [show_label(a.label) for a in axes]
    message = f"`flatten` merges neighbours in their order, and the axes are {listed([show_axis(a) for a in axes])}"
    chosen = [names[place] for place in places]
    label = f"{listed(chosen)} do not stand side by side in this order"
    helps: tuple[Help, ...] = ()
    if all(name.isidentifier() for name in names) and len(set(places)) == len(places):
        rest = [name for name in names if name not in chosen]
        front = sum(1 for place in range(places[-1]) if place not in places)
        order = [*rest[:front], *chosen, *rest[front:]]
        step = f"permute[{', '.join(order)}]"
        edits = (Edit(Span(rule.span.source, rule.span.start, rule.span.start), f"{step} >> "),)
        helps = (Help(f"move the axes together first: `{step}`", edits),)
    return wrong.BadPattern(rule.span, message, label, helps=helps)


def unflatten(rule: Rule) -> Bundle:
    """`unflatten[C](G: groups, I: C / groups)`: one axis as several, row-major."""
    ctx = rule.ctx
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    parts = ctx.types.axes(tuple(rule.head.args), rule.head.env)
    new = tuple(a for a in parts if isinstance(a, Axis))
    total: Size = 1
    for part in new:
        total = mul(total, part.size)
    if not ctx.solver.same_size(axes[place].size, total, blame(rule, "the parts of `unflatten` together")):
        raise Refused
    word = label_of(axes[place].label)
    if isinstance(word, Word) and not regroups(word.axes, new):
        raise ctx.refuse(misread(rule, axes[place], word, new))
    leaf = Leaf(wire.leaf.kind, (*axes[:place], *new, *axes[place + 1 :]))
    return rule.out("split_axis", [wire], [leaf], axis=place, sizes=tuple(p.size for p in new))


def strides(axes: tuple[Axis, ...]) -> list[Size]:
    """How far apart neighbours along each axis lie when the axes are merged, and at the end the size of the whole."""
    out: list[Size] = [1]
    for axis in reversed(axes):
        out.append(mul(out[-1], normal(axis.size)))
    return out[-2::-1] + out[-1:]


def regroups(word: tuple[Axis, ...], parts: tuple[Axis, ...]) -> bool:
    """Whether a merged axis is cut as it was merged: a part that bears the name of an axis is that axis, and no part
    has a piece of one axis together with a piece of another."""
    merged, cut = strides(word), strides(parts)
    own = {label_of(a.label): (normal(a.size), stride) for a, stride in zip(word, merged, strict=False)}
    for part, stride in zip(parts, cut, strict=False):
        label = label_of(part.label)
        if isinstance(label, str) and own.get(label, (normal(part.size), stride)) != (normal(part.size), stride):
            return False
    bounds = sorted(s for s in merged if isinstance(s, int))
    if len(bounds) < len(merged):
        return True
    for stride in cut:
        if isinstance(stride, int) and 0 not in bounds:
            below = max(s for s in bounds if s <= stride)
            above = min(s for s in bounds if s >= stride)
            if stride % below or above % stride:
                return False
    return True


def misread(rule: Rule, axis: Axis, word: Word, parts: tuple[Axis, ...]) -> wrong.MergedMismatch:
    """What to say of a merged axis that is cut in another way than it was merged."""
    wanted = show_axis(Axis(Word(parts), axis.size))
    names = [show_label(part.label) for part in parts]
    if sorted(names) == sorted(show_label(a.label) for a in word.axes):
        said = Help(f"to move axes, leave the merging out: `permute[{', '.join(names)}]`")
    else:
        inner = ", ".join(show_label(a.label) or show_axis(a) for a in word.axes)
        said = Help(f"if the numbers are to be read anew in their order, say so first: `rename[({inner}) -> …]`")
    return wrong.MergedMismatch(rule.span, wanted, show_axis(axis), "in what `unflatten` cuts", helps=(said,))


def expand(rule: Rule) -> Bundle:
    """`expand[A]`: a new leading axis, everything repeated along it."""
    wire = rule.wires(1)[0]
    items = rule.items()
    if not items:
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, "expand", "expand[T]"))
    for item in reversed(items):
        axis = rule.ctx.types.axis(item, rule.head.env)
        for one in reversed(axis if isinstance(axis, tuple) else (axis,)):
            assert isinstance(one, Axis)
            leaf = Leaf(wire.leaf.kind, (one, *rule.axes(wire)))
            wire = rule.out("expand", [wire], [leaf], position=0, size=one.size).wires[0]
    return Bundle([wire])


def squeeze(rule: Rule) -> Bundle:
    """`squeeze[A]`: drop an axis of size 1."""
    wire = rule.wires(1)[0]
    items = rule.items()
    if not items:
        axes = rule.axes(wire)
        single = [show_label(a.label) for a in axes if a.size == 1]
        named = ", ".join(n for n in single if n)
        reason = "" if single else "no axis here has the size 1"
        example = f"squeeze[{named}]" if named else ""
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, "squeeze", example, tuple(map(show_axis, axes)), reason))
    for item in items:
        axes = rule.axes(wire)
        place = rule.find(axes, item)
        rule.ctx.solver.same_size(
            axes[place].size, 1, blame(rule, f"the axis `{show_label(axes[place].label)}` that `squeeze` drops")
        )
        leaf = Leaf(rule.part(wire.leaf.kind, axes[place]), (*axes[:place], *axes[place + 1 :]))
        wire = rule.out("drop", [wire], [leaf], axis=place).wires[0]
    return Bundle([wire])


def rename(rule: Rule) -> Bundle:
    """`rename[A -> B]`: another label, nothing moves; of several at once, each names an axis of the input."""
    wire = rule.wires(1)[0]
    given = rule.axes(wire)
    axes = list(given)
    done: set[int] = set()
    kind = wire.leaf.kind
    for item in rule.items():
        if not isinstance(item.value, ast.Arrow) or not isinstance(item.value.codomain, (ast.Name, ast.Tuple)):
            raise rule.ctx.refuse(
                wrong.BadArgument(rule.head.env.module.span(item), "axis", "`A -> B`", "something else", "rename")
            )
        source = ast.Arg(None, "", item.value.domain, item.start, item.end)
        place = rule.find(given, source)
        if place in done:
            shown = show_axis(given[place])
            raise rule.ctx.refuse(
                wrong.BadPattern(rule.head.env.module.span(item), f"`rename` gives `{shown}` two names")
            )
        done.add(place)
        label = (
            rule.ctx.types.label(item.value.codomain.id, rule.head.env)
            if isinstance(item.value.codomain, ast.Name)
            else rule.ctx.types.axis(ast.Arg(None, "", item.value.codomain, item.start, item.end), rule.head.env).label  # type: ignore[union-attr]
        )
        named = rule.head.env.find(item.value.codomain.id) if isinstance(item.value.codomain, ast.Name) else None
        axis = getattr(named, "axis", None)  # of a dim; what a binder names may have been resized
        if isinstance(axis, Axis):
            rule.ctx.solver.same_size(
                axes[place].size, axis.size, blame(rule, f"the axis renamed to `{show_label(label)}`")
            )
        if kind.axis is not None and label_of(kind.axis) == label_of(axes[place].label):
            kind = Kind(kind.name, axis=label)
        axes[place] = Axis(label, axes[place].size)
    leaf = Leaf(kind, tuple(axes))
    return rule.out("permute", [wire], [leaf], perm=tuple(range(len(axes))))


def permute(rule: Rule) -> Bundle:
    """`permute[A, B, C]`: the axes in a new order."""
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    places = rule.places(axes)
    if sorted(places) != list(range(len(axes))):
        left = tuple(show_axis(a) for i, a in enumerate(axes) if i not in places)
        raise rule.ctx.refuse(
            wrong.BadPattern(rule.span, f"`permute` lists every axis once; missing: {', '.join(left)}")
        )
    return rule.out("permute", [wire], [Leaf(wire.leaf.kind, tuple(axes[p] for p in places))], perm=tuple(places))


def one_axis(rule: Rule, axes: list[Axis], default: int | None = None) -> int:
    """The one axis in brackets; `default` without brackets. Raises Refused."""
    if not rule.items() and default is not None and axes:
        return default
    places = rule.places(axes)
    if len(places) != 1:
        raise rule.ctx.refuse(wrong.TooManyArguments(rule.span, rule.name, 1, len(places)))
    return places[0]


def slice_(rule: Rule) -> Bundle:
    """`slice[A](start, stop, step = 1)`."""
    args = rule.args(("start", "stop", "step"), {"start": 0, "step": 1, "stop": None})
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    if args["stop"] is None:
        args["stop"] = axes[place].size
    step = rule.whole(args["step"], "step")
    if step < 1:
        raise rule.ctx.refuse(
            wrong.BadArgument(rule.span, "step", "at least 1; `reverse` turns an axis round", str(step), "slice")
        )
    length = axes[place].size
    start, stop = (from_end(rule.size(args[n], n), length) for n in ("start", "stop"))
    if all(isinstance(v, int) for v in (start, stop, length)) and not 0 <= start <= stop <= length:  # type: ignore[operator]
        raise rule.ctx.refuse(
            wrong.BadValue(rule.span, f"the slice {start}:{stop} does not lie in {show_axis(axes[place])}")
        )
    within = f"the slice {show(start)}:{show(stop)} must lie in `{show_axis(axes[place])}`"
    parts = (start, sub(stop, start), sub(length, stop))
    rule.ctx.bounds += [(part, rule.span, within) for part in parts if not isinstance(part, int)]
    count = sub(stop, start) if step == 1 else floordiv(add(sub(stop, start), step - 1), step, rule.ctx.facts)
    kind = wire.leaf.kind if count == length else rule.part(wire.leaf.kind, axes[place])
    leaf = Leaf(kind, (*axes[:place], Axis(axes[place].label, count), *axes[place + 1 :]))
    return rule.out("slice", [wire], [leaf], axis=place, start=start, step=step, size=count)


def from_end(value: Size, length: Size) -> Size:
    """A negative place counts from the end."""
    return add(length, value) if isinstance(value, int) and value < 0 else value


def reverse(rule: Rule) -> Bundle:
    """`reverse[A]`."""
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    return rule.out(
        "slice", [wire], [wire.leaf], axis=place, start=sub(axes[place].size, 1), step=-1, size=axes[place].size
    )


def pad(rule: Rule) -> Bundle:
    """`pad[A](before, after, mode = "constant", value = 0)`; `pad[N -> T]`, see `dense`."""
    if any(isinstance(item.value, ast.Arrow) for item in rule.items()):
        return dense(rule)
    args = rule.args(("before", "after", "mode", "value"), {"before": 0, "after": 0, "mode": "constant", "value": 0})
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    if args["mode"] not in ("constant", "reflect", "replicate", "circular"):
        raise rule.ctx.refuse(
            wrong.BadArgument(rule.span, "mode", "constant, reflect, replicate or circular", str(args["mode"]), "pad")
        )
    before, after = rule.size(args["before"], "before"), rule.size(args["after"], "after")
    cut = [part for part in (before, after) if isinstance(part, int) and part < 0]
    if cut:
        raise rule.ctx.refuse(
            wrong.BadValue(
                rule.span,
                f"`pad` adds, and here it is given {listed([str(part) for part in cut])}",
                "must be 0 or more",
                (Help(f"`slice[{show_label(axes[place].label)}]` takes elements away"),),
            )
        )
    rule.ctx.bounds += [
        (part, rule.span, "what `pad` adds must be 0 or more") for part in dict.fromkeys((before, after))
    ]
    old = axes[place].size
    size = add(add(old, before), after)
    if args["mode"] == "reflect":
        told = f"what `pad` reflects must be less than `{show_axis(axes[place])}`"
        rule.ctx.bounds += [(sub(sub(old, 1), part), rule.span, told) for part in dict.fromkeys((before, after))]
    elif args["mode"] != "constant":
        rule.ctx.filled.append(old)
    kind = padded(rule.ctx, wire.leaf.kind, axes[place], args["mode"], args["value"], rule.span)
    leaf = Leaf(kind, (*axes[:place], Axis(axes[place].label, size), *axes[place + 1 :]))
    return rule.out(
        "pad", [wire], [leaf], axis=place, before=before, after=after, mode=args["mode"], value=args["value"]
    )


def dense(rule: Rule) -> Bundle:
    """`pad[N -> T]`: a var axis as one of the free dim T, filled up with zeros, and a `Keep[T]` of what is there."""
    ctx = rule.ctx
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    items = rule.items()
    rule.args((), {})
    arrow = items[0].value
    if len(items) != 1 or not isinstance(arrow, ast.Arrow):
        raise ctx.refuse(wrong.BadArgument(rule.span, "axis", "`N -> T`", "something else", "pad"))
    place = rule.find(axes, ast.Arg(None, "", arrow.domain, items[0].start, items[0].end))
    new = ctx.types.single(ast.Arg(None, "", arrow.codomain, items[0].start, items[0].end), rule.head.env)
    old = normal(axes[place].size)
    if row(old) is None:
        told = f"a var dim on the left, and `{show_axis(axes[place])}` is none"
        raise ctx.refuse(wrong.BadArgument(rule.span, "axis", told, show_axis(axes[place]), "pad"))
    if not isinstance(new.size, int) and ragged_syms(new.size):
        raise ctx.refuse(wrong.BadArgument(rule.span, "axis", "a free dim on the right", show_axis(new), "pad"))
    after = sub(new.size, old)
    ctx.bounds.append((after, rule.span, f"`{show_axis(axes[place])}` must fit in `{show_axis(new)}`"))
    kind = padded(ctx, wire.leaf.kind, axes[place], "constant", 0, rule.span)
    leaf = Leaf(kind, (*axes[:place], new, *axes[place + 1 :]))
    mode, value = "constant", False if ctx.kinds.root(wire.leaf.kind.name) == "Bool" else 0
    full = rule.out("pad", [wire], [leaf], axis=place, before=0, after=after, mode=mode, value=value)
    steps = rule.out("index", [], [Leaf(Kind("Fin", new.size), (new,))], size=new.size)
    number = rule.out("pointwise", steps.wires, [Leaf(REAL, (new,))], fn="real", align=((0,),))
    count = rule.out("literal", [], [Leaf(REAL, ())], value=old)
    there = rule.out(
        "pointwise", [*number.wires, *count.wires], [Leaf(Kind("Keep"), (new,))], fn="lt", align=((0,), ())
    )
    return Bundle([*full.wires, *there.wires])


def window(rule: Rule) -> Bundle:
    """`window[A](K: size, stride = 1, dilation = 1)`: windows along A, the new axis right after it."""
    ctx = rule.ctx
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes)
    first = [a for a in rule.head.args if a.sep != "="]
    if len(first) != 1:
        raise ctx.refuse(wrong.MissingArgument(rule.span, "size", "window"))
    arg = labelled(first[0])
    if arg.sep == ":" or (isinstance(arg.value, ast.Name) and not ctx.statics.is_static(arg.value, rule.head.env)):
        new = ctx.types.single(arg, rule.head.env)
    else:
        value = ctx.statics.value(arg.value, rule.head.env)
        new = value if isinstance(value, Axis) else Axis(ctx.solver.label(), rule.size(as_number(value), "size"))
    rest = Rule(ctx, rule.b, rule.head, rule.inp, rule.span, rule.expr)
    named = {a.name: as_number(ctx.statics.value(a.value, rule.head.env)) for a in rule.head.args if a.sep == "="}
    stride, dilation = rest.whole(named.get("stride", 1), "stride"), rest.whole(named.get("dilation", 1), "dilation")
    reach = add(mul(sub(new.size, 1), dilation), 1)
    if not isinstance(room := sub(axes[place].size, reach), int):
        ctx.bounds.append((room, rule.span, f"a window must fit in `{show_axis(axes[place])}`"))
    count = add(floordiv(sub(axes[place].size, reach), stride, ctx.facts), 1)
    kind = rule.part(wire.leaf.kind, axes[place])
    leaf = Leaf(kind, (*axes[:place], Axis(axes[place].label, count), new, *axes[place + 1 :]))
    return rule.out("window", [wire], [leaf], axis=place, size=new.size, stride=stride, dilation=dilation, count=count)


def concat(rule: Rule) -> Bundle:
    """`concat[A]`: along A; the other axes agree."""
    wires = rule.all_wires()
    if not wires:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, 2, 0, "the input of `concat`"))
    first = rule.axes(wires[0])
    if not rule.items():
        others = [rule.axes(wire) for wire in wires[1:]]
        differ = [a for k, a in enumerate(first) if any(k < len(o) and o[k].size != a.size for o in others)]
        example = brackets(rule.name, differ if len(differ) == 1 else first[:1])
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, rule.name, example, tuple(map(show_axis, first))))
    place = one_axis(rule, first)
    size: Size = first[place].size
    for wire in wires[1:]:
        axes = rule.axes(wire)
        here = one_axis(rule, axes)
        expected = Leaf(wire.leaf.kind, (*first[:place], axes[here], *first[place + 1 :]))
        joint = (rule.span, "what `concat` joins", wires[0].where, "joined with this")
        if here != place:
            rule.ctx.solver.broken(rule.ctx.blame(wire, expected, *joint))
            raise Refused
        rule.ctx.port(wire, expected, *joint, against=wires[0])
        size = add(size, axes[here].size)
    kind = joined_kind(rule, wires)
    if len(wires) > 1:
        kind = rule.part(kind, first[place])
    leaf = Leaf(kind, (*first[:place], Axis(first[place].label, size), *first[place + 1 :]))
    return rule.out("concat", wires, [leaf], axis=place)


def joined_kind(rule: Rule, wires: list[W]):  # type: ignore[no-untyped-def]
    """The kind of wires put into one tensor. Raises Refused."""
    if not wires:
        raise rule.ctx.refuse(wrong.ArityMismatch(rule.span, 1, 0, f"the input of `{rule.name}`"))
    kind = wires[0].leaf.kind
    for wire in wires[1:]:
        if wire.leaf.kind != kind:
            kind = joined(rule.ctx, kind, wire.leaf.kind, rule.span, rule.name, wires)
    return kind


def stack(rule: Rule) -> Bundle:
    """`stack[A]`: wires of one type along a new leading axis."""
    wires = rule.all_wires()
    items = rule.items()
    if len(items) != 1:
        raise rule.ctx.refuse(wrong.NeedsAxes(rule.span, "stack", "stack[E]"))
    item = items[0]
    if item.sep == "" and isinstance(item.value, ast.Name) and rule.head.env.find(item.value.id) is None:
        axis = Axis(rule.ctx.types.label(item.value.id, rule.head.env), len(wires))
    else:
        axis = rule.ctx.types.single(item, rule.head.env)
    rule.ctx.solver.same_size(len(wires), axis.size, blame(rule, f"the axis `{show_label(axis.label)}` of `stack`"))
    lifted: list[W] = []
    for wire in wires:
        rule.ctx.port(
            wire,
            Leaf(wire.leaf.kind, wires[0].leaf.axes),
            rule.span,
            "what `stack` joins",
            wires[0].where,
            "joined with this",
            against=wires[0],
        )
        leaf = Leaf(wire.leaf.kind, (Axis(axis.label, 1), *rule.axes(wire)))
        lifted.append(rule.out("expand", [wire], [leaf], position=0, size=1).wires[0])
    leaf = Leaf(joined_kind(rule, wires), (axis, *rule.axes(wires[0])))
    return rule.out("concat", lifted, [leaf], axis=0)


def split(rule: Rule) -> Bundle:
    """`split[A](n)`: n equal parts; `split[A]([a, b])`: parts of given sizes. Without brackets the last axis."""
    ctx = rule.ctx
    args = rule.args(("parts",), {})
    wire = rule.wires(1)[0]
    axes = rule.axes(wire)
    place = one_axis(rule, axes, len(axes) - 1)
    parts = args["parts"]
    axis = axes[place]
    sizes: list[Size]
    if isinstance(parts, tuple):
        sizes = [rule.size(as_number(p), "parts") for p in parts]
        total: Size = 0
        for size in sizes:
            total = add(total, size)
        ctx.solver.same_size(axis.size, total, blame(rule, "the parts of `split` together"))
    else:
        count = rule.whole(parts, "parts")
        if count < 1 or count > 10_000:
            raise ctx.refuse(wrong.BadArgument(rule.span, "parts", "a number from 1 to 10000", str(count), "split"))
        part = None if _open(axis.size) else exact_div(axis.size, count)
        if part is None:
            if not _open(axis.size):
                why = ctx.explain(blame(rule, ""), axis.size)
                raise ctx.refuse(
                    wrong.NotDivisible(rule.span, show_axis(axis), str(count), "", why, parts_of="no equal parts")
                )
            part = ctx.solver.size(rule.span, "the size of a part of `split`")
            ctx.solver.same_size(axis.size, mul(part, count), blame(rule, "the parts of `split` together"))
        elif isinstance(part, Poly):
            ctx.solver.obligations.append((part, blame(rule, "a part of `split`")))
        sizes = [part] * count
    out: list[W] = []
    start: Size = 0
    label = label_of(axis.label)
    kind = wire.leaf.kind if len(sizes) == 1 else rule.part(wire.leaf.kind, axis)
    for size in sizes:
        name = label if isinstance(label, str) else ctx.solver.label()
        leaf = Leaf(kind, (*axes[:place], Axis(name, size), *axes[place + 1 :]))
        out += rule.out("slice", [wire], [leaf], axis=place, start=start, step=1, size=size).wires
        start = add(start, size)
    return Bundle(out)
