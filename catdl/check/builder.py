"""The diagram under construction: wires and boxes as elaboration emits them, before sizes are all known.

Takes types with unknowns; guarantees topological order (a box reads wires that exist) and that a wire of an outer
diagram enters an inner one as a captured input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from catdl.check.scope import Env, MorphismDef
from catdl.diagram.changes import Change
from catdl.diagram.model import Choice, Op, Parameter
from catdl.record import field, record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Bound
from catdl.types.types import Axis, AxisItem, Form, Kind, Leaf, Object

if TYPE_CHECKING:
    from catdl.check.context import Over
    from catdl.check.ways import Way


@record
class Written:
    """How a number was written: an expression that mentions these dims."""

    expr: ast.Expr
    env: Env
    dims: tuple[Axis, ...]


ERROR_KIND = Kind("?")
ERROR_LEAF = Leaf(ERROR_KIND, ())


class W:
    """A wire: its type, its mode (`constant`: the same for the whole batch), who made it."""

    __slots__ = ("builder", "constant", "leaf", "literal", "name", "origin", "scaled", "summed", "where", "written")

    def __init__(self, builder: Builder, leaf: Leaf, constant: bool, name: str | None, where: Span | None) -> None:
        self.builder = builder
        self.leaf = leaf
        self.constant = constant
        self.name = name
        self.where = where  # what made it, for secondary labels
        self.literal: object | None = None  # the number it is, if it is one
        self.written: Written | None = None  # how that number was written, if with dims
        self.summed: tuple[Axis, ...] = ()  # of products of two wires: the axes that they were summed over
        self.scaled: tuple[Written, float] | None = None  # a number written with dims that it was multiplied by
        self.origin: str = ""

    @property
    def bad(self) -> bool:
        """Whether an error was already told about it."""
        return self.leaf.kind is ERROR_KIND


class Bundle:
    """What a name or an expression stands for: some wires side by side, with the names of their ports."""

    __slots__ = ("bad", "groups", "names", "places", "used", "way", "wires")

    def __init__(self, wires: list[W], names: tuple[str | None, ...] | None = None, bad: bool = False) -> None:
        self.wires = wires
        self.names = names
        self.bad = bad  # any number of wires: an error was already told
        self.used = False
        self.groups: tuple[tuple[str | None, int], ...] | None = (
            None  # ports as a signature groups them, with their widths
        )
        self.places: dict[str, Span] | None = None  # of a record as it is written: where each port is named
        self.way: Way | None = None  # the composition it came out of, to tell of when it does not fit


BAD = Bundle([], None, True)


def unmade(builder: Builder, leaves: Sequence[Leaf], names: Sequence[str | None], where: Span) -> Bundle:
    """Wires of known types that nothing makes, for what makes them has a mistake: the diagram is never closed."""
    return Bundle([W(builder, leaf, False, None, where) for leaf in leaves], tuple(names) if any(names) else None)


class Closure:
    """A morphism expression with its scope: an argument, a `box`, a lambda.

    `share` is set for a tied one: the sites given at its first use are given again at every later one.
    """

    __slots__ = (
        "arrow",
        "builder",
        "env",
        "expr",
        "name",
        "opaque",
        "over",
        "param",
        "parametric",
        "share",
        "span",
        "tie",
        "uses",
        "wanted",
    )

    def __init__(
        self, expr: ast.Expr, env: Env, name: str | None, tie: str | None, span: Span, opaque: bool = False
    ) -> None:
        self.expr = expr
        self.env = env
        self.name = name
        self.tie = tie
        self.span = span
        self.uses: list[Span] = []
        self.share: list[object] = []
        self.arrow: tuple[Object, Object, bool] | None = None
        self.builder: Builder | None = None
        self.opaque = opaque  # an argument of a definition that is checked by itself
        self.param: str | None = None  # the parameter it was given for
        self.wanted: Span | None = None  # where that is declared
        self.parametric = False
        self.over: Over | None = None  # the `over[…]` that it is written in


@record(frozen=False)
class Use:
    """A call by signature whose binders may still be unknown: closed when the body is finished."""

    definition: MorphismDef
    args: dict[str, object]
    binds: dict[str, object]
    at_in: tuple[tuple[int, ...] | None, ...] | None
    at_out: tuple[tuple[int, ...] | None, ...] | None
    span: Span
    closed: bool = False  # on closed types, remembered for every equal call
    named: bool = False  # it says which axes it acts on


@record(frozen=False)
class Inner:
    """A box that holds a diagram still under construction. `what`: call, inline, repeat, map, each, fold, trees."""

    what: str
    builder: Builder
    name: str
    count: int = 1
    tie: Literal["fresh", "tied"] = "fresh"
    axes: tuple[Axis, ...] = ()
    form: Form | None = None  # of the trees that are folded
    reverse: bool = False  # the last element comes first; `count` is how many wires a fold carries


@record(frozen=False)
class LateCore:
    """A core operation whose attributes hold sizes not yet solved; closed at the end."""

    name: str
    attrs: tuple[tuple[str, Any], ...]


@record(frozen=False)
class LateEquilinear:
    """`equilinear`, `equibilinear` or `couple`, whose weights follow from the types of its wires; closed at the end."""

    name: str
    bias: bool
    span: Span


@record
class Start:
    """How a parameter starts: an initialiser and its arguments, or a formula, read when sizes are known."""

    name: str
    nodes: tuple[ast.Expr, ...]
    env: Env
    span: Span | None = None
    formula: ast.Expr | None = None


@record(frozen=False)
class Source_:
    """A parameter as a wire: declared (`global`) or a leaf of this morphism."""

    path: str
    declared: bool
    leaf: Leaf
    init: Start | Parameter  # a leaf of a declared record is known whole
    state: bool = False


@record(frozen=False)
class Stored:
    """What a state holds from here on: the box that reads it, whose site it is kept at."""

    cell: PBox


@record(frozen=False, eq=False)
class Plugged:
    """One plug of a box: the leaves it is for, and what it is."""

    span: Span
    path_span: Span
    path: str | None  # a path or a pattern; None for the whole record
    value: Bundle | None  # wires; None for a morphism
    expr: ast.Expr
    env: Env
    random: bool = False


PendingOp: TypeAlias = "Op | Use | Inner | LateCore | LateEquilinear | Source_ | Stored"


class PBox:
    """A box under construction."""

    __slots__ = (
        "after",
        "given",
        "group",
        "inputs",
        "label",
        "made",
        "op",
        "outputs",
        "owns",
        "pending",
        "plugs",
        "segment",
        "site",
        "span",
        "token",
        "wanted",
    )

    def __init__(
        self,
        op: PendingOp,
        inputs: list[W],
        outputs: list[W],
        segment: str,
        span: Span,
        label: str | None = None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.segment = segment  # the name of what is used, for the key
        self.label = label  # the name of the occurrence
        self.span = span
        self.token: object | None = None  # boxes with one token share their site
        self.after: PBox | None = None  # what is written before it, though made later
        self.plugs: list[tuple[str, W]] = []
        self.pending: list[Plugged] = []  # plugs whose leaves are known when the box is closed
        self.group: tuple[object, int | str] | None = None  # the chain it is an element of, and its place
        # Found when the diagram is closed.
        self.given: tuple[list[W], list[tuple[str, W]]] | None = None  # inputs and plugs before those that are pending
        self.made: Any = None  # the operation, where it holds no diagram
        self.owns = False  # whether it has parameters of its own
        self.site: str | None = None
        self.wanted: dict[str, Change] = {}  # what becomes of leaves below it, by path

    @property
    def transparent(self) -> bool:
        """Whether it adds no segment to a key: one body, without a name for its occurrence."""
        op = self.op
        return (
            isinstance(op, Inner)
            and (op.what in ("map", "each", "fold", "trees") or (op.what == "repeat" and op.tie == "tied"))
            and self.label is None
            and self.group is None
        )


@record(frozen=False, eq=False)
class Builder:
    """One diagram under construction. `parent` is the diagram whose box will hold it."""

    name: str
    parent: Builder | None = None
    inputs: list[W] = field(default_factory=list)
    boxes: list[PBox] = field(default_factory=list)
    outputs: list[W] = field(default_factory=list)
    out_names: tuple[str | None, ...] = ()
    in_names: tuple[str | None, ...] = ()
    captured: dict[W, W] = field(default_factory=dict)
    params: list[Parameter] = field(default_factory=list)
    globals: dict[str, W] = field(default_factory=dict)
    effects: set[str] = field(default_factory=set)
    arguments: tuple[tuple[str, object], ...] = ()
    choices: dict[Choice, None] = field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()
    owner: MorphismDef | None = None
    entered: tuple[tuple[W, ...], int] = ((), 0)  # what enters from around, and how many leading axes it loses there
    made: dict[W, PBox] = field(default_factory=dict)  # the boxes by what they yield, as far as anyone asked
    looked: int = 0
    readers: dict[W, list[PBox]] = field(default_factory=dict)  # the boxes by what they read, as far as anyone asked
    scanned: int = 0
    emitted: dict[str, Span] = field(default_factory=dict)  # the names of what leaves it beside its result
    folded: bool = False  # it runs many times with one record of weights

    def wire(self, leaf: Leaf, constant: bool, where: Span | None, name: str | None = None) -> W:
        """A new wire of this diagram."""
        return W(self, leaf, constant, name, where)

    def input(self, leaf: Leaf, name: str | None, constant: bool = False, where: Span | None = None) -> W:
        """A new input."""
        wire = W(self, leaf, constant, name, where)
        self.inputs.append(wire)
        return wire

    def take(self, wire: W) -> W:
        """The wire as this diagram sees it: its own, or captured from a diagram around it."""
        if wire.builder is self:
            return wire
        found = self.captured.get(wire)
        if found is None:
            path: list[Builder] = []
            at: Builder | None = self
            while at is not None and at is not wire.builder:
                path.append(at)
                at = at.parent
            if at is None:
                raise AssertionError("a wire of another diagram")
            outer = wire
            for builder in reversed(path):
                inner = builder.captured.get(wire)
                if inner is None:
                    inner = W(builder, outer.leaf, outer.constant, outer.name, outer.where)
                    inner.literal, inner.written = outer.literal, outer.written
                    inner.summed, inner.scaled = outer.summed, outer.scaled
                    builder.captured[wire] = inner
                outer = inner
            found = outer
        return found

    def emit(
        self, op: PendingOp, inputs: list[W], outputs: list[W], segment: str, span: Span, label: str | None = None
    ) -> PBox:
        """A new box at the end."""
        box = PBox(op, inputs, outputs, segment, span, label)
        self.boxes.append(box)
        return box

    def maker(self, wire: W) -> PBox | None:
        """The box that yields a wire; None for an input. The index is made when a mistake first asks."""
        while self.looked < len(self.boxes):
            box = self.boxes[self.looked]
            self.looked += 1
            for output in box.outputs:
                self.made[output] = box
        return self.made.get(wire)


def rank_of(axes: tuple[AxisItem, ...]) -> int | None:
    """The number of axes, None while a row is unknown."""
    for axis in axes:
        if not isinstance(axis, Axis):
            return None
    return len(axes)
