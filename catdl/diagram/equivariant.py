"""The general equivariant linear map between two objects, as a Diagram over core operations.

Takes closed types and what acts on their axes. Guarantees leaves with a row for each independent map (`leaves`), and
their meaning (`definition`): sets, whose sizes may be free, are reduced and spread (`sets.py`); a cycle reads its
weight at differences of places; what turns vectors mixes its basis by the weights, once for all samples. Axes without
an action are channels: a weight is [maps, channels of the result, channels of the input]. Leaves are taken one by one.

    equivariant((Space(Real[N, 3], …),), (Space(Real[N, 8], …),), True)      weight [2, 8, 3], bias [1, 8]
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from catdl.diagram.assemble import Assembly
from catdl.diagram.model import Core, Definition, Diagram, Init, Local, Native, Parameter
from catdl.diagram.sets import Part, Sets, gains, mapped, reads, spans, total, writes
from catdl.record import record
from catdl.symmetry.actions import Act, Acts, Cyclic, Declared, Group, Matrices, Shifts, Symmetric, size_of
from catdl.symmetry.commuting import sides, telling
from catdl.symmetry.ranks import rank
from catdl.types.sizes import Size
from catdl.types.types import ANONYMOUS, Axis, Kind, Leaf, axis_sizes

REAL = Kind("Real")


@record
class Space:
    """A leaf and what acts on each of its axes; None for an axis of channels."""

    leaf: Leaf
    acts: tuple[Act | None, ...]

    def groups(self) -> dict[Group, None]:
        """The groups that act on it, in the order of its axes."""
        return dict.fromkeys(act.group for act in self.acts if act is not None)

    def places(self, group: Group | None) -> tuple[int, ...]:
        """The axes on which a group acts; those of channels for None."""
        return tuple(k for k, act in enumerate(self.acts) if (act and act.group) == group)

    def under(self, group: Group) -> Acts:
        """What a group does to its axes, in order."""
        return tuple(act for act in self.acts if act is not None and act.group == group)

    def sizes(self, places: tuple[int, ...]) -> tuple[Size, ...]:
        """The sizes of some axes."""
        found = axis_sizes(self.leaf)
        return tuple(found[k] for k in places)

    def channels(self) -> int:
        """The number of channels."""
        sizes = self.sizes(self.places(None))
        return prod(size for size in sizes if isinstance(size, int))


NOTHING = Space(Leaf(REAL, ()), ())
"""What a bias comes from."""


@record
class Plan:
    """The groups of all leaves: those whose maps are reductions and spreadings, and the others, each with a basis."""

    sets: tuple[Symmetric, ...]
    others: tuple[Group, ...]

    def along(self, space: Space) -> Sets:
        """The sets with their axes."""
        return tuple((group, len(space.places(group))) for group in self.sets)

    def maps(self, x: Space, y: Space) -> tuple[int, tuple[int, ...]]:
        """How many maps there are: of all sets together, and of each other group."""
        ins, outs = self.along(x), self.along(y)
        sets = sum(len(reads(ins, kept)) * len(writes(outs, kept)) for kept in spans(ins, outs))
        return sets, tuple(rank(group, y.under(group), x.under(group)) for group in self.others)

    def places(self, x: Space, y: Space) -> int:
        """How many pairs there are of an entry of the result and one of the input, sets and channels not counted."""
        return prod(_number(size_of(act)) for g in self.others for act in (*y.under(g), *x.under(g)))

    def count(self, x: Space, y: Space) -> int:
        """How many independent maps there are between two leaves, channels not counted."""
        sets, others = self.maps(x, y)
        return sets * prod(others)


def plan(ins: tuple[Space, ...], outs: tuple[Space, ...]) -> Plan:
    """A set that is smaller than a map has axes has fewer maps than partitions: it is treated as any other group."""
    groups: dict[Group, None] = {}
    for space in (*ins, *outs):
        groups |= space.groups()
    sets: list[Symmetric] = []
    for group in groups:
        most = sum(max(len(space.places(group)) for space in side) for side in (ins or (NOTHING,), outs))
        if isinstance(group, Symmetric) and (not isinstance(group.size, int) or group.size >= most):
            sets.append(group)
    return Plan(tuple(sets), tuple(group for group in groups if group not in sets))


def leaves(ins: tuple[Space, ...], outs: tuple[Space, ...], bias: bool) -> tuple[Parameter, ...]:
    """The parameters: a weight for each pair of leaves between which there are maps, a bias for each with invariants.

    They start so that a result has, on average, the variance of the inputs.
    """
    found: list[Parameter] = []
    how = plan(ins, outs)
    for j, y in enumerate(outs):
        gain = sum(_gain(how, x, y) for x in ins)
        for i, x in enumerate(ins):
            if count := how.count(x, y):
                init = Init("normal", (0.0, float(gain**-0.5) if gain else 0.0))
                found.append(leaf_named(_name("weight", i, j, ins, outs), (count, y.channels(), x.channels()), init))
        if bias and (count := how.count(NOTHING, y)):
            found.append(leaf_named(_name("bias", 0, j, ins[:1], outs), (count, y.channels()), Init("zeros")))
    return tuple(found)


def _name(what: str, i: int, j: int, ins: tuple[Space, ...], outs: tuple[Space, ...]) -> str:
    numbers = ([str(j)] if len(outs) > 1 else []) + ([str(i)] if len(ins) > 1 else [])
    return "_".join((what, *numbers))


def leaf_named(path: str, shape: tuple[int, ...], init: Init) -> Parameter:
    """A leaf of real numbers."""
    return Parameter(path, Leaf(REAL, tuple(Axis(ANONYMOUS, size) for size in shape)), init)


def _gain(how: Plan, x: Space, y: Space) -> float:
    """The variance of a result, on average over its entries, for weights and inputs of variance 1.

    A mean over a set whose size is free counts as nothing beside what is not reduced; if all is, as no mean.
    """
    others = 1.0
    for group in how.others:
        count = rank(group, y.under(group), x.under(group))
        steps = len(y.places(group))
        others *= (
            count * group.size ** (1 - steps) if isinstance(group, Cyclic) and isinstance(group.size, int) else count
        )
    sets = sum(gains(how.along(x), how.along(y))) or float(how.maps(x, y)[0])
    return sets * others * x.channels()


def definition(ins: tuple[Space, ...], outs: tuple[Space, ...], bias: bool) -> Diagram:
    """The map, a result for each leaf of the result."""
    a = Assembly()
    how = plan(ins, outs)
    known = {p.path: p for p in leaves(ins, outs, bias)}
    inputs = [a.input(space.leaf) for space in ins]
    flat: dict[int, int] = {}
    results: list[int] = []
    for j, y in enumerate(outs):
        terms: list[Part] = []
        offset = known.get(_name("bias", 0, j, ins[:1], outs))
        moved = None if offset is None else mixed(a, how, NOTHING, y, read(a, offset))
        for i, x in enumerate(ins):
            weight = known.get(_name("weight", i, j, ins, outs))
            if weight is not None and convolves(how, x, y):
                places = next(iter(x.groups())), a.permuted(inputs[i], _rest(how, x))
                terms.append(Part(_convolved(a, *places, y, read(a, weight)), (), ()))
            elif weight is not None:
                matrix = mixed(a, how, x, y, read(a, weight))
                if i not in flat:
                    flat[i] = _flat(a, how, x, inputs[i])
                if how.sets or moved is None:
                    terms += mapped(a, how.along(x), how.along(y), flat[i], matrix)
                else:
                    terms.append(Part(_affine(a, flat[i], matrix, moved), (), ()))
                    moved = None
        if moved is not None:
            terms += mapped(a, how.along(NOTHING), how.along(y), None, moved)
        axes = tuple(axis for k in _first(how, y) if isinstance(axis := y.leaf.axes[k], Axis))
        results.append(_shaped(a, how, y, total(a, axes, a.axes(terms[0].wire)[-1], terms)))
    return a.diagram("equilinear", inputs, results)


def read(a: Assembly, parameter: Parameter) -> int:
    """A leaf of the layer's own."""
    return a.box(Local(parameter), [], parameter.type, True, parameter.path)


