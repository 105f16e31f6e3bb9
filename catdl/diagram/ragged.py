"""What operations do along var dims: act on each element alone, on each sample's elements, or on the axis as a whole.

Takes boxes of closed types. Elements of all samples lie one after the other (`torch/ragged.py`), so what acts on each
alone never meets the borders between samples, and what acts by segment is done between them. What needs the axis as a
whole, a matrix of pairs or a window, has no packed form.

    alone(Core("reduce", axes = (1,)), [Real[N, D]], Real[N])       True
    whole(Core("window", axis = 0), [Real[N, D]], Real[…])          "it cuts windows out of `N`"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catdl.diagram.model import Box, Core, Diagram, Each, Extern, Fold, Map, Native, TreeFold
from catdl.diagram.params import bodies
from catdl.types.ragged import fin, mentioned, of_leaves, places, ragged_syms, row, rows
from catdl.types.sizes import Poly, Size, short, show, sub
from catdl.types.types import Axis, Child, Form, Leaf, show_leaf

PAIRS = {"attend": ("T", "U")}
"""Entries whose definition takes pairs of elements along two binders, and whose lowering keeps samples apart."""

_ON_AXIS = frozenset(["argmax", "split_axis", "drop", "slice", "pad", "window", "concat", "gather", "pick", "scan"])


def row_axis(leaf: Leaf) -> int | None:
    """The position of the var axis of a type."""
    return next(iter(places(leaf)), None)


def leaves(diagram: Diagram, wires: Sequence[int]) -> list[Leaf]:
    """The types of some wires."""
    return [diagram.wires[wire].type for wire in wires]


def is_ragged(diagram: Diagram, box: Box) -> bool:
    """Whether a box has anything to do with var dims."""
    found = of_leaves(leaves(diagram, (*box.inputs, *box.outputs)))
    return bool(found) or (isinstance(box.op, Core) and bool(mentioned(box.op.attrs)))


def alone(core: Core, ins: Sequence[Leaf], out: Leaf) -> bool:
    """Whether a core operation does the same to every element of a var axis, apart from all others."""
    match core.name:
        case "pointwise":
            return not any(map(fin, (*ins, out))) or core["fn"] not in ("real", "bool", "fin", "clamp_index")
        case "contract":
            return all(letter in _attr(core, "out") for letter in _letters(core, ins))
        case "reduce":
            return row_axis(ins[0]) not in _attr(core, "axes")
        case "merge_axes":
            at, first = row_axis(ins[0]), _attr(core, "axis")
            return at is None or not first <= at < first + _attr(core, "count")
        case "scatter":
            return row_axis(ins[1]) is None and fin(ins[1]) is None
        case "gather" | "pick" if fin(ins[1]) is not None:
            return False
        case "across":
            return row_axis(ins[0]) not in _attr(core, "keep")
        case _ if mentioned(core.attrs):
            return False
        case name if name in _ON_AXIS:
            return row_axis(ins[0]) is None or row_axis(ins[0]) != core["axis"]
        case _:
            return True


def _attr(core: Core, name: str) -> Any:
    """An attribute whose type is fixed by `docs/core.md`."""
    return core[name]


def _letters(core: Core, ins: Sequence[Leaf]) -> list[int]:
    """The letters of the var axes of a contraction."""
    return [term[at] for term, leaf in zip(_attr(core, "ins"), ins, strict=True) for at in places(leaf)]


def whole(core: Core, ins: Sequence[Leaf], out: Leaf) -> str | None:
    """Why a core operation needs a var axis as a whole; None where it does not."""
    for axis in out.axes:
        if isinstance(axis, Axis) and (found := ragged_syms(axis.size)) and rows(Leaf(out.kind, (axis,))) is None:
            return f"it makes an axis of size `{show(axis.size)}`, another one in every sample than `{_named(found)}`"
    if len(places(out)) > 1:
        return f"it makes a `{show_leaf(out)}`: every element with every other"
    if alone(core, ins, out):
        return None
    at = row_axis(ins[0]) if ins else None
    name = show_leaf(Leaf(ins[0].kind, (ins[0].axes[at],))).partition("[")[2][:-1] if at is not None else ""
    match core.name:
        case "split_axis" | "merge_axes":
            return f"it merges or splits `{name}`"
        case "window" | "drop" | "concat" | "across":
            return f"it takes `{name}` as a whole"
        case "pad":
            return None if at == core["axis"] and not places(out) else f"it adds to `{name}`"
        case "slice":
            return None if sliced(core, ins[0], out) else f"it cuts a piece out of `{name}`"
        case _:
            return None


def sliced(core: Core, x: Leaf, out: Leaf) -> bool:
    """Whether a slice has a packed form: all in reverse, so many from either end, the first of a longer axis."""
    start, step, size = core["start"], core["step"], core["size"]
    at = row_axis(x)
    if at is None:
        return isinstance(start, int) and isinstance(step, int)
    assert isinstance(start, int | Poly) and isinstance(size, int | Poly)
    whole_size = _size(x, at)
    if places(out):
        return size == whole_size and (step == 1 or (step == -1 and start == sub(whole_size, 1)))
    return isinstance(start, int) or isinstance(sub(start, whole_size), int)


def _size(leaf: Leaf, at: int) -> Size:
    axis = leaf.axes[at]
    assert isinstance(axis, Axis)
    return axis.size


def _named(found: frozenset[str]) -> str:
    return short(min(found))


def rows_of(form: Form) -> frozenset[str]:
    """The var dims along which the nodes of trees have rows of children."""
    items = (item for parts in form.summands for item in parts if isinstance(item, Child))
    return frozenset(name for item in items if item.row is not None and (name := row(item.row.size)) is not None)


def pairs(native: Native) -> bool:
    """Whether a native that takes pairs of elements is given two var axes."""
    binds = dict(native.binds)
    found = [binds[name] for name in PAIRS.get(native.entry, ())]
    return bool(found) and all(isinstance(axis, Axis) and ragged_syms(axis.size) for axis in found)


class Along:
    """What natives do along var dims, told from their definitions; each is looked at once."""

    __slots__ = ("_memo",)

    def __init__(self) -> None:
        self._memo: dict[int, bool] = {}

    def alone(self, native: Native) -> bool:
        """Whether a native does the same to every element of a var axis, apart from all others."""
        if not mentioned(tuple(value for _, value in (*native.args, *native.binds))):
            return True
        if native.definition is None:  # rows of axes are what it is repeated over
            return not any(isinstance(axis, Axis) and ragged_syms(axis.size) for _, axis in native.binds)
        return self._diagram(native.definition.diagram())

    def _diagram(self, diagram: Diagram) -> bool:
        found = self._memo.get(id(diagram))
        if found is None:
            found = self._memo[id(diagram)] = all(self._box(diagram, box) for box in diagram.boxes)
        return found

    def _box(self, diagram: Diagram, box: Box) -> bool:
        ins, outs = leaves(diagram, box.inputs), leaves(diagram, box.outputs)
        match box.op:
            case Core():
                return alone(box.op, ins, outs[0])
            case Native():
                return self.alone(box.op)
            case _:
                inner = bodies(box)
                return inner is None or self._diagram(inner)

    def whole(self, diagram: Diagram, box: Box) -> str | None:
        """Why a box needs a var axis as a whole; None where it does not."""
        if not is_ragged(diagram, box):
            return None
        ins, outs = leaves(diagram, box.inputs), leaves(diagram, box.outputs)
        match box.op:
            case Core():
                return whole(box.op, ins, outs[0])
            case Native() if self.alone(box.op) or pairs(box.op):
                return next((f"it makes a `{show_leaf(leaf)}`" for leaf in outs if len(places(leaf)) > 1), None)
            case Native(definition=None):
                return "it is computed from all elements at once"
            case Native(definition=definition):
                assert definition is not None
                inside = definition.diagram()
                return next((why for inner in inside.boxes if (why := self.whole(inside, inner)) is not None), None)
            case Extern():
                return "a module of another package is given tensors of one shape"
            case Map(axes, body, _) if mentioned(axes):
                lone = not of_leaves(wire.type for wire in body.wires) and len(axes) == 1
                return None if lone else "there is one element inside, which sees no other"
            case Map() | Each():
                return "there is one index inside, which sees no samples"
            case Fold(axis, body, _, _) if mentioned(axis):
                inner = of_leaves(wire.type for wire in body.wires)
                return "a step has one element, and sees no other" if inner else None
            case TreeFold(form=form, body=body) if not of_leaves(wire.type for wire in body.wires) <= rows_of(form):
                return "a leg has one node, and sees no samples"
            case TreeFold() if of_leaves(ins[1:]):
                return "a leg has one node, and sees no samples"
            case _:
                return None
