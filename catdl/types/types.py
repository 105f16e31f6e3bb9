"""Types: labelled axes, kinds, tensors and products.

Takes sizes from `sizes.py`. A `Leaf` is the type of one wire; an object of the language is a flat tuple of
leaves (products associate strictly), with a name for each port that has one. Unknowns are mutable cells
(`LabelVar`, `RowVar`, `SizeVar`) bound by the solver; `walk_axes` reads through them.

    Real[T, D: 768]   Leaf(Kind("Real"), (Axis("gpt2::T", Sym), Axis("gpt2::D", 768)))
"""

from __future__ import annotations

from math import prod
from typing import TypeAlias

from catdl.record import record
from catdl.types.sizes import Poly, Size, SizeVar, normal, show


class LabelVar:
    """An unknown label: of a size argument, a computed axis. Bound at most once; `None` inside is no name yet."""

    __slots__ = ("bound", "id")

    def __init__(self, id: int) -> None:
        self.id = id
        self.bound: Label | None = None


@record
class Word:
    """The label of a merged axis: an ordered word of axes."""

    axes: tuple[Axis, ...]


@record
class Anonymous:
    """The label of an unlabelled axis in a declared type; matches by size at one port only."""


ANONYMOUS = Anonymous()

Label: TypeAlias = str | Anonymous | Word | LabelVar


class Axis:
    """One axis: a label and a size."""

    __slots__ = ("label", "size")

    def __init__(self, label: Label, size: Size) -> None:
        self.label = label
        self.size = size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Axis) and self.label == other.label and self.size == other.size

    def __hash__(self) -> int:
        return hash((self.label, self.size))

    def __repr__(self) -> str:
        return show_axis(self)


class RowVar:
    """An unknown run of axes."""

    __slots__ = ("bound", "id")

    def __init__(self, id: int) -> None:
        self.id = id
        self.bound: tuple[AxisItem, ...] | None = None


AxisItem: TypeAlias = Axis | RowVar


@record
class Kind:
    """What a number means: a declared kind by name; `size` is the range of a `Fin`, `axis` the axis of a `Probs`.

    `root` is known in Diagrams for kinds that a spec declares: what they are stored as. `form` is how the trees of a
    `mu` grow; such a wire has no axes. `cases` is, of the tag in front of a sum, how wide each
    part of each summand is.
    """

    name: str
    size: Size | None = None
    axis: Label | None = None
    root: str | None = None
    form: Form | None = None
    cases: tuple[tuple[int, ...], ...] = ()


