"""Axes of places and axes of features, told apart by what the layers of one body do along them.

A convolution slides its kernel over an axis: it treats all places along it alike. A layer that learns a weight for each
index of such an axis and leaves the axis as it was (`rmsnorm`, `layernorm`) does the contrary. On the last axis, where
it acts if nothing is said, that is a mistake; `rmsnorm[W]` says that it is meant.

    conv2d(C, 3, padding = 1) >> rmsnorm          Real[C, H, W]: refused, `rmsnorm[C]`

A causal layer takes its axis in order, and one that tells steps by their place does so always. Where another axis
of the input is the `time`, it acts on the wrong one.

    attend(causal = true)                         Real[T, Head, Dh] with `dim T : time`: refused
    positions(Context)                            Real[T, User, D], the same

Two axes that are taken in one order, as queries and keys are, are one dim or twins of one.
"""

from __future__ import annotations

from collections.abc import Iterator

from catdl import diagnostics as wrong
from catdl.check.arguments import Binding
from catdl.check.builder import Builder, Inner, PBox, Use, W
from catdl.check.context import Context
from catdl.check.names import local_params
from catdl.check.scope import DimDef, MorphismDef, Static
from catdl.check.solver import Blame
from catdl.check.static import Refused
from catdl.diagnostics.base import Edit, Help
from catdl.diagnostics.words import listed
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import normal
from catdl.types.types import Axis, Leaf, label_of, plain, show_axis, show_label, walk_axes


def check_places(ctx: Context, b: Builder) -> None:
    """Refuse layers with a weight for each place of an axis that a convolution slides over. Raises Refused."""
    calls = [(box, box.op) for box in boxes(b) if isinstance(box.op, Use)]
    found = False
    for box, use in calls:
        if not use.named and (mistake := disordered(b, box, use)) is not None:
            ctx.report(mistake)
            found = True
    slid: dict[str, PBox] = {}
    for box, use in calls:
        for binder in slides_over(use.definition):
            axis = use.binds.get(binder)
            if isinstance(axis, Axis) and isinstance(label := label_of(axis.label), str):
                slid.setdefault(label, box)
    definitions = dict.fromkeys(use.definition for _, use in calls) if slid else {}
    acted: dict[MorphismDef, str | None] = {definition: weighs(definition) for definition in definitions}
    for box, use in calls if slid else ():
        own = None if use.named else acted[use.definition]
        axis = use.binds.get(own) if own is not None else None
        if isinstance(axis, Axis) and isinstance(label := label_of(axis.label), str) and label in slid:
            ctx.report(refusal(box, use.definition.name, axis, slid[label], set(slid)))
            found = True
    if found:
        raise Refused


def boxes(b: Builder) -> list[PBox]:
    """The boxes of a diagram and of those inside it."""
    out: list[PBox] = []
    stack = [b]
    while stack:
        for box in stack.pop().boxes:
            out.append(box)
            if isinstance(box.op, Inner):
                stack.append(box.op.builder)
    return out


def disordered(b: Builder, box: PBox, use: Use) -> wrong.NeedsAxes | None:
    """The mistake of a layer that takes one axis in its order while another one is the time."""
    for binder, who in ordered(use):
        axis = use.binds.get(binder)
        axes = [a for a in walk_axes(box.inputs[0].leaf.axes) if isinstance(a, Axis)] if box.inputs else []
        times = [a for a in axes if is_time(b, a)]
        if isinstance(axis, Axis) and times and not is_time(b, axis):
            where, time = show_label(axis.label) or show_axis(axis), show_label(times[0].label)
            helps = (
                acting(box, use, binder, time) or Help(f"move `{time}` to where `{where}` stands"),
                Help(f"if `{where}` is in an order too, declare it so: `dim {where} : time`"),
            )
            shown = tuple(show_axis(a) for a in axes)
            reason = f"as it stands, `{who}` takes `{where}` in its order, and `{time}` is the time"
            return wrong.NeedsAxes(box.span, use.definition.name, "", shown, reason, None, "", helps)
    return None


