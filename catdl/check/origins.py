"""How the sizes of a wire came about: walked back from the wire, box by box, when a mistake has to say so.

Takes a diagram under construction; guarantees a bounded number of hops, however long the diagram. A size that a box
only passes on is followed to the box that made it; a box that computes it is asked for the formula in numbers.

    flatten of [C: 32, H: 7, W: 7]           1568 = 32 * 7 * 7
    maxpool(2) of [H: 14]                    7 = 14 // 2
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from catdl.check.arguments import Binding
from catdl.check.builder import Inner, LateCore, PBox, Source_, Use, W
from catdl.check.context import Context
from catdl.check.facts import Noted
from catdl.check.match import types_of
from catdl.check.scope import Env, MorphismDef, ParamDef, Static
from catdl.check.signature import LeafPart, Row, decided
from catdl.check.static import Refused
from catdl.diagnostics.base import Derivation
from catdl.diagram.model import Core
from catdl.record import record
from catdl.source import Source, Span
from catdl.syntax import ast
from catdl.syntax.parser import parse_fragment
from catdl.types.poly import of_atom, terms_of
from catdl.types.sizes import (
    Facts,
    Floor,
    Poly,
    Size,
    SizeError,
    add,
    free_syms,
    free_vars,
    mul,
    normal,
    show,
    sub,
    substitute,
    sym,
)
from catdl.types.types import Anonymous, Axis, AxisItem, Label, Leaf, Object, label_of, walk_axes

HOPS = 200
MOST = 5
_WIDE = 60

Place = tuple[W, int]


def derivations(ctx: Context, places: Iterable[Place], most: int = MOST) -> tuple[Derivation, ...]:
    """How the sizes at these places of wires came about, the nearest box first."""
    out: dict[Derivation, None] = {}
    queue = list(places)
    seen = set(queue)
    hops = 0
    for place in queue:  # grows on the way
        found: Place | Made | None = place
        while isinstance(found, tuple):
            hops += 1
            if hops > HOPS:
                return tuple(out)
            found = origin(found)
        if found is None:
            continue
        box = found.box
        size, formula, sources = explain(ctx, box, found.which, found.at)
        if formula is not None and (formula != size or not re.search(rf"\b{re.escape(size)}\b", box.span.text)):
            out[Derivation(size, formula if formula != size else "", one_line(box.span), box.span)] = None
            if len(out) == most:
                break
        for source in sources:
            if source not in seen:
                seen.add(source)
                queue.append(source)
    return tuple(out)


@record(eq=False)
class Made:
    """The box that made a size: which of its outputs, and which axis of it."""

    box: PBox
    which: int
    at: int


def one_line(span: Span) -> str:
    """What is written there, on one line and cut where it is long."""
    text = " ".join(span.text.split())
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"


def axes_of(wire: W) -> list[Axis] | None:
    """The axes of a wire whose rank is known."""
    axes = walk_axes(wire.leaf.axes)
    return None if any(not isinstance(a, Axis) for a in axes) else list(axes)  # type: ignore[arg-type]


def same(one: Axis, two: Axis) -> bool:
    """Whether an axis of an output is one of an input, passed on."""
    left, right = label_of(one.label), label_of(two.label)
    if isinstance(left, Anonymous) or left.__class__ is not right.__class__:
        return False
    return (left is right or (isinstance(left, str) and left == right) or left == right) and normal(one.size) == normal(
        two.size
    )


def origin(place: Place) -> Place | Made | None:
    """One hop back: the place the axis was passed on from, the box that made it, or None where it was declared."""
    wire, at = place
    box = wire.builder.maker(wire)
    if box is None:
        outer = entered(wire)
        return None if outer is None else (outer[0], at + outer[1])
    if isinstance(box.op, Source_):
        return Made(box, 0, at) if box.op.declared else None
    axes = axes_of(wire)
    if axes is None or at >= len(axes):
        return None
    which = box.outputs.index(wire)
    if isinstance(box.op, Inner) and not box.op.builder.outputs:
        return None
    if isinstance(box.op, Inner):
        inner = box.op.builder.outputs
        skip = len(box.op.axes)
        if at >= skip and which < len(inner):
            return inner[which], at - skip
    for source in box.inputs:
        for place_, axis in enumerate(axes_of(source) or ()):
            if same(axes[at], axis):
                return source, place_
    if isinstance(box.op, (Core, LateCore)) and box.op.name == "permute":
        return box.inputs[0], dict(box.op.attrs)["perm"][at]
    return Made(box, which, at)


def entered(wire: W) -> tuple[W, int] | None:
    """The wire of the diagram around that an input of an inner one stands for, and the leading axes it lost."""
    b = wire.builder
    for outer, mine in b.captured.items():
        if mine is wire:
            return outer, 0
    wires, taken = b.entered
    place = b.inputs.index(wire) if wire in b.inputs else len(wires)
    return (wires[place], taken) if place < len(wires) else None


def plainly(ctx: Context, axis: Axis) -> bool:
    """Whether an axis is a declared dim of its own size, which its name explains."""
    label = label_of(axis.label)
    dim = ctx.library.dim(label) if isinstance(label, str) else None
    return dim is not None and normal(axis.size) == normal(dim.axis.size)


def explain(ctx: Context, box: PBox, which: int, at: int) -> tuple[str, str | None, list[Place]]:
    """The size, its formula (the size itself where it is given, None where nothing can be said), what it is made of."""
    axis = (axes_of(box.outputs[which]) or [])[at]
    size = normal(axis.size)
    shown = show(size)
    if isinstance(box.op, Source_):
        return shown, given(ctx, box, box.op.path, at, axis), []
    if (isinstance(size, Poly) and free_vars(size)) or plainly(ctx, axis):
        return shown, None, []
    match box.op:
        case Use() as use:
            return (shown, *called(ctx, box, use, which, axis))
        case Core(name, attrs) | LateCore(name, attrs):
            return (shown, *computed(box, name, dict(attrs), at, size))
        case _:
            return shown, None, []


def written_sizes(span: Span) -> list[str]:
    """The arithmetic in each axis of a type as it is written; empty texts where there is none."""
    node, text = type_of(span)
    if not isinstance(node, ast.Index):
        return []
    sums = (item.value if isinstance(item.value, (ast.Chain, ast.Power)) else None for item in node.items)
    return [text[value.start : value.end] if value is not None else "" for value in sums]


def written_bound(span: Span) -> str:
    """The arithmetic by which a type of indices says below what they are; empty where there is none."""
    node, text = type_of(span)
    match node.base if isinstance(node, ast.Index) else node:
        case ast.Call(ast.Name("Fin"), (ast.Arg(value=(ast.Chain() | ast.Power()) as bound),)):
            return text[bound.start : bound.end]
        case _:
            return ""


def type_of(span: Span) -> tuple[ast.Expr | None, str]:
    """A type as it is written, and the text that its places are in."""
    source = Source("", f"object x = {span.text}")
    tree, wrong = parse_fragment(source, 0, len(source.text))
    found = tree.decls[0] if not wrong and len(tree.decls) == 1 else None
    return (found.value if isinstance(found, ast.Object) else None), source.text


def given(ctx: Context, box: PBox, name: str, at: int, axis: Axis) -> str | None:
    """The arithmetic by which a declared parameter has its size: its dim's, or that of its type."""
    label = label_of(axis.label)
    dim = ctx.library.dim(label) if isinstance(label, str) else None
    if dim is not None and normal(dim.axis.size) == normal(axis.size):
        return dim.formula
    b = box.outputs[0].builder
    while b.parent is not None:
        b = b.parent
    found = b.owner.module.find(name) if b.owner is not None else None
    if not isinstance(found, ParamDef):
        return None
    sizes = written_sizes(found.module.span(found.node.type))
    return sizes[at] or None if at < len(sizes) else None


