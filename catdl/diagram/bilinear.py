"""Products of two tensors that commute with a group, as Diagrams over core operations.

Takes closed types and what acts on their axes. Along sets and cycles both products go place by place: what stands at
one place meets what stands at the same. `equibilinear` has a weight for each equivariant bilinear map of what turns
vectors, [maps, channels of the result, channels of x, channels of y]: every pair of channels meets. `couple` has none:
channels meet one by one, and there is one map. `equilinear` spreads and reduces, so with it before and after,
`equibilinear` makes every bilinear map.

    equibilinear(x, y, (z,))      z = sum of weight [t, o, i, j] basis [t, c, a, b] x [n, a, i] y [n, b, j]
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from catdl.diagram.assemble import Assembly
from catdl.diagram.equivariant import Plan, Space, basis, leaf_named, mixed, read, shown
from catdl.diagram.model import Definition, Diagram, Init, Native, Parameter
from catdl.record import record
from catdl.symmetry.actions import Cyclic, Group, Symmetric
from catdl.symmetry.ranks import rank
from catdl.types.sizes import Size
from catdl.types.types import ANONYMOUS, Axis, Leaf, Word, label_of


@record
class Factors:
    """Both factors and one leaf of the result: where they go place by place, and what is left of each."""

    x: Space
    y: Space
    z: Space
    weighed: bool

    def places(self, space: Space) -> tuple[int, ...]:
        """The axes along which it goes place by place: sets, cycles, and without weights those of channels."""
        met = (Symmetric, Cyclic) if self.weighed else (Symmetric, Cyclic, type(None))
        groups = (None if act is None else act.group for act in space.acts)
        return tuple(k for k, group in enumerate(groups) if isinstance(group, met))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that turn what is left, in the order in which their axes are taken."""
        spaces = (self.x, self.y, self.z)
        acts = (space.acts[k] for space in spaces for k in range(len(space.acts)) if k not in self.places(space))
        return tuple(dict.fromkeys(act.group for act in acts if act is not None))

    def rest(self, space: Space) -> tuple[int, ...]:
        """All other axes, those of channels last."""
        turned = [k for group in self.groups for k in space.places(group)]
        return (*turned, *(space.places(None) if self.weighed else ()))

    @property
    def result(self) -> Space:
        """What is left of the result."""
        return part(self.z, self.rest(self.z))

    @property
    def pair(self) -> Space:
        """What is left of the factors, side by side."""
        one, other = part(self.x, self.rest(self.x)), part(self.y, self.rest(self.y))
        return Space(Leaf(one.leaf.kind, (*one.leaf.axes, *other.leaf.axes)), (*one.acts, *other.acts))

    @property
    def plan(self) -> Plan:
        """How what is left is mapped."""
        return Plan((), self.groups)

    def apart(self) -> list[Axis]:
        """Axes that go place by place, and are not of a factor and of the result, or have no name to say so."""
        met = [axes_at(space, self.places(space)) for space in (self.x, self.y, self.z)]
        one, other, result = ({label_of(axis.label) for axis in axes} for axes in met)
        both = (one | other) & result
        return [axis for axes in met for axis in axes if label_of(axis.label) not in both or not named(axis)]

    def count(self) -> int:
        """How many independent maps there are, channels not counted."""
        return self.plan.count(self.pair, self.result)


def part(space: Space, places: tuple[int, ...]) -> Space:
    """Some axes of a space."""
    return Space(Leaf(space.leaf.kind, axes_at(space, places)), tuple(space.acts[k] for k in places))


def named(axis: Axis) -> bool:
    """Whether an axis has a name that tells it from others."""
    return isinstance(label_of(axis.label), str | Word)


def axes_at(space: Space, places: tuple[int, ...]) -> tuple[Axis, ...]:
    """Some axes of a leaf."""
    return tuple(axis for k in places if isinstance(axis := space.leaf.axes[k], Axis))


def bilinear_leaves(x: Space, y: Space, outs: tuple[Space, ...]) -> tuple[Parameter, ...]:
    """A weight for each leaf of the result. They start so that inputs of variance 1 make results of variance 1."""
    found: list[Parameter] = []
    for j, z in enumerate(outs):
        both = Factors(x, y, z, True)
        one, other = x.channels(), y.channels()
        start = Init("normal", (0.0, float((both.count() * one * other) ** -0.5)))
        name = f"weight_{j}" if len(outs) > 1 else "weight"
        found.append(leaf_named(name, (both.count(), z.channels(), one, other), start))
    return tuple(found)