def _first(how: Plan, space: Space) -> list[int]:
    """The axes of sets."""
    return [k for group in how.sets for k in space.places(group)]


def _rest(how: Plan, space: Space) -> list[int]:
    """All others, channels last."""
    return [*(k for group in how.others for k in space.places(group)), *space.places(None)]


def _flat(a: Assembly, how: Plan, space: Space, wire: int) -> int:
    """A leaf with its sets in front and all else as one axis behind them, the channels innermost."""
    first, rest = _first(how, space), _rest(how, space)
    return a.merged(a.permuted(wire, [*first, *rest]), len(first), len(rest))


def _shaped(a: Assembly, how: Plan, space: Space, wire: int) -> int:
    """The reverse: from sets and one axis to the leaf."""
    first, rest = _first(how, space), _rest(how, space)
    wire = a.split(wire, len(first), tuple(axis for k in rest if isinstance(axis := space.leaf.axes[k], Axis)))
    order = [*first, *rest]
    return a.permuted(wire, [order.index(k) for k in range(len(order))])


def mixed(a: Assembly, how: Plan, x: Space, y: Space, weight: int) -> int:
    """The weights [maps of the sets, all else of the result, all else of the input], bases of other groups mixed in.

    Without sets there is one such matrix, without an axis in front; of a bias there are vectors.
    """
    others = [group for group in how.others if x.places(group) or y.places(group)]
    sets = how.maps(x, y)[0]
    front = 1 if how.sets else 0
    channels = a.axes(weight)[1:]
    matrix = len(channels) > 1
    if not others:
        return weight if front else a.split(weight, 0, ())
    ranks = [rank(group, y.under(group), x.under(group)) for group in others]
    maps = tuple(Axis(ANONYMOUS, n) for n in ([sets] if front else []) + ranks)
    wire = a.split(weight, 0, maps)
    for k in reversed(range(len(others))):
        if isinstance(group := others[k], Cyclic):
            wire = _around(a, group, len(y.places(group)), len(x.places(group)), wire, front + k, matrix)
    sides = [[prod(map(_number, space.sizes(space.places(g)))) for g in others] for space in (y, x)]
    # Letters: 0 the maps of the sets, then for each group its map, its result and its input; -1 and -2 the channels.
    around = (2, 3) if matrix else (2,)
    held = [3 * k + part for k, g in enumerate(others) for part in (around if isinstance(g, Cyclic) else (1,))]
    letters = (*[0] * front, *held, *(-1, -2)[: len(channels)])
    read: list[tuple[int, ...]] = []
    tables: list[int] = []
    for k, group in enumerate(others):
        if not isinstance(group, Cyclic):
            axes = tuple(Axis(ANONYMOUS, n) for n in (ranks[k], sides[0][k], sides[1][k]))
            table = a.box(basis(group, y.under(group), x.under(group)), [], Leaf(REAL, axes), True)
            tables.append(a.named(table, "basis"))
            read.append((3 * k + 1, 3 * k + 2, 3 * k + 3))
    rows, columns = ([3 * k + side for k in range(len(others))] for side in (2, 3))
    result = (*[0] * front, *rows, -1, *((*columns, -2) if matrix else ()))
    sizes = {0: sets, -1: channels[0].size, -2: channels[-1].size}
    sizes |= dict(zip(rows, sides[0], strict=True)) | dict(zip(columns, sides[1], strict=True))
    if tables:
        made = tuple(Axis(ANONYMOUS, sizes[letter]) for letter in result)
        wire = a.core("contract", [wire, *tables], made, ins=(letters, *read), out=result)
    else:
        wire = a.permuted(wire, [letters.index(letter) for letter in result])
    wire = a.merged(wire, front, len(rows) + 1)
    if matrix:
        wire = a.merged(wire, front + 1, len(columns) + 1)
    a.make(wire)
    return a.named(wire, "w" if matrix else "b")


