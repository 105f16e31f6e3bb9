"""The Diagram: wires are nodes, boxes are hyperedges with ordered ports.

The one representation between the checker and whatever follows. Copy, discard, swap and identity are wiring,
not boxes: a wire may be read by any number of ports. `repeat`, `map`, `each`, `fold` and calls are boxes that hold a
diagram and are never unrolled. Boxes stand in topological order, which is text order.

Guarantees (held by `verify.py`): every wire has one source (an input or one box port), is produced before it is
read, its type is closed (no unknowns), parameters have sizes without free dims, the sites of one diagram are
the segments of its parameter keys.

Parameters: a box that owns parameters has a `site`, a segment of the key; the leaves under it are those of its
operation (`parameters(box)`). Two boxes with one site share weights: that is the copy of a parameter wire.
`plugs` sends a leaf of the operation to a wire of this diagram instead of an own parameter.

    linear(64) >> relu   inputs (0,), boxes Native(linear) 0 -> 1 site "linear", Native(relu) 1 -> 2, outputs (2,)
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, TypeAlias

from catdl.record import record
from catdl.source import Span
from catdl.types.sizes import Bound, Size
from catdl.types.types import Axis, Form, Leaf

Static: TypeAlias = "int | Fraction | bool | str | Size | Axis | tuple[Static, ...]"
"""A static argument after resolution: exact numbers, words, sizes, axes, lists of these."""

Fact: TypeAlias = tuple[int, Size]
"""A divisibility that the model needs: the number divides the size."""


@record
class Wire:
    """A typed wire. `constant` is the mode box: the same for the whole batch, so the tensor has no batch axes.

    `made`: what a plug makes of a leaf, or of nothing, in its place.
    """

    type: Leaf
    constant: bool
    name: str | None  # what the user called it
    made: bool = False


@record
class Parameter:
    """A leaf of a parameter record: its path below the diagram, its type, how it starts.

    `home` is the module that declares it; empty for a leaf of a morphism's own. `frozen`: no gradient reaches it.
    `group`: what an optimiser may know it by, empty for none. `told`: the spec says how it starts, not the layer.
    `state`: it is not learned but kept from one call to the next, one value for the batch or one for each sample.
    `passing`: what is kept is of this run, as all that is one for each sample, and no part of the network.
    """

    path: str
    type: Leaf
    init: Init
    home: str = ""
    frozen: bool = False
    group: str = ""
    told: bool = False
    state: Literal["", "constant", "sample"] = ""
    passing: bool = False


@record
class Init:
    """An initialiser by name with exact or numeric arguments: `normal(0, 0.02)`, `uniform(-a, a)`, `zeros`.

    `lead`: at every index of so many leading axes it is used anew. `made`: what a formula says, from nothing to a leaf.
    """

    name: str
    args: tuple[float | int | str, ...] = ()
    lead: int = 0
    made: Diagram | None = None


@record
class Core:
    """A core operation, see `docs/core.md`: name and attributes with positions, no labels."""

    name: str
    attrs: tuple[tuple[str, CoreAttr], ...] = ()

    def __getitem__(self, key: str) -> CoreAttr:
        for name, value in self.attrs:
            if name == key:
                return value
        raise KeyError(key)


CoreAttr: TypeAlias = "int | float | bool | str | Size | Fraction | None | tuple[CoreAttr, ...]"


@record
class Native:
    """An entry of the prelude with a native lowering.

    `args` are its static arguments by name, defaults filled in; `binds` what its binders became (an axis or a
    row of axes); `params` its own parameter leaves in order. `at_in[i]`, `at_out[i]`: for input or output leaf i
    the positions, counted from the end (-1 is the last), of the axes the signature names at its end; None where
    they stand there already. `definition` is the diagram over core operations, absent for opaque entries.
    """

    entry: str
    args: tuple[tuple[str, Static], ...]
    binds: tuple[tuple[str, Axis | tuple[Axis, ...]], ...]
    params: tuple[Parameter, ...]
    at_in: tuple[tuple[int, ...] | None, ...] | None
    at_out: tuple[tuple[int, ...] | None, ...] | None
    definition: Definition | None
    emits: bool = False  # whether its definition emits anything

    def arg(self, name: str) -> Static:
        """The static argument `name`. Raises KeyError."""
        return dict(self.args)[name]

    def bind(self, name: str) -> Axis | tuple[Axis, ...]:
        """What binder `name` became. Raises KeyError."""
        return dict(self.binds)[name]


class Definition:
    """A diagram made when first asked for: the checker does not elaborate what only the prelude's tests read."""

    __slots__ = ("_diagram", "_make")

    def __init__(self, make: Make) -> None:
        self._make = make
        self._diagram: Diagram | None = None

    def diagram(self) -> Diagram:
        """The definition over core operations and other natives, at the sizes of this use."""
        if self._diagram is None:
            self._diagram = self._make()
        return self._diagram


@record
class Call:
    """A named morphism used as a box. `inline`: it adds no segment and no class (lambdas, higher-order bodies)."""

    callee: Diagram
    inline: bool


@record
class Repeat:
    """`repeat(n, fresh f)` (tie "fresh": n records of weights) and `iterate(n, tied f)` (one record).

    The last `captured` inputs of the body are wires from outside, the same in every round.
    """

    count: int
    body: Diagram
    tie: Literal["fresh", "tied"]
    captured: int


@record
class Map:
    """`map[T](tied f)`: f at every index of the leading `axes`; extra inputs after the body's are captured whole.

    `captured` says how many of the last inputs are captured wires, given whole to every index.
    """

    axes: tuple[Axis, ...]
    body: Diagram
    captured: int