def bilinear(x: Space, y: Space, outs: tuple[Space, ...], weighed: bool) -> Native:
    """A product as one box, with weights or without."""
    make: Callable[[], Diagram] = lambda: definition(x, y, outs, weighed)  # noqa: E731
    args = (("ins", (shown(x), shown(y))), ("outs", tuple(map(shown, outs))))
    leaves = bilinear_leaves(x, y, outs) if weighed else ()
    return Native("equibilinear" if weighed else "couple", args, (), leaves, None, None, Definition(make))


def definition(x: Space, y: Space, outs: tuple[Space, ...], weighed: bool) -> Diagram:
    """The product, a result for each leaf of the result."""
    a = Assembly()
    inputs = [a.input(x.leaf), a.input(y.leaf)]
    known = bilinear_leaves(x, y, outs) if weighed else (None,) * len(outs)
    results: list[int] = []
    for z, parameter in zip(outs, known, strict=True):
        both = Factors(x, y, z, weighed)
        matrix = _constant(a, both) if parameter is None else _matrix(a, both, read(a, parameter))
        results.append(_product(a, both, inputs, matrix))
    return a.diagram("equibilinear" if weighed else "couple", inputs, results)


def _matrix(a: Assembly, both: Factors, weight: int) -> int:
    """The weights as a matrix from all pairs of what is left of the factors."""
    return mixed(a, both.plan, both.pair, both.result, a.merged(weight, 2, 2))


def _constant(a: Assembly, both: Factors) -> int | None:
    """The one map as a matrix; None where nothing turns."""
    tables: list[int] = []
    sides: list[tuple[int, int]] = []
    for group in both.groups:
        assert not isinstance(group, Cyclic), "cycles go place by place"
        under = both.result.under(group), both.pair.under(group)
        rows, columns = (prod(map(_number, s.sizes(s.places(group)))) for s in (both.result, both.pair))
        axes = tuple(Axis(ANONYMOUS, n) for n in (rank(group, *under), rows, columns))
        table = a.box(basis(group, *under), [], Leaf(both.z.leaf.kind, axes), True)
        tables.append(a.split(a.named(table, "basis"), 0, ()))
        sides.append((rows, columns))
    if len(tables) < 2:
        return tables[0] if tables else None
    count = len(tables)
    out = (*range(count), *range(count, 2 * count))
    axes = tuple(Axis(ANONYMOUS, sides[k % count][k // count]) for k in out)
    wire = a.core("contract", tables, axes, ins=tuple((k, count + k) for k in range(count)), out=out)
    return a.merged(a.merged(wire, count, count), 0, count)


def _product(a: Assembly, both: Factors, inputs: list[int], matrix: int | None) -> int:
    """Everything with everything at each place, as one axis, times a matrix; then the axes of the result in order."""
    z = both.z
    met = axes_at(z, both.places(z))
    count = len(met)
    shared = {label_of(axis.label): k for k, axis in enumerate(met)}
    lettered: list[tuple[int, ...]] = []
    left: list[tuple[int, Axis, int]] = []  # what is not shared: when it is taken, the axis, its letter
    for space in (both.x, both.y):
        own = {k: shared[label_of(axes_at(space, (k,))[0].label)] for k in both.places(space)}
        for k in both.rest(space):
            act = space.acts[k]
            own[k] = count + len(left)
            when = len(both.groups) if act is None else both.groups.index(act.group)
            left.append((when, axes_at(space, (k,))[0], own[k]))
        lettered.append(tuple(own[k] for k in range(len(space.acts))))
    left.sort(key=lambda one: one[0])
    here = tuple(range(count))
    axes = (*met, *(axis for _, axis, _ in left))
    out = (*here, *(letter for _, _, letter in left))
    wire = a.core("contract", inputs, axes, ins=tuple(lettered), out=out)
    if matrix is not None:
        wire = a.merged(wire, count, len(left))
        ins, out = ((*here, count), (count + 1, count)), (*here, count + 1)
        wire = a.core("contract", [wire, matrix], (*met, a.axes(matrix)[0]), ins=ins, out=out)
        wire = a.split(wire, count, axes_at(z, both.rest(z)))
    order = [*both.places(z), *both.rest(z)]
    return a.permuted(wire, [order.index(k) for k in range(len(order))])


def _number(size: Size) -> int:
    assert isinstance(size, int), "what turns vectors has a fixed size"
    return size