def _number(size: Size) -> int:
    assert isinstance(size, int), "what is not a set has a fixed size"
    return size


def _around(a: Assembly, group: Cyclic, outs: int, ins: int, wire: int, place: int, matrix: bool) -> int:
    """Weights of a cycle, one for each list of differences of places, at all places: [.., result, input, ..].

    Of a bias, which is no matrix, [.., result, ..].
    """
    size, count = _number(group.size), outs + ins
    axes = tuple(Axis(ANONYMOUS, size) for _ in range(count))
    if count == 1:  # every place alike
        wire = a.split(wire, place, ())
        for side in reversed((outs, ins) if matrix else (outs,)):
            wire = a.expanded(wire, place, Axis(ANONYMOUS, size if side else 1))
        return wire
    places = Kind("Fin", size)
    steps = a.box(Core("index", (("size", size),)), [], Leaf(places, axes[:1]), True)
    code: int | None = None
    wide: tuple[int, ...] = ()
    for k in range(1, count):
        step = a.point("sub", [(steps, (1,)), (steps, (0,))], (axes[0], axes[k]), places)
        step = a.point("mod", [(step, (0, 1)), (a.literal(size, places), ())], (axes[0], axes[k]), places)
        if code is None:
            code, wide = step, (0, 1)
            continue
        wider = Kind("Fin", size**k)
        code = a.point("mul", [(code, wide), (a.literal(size, wider), ())], axes[:k], wider)
        code = a.point("add", [(code, wide), (step, (0, k))], axes[: k + 1], wider)
        wide = (*wide, k)
    assert code is not None
    code = a.merged(a.merged(code, outs, ins) if matrix else code, 0, outs)
    return a.gathered(wire, place, code)


