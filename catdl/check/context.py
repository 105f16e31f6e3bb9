"""What every part of the elaboration of one declaration shares: unknowns, statics, types, and ways back in.

`apply` and `wires` are the two judgements of elaboration (a morphism applied to wires; an expression that is wires);
they are handed in, so that calls, rules and higher-order constructions need not import each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from catdl import diagnostics as wrong
from catdl.check.builder import Builder, Bundle, Start, W
from catdl.check.kinds import Kinds
from catdl.check.names import kind_word
from catdl.check.objects import Types
from catdl.check.scope import DimDef, Env, MorphismDef
from catdl.check.signature import Scheme
from catdl.check.solver import Blame, Solver
from catdl.check.static import Refused, Statics
from catdl.check.ways import Port, Way, number_of
from catdl.check.work import Work
from catdl.diagnostics.base import NO_WHY, Diagnostic, Why
from catdl.diagram.model import Diagram, Init, Op, Parameter
from catdl.record import field, record
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Facts, Size
from catdl.types.types import Axis, Leaf, Object, show_kind, show_leaf, walk_axes


@record
class Pieces:
    """How a sequence comes to `step`: along which time, told where, of how many steps before attention sees at most.

    `alone`: the step is all of a morphism, which then has the keys of what is stepped; else it may have a label.
    """

    time: Axis
    where: Span
    most: int | None
    alone: bool
    label: str | None


class Library(Protocol):
    """What elaboration asks of the program around it."""

    kinds: Kinds
    work: Work

    def scheme(self, definition: MorphismDef) -> Scheme | None:
        """The signature of a morphism. Raises Refused when it is wrong (told elsewhere)."""

    def closed(self, definition: MorphismDef) -> Diagram | None:
        """The diagram of a morphism without arguments, already checked; None when it is wrong or is a template."""

    def is_template(self, definition: MorphismDef) -> bool:
        """Whether a morphism is elaborated anew at every use: it has no signature, or takes morphisms."""

    def entry(self, name: str) -> object | None:
        """An entry of the prelude by name."""

    def dim(self, label: str) -> DimDef | None:
        """The dim that a label names."""

    def traits(self, definition: MorphismDef) -> tuple[bool, frozenset[str]]:
        """Whether its own text may hold parameters, and its effects."""

    def record(self, ctx: Context, morphism: ast.Expr, env: Env) -> tuple[Parameter, ...]:
        """The own leaves of a morphism whose types are fixed. Raises Refused."""

    def start(self, ctx: Context, init: Start, span: Span, leaf: Leaf) -> Init:
        """How a parameter starts, with all that a formula needs. Raises Refused."""

    def collect(
        self, ctx: Context, morphism: ast.Expr, env: Env, b: Builder, wires: list[W], label: str | None
    ) -> Bundle:
        """A morphism applied to wires, with what it emits. Raises Refused."""

    def stepping(
        self, ctx: Context, morphism: ast.Expr, env: Env, b: Builder, wires: list[W], pieces: Pieces
    ) -> Bundle:
        """A morphism applied to a piece of a sequence. Raises Refused."""


@record(frozen=False)
class Head:
    """A morphism expression taken apart: the name at its root with what was given to it."""

    target: object
    name: str
    env: Env
    args: list[ast.Arg] = field(default_factory=list)
    items: list[ast.Arg] | None = None
    plugs: list[ast.Arg] = field(default_factory=list)
    label: str | None = None
    span: Span | None = None
    root: ast.Name | None = None
    way: Way | None = None  # how the wires came that it is applied to

    def port(self, index: int = 0, count: int = 1, name: str | None = None) -> Port:
        """One of the places of the morphism that take wires."""
        return Port(self.name, index, count, name, self.way, number_of(self.way))

    @property
    def name_span(self) -> Span:
        """Where the name at the root stands."""
        assert self.root is not None
        return self.env.module.span(self.root)


@record(frozen=False)
class Over:
    """The axes of an `over[…]`, and the places of those whose size is not known yet: the first operand says it."""

    axes: list[Axis]
    open: set[int]


@record(frozen=False)
class Interned:
    """Closed types known by identity, and the calls already typed on them; shared by a whole program."""

    leaves: dict[Leaf, Leaf] = field(default_factory=dict)
    ids: set[int] = field(default_factory=set)
    memo: dict[object, Any] = field(default_factory=dict)
    ops: dict[int, Op] = field(default_factory=dict)  # the operation of each remembered call, by its identity


class Context:
    """The state of one declaration's elaboration."""

    def __init__(
        self,
        library: Library,
        report: Callable[[Diagnostic], None],
        facts: Facts,
        apply: Callable[[Context, ast.Expr, Env, Builder, Bundle, str | None], Bundle],
        wires: Callable[[Context, ast.Expr, Env, Builder], Bundle],
        interned: Interned,
    ) -> None:
        self.library = library
        self.told = report
        self.failed = False  # whether a mistake was told
        self.facts = facts
        self.solver = Solver(facts, self.report, self.explain, self.namesakes)
        self.work = library.work
        self.statics = Statics(self.report, facts, self.work)
        self.kinds = library.kinds
        self.types = Types(self.statics, self.kinds, self.solver.label, self.record)
        self._apply = apply
        self._wires = wires
        self.memo = interned.memo
        self.ops = interned.ops
        self.canon_leaves = interned.leaves
        self.canon_ids = interned.ids
        self.depth = 0
        self.bounds: list[tuple[Size, Span, str]] = []  # sizes that must not be negative, and what to say
        self.filled: list[Size] = []  # sizes that must not be 0, though a free dim may be
        self.demands: list[tuple[ast.Fact, Env, Blame]] = []
        self.over: Over | None = None  # the `over[…]` around, if any
        self.way: Way | None = None  # how the wires came that are being applied to

    def asked(self) -> tuple[int, int]:
        """What is asked up to here, for `forget`."""
        return self.solver.count, len(self.demands)

    def forget(self, since: tuple[int, int]) -> None:
        """Leave out what was asked after `asked` and is still open: what asked it is read anew, or not used."""
        self.solver.forget(since[0])
        del self.demands[since[1] :]

    def report(self, diagnostic: Diagnostic) -> None:
        """Tell a mistake or a warning."""
        self.failed = self.failed or diagnostic.severity == "error"
        self.told(diagnostic)

    def record(self, node: ast.Expr, env: Env) -> tuple[Parameter, ...]:
        """The leaves of a type that is a record of weights. Raises Refused."""
        from catdl.check.records import record_of  # late: few specs name such types

        return record_of(self, node, env)

    def apply(self, expr: ast.Expr, env: Env, b: Builder, inp: Bundle, label: str | None = None) -> Bundle:
        """A morphism applied to wires."""
        return self._apply(self, expr, env, b, inp, label)

    def wires(self, expr: ast.Expr, env: Env, b: Builder) -> Bundle:
        """An expression that is wires."""
        return self._wires(self, expr, env, b)

    def refuse(self, diagnostic: Diagnostic) -> Refused:
        """Report and give back what to raise."""
        self.report(diagnostic)
        return Refused()

    def quiet(self, facts: Facts | None = None) -> Context:
        """A context that tells nobody, for looking at what would be; `facts` are what it may assume."""
        return Context(self.library, lambda _: None, facts or self.facts, self._apply, self._wires, Interned())

    def explain(self, blame: Blame, found: Size | None) -> Why:
        """Why an equation is broken; the blame's own words become those of the place that the wire came to."""
        from catdl.check import why

        if blame.port is not None:
            blame.span, blame.context = self.at(blame.span, blame.port)
        return why.explain(self, blame, found)

    def namesakes(self, blame: Blame, why: Why = NO_WHY) -> Diagnostic | None:
        """What to say of two types that differ in dims of one name."""
        from catdl.check.why import namesakes

        return namesakes(self, blame, why)

    def kind_why(self, wire: W, span: Span, way: Way | None = None, told: Span | None = None) -> Why:
        """Where a wire got the kind that does not fit."""
        from catdl.check import why

        return why.kinds(wire, span, way, told)

    def travelled(self, way: Way | None) -> Why:
        """The types on the way to a place."""
        from catdl.check import why

        return why.travelled(way)

    def meeting(self, wires: list[W], span: Span) -> Why:
        """Where wires that must not meet got their kinds."""
        from catdl.check import why

        return why.meeting(self, wires, span)

    def sized(self, wire: W, expected: Leaf) -> Why:
        """How the sizes of a wire came about that are not those expected."""
        from catdl.check import why

        return why.derived(self, wire, expected)

    def at(self, span: Span, port: Port) -> tuple[Span, str]:
        """The span to blame for what comes to a place, and the words for the place."""
        from catdl.check import why

        return why.given_span(port) or span, why.place_words(port)

    def library_entry(self, name: str) -> object | None:
        """An entry of the prelude by name."""
        return self.library.entry(name)

    def has_axis(self, name: str) -> bool:
        """Whether a kind names an axis."""
        found = self.kinds.find(name)
        return found is not None and found.axis

    def declared_kinds(self, entry: object) -> tuple[list[str], str] | None:
        """The kinds in the signature of a pointwise entry, inputs and result."""
        if not isinstance(entry, MorphismDef) or not isinstance(entry.head.signature, ast.Arrow):
            return None
        arrow = entry.head.signature
        legs = arrow.domain.legs if isinstance(arrow.domain, ast.Tensor) else (arrow.domain,)
        names = [kind_word(leg) for leg in legs]
        result = kind_word(arrow.codomain)
        if result is None or any(name is None for name in names):
            return None
        return [n for n in names if n], result

    def canon(self, leaf: Leaf) -> Leaf:
        """One object for equal closed types, so that a type is known by identity."""
        if id(leaf) in self.canon_ids:
            return leaf
        found = self.canon_leaves.get(leaf)
        if found is None:
            self.canon_leaves[leaf] = found = leaf
        self.canon_ids.add(id(found))
        return found

    def is_canon(self, leaf: Leaf) -> bool:
        """Whether a type is closed and known by identity."""
        return id(leaf) in self.canon_ids

    def coerce_kind(
        self,
        wire: W,
        expected: Leaf,
        span: Span,
        context: str = "",
        origin: Span | None = None,
        text: str = "",
        port: Port | None = None,
        way: Way | None = None,
    ) -> bool:
        """Check the kind at a place. False after an error."""
        found, want = wire.leaf.kind, expected.kind
        if found is want or wire.bad:
            return True
        fits = self.kinds.coerces(found.name, want.name)
        if fits and found.name == want.name and found.size is not None and want.size is not None:
            return self.solver.same_size(
                found.size, want.size, self.blame(wire, expected, span, context, origin, text, port)
            )
        if fits and (found.name != want.name or found.axis is None or want.axis is None):
            return True
        if fits and found.axis is not None and want.axis is not None and self.solver.same_label(found.axis, want.axis):
            return True
        if port is not None:
            span, context = self.at(span, port)
        why = self.kind_why(wire, span, port.way if port is not None else way, origin)
        self.report(wrong.KindMismatch(span, show_kind(want), show_kind(found), origin, text, (), context, (), why))
        return False

    def blame(
        self,
        wire: W,
        expected: Leaf | None,
        span: Span,
        context: str = "",
        origin: Span | None = None,
        text: str = "",
        port: Port | None = None,
    ) -> Blame:
        """What to say when a wire does not fit."""
        return Blame(span, expected, wire.leaf, context, origin, text, wire=wire, port=port)

    def port(
        self,
        wire: W,
        expected: Leaf,
        span: Span,
        context: str = "",
        origin: Span | None = None,
        text: str = "",
        port: Port | None = None,
        way: Way | None = None,
        against: W | None = None,
    ) -> bool:
        """Check a wire against the type of a place. False after an error."""
        if wire.bad or expected is wire.leaf:
            return True
        blame = self.blame(wire, expected, span, context, origin, text, port)
        blame.way, blame.against = way, against
        if not self.solver.same_axes(wire.leaf.axes, expected.axes, blame):
            return False
        return self.coerce_kind(wire, expected, span, context, origin, text, port, way)

    def ports(
        self,
        bundle: Bundle,
        expected: Object,
        span: Span,
        context: str,
        origin: Span | None = None,
        text: str = "",
        port: Callable[[int], Port] | None = None,
        way: Way | None = None,
        against: W | None = None,
    ) -> bool:
        """Check a bundle against an object; the rest is for the words of a mistake. False after an error.

        `port` says of each wire which place it comes to, `way` along what they came where the place is none,
        `against` is a wire that has the type.
        """
        if bundle.bad:
            return True
        if len(bundle.wires) != len(expected.leaves):
            if port is not None and not context:
                context = f"the input of `{port(0).callee}`"
            self.report(wrong.ArityMismatch(span, len(expected.leaves), len(bundle.wires), context, origin, text))
            return False
        fits = True
        for place, (wire, leaf) in enumerate(zip(bundle.wires, expected.leaves, strict=True)):
            at = port(place) if port is not None else None
            if leaf is wire.leaf or self.port(wire, leaf, span, context, origin, text, at, way, against):
                continue
            fits = False
            if sorted(show_leaf(w.leaf) for w in bundle.wires) == sorted(map(show_leaf, expected.leaves)):
                break  # wires that changed places are one mistake
        return fits


def closed_axes(leaf: Leaf) -> tuple[Axis, ...] | None:
    """The axes of a leaf whose rank is known."""
    axes = walk_axes(leaf.axes)
    return None if any(not isinstance(a, Axis) for a in axes) else axes  # type: ignore[return-value]
