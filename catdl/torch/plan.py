"""Which diagrams become classes and functions of the file, in the order in which they are written.

Takes a verified Diagram. Guarantees: a unit stands after those it uses, the root is last; each diagram has one unit
per set of plugged leaves; their own names are distinct and depend on the diagram alone.

    plan(gpt2).units      [Attention, Block, Gpt2]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from catdl.diagnostics.base import Help
from catdl.diagnostics.limit_errors import LimitExceeded
from catdl.diagram.model import Diagram, Extern, Init, Local, Native, Parameter
from catdl.diagram.params import globals_of, parameters, post_order, sole_box
from catdl.record import replace
from catdl.source import Source, Span
from catdl.torch.flatten import flatten
from catdl.torch.form import alone
from catdl.torch.info import Info, Infos
from catdl.torch.layers import with_layers
from catdl.torch.names import Namer, camel, ident
from catdl.torch.packed import pack
from catdl.torch.refuse import Refused
from catdl.torch.remake import remake
from catdl.torch.scope import RESERVED
from catdl.torch.sites import above
from catdl.torch.stacks import with_stacks
from catdl.torch.steps import Flat, Invoke, Loop, Slices, Step
from catdl.types.types import Axis

FRAMES = 4
"""Python's own frames for a module that calls one below it."""

CALLERS = 100
"""Those left to who calls the network."""


@dataclass(slots=True, eq=False)
class Unit:
    """One class or function to be.

    `bare`: the body of a loop that is one named box; its leaves stand without that box's segment.
    `lead` are the axes of `each` over which its weights are stacked.
    `dims` are free dims that its inputs do not tell and that come as arguments; known once it is written.
    """

    diagram: Diagram
    flat: Flat
    info: Info
    bare: bool
    root: bool
    lead: tuple[Axis, ...]
    index: int = 0  # by which others refer to it while they are written
    own_name: str = ""  # what it is called where every unit is a class or function of its own
    dims: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()  # the var dims whose segments come as arguments; known once it is written
    children: list[Unit] = field(default_factory=list)
    depth: int = 0
    plugged: bool = False  # all its weights come as arguments
    kept: frozenset[str] = frozenset()  # leaves that come as arguments and yet live here
    mapped: bool = False  # called inside `torch.vmap`, at least once

    @property
    def base(self) -> str:
        """The name that the diagram asks for."""
        return camel(self.diagram.name) if self.is_class else ident(self.diagram.name)

    @property
    def is_class(self) -> bool:
        """Whether it holds weights (a class) or is a plain function."""
        return self.root or (self.info.owns and not self.plugged)


Plugs: TypeAlias = tuple[tuple[str, int], ...]
Key: TypeAlias = tuple[int, tuple[str, ...], bool, tuple[Axis, ...], frozenset[str], frozenset[str]]


