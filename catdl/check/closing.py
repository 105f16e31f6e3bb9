"""Operations closed: what a box does, without unknowns, and the instances that it calls.

Takes boxes whose unknowns are solved; guarantees closed types, numbers for the initialisers, and that an instance not
made yet is asked for by `Missing`, so that instances that use each other are made one after the other.

    Use(linear{D, 4 * D})   Native("linear", …) with the leaves `weight` and `bias`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Protocol

from catdl import diagnostics as wrong
from catdl.check.builder import Inner, LateCore, LateEquilinear, PBox, Plugged, Source_, Start, Stored, Use
from catdl.check.context import Context
from catdl.check.forms import parameter_leaf
from catdl.check.initial import fitting
from catdl.check.names import emits, local_params
from catdl.check.scope import Env, MorphismDef, Static
from catdl.check.signature import Row
from catdl.check.sources import initialiser
from catdl.check.static import Refused
from catdl.check.values import as_number
from catdl.check.zonk import zonk_axis, zonk_leaf, zonk_value
from catdl.diagram.model import (
    Call,
    Core,
    Definition,
    Diagram,
    Each,
    Fold,
    Global,
    Init,
    Local,
    Map,
    Native,
    Op,
    Parameter,
    Repeat,
    Store,
    TreeFold,
)
from catdl.diagram.params import parameters
from catdl.record import record, replace
from catdl.source import Span
from catdl.syntax import ast
from catdl.types.sizes import Facts, Poly, Size, free_syms, mul, normal
from catdl.types.types import Axis, AxisItem, Leaf, walk_axes


@record
class Instance:
    """A morphism at known arguments: what its diagram depends on."""

    definition: MorphismDef
    args: tuple[tuple[str, Any], ...]
    binds: tuple[tuple[str, Any], ...]
    facts: Facts | None = None  # what a definition may assume of the dims of its use


class Instances(Protocol):
    """Where instances are looked up, and made when asked for."""

    def ready(self, instance: Instance) -> Diagram | None:
        """The diagram of an instance already made; None when it was refused. Raises KeyError when it is to be made."""

    def definition(self, instance: Instance) -> Callable[[], Diagram]:
        """How to make the definition of a prelude entry at an instance."""

    def require(self, ctx: Context, instance: Instance, span: Span) -> None:
        """Make the definition of a prelude entry at once, and tell what is wrong with it of a use. Raises Refused."""

    def start(self, ctx: Context, init: Start, span: Span, leaf: Leaf) -> Init:
        """How a parameter starts, closed. Raises Refused."""

    def step(self, ctx: Context, plug: Plugged, leaf: Leaf) -> Diagram:
        """A morphism in a plug, as a diagram from a leaf or from nothing to one. Raises Missing and Refused."""


class Missing(Exception):
    """Instances that must be made first, in the order of their uses, each with the place of the first."""

    def __init__(self, instances: dict[Instance, Span]) -> None:
        self.instances = instances


def close_op(ctx: Context, box: PBox, instances: Instances) -> Op:
    """The operation of a box that holds no diagram. Raises Missing, and Refused after a report."""
    op = box.op
    match op:
        case Use():
            return close_use(ctx, op, instances)
        case LateCore(name, attrs):
            return Core(name, tuple((key, zonk_value(value)) for key, value in attrs))
        case Source_(path, declared, leaf, init, state):
            if isinstance(init, Parameter):
                return Global(init) if declared else Local(init)
            home = init.env.module.name if declared else ""
            closed = zonk_leaf(ctx, leaf)
            parameter = Parameter(path, closed, close_init(ctx, init, box.span, closed, instances), home)
            if state:
                parameter = replace(parameter, state="constant" if box.outputs[0].constant else "sample")
            return Global(parameter) if declared else Local(parameter)
        case LateEquilinear():
            from catdl.check.equivariant import close_equilinear  # late: few specs have such layers

            return close_equilinear(ctx, box, op)
        case Stored(cell):
            return Store(cell.site or "")
        case Inner():
            raise AssertionError("a diagram inside is closed with those around it")
        case _:
            return op


def close_inner(ctx: Context, box: PBox, op: Inner, made: dict[int, Diagram]) -> Op:
    """The operation of a box that holds a diagram. Raises Refused after a report."""
    body, captured = made[id(op.builder)], len(op.builder.captured)
    match op.what:
        case "call":
            return Call(body, False)
        case "repeat":
            return Repeat(op.count, body, op.tie, captured)
        case "map":
            one_state(ctx, box, op, body)
            return Map(tuple(zonk_axis(a) for a in op.axes), body, captured)
        case "fold":
            return Fold(zonk_axis(op.axes[0]), body, op.count, captured, op.reverse)
        case "trees":
            assert op.form is not None
            return TreeFold(op.form, body, captured, zonk_axis(op.axes[0]) if op.axes else None)
        case _:
            axis = zonk_axis(op.axes[0])
            if not isinstance(axis.size, int):
                raise ctx.refuse(
                    wrong.ParamFreeDim(box.span, op.builder.name, sorted(free_syms(axis.size))[0].rpartition("::")[2])
                )
            return Each(axis, body, captured)


def one_state(ctx: Context, box: PBox, op: Inner, body: Diagram) -> None:
    """At the indices of a `map`, which has no order, a state must be one for all. Raises Refused."""
    state = next((p for p in parameters(body) if p.state), None)
    if state is None:
        return
    mapped = box.inputs[: len(op.builder.inputs)]
    if any(p.state == "sample" for p in parameters(body)) or any(wire.constant for wire in mapped):
        raise ctx.refuse(wrong.StateMapped(box.span, state.path.rpartition(".")[2]))


def close_init(ctx: Context, init: Start, span: Span, leaf: Leaf, instances: Instances) -> Init:
    """An initialiser with its numbers, or the diagram of a formula. Raises Missing and Refused."""
    if init.formula is not None:
        where = init.span or span
        plug = Plugged(where, where, "start", None, init.formula, init.env)
        return Init("formula", (), 0, instances.step(ctx, plug, leaf))
    scope = Env(init.env.module, None, {})
    at: Env | None = init.env
    chain: list[dict[str, object]] = []
    while at is not None:
        chain.append(at.names)
        at = at.parent
    for names in reversed(chain):
        scope.names.update({k: _settled(v) for k, v in names.items()})
    values: list[float | int | str] = []
    for node in init.nodes:
        row = scope.names.get(node.id) if isinstance(node, ast.Name) else None
        # Of several axes as many numbers come in as they have places.
        value = count(row) if isinstance(row, Row) else as_number(ctx.statics.value(node, scope))
        if isinstance(value, Fraction):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ctx.refuse(wrong.BadValue(span, "an initialiser takes numbers"))
        values.append(value)
    fitting(ctx, init, tuple(values), leaf, span)
    if init.name == "file":
        values[0] = beside(init.env.module.source.path, str(values[0]))
    return Init(init.name, tuple(values))


def count(row: Row) -> Size:
    """The number of elements of some axes."""
    total: Size = 1
    for axis in walk_axes(row.axes):
        assert isinstance(axis, Axis), "sizes are known when a diagram is closed"
        total = mul(total, normal(axis.size))
    return total


def beside(spec: str, path: str) -> str:
    """A path that a spec names, which is relative to the folder of the spec."""
    return path if spec in ("-", "<string>") else (PurePath(spec).parent / path).as_posix()


def _settled(value: object) -> object:
    match value:
        case Static(inner):
            return Static(zonk_value(inner))
        case Axis():
            return zonk_axis(value)
        case _:
            return value


def instance_of(op: Use) -> Instance:
    """What the diagram of a call depends on: arguments and binders, axes without the caller's labels."""
    args = tuple((name, zonk_value(value)) for name, value in op.args.items() if value is not None)
    binds = tuple((name, zonk_value(value)) for name, value in op.binds.items() if value is not None)
    return Instance(op.definition, args, binds)