def acting(box: PBox, use: Use, binder: str, time: str) -> Help | None:
    """The help that names the axes a layer of one input acts on, with the time for the one it takes in its order."""
    signature, name = use.definition.head.signature, use.definition.name
    if not isinstance(signature, ast.Arrow) or not isinstance(signature.domain, ast.Index):
        return None
    given: list[str] = []
    for item in signature.domain.items:
        if isinstance(item.value, ast.Name):
            axis = use.binds.get(item.value.id)
            given.append(time if item.value.id == binder else show_label(axis.label) if isinstance(axis, Axis) else "")
    if not all(label.isidentifier() for label in given) or not box.span.text.startswith(name):
        return None
    end, brackets = box.span.start + len(name), f"[{', '.join(given)}]"
    return Help(
        f"say that it goes along `{time}`: `{name}{brackets}`", (Edit(Span(box.span.source, end, end), brackets),)
    )


def ordered(use: Use) -> Iterator[tuple[str, str]]:
    """The binders that a call takes in their order, each with what says so: a flag that is set, or the layer itself."""
    head = use.definition.head
    for binder in head.binders:
        if binder.sort == "time":
            yield binder.name, use.definition.name
    for param in head.params or ():
        match param.sort:
            case ast.Call(ast.Name("order"), (ast.Arg(value=ast.Name(name)), *_)) if use.args.get(
                param.name or ""
            ) == Static(True):
                yield name, param.name or ""
            case _:
                pass


def check_orders(ctx: Context, b: Builder) -> None:
    """Axes that are taken in one order are equally long; refuse those that are two dims. Raises Refused."""
    found = False
    for box, use, flag, one, other in in_one_order(b):
        if not apart(ctx, one, other):
            blame = Blame(box.span, None, None, f"the axes that `{flag}` takes in one order")
            found = not ctx.solver.same_size(one.size, other.size, blame) or found
            continue
        names = show_label(one.label), show_label(other.label)
        ctx.report(wrong.OrdersApart(box.span, use.definition.name, flag, *names))
        found = True
    if found:
        raise Refused


def in_one_order(b: Builder) -> Iterator[tuple[PBox, Use, str, Axis, Axis]]:
    """The calls that take two axes in one order, with the flag that says so."""
    for box in boxes(b):
        for param in (box.op.definition.head.params or ()) if isinstance(box.op, Use) else ():
            match box.op, param.sort:
                case Use() as use, ast.Call(
                    ast.Name("order"), (ast.Arg(value=ast.Name(one)), ast.Arg(value=ast.Name(other)))
                ) if use.args.get(param.name or "") == Static(True):
                    first, second = use.binds.get(one), use.binds.get(other)
                    if isinstance(first, Axis) and isinstance(second, Axis):
                        yield box, use, param.name or "", first, second
                case _:
                    pass


def apart(ctx: Context, one: Axis, other: Axis) -> bool:
    """Whether two axes are of two dims; a dim's name for as many steps as another free one has stands for these."""
    labels = [label.rstrip("'") for axis in (one, other) if isinstance(label := label_of(axis.label), str)]
    if len(labels) < 2 or labels[0] == labels[1] or any(ctx.library.dim(label) is None for label in labels):
        return False
    sizes = normal(one.size), normal(other.size)
    return sizes[0] != sizes[1] or isinstance(sizes[0], int)


def is_time(b: Builder, axis: Axis) -> bool:
    """Whether an axis is a dim of the role `time`, or a twin of one."""
    label = label_of(axis.label)
    while b.parent is not None:
        b = b.parent
    if not isinstance(label, str) or b.owner is None:
        return False
    dim = b.owner.module.find(plain(label).rstrip("'"))
    same = isinstance(dim, DimDef) and dim.axis.label == label.rstrip("'")
    return same and any(isinstance(r, ast.Name) and r.id == "time" for r in dim.roles)  # type: ignore[union-attr]


def slides_over(definition: MorphismDef) -> tuple[str, ...]:
    """The binders whose axes a definition with parameters cuts into windows: those that a convolution slides over."""
    if definition.slides is None:
        found: list[str] = []
        stack: list[ast.Expr | None] = [definition.head.body if local_params(definition.head.body) else None]
        while stack:
            match stack.pop():
                case ast.Call(ast.Index(ast.Name("window"), items), _):
                    found += [item.value.id for item in items if isinstance(item.value, ast.Name)]
                case ast.Block(statements, result):
                    stack += [s.value for s in statements if isinstance(s, ast.Bind)]
                    stack.append(result)
                case ast.Lambda(_, body):
                    stack.append(body)
                case ast.Seq(steps):
                    stack += steps
                case _:
                    pass
        definition.slides = tuple(found)
    return definition.slides