def operand(size: Size) -> str:
    """A size as an operand of a formula."""
    text = show(normal(size))
    return f"({text})" if " " in text else text


def computed(box: PBox, name: str, attrs: dict[str, Any], at: int, size: Size) -> tuple[str | None, list[Place]]:
    """The formula of a size that a core operation made, and the places it speaks of."""
    source = box.inputs[0] if box.inputs else None
    axes = axes_of(source) if source is not None else None
    if source is None or axes is None:
        return None, []
    axis = attrs.get("axis")
    match name:
        case "merge_axes" if at == axis:
            parts = range(at, at + attrs["count"])
            return " * ".join(operand(axes[i].size) for i in parts), [(source, i) for i in parts]
        case "split_axis" if axis is not None and axis <= at < axis + len(attrs["sizes"]):
            rest: Size = 1
            for i, part in enumerate(attrs["sizes"]):
                rest = rest if axis + i == at else mul(rest, part)
            return f"{operand(axes[axis].size)} / {operand(rest)}", [(source, axis)]
        case "slice" if at == axis:
            siblings = beside(box)
            if siblings > 1 and mul(size, siblings) == normal(axes[at].size):
                return f"{operand(axes[at].size)} / {siblings}", [(source, at)]
            return show(size), [(source, at)]
        case "pad" if at == axis:
            padded = [operand(attrs[k]) for k in ("before", "after") if attrs[k] != 0]
            return " + ".join([operand(axes[at].size), *padded]), [(source, at)]
        case "window" if at == axis:
            reach = f"{attrs['dilation']} * ({operand(attrs['size'])} - 1)" if attrs["dilation"] != 1 else ""
            less = f" - {reach} - 1" if reach else f" - {operand(attrs['size'])}"
            room = f"({operand(axes[at].size)}{less})"
            return f"{room} // {attrs['stride']} + 1" if attrs["stride"] != 1 else f"{room} + 1", [(source, at)]
        case "concat" if at == axis:
            joined = [a[at].size for w in box.inputs if (a := axes_of(w)) is not None]
            return " + ".join(map(operand, joined)), [(w, at) for w in box.inputs]
        case "expand":
            return show(size), []
        case _:
            return None, []