@record
class Child:
    """A place for a subtree in a node: for one, or for one at every index of `axes`, whose sizes are numbers.

    A place for a row of them, as many as the node has, has the axis of a var dim.
    """

    axes: tuple[Axis, ...] = ()

    @property
    def row(self) -> Axis | None:
        """The axis of a row of subtrees, of each node's own size."""
        return next((axis for axis in self.axes if not isinstance(axis.size, int)), None)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of children along each axis."""
        return tuple(axis.size for axis in self.axes if isinstance(axis.size, int))

    @property
    def count(self) -> int:
        """The number of children at the place."""
        return prod(self.sizes)


@record
class Form:
    """A polynomial functor by name, as the sum of products that it is: how the nodes of a tree are made.

    `functor Expr(X) = Fin(10) + Fin(3) @ X @ X` has the summands (Fin(10),) and (Fin(3), Child(), Child()).
    """

    name: str
    summands: tuple[tuple[Leaf | Child, ...], ...]


class Leaf:
    """The type of one wire: a kind over a list of axes."""

    __slots__ = ("axes", "kind")

    def __init__(self, kind: Kind, axes: tuple[AxisItem, ...]) -> None:
        self.kind = kind
        self.axes = axes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and self.kind == other.kind and self.axes == other.axes

    def __hash__(self) -> int:
        return hash((self.kind, self.axes))

    def __repr__(self) -> str:
        return show_leaf(self)


@record
class Object:
    """A flat product of leaves; `names[i]` is the port's name or None.

    `groups` keeps how a record was written, a name and a number of leaves for each port: `(x: X, edges: Edges)`.
    """

    leaves: tuple[Leaf, ...]
    names: tuple[str | None, ...]
    groups: tuple[tuple[str | None, int], ...] | None = None


UNIT = Object((), ())


def label_of(label: Label) -> Label:
    """The label at the end of bound variables."""
    while isinstance(label, LabelVar) and label.bound is not None:
        label = label.bound
    return label


def walk_axes(axes: tuple[AxisItem, ...]) -> tuple[AxisItem, ...]:
    """The axes with bound rows spliced in and bound labels and sizes read; unbound rows stay."""
    out: list[AxisItem] = []
    stack = list(reversed(axes))
    while stack:
        item = stack.pop()
        if isinstance(item, RowVar):
            if item.bound is None:
                out.append(item)
            else:
                stack.extend(reversed(item.bound))
        else:
            label = label_of(item.label)
            size = item.size if item.size.__class__ is int else normal(item.size)
            out.append(item if label is item.label and size is item.size else Axis(label, size))
    return tuple(out)


def axis_sizes(leaf: Leaf) -> tuple[Size, ...]:
    """Sizes of a closed leaf, outermost first. Raises ValueError where a row is still unknown."""
    sizes: list[Size] = []
    for axis in leaf.axes:
        if isinstance(axis, RowVar):
            raise ValueError("rank not determined")
        sizes.append(axis.size)
    return tuple(sizes)


def plain(name: str) -> str:
    """A qualified name as the reader wrote it: `gpt2::T` is `T`."""
    return name.rpartition("::")[2]


def show_label(label: Label, full: bool = False) -> str:
    """A label as it is written in a type; empty for an axis without a name. In `full` with its module: `layers.T`."""
    label = label_of(label)
    match label:
        case str():
            return label.replace("::", ".") if full else plain(label)
        case Word(axes):
            return "(" + " ".join(show_label(a.label, full) or show(a.size) for a in axes) + ")"
        case _:
            return ""


def show_axis(item: AxisItem, full: bool = False) -> str:
    """`T`, `D: 768`, `64`, `..`; in `full`, `layers.D: 768`."""
    if isinstance(item, RowVar):
        return ".."
    name, shown = show_label(item.label, full), _show_size(item.size)
    if not name:
        return shown
    return name if name == shown else f"{name}: {shown}"


def _show_size(size: Size) -> str:
    """A size, `_` for one that is not known yet."""
    size = size if isinstance(size, int) else normal(size)
    return "_" if isinstance(size, Poly) and _is_unknown(size) else show(size)


def _is_unknown(size: Poly) -> bool:
    atoms = [atom for monomial, _ in size.terms for atom, _ in monomial.pairs]
    return len(atoms) == 1 and isinstance(atoms[0], SizeVar)


def show_kind(kind: Kind) -> str:
    """`Real`, `Fin(50257)`, `Probs(Class)`."""
    name = plain(kind.name)
    if kind.form is not None:
        return f"mu({plain(kind.form.name)})"
    if kind.size is not None:
        return f"{name}({_show_size(kind.size)})"
    if kind.axis is not None and (axis := show_label(kind.axis)):
        return f"{name}({axis})"
    return name


def show_leaf(leaf: Leaf, full: bool = False) -> str:
    """`Real[T, D: 768]`; in `full`, `Real[layers.T: T, layers.D: 768]`."""
    axes = walk_axes(leaf.axes)
    if not axes:
        return show_kind(leaf.kind)
    return f"{show_kind(leaf.kind)}[{', '.join(show_axis(a, full) for a in axes)}]"


def show_form(form: Form) -> str:
    """`Expr(X) = Fin(10) + Fin(3) @ X @ X`."""
    summands = [" @ ".join(map(show_item, parts)) or "()" for parts in form.summands]
    return f"{plain(form.name)}(X) = {' + '.join(summands)}"


def show_item(item: Leaf | Child) -> str:
    """`Fin(3)`, `X`, `(Fin(2) -> X)`."""
    if isinstance(item, Leaf):
        return show_leaf(item)
    if item.row is not None:
        return f"X[{show_axis(item.row)}]"
    return f"({' -> '.join([*(f'Fin({size})' for size in item.sizes), 'X'])})" if item.axes else "X"


def show_both(expected: Leaf, found: Leaf) -> tuple[str, str]:
    """Two types that differ. Where one cannot see it, since dims of two files have one name, the files are told."""
    shown = show_leaf(expected), show_leaf(found)
    return (show_leaf(expected, True), show_leaf(found, True)) if shown[0] == shown[1] else shown


def show_object(value: Object) -> str:
    """`()`, `Real[T]`, `Real[T] @ Real[D]`, `(q: Real[T], k: Real[T])`."""
    if not value.leaves:
        return "()"
    shown = [show_leaf(leaf) for leaf in value.leaves]
    if any(value.names):
        return "(" + ", ".join(f"{n}: {s}" if n else s for n, s in zip(value.names, shown, strict=True)) + ")"
    return " @ ".join(shown)