def misplaced(binding: Binding, wire: W, leaves: list[Leaf]) -> wrong.NeedsAxes | None:
    """The mistake of a convolution that slides over the very axis that it is to give back as its features."""
    definition = binding.definition
    signature = definition.head.signature
    if (
        not slides_over(definition)
        or not isinstance(signature, ast.Arrow)
        or not isinstance(signature.domain, ast.Index)
    ):
        return None
    binders = [i.value.id for i in signature.domain.items if isinstance(i.value, ast.Name)]
    bound = [axis for name in binders if isinstance(axis := binding.names.get(name), Axis)]
    names = [show_label(axis.label) for axis in bound]
    made = [show_label(a.label) for leaf in leaves for a in walk_axes(leaf.axes) if isinstance(a, Axis)]
    slid = [show_label(a.label) for n in slides_over(definition) if isinstance(a := binding.names.get(n), Axis)]
    twice = [name for name in slid if name.isidentifier() and made.count(name) > 1]
    if len(twice) != 1 or not all(name.isidentifier() for name in names) or len(names) != len(binders):
        return None
    name = definition.name
    brackets = f"[{', '.join([twice[0], *(n for n in names if n != twice[0])])}]"
    rest = [n for n in names if n not in slid]
    reason = f"as it stands, `{name}` slides over {listed(slid)}, and takes {listed(rest)} for the features"
    end = binding.span.start + len(name)
    edits = (Edit(Span(binding.span.source, end, end), brackets),) if binding.span.text.startswith(name) else ()
    said = Help(f"say which are the features, and what to slide over: `{name}{brackets}`", edits)
    helps = (said, Help(f"or move them to where it takes them: `permute{brackets} >> {name}`"))
    shown = tuple(show_axis(a) for a in walk_axes(wire.leaf.axes) if isinstance(a, Axis))
    return wrong.NeedsAxes(binding.span, name, "", shown, reason, None, "", helps)


def weighs(definition: MorphismDef) -> str | None:
    """The axis that a definition acts on, if it has a weight for each index of it and leaves the axis there."""
    signature = definition.head.signature
    params = local_params(definition.head.body) if isinstance(signature, ast.Arrow) else []
    if not params or not isinstance(signature, ast.Arrow):
        return None
    sides = [[i.value for i in s.items] for s in (signature.domain, signature.codomain) if isinstance(s, ast.Index)]
    match sides:
        case [[ast.Splice(), ast.Name(one)], [ast.Splice(), ast.Name(other)]] if one == other:
            types = [p.type for p in params]
            own = any(isinstance(t, ast.Index) and any(names(i, one) for i in t.items) for t in types)
            return one if own else None
        case _:
            return None


def names(item: ast.Arg, name: str) -> bool:
    """Whether an item of a type is the axis of that name."""
    return isinstance(item.value, ast.Name) and item.value.id == name and item.sep != ":"


def refusal(box: PBox, name: str, axis: Axis, convolution: PBox, slid: set[str]) -> wrong.NeedsAxes:
    """What to say of a layer that has a weight for each place."""
    where = show_label(axis.label)
    axes = [a for a in walk_axes(box.inputs[0].leaf.axes) if isinstance(a, Axis)]
    features = [a for a in axes if label_of(a.label) not in slid]
    reason = (
        f"on the last axis it would treat each place of `{where}` in its own way, and a convolution treats all alike"
    )
    example = f"{name}[{show_label(features[0].label) if len(features) == 1 else '…'}]"
    helps = [Help(f"if that is meant, say so: `{name}[{where}]`")]
    if len(features) == 1:
        end = box.span.start + len(name)
        edits = (Edit(Span(box.span.source, end, end), f"[{show_label(features[0].label)}]"),)
        helps.insert(0, Help("name the axis of the features", edits if box.span.text.startswith(name) else ()))
    return wrong.NeedsAxes(
        box.span,
        name,
        example,
        tuple(show_axis(a) for a in axes),
        reason,
        convolution.span,
        f"slides over `{where}`",
        tuple(helps),
    )