def beside(box: PBox) -> int:
    """How many boxes one expression made of the same wire: the parts of a `split`."""
    boxes = box.outputs[0].builder.boxes
    at = boxes.index(box)
    near = boxes[max(0, at - 50) : at + 50]
    return sum(other.span == box.span and other.inputs[:1] == box.inputs[:1] for other in near)


class Marked:
    """Sizes of binders replaced by symbols that are shown as the sizes, so that a formula keeps the numbers apart."""

    def __init__(self) -> None:
        self.sizes: dict[str, Size] = {}
        self.labels: dict[str, Label | None] = {}

    def size(self, size: Size, label: Label | None = None) -> Size:
        """A symbol in the place of a size."""
        size = normal(size)
        name = f"{len(self.sizes):03}::{operand(size)}"
        self.sizes[name] = size
        self.labels[name] = label
        return sym(name)

    def axes(self, axes: tuple[AxisItem, ...]) -> tuple[AxisItem, ...]:
        """Axes with their sizes replaced."""
        return tuple(Axis(a.label, self.size(a.size, a.label)) if isinstance(a, Axis) else a for a in walk_axes(axes))

    def value(self, value: object) -> object:
        """What a binder stands for, its sizes replaced."""
        match value:
            case Axis(label=label, size=size):
                return Axis(label, self.size(size, label))
            case Row(axes):
                return Row(self.axes(axes))
            case Static(size) if isinstance(size, (int, Poly)) and not isinstance(size, bool):
                return Static(self.size(size))
            case Object(leaves, names, groups):
                return Object(tuple(Leaf(leaf.kind, self.axes(leaf.axes)) for leaf in leaves), names, groups)
            case _:
                return value


def called(ctx: Context, box: PBox, use: Use, which: int, axis: Axis) -> tuple[str | None, list[Place]]:
    """The formula by which a signature makes a size from those of its input."""
    scheme = ctx.library.scheme(use.definition)
    if scheme is None:
        return None, []
    params = {p.name for p in use.definition.head.params or ()}
    marked = Marked()
    names: dict[str, object] = {k: v for k, v in {**use.binds, **use.args}.items() if v is not None}
    for name, _ in scheme.binders:
        if name in names and name not in params:
            names[name] = marked.value(names[name])
    env = Env(use.definition.module, None, names)
    quiet = ctx.quiet(proved(ctx, use.definition, env))
    binding = Binding(quiet, use.definition, scheme, use.span, names, env)
    try:
        parts = decided(scheme.codomain, quiet.statics, binding.env)[0]
        found = formula(binding, parts, which, axis, marked.sizes)
    except (Refused, SizeError):
        return None, []
    if found is None or not isinstance(part := parts[which], LeafPart):
        return None, []
    used = sorted(free_syms(found) & marked.sizes.keys())
    if not used:
        text, plugged = argument(box, use, part, axis), list(in_plugs(box, axis))
        return (None, plugged) if plugged and text is None else (text or show(axis.size), [])
    return windows(found), [place for name in used for place in standing(box, marked.labels[name], marked.sizes[name])]