@record
class Each:
    """`each[E](fresh f)`: as `map`, with weights of its own at every index (parameters get a leading axis E)."""

    axis: Axis
    body: Diagram
    captured: int


@record
class Fold:
    """Recursion along an axis: from the carrier's start, through the body at every step, with one record of weights.

    Inputs: the starts of the `carried` wires, the elements, each with `axis` in front, wires from outside (the last
    `captured`). The body: carried wires, elements without the axis, captured wires -> carried wires, outputs. Outputs:
    the last carried wires, then every output of the body with `axis` in front. `reverse`: the last element comes
    first; an output stands where its element does. Without elements the size of the axis says how many steps there
    are. `fold` has no outputs, `scan` gives the carrier as outputs too, `unfold` has no elements (CDL, appendix I).
    """

    axis: Axis
    body: Diagram
    carried: int
    captured: int
    reverse: bool


VARIABLE = "?"
"""What the target of a morphism variable begins with: a law speaks of any morphism of its type."""


@record
class TreeFold:
    """Recursion over trees: what an algebra of the functor `form` makes of each, with one record of weights.

    Inputs: the trees, then wires from outside (the last `captured`). The body holds all legs of the algebra side by
    side: leg after leg the constants of a node of that summand and the carriers of its children, as they stand in the
    summand, then the captured wires -> leg after leg the carrier. Outputs: the carrier at the root; with an `axis`, a
    var dim, at every node, breadth first, with that axis in front. The functor gives the shape of the data, initiality
    the network (CDL, appendix I).
    """

    form: Form
    body: Diagram
    captured: int
    axis: Axis | None = None


@record
class Extern:
    """Someone else's `nn.Module`: `target` "pkg.module:Class" with constant arguments.

    In a law also a morphism variable, `?f`, or `?f~` where it may be random.
    """

    target: str
    args: tuple[tuple[str, Static], ...]


@record
class Global:
    """A declared parameter as a wire: no inputs, one constant output. Lives once under its own name."""

    parameter: Parameter


@record
class Local:
    """A leaf of this diagram's own parameters as a wire (`param weight : …` in a body).

    `entry`: what a rewrite took it from, whose module still holds it where the entry has one.
    Of a state it is the value that it has there: from the call before, from the round before. Without an output it
    only says that the state is kept here.
    """

    parameter: Parameter
    entry: Native | None = None


@record
class Store:
    """The wire that comes in is what the state at `path`, a `Local` before it, holds from here on (`k <- e`)."""

    path: str


@record
class Emit:
    """A wire that leaves the diagram beside its result, under a name: nothing reads it but `collect`."""

    name: str


Op: TypeAlias = Core | Native | Call | Repeat | Map | Each | Fold | TreeFold | Extern | Global | Local | Store | Emit


@record
class Box:
    """A hyperedge. `site` is the key segment where its parameters live, None without parameters of its own.

    Elements of a chain have sites of two segments, `basic.0`, `basic.1`, …: a list under one name.
    """

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    site: str | None
    plugs: tuple[tuple[str, int], ...]  # leaf path of the operation -> constant wire
    span: Span

    def moved(self, at: Mapping[int, int]) -> Box:
        """The box with other numbers for its wires."""
        inputs, outputs = tuple([at[w] for w in self.inputs]), tuple([at[w] for w in self.outputs])
        return Box(self.op, inputs, outputs, self.site, tuple([(path, at[w]) for path, w in self.plugs]), self.span)


@record
class Choice:
    """A static `if`: where its condition is written, and whether it held."""

    condition: Span
    held: bool


class Diagram:
    """An open diagram: what the checker yields and every later stage reads. Treated as immutable once made."""

    __slots__ = (
        "bounds",
        "arguments",
        "boxes",
        "choices",
        "codomain_names",
        "domain_names",
        "effects",
        "facts",
        "inputs",
        "memo_globals",
        "memo_leaves",
        "memo_losses",
        "memo_owns",
        "memo_parameters",
        "name",
        "outputs",
        "wires",
    )

    def __init__(
        self,
        name: str,
        wires: tuple[Wire, ...],
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        boxes: tuple[Box, ...],
        effects: frozenset[str],
        domain_names: tuple[str | None, ...],
        codomain_names: tuple[str | None, ...],
        facts: tuple[Fact, ...],
        bounds: tuple[Bound, ...] = (),
        arguments: tuple[tuple[str, Static], ...] = (),
        choices: tuple[Choice, ...] = (),
    ) -> None:
        self.name = name
        self.wires = wires
        self.inputs = inputs
        self.outputs = outputs
        self.boxes = boxes
        self.effects = effects
        self.domain_names = domain_names
        self.codomain_names = codomain_names
        self.facts = facts
        self.arguments = arguments  # the static arguments that it was made for
        self.choices = choices  # the static branches taken in its text
        self.bounds = bounds  # what only the input can tell: a slice of a free dim, `where S == 2 * T`
        # Filled by `params.py`, that of losses by `causal`, when first asked for.
        self.memo_owns: bool | None = None
        self.memo_leaves: int | None = None
        self.memo_losses: bool | None = None
        self.memo_globals: tuple[Parameter, ...] | None = None
        self.memo_parameters: tuple[Parameter, ...] | None = None


Make: TypeAlias = "Callable[[], Diagram]"

from collections.abc import Callable, Mapping  # noqa: E402  (read by annotations only)