class Plan:
    """All units of one file."""

    __slots__ = ("_by_key", "found", "root", "states", "taken", "units")

    def __init__(self, root: Diagram, taken: frozenset[str] = frozenset(), states: int = 0) -> None:
        self.states = states  # of the root: as many of its last inputs and outputs
        self.taken = taken | packages(root)  # names that other units of the file have, and what it imports
        self.found = Infos()
        self.found.of(root)  # first, so that the uses of all diagrams are counted
        self._by_key: dict[Key, Unit] = {}
        self.units: list[Unit] = []
        self.root = self._make(root, (), False, True)
        self._collect()
        self._map()
        self._check_depth()
        self._name()

    @property
    def names(self) -> frozenset[str]:
        """All names that the file may use for classes and functions."""
        return self.taken.union(unit.own_name for unit in self.units)

    def unit(self, op: Invoke, step: Step, caller: Unit) -> Unit:
        """The unit that a call calls."""
        kept, stacked = kept_below(caller, step), _stacked(caller, step)
        return self._make(op.callee, _paths(step.plugs), op.bare, False, op.lead, kept, stacked)

    def body(self, op: Loop | Slices, step: Step, caller: Unit) -> Unit:
        """The unit of a loop's body: its leaves stand directly under the loop's site."""
        lead = op.lead if isinstance(op, Loop) else ()
        bare = sole_box(op.body) is not None
        kept, stacked = kept_below(caller, step), _stacked(caller, step) if lead else frozenset()
        return self._make(op.body, _paths(step.plugs), bare, False, lead, kept, stacked)

    def _make(
        self,
        diagram: Diagram,
        plugged: tuple[str, ...],
        bare: bool,
        root: bool,
        lead: tuple[Axis, ...] = (),
        kept: frozenset[str] = frozenset(),
        stacked: frozenset[str] = frozenset(),
    ) -> Unit:
        key = (id(diagram), plugged, bare, lead, kept, stacked)
        unit = self._by_key.get(key)
        if unit is None:
            leaves = leaves_by_path(diagram, bare) if plugged else {}
            given = tuple(leaves[path] for path in plugged)
            flat = with_stacks(with_layers(flatten(diagram, given, self.found, bare, lead, stacked)))
            pack(flat)
            info = self.found.of(diagram)
            unit = self._by_key[key] = Unit(diagram, flat, info, bare, root, lead, kept=kept)
            unit.plugged = 0 < len(plugged) == len(leaves) and not info.keeps and not kept
            unit.index = len(self._by_key)
            if unit.is_class:
                flat.remade = remake(flat, root)
        return unit

    def sole(self, unit: Unit, sliced: bool) -> Step | None:
        """The one step of a bare body, which is used in its place: a call, or what has a module of its own.

        `sliced`: under `torch.vmap`, where the call must be that of the module and nothing around it.
        """
        steps = unit.flat.steps
        if not unit.bare or len(steps) != 1 or (sliced and list(steps[0].outputs) != unit.flat.outputs):
            return None
        op = steps[0].op
        if isinstance(op, Invoke | Extern):
            return steps[0]
        return steps[0] if isinstance(op, Native) and alone(op, steps[0], unit.flat, sliced) is not None else None

    def formula(self, made: Diagram) -> Unit:
        """The function that a formula of an initialiser is."""
        return self._make(made, (), False, False)

    def started(self, unit: Unit) -> Iterator[Init]:
        """How the leaves start that stand in the class of a unit."""
        if unit.root:
            yield from (p.init for p in globals_of(unit.diagram))
        for step in unit.flat.steps:
            if isinstance(step.op, Local):
                yield step.op.parameter.init
            elif isinstance(step.op, Native):
                yield from (p.init for p in step.op.params)

    def used(self, unit: Unit) -> Iterator[Unit]:
        """The units that a unit calls, and those that say how its leaves start."""
        for init in self.started(unit):
            if init.made is not None:
                yield self.formula(init.made)
        for step in unit.flat.steps:
            yield from self._called(unit, step)

    def _called(self, unit: Unit, step: Step) -> Iterator[Unit]:
        match step.op:
            case Invoke() as op:
                yield self.unit(op, step, unit)
            case Loop() | Slices() as op:
                inner = self.body(op, step, unit)
                sole = self.sole(inner, isinstance(op, Slices))
                if sole is None:
                    yield inner
                elif isinstance(sole.op, Invoke):
                    yield self.unit(sole.op, sole, inner)
            case _:
                pass

    def _map(self) -> None:
        """Tell the units that `each` maps over, and those that they call."""
        slices = ((unit, step) for unit in self.units for step in unit.flat.steps if isinstance(step.op, Slices))
        stack = [child for unit, step in slices for child in self._called(unit, step)]
        while stack:
            unit = stack.pop()
            if not unit.mapped:
                unit.mapped = True
                stack += unit.children

    def _collect(self) -> None:
        opened = {id(self.root)}
        stack = [(self.root, self.used(self.root))]
        while stack:
            unit, below = stack[-1]
            for child in below:
                unit.children.append(child)
                if id(child) not in opened:
                    opened.add(id(child))
                    stack.append((child, self.used(child)))
                    break
            else:
                stack.pop()
                unit.depth = 1 + max((child.depth for child in unit.children), default=0)
                self.units.append(unit)

    def _check_depth(self) -> None:
        frames = sys.getrecursionlimit()
        limit = (frames - CALLERS) // FRAMES
        if self.root.depth > limit:
            spans = [box.span for box in self.root.diagram.boxes]
            span = spans[0] if spans else Span(Source("-", ""), 0, 0)
            what = f"the nesting of modules with weights of their own, {self.root.depth} deep,"
            why = (
                f"Python calls no deeper than {frames} (`sys.getrecursionlimit()`), PyTorch takes {FRAMES} of these "
                f"to call a module, and {CALLERS} are left to the caller"
            )
            helps = (
                Help("write a `repeat` or a `chain`, which do not nest, where each morphism holds the one before"),
                Help("or raise Python's limit, `sys.setrecursionlimit(…)`, wherever the network is compiled and runs"),
            )
            raise Refused(LimitExceeded(span, what, limit, why, helps))

    def _name(self) -> None:
        namer = Namer(RESERVED, self.taken)
        self.root.own_name = namer.fresh(self.root.base)
        for unit in self.units:
            if unit is not self.root:
                unit.own_name = namer.fresh(unit.base)


def packages(diagram: Diagram) -> frozenset[str]:
    """The names under which the modules of other packages are imported."""
    targets = (box.op.target for d in post_order(diagram) for box in d.boxes if isinstance(box.op, Extern))
    return frozenset(target.partition(":")[0].partition(".")[0] for target in targets)


def kept_below(unit: Unit, step: Step) -> frozenset[str]:
    """The plugged leaves of a step that stay parameters of what it calls: a unit around it reads them there."""
    if not step.plugs or (isinstance(step.op, Slices) and step.site is None):
        return frozenset()  # an `each` without a segment is a function: what it reads lives in the unit around it
    before = f"{step.site}." if step.site else ""
    return frozenset(path for path, _ in step.plugs if before + path in unit.flat.read or before + path in unit.kept)


def living(plan: Plan, unit: Unit, step: Step) -> set[str]:
    """The paths at which what a step calls has modules of its own or leaves, "" for itself."""
    match step.op:
        case Invoke(callee, _, bare):
            body = callee
        case Loop(body=body, fresh=False) | Slices(body=body):
            bare = sole_box(body) is not None
        case _:
            return {""}
    given = {path for path, _ in step.plugs} - kept_below(unit, step)
    stay = [path for path in leaves_by_path(body, bare) if path not in given]
    found = {place for path in stay for place in above(path)}
    return found | {""} if stay or plan.found.of(body).keeps else found


def _stacked(caller: Unit, step: Step) -> frozenset[str]:
    """The plugged leaves of a step that have the axes of `each` in front."""
    return frozenset(path for path, wire in step.plugs if wire in caller.flat.stacked)


def _paths(plugs: Plugs) -> tuple[str, ...]:
    return tuple(sorted({path for path, _ in plugs}))


def leaves_by_path(diagram: Diagram, bare: bool) -> dict[str, Parameter]:
    """The own leaves of a unit's diagram; those of a bare body without the segment of its box."""
    if not bare:
        return {p.path: p for p in parameters(diagram)}
    sole = sole_box(diagram)
    assert sole is not None
    prefix = f"{sole.site}."
    return {(path := p.path.removeprefix(prefix)): replace(p, path=path) for p in parameters(diagram)}