def proved(ctx: Context, definition: MorphismDef, env: Env) -> Facts:
    """What a call has proved of its sizes, said of the symbols in their places."""
    noted = Noted(ctx.facts)
    for fact in definition.head.where.facts if definition.head.where is not None else ():
        with suppress(Refused):
            noted.note(ctx.quiet(), fact, env)
    return noted.facts()


def in_plugs(box: PBox, axis: Axis) -> Iterator[Place]:
    """Where an axis comes from what is plugged in."""
    for _, wire in box.plugs:
        for place, other in enumerate(axes_of(wire) or ()):
            if normal(other.size) == normal(axis.size):
                yield wire, place
                return


def windows(size: Size) -> str:
    """A formula, a count of windows in the form it is known by: `(28 - 5) // 2 + 1`, not `(28 + 1) // 2 - 2`."""
    terms = terms_of(size)
    floors = [(mono.pairs[0][0], coef) for mono, coef in terms if len(mono.pairs) == 1 and mono.degree == 1]
    if len(terms) == 2 and len(floors) == 1 and floors[0][1] == 1 and isinstance(floor := floors[0][0], Floor):
        rest = sub(size, of_atom(floor))
        if isinstance(rest, int) and rest not in (0, 1) and isinstance(floor.divisor, int):
            return f"({show(add(floor.body, floor.divisor * (rest - 1)))}) // {floor.divisor} + 1"
    return show(size)


def argument(box: PBox, use: Use, part: LeafPart, axis: Axis) -> str | None:
    """The arithmetic that was given for a size, as it is written: `3 * D` of `linear(3 * D)`."""
    names = [item.value.id for item in part.items if isinstance(item.value, ast.Name)]
    params = [p.name for p in use.definition.head.params or ()]
    name = next((n for n in names if n in params and sized(use.args.get(n)) == normal(axis.size)), None)
    source = Source("", f"morphism f = {box.span.text}")
    tree, found = parse_fragment(source, 0, len(source.text))
    node = (
        tree.decls[0].body if not found and len(tree.decls) == 1 and isinstance(tree.decls[0], ast.Morphism) else None
    )
    while isinstance(node, (ast.Labelled, ast.Plug)):
        node = node.body if isinstance(node, ast.Labelled) else node.base
    if name is None or not isinstance(node, ast.Call):
        return None
    plain = [a for a in node.args if a.sep != "="]
    given = [a for a in node.args if a.sep == "=" and a.name == name] or plain[params.index(name) :][:1]
    value = given[0].value if given else None
    if isinstance(value, ast.Labelled):
        value = value.body
    return source.text[value.start : value.end] if isinstance(value, (ast.Chain, ast.Power)) else None


def sized(value: object) -> Size | None:
    """The size that a static argument is."""
    size = value.size if isinstance(value, Axis) else value.value if isinstance(value, Static) else value
    return normal(size) if isinstance(size, (int, Poly)) else None


def formula(binding: Binding, parts: tuple[Any, ...], which: int, axis: Axis, sizes: dict[str, Size]) -> Size | None:
    """The size of an axis of an output in terms of the marked sizes. Raises Refused."""
    if which >= len(parts) or not all(isinstance(part, LeafPart) for part in parts):
        return None
    for item in walk_axes(types_of(binding, parts[which]).axes):
        if isinstance(item, Axis) and same(Axis(item.label, substitute(item.size, sizes)), axis):
            return item.size
    return None


def standing(box: PBox, label: Label | None, size: Size) -> Iterator[Place]:
    """Where an axis of that label and size enters a box."""
    for wire in box.inputs:
        for place, axis in enumerate(axes_of(wire) or ()):
            if normal(axis.size) == size and (label is None or label_of(axis.label) == label_of(label)):
                yield wire, place
                return