def close_use(ctx: Context, op: Use, instances: Instances) -> Op:
    """A call as a native box or as a call of an instance. Raises Missing, and Refused after a report."""
    instance = instance_of(op)
    definition = op.definition
    if definition.module.name:
        try:
            diagram = instances.ready(instance)
        except KeyError:
            raise Missing({instance: op.span}) from None
        if diagram is None:
            raise Refused
        return Call(diagram, False)
    env = Env(definition.module, None, {})
    for name, value in (*op.args.items(), *op.binds.items()):
        if value is not None:
            env.names[name] = _settled(value) if not isinstance(value, Row) else Row(zonk_value(value))
    params: list[Parameter] = []
    for param in local_params(definition.head.body):
        if param.condition is not None and not ctx.statics.truth(param.condition, env):
            continue
        whole = f"{definition.name}.{param.name}"
        leaf = zonk_leaf(ctx, parameter_leaf(ctx, param.type, env, whole, op.span))
        fixed_sizes(ctx, leaf, param.name, op)
        start = initialiser(ctx, param.init, env)
        made = close_init(ctx, start, op.span, leaf, instances)
        params.append(Parameter(param.name, leaf, made, state="constant" if param.state else ""))
    binds = tuple((name, value) for name, value in instance.binds if isinstance(value, (Axis, tuple)))
    under = Instance(definition, instance.args, instance.binds, ctx.facts)
    make = instances.definition(under) if definition.head.body is not None else None
    if make is not None and any(map(is_empty, walk_axes(axes_of(binds)))):
        instances.require(ctx, under, op.span)
    return Native(
        definition.name,
        instance.args,
        binds,
        tuple(params),
        op.at_in,
        op.at_out,
        None if make is None else Definition(make),
        emits(definition.head.body),
    )


def axes_of(binds: Iterable[tuple[str, Any]]) -> tuple[AxisItem, ...]:
    """The axes that binders stand for, those of rows included."""
    return tuple(a for _, value in binds for a in (value if isinstance(value, tuple) else (value,)))


def is_empty(axis: AxisItem) -> bool:
    """Whether nothing stands along an axis: what is divided by its size has no value."""
    return isinstance(axis, Axis) and normal(axis.size) == 0


def fixed_sizes(ctx: Context, leaf: Leaf, name: str, op: Use) -> None:
    """Parameters have fixed sizes. Raises Refused."""
    for axis in leaf.axes:
        if isinstance(axis, Axis) and isinstance(axis.size, Poly) and (free := free_syms(axis.size)):
            dim = sorted(free)[0].rpartition("::")[2]
            raise ctx.refuse(wrong.ParamFreeDim(op.span, f"{op.definition.name}.{name}", dim))