def _affine(a: Assembly, x: int, matrix: int, offset: int) -> int:
    """A matrix and a bias at once, which is one call."""
    given = tuple(a.wires[wire].type for wire in (x, matrix, offset))
    native = Native("affine", (), (), (), None, None, Definition(lambda: _matrix_and_bias(*given)))
    return a.named(a.box(native, [x, matrix, offset], Leaf(REAL, a.axes(offset)), False), "y")


def _matrix_and_bias(x: Leaf, matrix: Leaf, offset: Leaf) -> Diagram:
    a = Assembly()
    inputs = [a.input(x), a.constant(matrix), a.constant(offset)]
    rows = a.axes(inputs[2])
    made = a.core("contract", inputs[:2], rows, ins=((1,), (0, 1)), out=(0,))
    return a.diagram("affine", inputs, [a.point("add", [(made, (0,)), (inputs[2], (0,))], rows)])


FOURIER = 384  # places times channels from which on a transform is faster than a matrix, measured


def convolves(how: Plan, x: Space, y: Space) -> bool:
    """Whether a map is one along a cycle and nothing else, long enough for Fourier transforms."""
    group = how.others[0] if len(how.others) == 1 and not how.sets else None
    if not isinstance(group, Cyclic) or len(x.places(group)) != 1 or len(y.places(group)) != 1:
        return False
    return bool(_number(group.size) ** 2 * x.channels() * y.channels() >= FOURIER**2)


def _convolved(a: Assembly, group: Group, x: int, y: Space, weight: int) -> int:
    """The convolution of an input whose first axis is a cycle, its places and channels as one axis."""
    assert isinstance(group, Cyclic)
    x = a.merged(x, 1, len(a.axes(x)) - 1)
    place, out = a.axes(x)[0], a.axes(weight)[1]
    given = a.wires[x].type, a.wires[weight].type
    native = Native("circular", (), (), (), None, None, Definition(lambda: _circular(group, *given)))
    made = a.box(native, [x, weight], Leaf(REAL, (place, out)), False)
    return a.merged(a.named(made, "y"), 0, 2)


def _circular(group: Cyclic, x: Leaf, weight: Leaf) -> Diagram:
    """What a convolution around a cycle means: the weights at the differences of places, as a matrix."""
    a = Assembly()
    inputs = [a.input(x), a.constant(weight)]
    everywhere = _around(a, group, 1, 1, inputs[1], 0, True)
    place, out = a.axes(inputs[0])[0], a.axes(inputs[1])[1]
    made = a.core("contract", [inputs[0], everywhere], (place, out), ins=((1, 3), (0, 1, 2, 3)), out=(0, 2))
    return a.diagram("circular", inputs, [made])


def basis(group: Group, outs: Acts, ins: Acts) -> Native:
    """The maps of a group as a constant, [maps, result, input]."""
    assert not isinstance(group, Cyclic | Shifts), "what shifts along a cycle reads weights by differences of places"
    if isinstance(group, Declared):
        both = sides(group, outs, ins)
        given = tuple(
            (name, telling(side.outs), telling(side.ins), side.flow)
            for (name, _), side in zip(group.generators, both, strict=True)
        )
        lengths = (("outs", both[0].outs.sizes), ("ins", both[0].ins.sizes))
        return Native("commuting", (*lengths, ("generators", given)), (), (), None, None, None)
    family = group.family if isinstance(group, Matrices) else "S"
    assert isinstance(group.size, int)
    degrees = tuple(tuple(-1 if act.degree is None else act.degree for act in acts) for acts in (outs, ins))
    args = (("family", family), ("size", group.size), ("outs", degrees[0]), ("ins", degrees[1]))
    return Native("equivariants", args, (), (), None, None, None)


def equivariant(ins: tuple[Space, ...], outs: tuple[Space, ...], bias: bool) -> Native:
    """The map as one box."""
    make: Callable[[], Diagram] = lambda: definition(ins, outs, bias)  # noqa: E731
    args = (
        ("bias", bias),
        ("ins", tuple(shown(space) for space in ins)),
        ("outs", tuple(shown(space) for space in outs)),
    )
    return Native("equilinear", args, (), leaves(ins, outs, bias), None, None, Definition(make))


def shown(space: Space) -> tuple[Axis, ...]:
    """The axes of a space, as an argument of a box."""
    return tuple(axis for axis in space.leaf.axes if isinstance(axis, Axis))
